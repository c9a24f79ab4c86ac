//go:build unix

package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/beneath"
)

var ways = map[string]func(from, to string) error{
	"by the system": renameNew, "by a link": byPaths((*beneath.Dir).RenameByLink), "by a claim": byPaths((*beneath.Dir).RenameByClaim),
}

// Each way of renaming, also those for drives that know no better.
func TestARenameReplacesNothing(t *testing.T) {
	t.Parallel()
	for name, rename := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
			put(t, root, "a", "one")
			require.NoError(t, rename(a, b))
			require.Equal(t, map[string]string{"b": "one"}, holding(t, root))
			put(t, root, "a", "two")
			require.ErrorIs(t, rename(a, b), fs.ErrExist)
			require.Equal(t, map[string]string{"a": "two", "b": "one"}, holding(t, root))
			require.ErrorIs(t, rename(filepath.Join(root, "none"), filepath.Join(root, "c")), fs.ErrNotExist)
			require.Len(t, holding(t, root), 2)
		})
	}
}

// Several who want the same name: each gets it or is told so, and every file
// is still there.
func TestRenamesToOneNameLoseNothing(t *testing.T) {
	t.Parallel()
	for name, rename := range ways {
		root := t.TempDir()
		var all sync.WaitGroup
		for n := range 20 {
			from, _ := put(t, root, "from"+strconv.Itoa(n), strconv.Itoa(n))
			all.Go(func() {
				m := &Mover{Folder: root, disk: disk{rename: rename}}
				top, err := beneath.Root(root)
				if err != nil {
					t.Error(err)
					return
				}
				defer top.Close()
				_, err = m.place(top, filepath.Base(from), top, "to.mp4")
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		all.Wait()
		seen := map[string]bool{}
		for _, content := range holding(t, root) {
			seen[content] = true
		}
		require.Len(t, seen, 20, name)
	}
}

// A real drive, and a full one.
func TestOntoARealOtherDrive(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, dir := range []string{DoneFolder, RefusedFolder} {
		at := filepath.Join(root, dir)
		require.NoError(t, os.Mkdir(at, 0o755))
		if err := mountSmall(at); err != nil {
			t.Skip("no small drive can be mounted here:", err)
		}
		t.Cleanup(func() { require.NoError(t, unmount(at)) })
	}
	m := &Mover{Folder: root}
	small, id := put(t, root, "small.mp4", "fits")
	to, err := m.Done(small, id, november)
	require.NoError(t, err)
	require.NoFileExists(t, small)
	require.FileExists(t, to.Path)

	big, id := put(t, root, "big.mp4", string(make([]byte, 1<<20)))
	for n, move := range moves(m) {
		to, err := move(big, id)
		require.True(t, diskFull(err), "%v", err)
		require.Zero(t, to)
		require.NoError(t, samePath(big, id))
		require.Empty(t, holding(t, filepath.Join(root, RefusedFolder)))
		require.Len(t, holding(t, filepath.Join(root, DoneFolder)), 1)
		message, _ := errors.AsType[*MoveError](err)
		text, _ := message.Explain("zh")
		require.Contains(t, text, "磁盘满了", n)
	}
	// Not even room for the text.
	require.NoError(t, fillUp(filepath.Join(root, RefusedFolder, "full")))
	small, id = put(t, root, "small.avi", "would fit elsewhere")
	_, err = m.Refused(small, id, "message", "remedy")
	require.True(t, diskFull(err), "%v", err)
	require.NoError(t, samePath(small, id))
}

func fillUp(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 1<<10)); err != nil {
			return nil
		}
	}
}
