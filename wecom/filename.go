package wecom

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Answers in the wild have both names, of which the plain one is garbled
// (attachment; filename*=utf-8”%E8...xlsx; filename="????.xlsx"), and quotes
// that are missing.
var (
	extendedName = regexp.MustCompile(`(?i)(?:^|[;\s])filename\*\s*=\s*"?([^'";\s]*)'[^']*'([^";\s]*)`)
	quotedName   = regexp.MustCompile(`(?i)(?:^|[;\s])filename\s*=\s*"((?:[^"\\]|\\.)*)"`)
	bareName     = regexp.MustCompile(`(?i)(?:^|[;\s])filename\s*=\s*([^";]+)`)
)

// filename is the name in a Content-Disposition: filename* before filename
// (RFC 6266), and only if it is UTF-8. It never leads out of a folder.
func filename(disposition string) string {
	if m := extendedName.FindStringSubmatch(disposition); m != nil && utf8Charset(m[1]) {
		if s, err := url.PathUnescape(m[2]); err == nil {
			if s = plainName(s); s != "" {
				return s
			}
		}
	}
	if m := quotedName.FindStringSubmatch(disposition); m != nil {
		return plainName(escaped.ReplaceAllString(m[1], "$1"))
	}
	if m := bareName.FindStringSubmatch(disposition); m != nil {
		return plainName(m[1])
	}
	return ""
}

var escaped = regexp.MustCompile(`\\(.)`)

func utf8Charset(s string) bool {
	return strings.EqualFold(s, "utf-8") || strings.EqualFold(s, "utf8") || strings.EqualFold(s, "us-ascii")
}

// plainName is s without folders and without what cannot be shown.
func plainName(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s))
	if s == "." || s == ".." {
		return ""
	}
	return s
}
