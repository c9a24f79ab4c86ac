//go:build unix

package inspect_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
)

// None of these may block, and none may be opened.
func TestWhatIsNoFileIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo.mp4")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	link := filepath.Join(dir, "link.mp4")
	require.NoError(t, os.Symlink(fifo, link))
	for path, detail := range map[string]string{fifo: "pipe", link: "pipe", "/dev/null": "device"} {
		_, err := read(path, inspect.Options{})
		e := requireRefused(t, err, inspect.NotRegular)
		require.Equal(t, detail, e.Detail, path)
		_, err = inspect.Complete(path)
		requireRefused(t, err, inspect.NotRegular)
	}
	socket := filepath.Join(dir, "s")
	if l, err := net.Listen("unix", socket); err == nil {
		defer l.Close()
		_, err = read(socket, inspect.Options{})
		require.Equal(t, "socket", requireRefused(t, err, inspect.NotRegular).Detail)
	}
}
