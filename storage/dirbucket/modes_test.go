//go:build !windows

package dirbucket_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Without the modes the web server, which runs as somebody else, answers 403.
func TestFilesCanBeReadByTheWebServer(t *testing.T) {
	folder := t.TempDir()
	old := syscall.Umask(0o077)
	err := open(t, folder).Put(t.Context(), request("a/b/c.mp4", "hello"))
	syscall.Umask(old)
	require.NoError(t, err)
	for name, mode := range map[string]os.FileMode{"a": 0o755, "a/b": 0o755, "a/b/c.mp4": 0o644} {
		info, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
}
