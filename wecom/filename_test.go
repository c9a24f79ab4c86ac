package wecom_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
)

// From WxJava #3146 (filename* beside a garbled filename) and #1500 (names
// that are an extension alone).
func TestNameOfAMedia(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		`attachment; filename*=utf-8''GMS-%E8%A1%A8.xlsx; filename="GMS-???.xlsx"`:   "GMS-表.xlsx",
		`attachment; filename="GMS-???.xlsx"; filename*=UTF-8'zh'GMS-%e8%a1%a8.xlsx`: "GMS-表.xlsx",
		`attachment;filename*=utf-8''a%20b%27c%3B.mp4`:                               "a b'c;.mp4",
		`attachment; FileName* = UTF-8''a.mp4`:                                       "a.mp4",
		`attachment; filename*="utf-8''a.mp4"`:                                       "a.mp4",
		`attachment; filename*=gbk''%b1%ed.xlsx; filename="b.xlsx"`:                  "b.xlsx",
		`attachment; filename*=utf-8''%ff%fe; filename="b.xlsx"`:                     "b.xlsx",
		`attachment; filename*=utf-8''%zz; filename="b.xlsx"`:                        "b.xlsx",
		`attachment; filename="表.xlsx"`:                                              "表.xlsx",
		`attachment; filename="a \"b\".txt"`:                                         `a "b".txt`,
		`attachment; filename="a;b.txt"`:                                             "a;b.txt",
		`attachment; filename=plain.mp4`:                                             "plain.mp4",
		`attachment; filename=with space.mp4; x=1`:                                   "with space.mp4",
		"attachment; filename=\"\xb1\xed.xlsx\"":                                     "",
		`attachment; filename=".amr"`:                                                ".amr",
		`attachment; filename=""`:                                                    "",
		`attachment`:                                                                 "",
		`;;;filename`:                                                                "",
		`attachment; filename*=utf-8''..%2F..%2Fetc%2Fpasswd`:                        "passwd",
		`attachment; filename="C:\\Windows\\a.exe"`:                                  "a.exe",
		`attachment; filename="/etc/passwd"`:                                         "passwd",
		`attachment; filename=".."`:                                                  "",
		`attachment; filename*=utf-8''a%0Ab%E2%80%AEgpj.exe`:                         "abgpj.exe",
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			s := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Disposition", header)
				io.WriteString(w, "hello")
			})
			res, err := client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), "3*1*x", io.Discard, quick)
			require.NoError(t, err)
			require.Equal(t, want, res.Name)
		})
	}
}
