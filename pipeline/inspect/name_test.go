package inspect_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"wedrop/pipeline/inspect"
)

func TestShownName(t *testing.T) {
	t.Parallel()
	han := strings.Repeat("长", 60)
	for _, row := range []struct {
		about   string
		name    string
		typ     inspect.Type
		want    string
		changed bool
	}{
		{"an ordinary name stays", "双十一 开场.mp4", inspect.Video, "双十一 开场.mp4", false},
		{"a path gives its last part", "/a/b/c.pdf", inspect.File, "c.pdf", false},
		{"a Windows path too", `C:\fakepath\c.pdf`, inspect.File, "c.pdf", true},
		{"capitals of .mp4 are no change", "A.MP4", inspect.Video, "A.mp4", false},
		{"capitals of a file's extension stay", "A.PDF", inspect.File, "A.PDF", false},
		{"a video gets .mp4 for its own", "clip.3gp", inspect.Video, "clip.mp4", true},
		{"m4v as well", "clip.M4V", inspect.Video, "clip.mp4", true},
		{"a video without an extension gets one", "clip", inspect.Video, "clip.mp4", true},
		{"what is no extension stays", "v1.2", inspect.Video, "v1.2.mp4", true},
		{"a name with a dot stays", "Mr.Lee", inspect.Video, "Mr.Lee.mp4", true},
		{"decomposed becomes composed, which nobody sees", "cafe\u0301.pdf", inspect.File, "café.pdf", false},
		{"writing direction cannot be turned", "invoice\u202efdp.exe", inspect.File, "invoicefdp.exe", true},
		{"the invisible goes", "a\u200bb\ufeffc\u00add\u2066.txt", inspect.File, "abcd.txt", true},
		{"line ends and controls go", "a\r\nb\x00\x1b[31m\u2028c.txt", inspect.File, "ab[31mc.txt", true},
		{"wide and repeated spaces become one", "产品\u3000 \u00a0介绍.pdf", inspect.File, "产品 介绍.pdf", true},
		{"what Windows refuses becomes a line", `a:b*c?d"e<f>g|h.txt`, inspect.File, "a_b_c_d_e_f_g_h.txt", true},
		{"dots and spaces at the ends go", "  ..a.txt. . ", inspect.File, "a.txt", true},
		{"devices of Windows get a mark", "con.txt", inspect.File, "_con.txt", true},
		{"with several extensions too", "LPT1.tar.gz", inspect.File, "_LPT1.tar.gz", true},
		{"COM0 is none", "COM0.txt", inspect.File, "COM0.txt", false},
		{"other encodings become marks", "\xc4\xe3\xba\xc3.txt", inspect.File, "_.txt", true},
		{"a hidden file is shown", ".env", inspect.File, "env", true},
		{"a joined emoji stays", "👩\u200d👩\u200d👧.mp4", inspect.Video, "👩\u200d👩\u200d👧.mp4", false},
		{"a joiner that joins nothing goes", "ab\u200dc\u200d.mp4", inspect.Video, "abc.mp4", true},
		{"128 bytes stay", strings.Repeat("a", 124) + ".pdf", inspect.File, strings.Repeat("a", 124) + ".pdf", false},
		{"a long one loses its middle", han + "第12集.mp4", inspect.Video, strings.Repeat("长", 28) + "…" + strings.Repeat("长", 9) + "第12集.mp4", true},
		{"a long one without an extension", strings.Repeat("a", 300), inspect.File, strings.Repeat("a", 89) + "…" + strings.Repeat("a", 36), true},
		{"nothing", "", inspect.File, "", true},
		{"nothing that shows", "\u202e\u200b\u2066", inspect.File, "", true},
		{"dots alone", "...", inspect.File, "", true},
		{"spaces alone", "   ", inspect.File, "", true},
		{"an extension alone is no video's name", "\u200b.mp4", inspect.Video, "", true},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			got, changed := inspect.ShownName(row.name, row.typ)
			require.Equal(t, row.want, got)
			require.Equal(t, row.changed, changed)
			requireShowable(t, got, row.typ)
		})
	}
}

func TestLongNamesAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	family := "👩🏽\u200d👩🏿\u200d👧"
	for _, unit := range []string{"é", "e\u0323\u0302", "好", family, "🇨🇳", "👍🏽", "क्षि", "a\u0301\u0302\u0303"} {
		for pad := range 8 {
			name := strings.Repeat("x", pad) + strings.Repeat(unit, 80) + ".mp4"
			got, changed := inspect.ShownName(name, inspect.Video)
			require.True(t, changed)
			requireShowable(t, got, inspect.Video)
			head, tail, ok := strings.Cut(strings.TrimSuffix(got, ".mp4"), "…")
			require.True(t, ok)
			composed := norm.NFC.String(unit)
			head = strings.ReplaceAll(strings.TrimLeft(head, "x"), composed, "")
			tail = strings.ReplaceAll(tail, composed, "")
			if unit == "🇨🇳" || unit == "क्षि" {
				continue // requireShowable is enough
			}
			require.Empty(t, head, "%q was cut inside %q", got, unit)
			require.Empty(t, tail, "%q was cut inside %q", got, unit)
		}
	}
}

// requireShowable holds for every name that is ever shown.
func requireShowable(t *testing.T, s string, typ inspect.Type) {
	t.Helper()
	if s == "" {
		return
	}
	require.LessOrEqual(t, len(s), inspect.MaxName)
	require.True(t, utf8.ValidString(s))
	require.True(t, norm.NFC.IsNormalString(s), "%q", s)
	require.False(t, strings.ContainsAny(s, `\/:*?"<>|`), "%q", s)
	require.Equal(t, strings.Trim(s, " ."), s)
	for _, r := range s {
		if r != '\u200d' {
			require.False(t, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp), "%q has %U", s, r)
		}
		require.True(t, r == ' ' || !unicode.IsSpace(r), "%q has %U", s, r)
	}
	if typ == inspect.Video {
		require.True(t, strings.HasSuffix(s, ".mp4"), s)
	}
}

func FuzzShownName(f *testing.F) {
	for _, s := range []string{
		"a.mp4", "双十一.MOV", "\u202ea\u200d.pdf", "CON", ".env", strings.Repeat("好", 99) + ".mp4", "👩\u200d👧.mp4", "\xff\xfe", "a\u0338<", " . .x. ",
		strings.Repeat("a\u0301\u0302", 90), strings.Repeat("\u0301", 200),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, typ := range []inspect.Type{inspect.Video, inspect.File} {
			shown, _ := inspect.ShownName(name, typ)
			requireShowable(t, shown, typ)
			if shown == "" {
				continue
			}
			again, changed := inspect.ShownName(shown, typ)
			require.Equal(t, shown, again, "a shown name stays")
			require.False(t, changed)
		}
	})
}
