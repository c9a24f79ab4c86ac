package inspect

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ShownName makes of name, which may be a path of any system, the name that
// customers see: NFC, nothing invisible and nothing that changes the
// direction of writing, none of the characters that Windows refuses in a
// name, at most MaxName bytes. A longer name loses its middle, for what tells
// one of a series from the next is at its end. A video's name ends in .mp4.
//
// changed tells that a person would see the difference, or ought to know of
// it. shown is empty if nothing of name can be shown.
func ShownName(name string, t Type) (shown string, changed bool) {
	base := baseName(name)
	was := norm.NFC.String(name[strings.LastIndexByte(strings.TrimRight(name, "/"), '/')+1:])
	stem, ext := splitExt(clean(base))
	if t == Video {
		if !replaceable(ext) {
			stem += ext
		} else if strings.EqualFold(ext, ".mp4") && strings.HasSuffix(was, ext) {
			was = strings.TrimSuffix(was, ext) + ".mp4" // a matter of case alone
		}
		ext = ".mp4"
	}
	stem = strings.TrimLeft(stem, ". ")
	if t == Video {
		stem = strings.TrimRight(stem, ". ")
	}
	if stem == "" && (t == Video || ext == "") {
		return "", true
	}
	if stem == "" { // ".env"
		stem, ext = ext[1:], ""
	}
	if reserved(stem) {
		stem = "_" + stem
	}
	shown = shorten(stem, ext)
	return shown, shown != was
}

// baseName is what follows the last separator, on whichever system the name
// was made.
func baseName(name string) string {
	name = strings.TrimRight(name, `/\`)
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// clean keeps of s what can be shown.
func clean(s string) string {
	runes := []rune(norm.NFC.String(strings.ToValidUTF8(s, "_")))
	out := make([]rune, 0, len(runes))
	for i, r := range runes {
		switch {
		case r == zwj:
			if i+1 < len(runes) && len(out) > 0 && joins(out[len(out)-1]) && joins(runes[i+1]) {
				out = append(out, r)
			}
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\t':
		case r == '\t' || unicode.Is(unicode.Zs, r):
			if len(out) > 0 && out[len(out)-1] != ' ' {
				out = append(out, ' ')
			}
		case strings.ContainsRune(`\/:*?"<>|`, r):
			out = append(out, '_')
		default:
			out = append(out, r)
		}
	}
	return strings.TrimRight(norm.NFC.String(string(out)), ". ")
}

const zwj = '\u200d'

// joins tells the runes that a zero-width joiner may stand between: parts of
// an emoji, letters of Indic and Arabic scripts with their marks. Anywhere
// else it is only there to make two names look alike.
func joins(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Mn, unicode.Mc, unicode.Arabic, unicode.Devanagari, unicode.Bengali,
		unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Gujarati) || skinTone(r)
}

func skinTone(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

// splitExt cuts off an extension: a dot and one to nine ASCII letters and
// digits, at least one of them a letter. "v1.2" has none.
func splitExt(s string) (stem, ext string) {
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 || len(s)-dot < 2 || len(s)-dot > 10 {
		return s, ""
	}
	letter := false
	for _, b := range []byte(s[dot+1:]) {
		isLetter := b|0x20 >= 'a' && b|0x20 <= 'z'
		if letter = letter || isLetter; !isLetter && (b < '0' || b > '9') {
			return s, ""
		}
	}
	if !letter {
		return s, ""
	}
	return s[:dot], s[dot:]
}

// replaceable tells the extensions that say nothing which .mp4 does not. Any
// other stays and .mp4 follows it: "Mr.Lee" is no file type.
func replaceable(ext string) bool {
	if ext == "" {
		return true
	}
	switch strings.ToLower(ext) {
	case ".bin", ".dat", ".data", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".mp4v", ".lrv", ".insv":
		return true
	}
	return claimOf([]string{ext}) != namedOther
}

// reserved tells the names that Windows keeps for devices, with whatever
// extension.
func reserved(stem string) bool {
	s, _, _ := strings.Cut(strings.ToUpper(stem), ".")
	s = strings.TrimRight(s, " ")
	switch s {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(s) == 4 && (s[:3] == "COM" || s[:3] == "LPT") && s[3] >= '1' && s[3] <= '9'
}

// shorten cuts stem in the middle so that it fits with ext.
func shorten(stem, ext string) string {
	if len(stem)+len(ext) <= MaxName {
		return stem + ext
	}
	const ellipsis, tail = "…", 36 // bytes; a dozen Han characters
	room := MaxName - len(ext) - len(ellipsis)
	end := cutAfter(stem, len(stem)-tail)
	start := cutBefore(stem, room-(len(stem)-end))
	return strings.TrimRight(stem[:start], ". ") + ellipsis + strings.TrimLeft(stem[end:], " ") + ext
}

// cutBefore is the last place at or before i where s may be cut.
func cutBefore(s string, i int) int {
	for j := i; j > 0; j-- {
		if cuttable(s, j) {
			return j
		}
	}
	return runeStart(s, i)
}

// cutAfter is the first place at or after i where s may be cut, and the end
// of s if nothing there may.
func cutAfter(s string, i int) int {
	for ; i < len(s) && !cuttable(s, i); i++ {
	}
	return i
}

func runeStart(s string, i int) int {
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// cuttable tells whether s may be cut before byte i: between runes, and not
// inside what the eye takes for one character.
func cuttable(s string, i int) bool {
	if !utf8.RuneStart(s[i]) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[i:])
	last, _ := utf8.DecodeLastRuneInString(s[:i])
	flag := func(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }
	return next != zwj && last != zwj && !skinTone(next) && !unicode.Is(unicode.M, next) && !(flag(next) && flag(last))
}

// keyExt is the extension for the object's key.
func keyExt(shown string) string {
	_, ext := splitExt(shown)
	return strings.ToLower(ext)
}
