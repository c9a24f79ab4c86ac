package postgres

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The names of files are bytes on Linux, and those from an archive of another
// system often no UTF-8, which PostgreSQL takes alone. Such bytes are stored as
// characters for private use, at the end of all that there are, and come back
// as they were.
const aside = 0x10FF00 // to 0x10FFFF

// stored is s as PostgreSQL takes it.
func stored(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, isAside) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || isAside(r) {
			for _, c := range []byte(s[:n]) {
				b.WriteRune(aside + rune(c))
			}
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// isAside also holds for NUL, which PostgreSQL refuses.
func isAside(r rune) bool { return r >= aside || r == 0 }

// restored is the inverse of stored.
func restored(s string) string {
	if strings.IndexFunc(s, isAside) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r >= aside {
			b.WriteByte(byte(r - aside))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// restore makes strings that were read what they were.
func restore(all ...*string) {
	for _, s := range all {
		*s = restored(*s)
	}
}

// params are the parameters of a statement as PostgreSQL takes them.
func params(args []any) []any {
	for n, a := range args {
		switch v := a.(type) {
		case string:
			args[n] = stored(v)
		case []string:
			v = slices.Clone(v)
			for i := range v {
				v[i] = stored(v[i])
			}
			args[n] = v
		}
	}
	return args
}
