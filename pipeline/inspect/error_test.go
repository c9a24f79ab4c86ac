package inspect_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
)

// requireExplained holds for every refusal there is: what, which file, what
// to do now, in both languages.
func requireExplained(t *testing.T, e *inspect.Error) {
	t.Helper()
	zh, zhCure := e.Explain("zh")
	en, enCure := e.Explain("en")
	for _, s := range []string{zh, zhCure, en, enCure} {
		require.NotEmpty(t, s)
		require.NotContains(t, s, "%!", "a format went wrong")
		if dir := filepath.Dir(e.Path); dir != "." && dir != "/" {
			require.NotContains(t, s, dir, "a person wants the name, not the path")
		}
	}
	require.NotEqual(t, zh, en)
	require.NotEqual(t, zhCure, enCure)
	require.True(t, strings.ContainsRune(zh, '。') && strings.HasSuffix(en, "."), "%s / %s", zh, en)
}

// Whatever is ever found, a person is told what and what to do.
func TestEveryErrorExplainsItself(t *testing.T) {
	t.Parallel()
	details := []string{
		"", "empty", "unknown", "zeroes", "quicktime", "matroska", "html", "text", "pdf", "heif", "3gp", "application/x-odd", "appledouble", "shortcut",
		"truncated", "moov-missing", "media-missing", "malformed", "index-mismatch", "fragment", "encrypted",
		"sound-only", "no-video", "audio", "directory", "pipe", "socket", "device", "symlink", "missing", "permission", "size", "written", "replaced",
	}
	for _, code := range inspect.Codes() {
		for _, detail := range details {
			for _, cause := range []error{nil, syscall.EIO, &fs.PathError{Op: "open", Path: "/secret/place/clip.mp4", Err: syscall.ENOTDIR}} {
				e := &inspect.Error{Code: code, Path: "/secret/place/clip.mp4", Detail: detail, Size: 3, Offset: 1234, Err: cause}
				requireExplained(t, e)
				message, _ := e.Explain("zh")
				require.Contains(t, message, "clip.mp4")
				message, _ = e.Explain("en")
				require.Contains(t, message, "clip.mp4")
				require.Equal(t, "inspect/"+string(code), e.FaultCode())
				require.Contains(t, e.Error(), string(code))
			}
		}
	}
}

func TestWhatPassesByItself(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  inspect.Error
		want bool
	}{
		{inspect.Error{Code: inspect.Changed}, true},
		{inspect.Error{Code: inspect.Unreadable, Err: &fs.PathError{Err: syscall.ESTALE}}, true},
		{inspect.Error{Code: inspect.Unreadable, Err: &fs.PathError{Err: syscall.EIO}}, true},
		{inspect.Error{Code: inspect.Unreadable, Err: &fs.PathError{Err: syscall.EAGAIN}}, true},
		{inspect.Error{Code: inspect.Unreadable, Err: &fs.PathError{Err: syscall.EMFILE}}, true},
		{inspect.Error{Code: inspect.Unreadable, Err: fs.ErrNotExist}, false},
		{inspect.Error{Code: inspect.Unreadable, Err: fs.ErrPermission}, false},
		{inspect.Error{Code: inspect.Unreadable}, false},
		{inspect.Error{Code: inspect.TooSmall}, false},
		{inspect.Error{Code: inspect.TruncatedMP4}, false},
	} {
		require.Equal(t, row.want, row.err.Temporary(), "%v", &row.err)
		require.Equal(t, row.err.Err, row.err.Unwrap())
	}
}
