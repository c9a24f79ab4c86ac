//go:build unix

package folder

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/beneath"
	"wedrop/pipeline/inspect"
)

// Found by an attacker: 2,981 moves through a folder that was swapped with a
// link left 31 files in a private folder, and in the other direction moved a
// private file into the drop folder. Somebody swaps the folder of the file and
// ours without rest; nothing may leave the drop folder or come in.
func TestSwappedFoldersLeadNoMoveElsewhere(t *testing.T) {
	t.Parallel()
	private, root := t.TempDir(), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(private, "sub"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(private, "2026-11"), 0o755))
	put(t, private, "a.mp4", "private")
	before := holding(t, private)
	dirs := []string{"in", RefusedFolder, DoneFolder}
	for _, dir := range dirs {
		require.NoError(t, os.Mkdir(filepath.Join(root, dir), 0o755))
		require.NoError(t, os.Symlink(private, filepath.Join(root, dir+".link")))
	}
	stop, swaps := make(chan struct{}), 0
	var swapper sync.WaitGroup
	swapper.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			dir := filepath.Join(root, dirs[n%len(dirs)])
			_ = os.Rename(dir, dir+".away")
			_ = os.Rename(dir+".link", dir)
			_ = os.Rename(dir, dir+".link")
			_ = os.Rename(dir+".away", dir)
			swaps++
		}
	})
	m := &Mover{Folder: root}
	tries, moved := 3000, 0
	for n := range tries {
		path := filepath.Join(root, "in", "a.mp4")
		content := strconv.Itoa(n)
		at := filepath.Join(root, "new"+content)
		require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
		top, err := beneath.Root(root)
		require.NoError(t, err)
		in, err := top.Sub("in")
		if err == nil {
			_ = in.Remove("a.mp4")
			err = top.RenameNew("new"+content, in, "a.mp4")
			in.Close()
		}
		top.Close()
		if err != nil {
			require.NoError(t, os.Remove(at))
			continue
		}
		fi, err := os.Stat(path) // of the private one, sometimes
		if err != nil {
			continue
		}
		if _, err := moves(m)[n%2](path, inspect.ID(fi)); err == nil {
			moved++
		}
	}
	close(stop)
	swapper.Wait()
	t.Logf("%d of %d moved during %d swaps", moved, tries, swaps)
	require.Equal(t, before, holding(t, private))
	require.NotZero(t, moved)
	for _, dir := range dirs {
		require.NoError(t, os.Remove(filepath.Join(root, dir+".link")))
	}
	for name, content := range holding(t, root) {
		require.NotEqual(t, "private", content, name)
	}
}
