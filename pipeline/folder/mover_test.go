package folder

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/beneath"
	"wedrop/pipeline/inspect"
)

var november = time.Date(2026, 11, 22, 8, 0, 0, 0, time.Local)

// put writes a file into a folder and returns what was processed.
func put(t *testing.T, root, name, content string) (string, inspect.FileID) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	fi, err := os.Lstat(path)
	require.NoError(t, err)
	return path, inspect.ID(fi)
}

// holding lists all files below root with their contents.
func holding(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(root, p)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	}))
	return out
}

// byPaths is a rename of beneath, by paths.
func byPaths(rename func(*beneath.Dir, string, *beneath.Dir, string) error) func(from, to string) error {
	return func(from, to string) error {
		a, err := beneath.Root(filepath.Dir(from))
		if err != nil {
			return err
		}
		defer a.Close()
		b, err := beneath.Root(filepath.Dir(to))
		if err != nil {
			return err
		}
		defer b.Close()
		return rename(a, filepath.Base(from), b, filepath.Base(to))
	}
}

var renameNew = byPaths((*beneath.Dir).RenameNew)

func samePath(path string, id inspect.FileID) error {
	d, err := beneath.Root(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return same(d, filepath.Base(path), id)
}

func TestADoneFileGoesIntoItsMonth(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	m := &Mover{Folder: root}
	path, id := put(t, root, "开场.mp4", "one")
	to, err := m.Done(path, id, november)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "_已完成", "2026-11", "开场.mp4"), to.Path)
	fi, err := os.Lstat(to.Path)
	require.NoError(t, err)
	require.Equal(t, inspect.ID(fi), to.ID)
	require.Equal(t, map[string]string{"_已完成/2026-11/开场.mp4": "one"}, holding(t, root))

	again, err := m.Done(to.Path, to.ID, november)
	require.NoError(t, err)
	require.Equal(t, to, again, "it is put away already")
	again, err = m.Refused(to.Path, to.ID, "a", "b")
	require.NoError(t, err)
	require.Equal(t, to, again)
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	m := &Mover{Folder: root}
	for _, content := range []string{"one", "two", "three"} {
		path, id := put(t, root, "a.mp4", content)
		_, err := m.Done(path, id, november)
		require.NoError(t, err)
		path, id = put(t, root, "README", content)
		_, err = m.Refused(path, id, "not this "+content, "")
		require.NoError(t, err)
	}
	require.Equal(t, map[string]string{
		"_已完成/2026-11/a.mp4": "one", "_已完成/2026-11/a-2.mp4": "two", "_已完成/2026-11/a-3.mp4": "three",
		"_失败/README": "one", "_失败/README-2": "two", "_失败/README-3": "three",
		"_失败/README.原因.txt": bom + "not this one\r\n", "_失败/README-2.原因.txt": bom + "not this two\r\n",
		"_失败/README-3.原因.txt": bom + "not this three\r\n",
	}, holding(t, root))
}

func TestARefusedFileHasTheReasonBesideIt(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	m := &Mover{Folder: root}
	path, id := put(t, root, "大促/旧片.avi", "avi")
	to, err := m.Refused(path, id, "旧片.avi 不是 MP4，\n是 AVI。", "请转成 MP4 再放进来。")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "_失败", "大促", "旧片.avi"), to.Path)
	require.Equal(t, map[string]string{
		"_失败/大促/旧片.avi":        "avi",
		"_失败/大促/旧片.avi.原因.txt": "\xef\xbb\xbf旧片.avi 不是 MP4， 是 AVI。\r\n请转成 MP4 再放进来。\r\n",
	}, holding(t, root))

	// Moved back it is tried again; refused again, it finds its old text.
	back := filepath.Join(root, "大促", "旧片.avi")
	require.NoError(t, os.Rename(to.Path, back))
	c, _, err := Scan(t.Context(), Folder{Path: root, Recursive: true})
	require.NoError(t, err)
	require.Len(t, c, 1, "and what was put away is not")
	require.Equal(t, back, c[0].Path)
	_, err = m.Refused(back, c[0].ID, "still AVI", "")
	require.NoError(t, err)
	require.Equal(t, bom+"still AVI\r\n", holding(t, root)["_失败/大促/旧片.avi.原因.txt"])
}

func TestAFileThatIsAnotherOneNowStays(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path, id := put(t, root, "a.mp4", "old")
	require.NoError(t, os.WriteFile(path, []byte("newer"), 0o644))
	for _, move := range moves(&Mover{Folder: root}) {
		to, err := move(path, id)
		require.ErrorIs(t, err, ErrReplaced)
		require.Zero(t, to)
		require.Equal(t, map[string]string{"a.mp4": "newer"}, holding(t, root))
	}
	require.NoError(t, os.Remove(path))
	for _, move := range moves(&Mover{Folder: root}) {
		_, err := move(path, id)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	require.NoError(t, os.Mkdir(path, 0o755))
	for _, move := range moves(&Mover{Folder: root}) {
		_, err := move(path, id)
		require.ErrorIs(t, err, ErrReplaced)
	}
	path, _ = put(t, root, "b.mp4", "never seen")
	_, err := (&Mover{Folder: root}).Done(path, inspect.FileID{}, november)
	require.ErrorIs(t, err, ErrReplaced)
}

func moves(m *Mover) []func(string, inspect.FileID) (Moved, error) {
	return []func(string, inspect.FileID) (Moved, error){
		func(p string, id inspect.FileID) (Moved, error) { return m.Done(p, id, november) },
		func(p string, id inspect.FileID) (Moved, error) { return m.Refused(p, id, "message", "remedy") },
	}
}

// Between the look and the rename somebody saves a new version.
func TestAFileReplacedAtTheLastMomentGoesBack(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for n, move := range moves(&Mover{Folder: root, disk: disk{rename: func(from, to string) error {
		if filepath.Dir(from) == root {
			if err := os.WriteFile(from, []byte("newer"), 0o644); err != nil {
				return err
			}
		}
		return renameNew(from, to)
	}}}) {
		path, id := put(t, root, "a.mp4", strings.Repeat("old", n+1))
		_, err := move(path, id)
		require.ErrorIs(t, err, ErrReplaced)
		require.Equal(t, map[string]string{"a.mp4": "newer"}, holding(t, root))
	}
}

func TestAFileOfAnotherFolderIsNotMoved(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path, id := put(t, root, "other/a.mp4", "one")
	for _, move := range moves(&Mover{Folder: filepath.Join(root, "drop")}) {
		_, err := move(path, id)
		require.ErrorContains(t, err, "not a file of the folder")
	}
	gone := filepath.Join(root, "nas")
	for _, move := range moves(&Mover{Folder: gone}) {
		_, err := move(filepath.Join(gone, "a.mp4"), id)
		require.ErrorIs(t, err, fs.ErrNotExist, "a drive that is not mounted is not made")
	}
	require.NoDirExists(t, gone)
}

func TestALinkInPlaceOfOurFolderIsNotFollowed(t *testing.T) {
	t.Parallel()
	root, elsewhere := t.TempDir(), t.TempDir()
	for n, name := range []string{DoneFolder, RefusedFolder} {
		if err := os.Symlink(elsewhere, filepath.Join(root, name)); err != nil {
			t.Skip(err)
		}
		path, id := put(t, root, "a.mp4", "one")
		_, err := moves(&Mover{Folder: root})[n](path, id)
		var e *MoveError
		require.ErrorAs(t, err, &e)
		message, remedy := e.Explain("zh")
		require.Contains(t, message, name)
		require.NotEmpty(t, remedy)
		require.FileExists(t, path)
	}
	require.Empty(t, holding(t, elsewhere))
}

func TestNamesAtTheLimitAreCutAtACharacter(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	m := &Mover{Folder: root}
	name := strings.Repeat("长", 83) + ".mp4" // 253 bytes
	for range 2 {
		path, id := put(t, root, name, "one")
		to, err := m.Refused(path, id, "message", "remedy")
		require.NoError(t, err)
		require.NotContains(t, to.Path, "\ufffd")
	}
	require.Len(t, holding(t, root), 4)
	require.Equal(t, strings.Repeat("长", 79)+"-2.mp4", numbered(name, 2))
	require.Len(t, numbered("a."+strings.Repeat("x", 253), 10_000), 255-len(reasonSuffix))
}

func TestOurFoldersAreUsableByWhoMayUseTheFolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	root := t.TempDir()
	require.NoError(t, os.Chmod(root, 0o777))
	path, id := put(t, root, "a.mp4", "one")
	to, err := (&Mover{Folder: root}).Refused(path, id, "m", "r")
	require.NoError(t, err)
	fi, err := os.Stat(filepath.Dir(to.Path))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o777), fi.Mode().Perm(), "or nobody could move the file back")
	fi, err = os.Stat(to.Path + reasonSuffix)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o666), fi.Mode().Perm())
}

// elsewhere is a disk where our folders are on another drive.
func elsewhere(root string) disk {
	return disk{rename: func(from, to string) error {
		if !strings.HasPrefix(from, filepath.Join(root, "_")) {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EXDEV}
		}
		return renameNew(from, to)
	}}
}

func TestAcrossDrivesAFileIsCopiedAndThenRemoved(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the answer of the system is another")
	}
	root := t.TempDir()
	m := &Mover{Folder: root, disk: elsewhere(root)}
	content := strings.Repeat("content", 100_000)
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	for range 2 {
		path, _ := put(t, root, "a.mp4", content)
		require.NoError(t, os.Chtimes(path, old, old))
		fi, err := os.Lstat(path)
		require.NoError(t, err)
		to, err := m.Done(path, inspect.ID(fi), november)
		require.NoError(t, err)
		fi, err = os.Lstat(to.Path)
		require.NoError(t, err)
		require.Equal(t, inspect.ID(fi), to.ID)
		require.True(t, fi.ModTime().Equal(old))
		require.Equal(t, fs.FileMode(0o644), fi.Mode().Perm()&0o644)
	}
	require.Equal(t, map[string]string{"_已完成/2026-11/a.mp4": content, "_已完成/2026-11/a-2.mp4": content}, holding(t, root))
}

// Whatever fails on the way to another drive: the file is where it was, whole,
// and nothing else is left.
func TestAcrossDrivesNothingIsLost(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the answer of the system is another")
	}
	full := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for name, c := range map[string]struct {
		edit func(d *disk, path string)
		want error
	}{
		"the drive is full in the middle": {func(d *disk, _ string) {
			d.write = func(w io.Writer, r io.Reader) (int64, error) {
				n, _ := io.CopyN(w, r, 10)
				return n, full
			}
		}, syscall.ENOSPC},
		"bytes are lost on the way": {func(d *disk, _ string) {
			d.write = func(w io.Writer, r io.Reader) (int64, error) {
				n, err := io.Copy(io.Discard, r)
				_, _ = w.Write(make([]byte, n))
				return n, err
			}
		}, errCopy},
		"the copy cannot get its name": {func(d *disk, _ string) {
			rename := d.rename
			d.rename = func(from, to string) error {
				if strings.HasSuffix(from, ".tmp") {
					return full
				}
				return rename(from, to)
			}
		}, syscall.ENOSPC},
		"the file cannot be removed": {func(d *disk, _ string) {
			d.remove = func(string) error { return fs.ErrPermission }
		}, fs.ErrPermission},
		"a new version is saved meanwhile": {func(d *disk, path string) {
			d.write = func(w io.Writer, r io.Reader) (int64, error) {
				n, err := io.Copy(w, r)
				return n, errors.Join(err, os.Chtimes(path, time.Time{}, time.Unix(1, 0)))
			}
		}, ErrReplaced},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range 2 {
				root := t.TempDir()
				path, id := put(t, root, "a.mp4", "all of the content")
				m := &Mover{Folder: root, disk: elsewhere(root)}
				c.edit(&m.disk, path)
				to, err := moves(m)[n](path, id)
				require.ErrorIs(t, err, c.want)
				require.Zero(t, to)
				require.Equal(t, map[string]string{"a.mp4": "all of the content"}, holding(t, root))
				var e *MoveError
				require.ErrorAs(t, err, &e)
				for _, lang := range []string{"zh", "en"} {
					message, remedy := e.Explain(lang)
					require.Contains(t, message, "a.mp4")
					require.NotEmpty(t, remedy)
				}
			}
		})
	}
}

// What a crash left is cleared away; what another process writes now is not.
func TestALeftOverScratchFileDoesNotBlockForEver(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	m := &Mover{Folder: root, disk: elsewhere(root)}
	if runtime.GOOS == "windows" {
		t.Skip("the answer of the system is another")
	}
	left, _ := put(t, root, "_已完成/2026-11/.a.mp4.tmp", "half")
	path, id := put(t, root, "a.mp4", "one")
	_, err := m.Done(path, id, november)
	require.ErrorIs(t, err, errOther)
	require.FileExists(t, left)
	require.NoError(t, os.Chtimes(left, time.Time{}, time.Now().Add(-time.Hour)))
	_, err = m.Done(path, id, november)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"_已完成/2026-11/a.mp4": "one"}, holding(t, root))
}
