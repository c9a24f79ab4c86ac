package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/folder"
	"wedrop/pipeline/inspect"
	"wedrop/storage/storagetest/nobody"
)

// tree makes files (and folders, where the name ends in a slash).
func tree(t testing.TB, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, n := range names {
		p := filepath.Join(root, filepath.FromSlash(n))
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		if strings.HasSuffix(n, "/") {
			require.NoError(t, os.MkdirAll(p, 0o755))
			continue
		}
		require.NoError(t, os.WriteFile(p, []byte("content of "+n), 0o644))
	}
	return root
}

// scan returns the names found and, as "name: reason", those skipped.
func scan(t *testing.T, f folder.Folder) (found, skipped []string) {
	t.Helper()
	c, s, err := folder.Scan(t.Context(), f)
	require.NoError(t, err)
	rel := func(p string) string {
		require.True(t, filepath.IsAbs(p), p)
		r, err := filepath.Rel(f.Path, p)
		require.NoError(t, err)
		return filepath.ToSlash(r)
	}
	for _, c := range c {
		found = append(found, rel(c.Path))
	}
	for _, s := range s {
		skipped = append(skipped, rel(s.Path)+": "+string(s.Reason))
	}
	return found, skipped
}

func TestScanListsFilesInTheOrderOfTheirPaths(t *testing.T) {
	t.Parallel()
	root := tree(t, "b.mp4", "a/z.mp4", "a/y/x.pdf", "a-b.mp4", "素材/入群 欢迎.mp4", "empty/")
	found, skipped := scan(t, folder.Folder{Path: root, Recursive: true, Type: inspect.Video})
	require.Equal(t, []string{"a-b.mp4", "a/y/x.pdf", "a/z.mp4", "b.mp4", "素材/入群 欢迎.mp4"}, found)
	require.Empty(t, skipped)
	found, _ = scan(t, folder.Folder{Path: root})
	require.Equal(t, []string{"a-b.mp4", "b.mp4"}, found, "without recursive the folders within are no business of ours")

	c, _, err := folder.Scan(t.Context(), folder.Folder{Path: root, Type: inspect.Video})
	require.NoError(t, err)
	fi, err := os.Lstat(c[0].Path)
	require.NoError(t, err)
	require.Equal(t, inspect.ID(fi), c[0].ID)
	require.Equal(t, inspect.Video, c[0].Type)
}

func TestNamesThatAreNeverTaken(t *testing.T) {
	t.Parallel()
	root := tree(t,
		// Silent: hidden, the system's, our own.
		".hidden.mp4", "._clip.mp4", "~$报价.docx", ".~报价.xlsx", ".~lock.报价.odt#", "~syncthing~clip.mp4.tmp",
		"Thumbs.db", "desktop.ini", ".DS_Store", "wedrop-media.csv", "WEDROP-Media.CSV", "开场.mp4.原因.txt",
		"@eaDir/clip.mp4", "#recycle/a.mp4", "@Recycle/a.mp4", "$RECYCLE.BIN/a.mp4", "System Volume Information/a.mp4",
		".stfolder/a.mp4", ".stversions/a.mp4", ".snapshot/a.mp4", ".Trashes/a.mp4", ".Spotlight-V100/a.mp4", "__MACOSX/a.mp4",
		"_已完成/2026-11/a.mp4", "_失败/a.mp4", ".git/config",
		// Unfinished.
		"a.mp4.part", "b.PARTIAL", "c.filepart", "d.mp4.crdownload", "e.download/e.mp4", "f.opdownload", "g.tmp", "h.Temp",
		"i.mp4.aria2", "j.!ut", "k.mp4.!qB", "l.swp", "m.bak", "n.mp4.td", "o.mp4.xltd", "p.mp4.baiduyun.p.downloading",
		// Taken, though they look alike.
		"part.mp4", "tmp", "template.pptx", "my.bakery.mp4", "wedrop-media.csv.mp4", "原因.txt", "a~b.mp4", "thumbs.db.mp4",
		"_已完成.mp4", "~clip.mp4", "ad.mp4",
	)
	found, skipped := scan(t, folder.Folder{Path: root, Recursive: true})
	require.Equal(t, []string{"_已完成.mp4", "ad.mp4", "a~b.mp4", "my.bakery.mp4", "part.mp4", "template.pptx", "thumbs.db.mp4",
		"tmp", "wedrop-media.csv.mp4", "~clip.mp4", "原因.txt"}, found)
	want := []string{}
	for _, n := range []string{"a.mp4.part", "b.PARTIAL", "c.filepart", "d.mp4.crdownload", "e.download", "f.opdownload", "g.tmp", "h.Temp",
		"i.mp4.aria2", "j.!ut", "k.mp4.!qB", "l.swp", "m.bak", "n.mp4.td", "o.mp4.xltd", "p.mp4.baiduyun.p.downloading"} {
		want = append(want, n+": unfinished")
	}
	require.Equal(t, want, skipped)
}

func TestADocumentThatIsOpenIsHeldBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lock string
		held string
	}{
		{"~$报价.docx", "报价.docx"},
		{"~$报价.DOCX", "报价.docx"},
		{"~$budget2026.xlsx", "budget2026.xlsx"},
		{"~$cument-one.docx", "Document-one.docx"}, // Word: two letters make room
		{"~$中文名称七字.docx", "七中文名称七字.docx"},          // Word: of seven letters, one
		{".~lock.报价.odt#", "报价.odt"},
		{".~报价.pptx", "报价.pptx"},
	} {
		root := tree(t, c.lock, c.held, "other.pdf", "sub/"+c.held)
		found, skipped := scan(t, folder.Folder{Path: root, Recursive: true})
		require.ElementsMatch(t, []string{"other.pdf", "sub/" + c.held}, found, "beside %s", c.lock)
		require.Equal(t, []string{c.held + ": open"}, skipped)
		require.NoError(t, os.Remove(filepath.Join(root, c.lock)))
		found, _ = scan(t, folder.Folder{Path: root})
		require.Contains(t, found, c.held, "it is closed now")
	}
}

func TestLinksAreSkippedWithANoteAndNeverFollowed(t *testing.T) {
	t.Parallel()
	root := tree(t, "a/clip.mp4")
	for name, target := range map[string]string{"a/loop": root, "link.mp4": "a/clip.mp4", "dangling.mp4": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(root, filepath.FromSlash(name))); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	found, skipped := scan(t, folder.Folder{Path: root, Recursive: true})
	require.Equal(t, []string{"a/clip.mp4"}, found)
	require.Equal(t, []string{"a/loop: symlink", "dangling.mp4: symlink", "link.mp4: symlink"}, skipped)

	beside := filepath.Join(t.TempDir(), "drop")
	require.NoError(t, os.Symlink(root, beside))
	found, _ = scan(t, folder.Folder{Path: beside, Recursive: true})
	require.Equal(t, []string{"a/clip.mp4"}, found, "the folder itself may be a link")
}

func TestWhatIsNoRegularFileIsSkipped(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("sockets are no files here")
	}
	root, err := os.MkdirTemp("", "f") // the path of a socket must be short
	require.NoError(t, err)
	defer os.RemoveAll(root)
	l, err := net.Listen("unix", filepath.Join(root, "socket.mp4"))
	require.NoError(t, err)
	defer l.Close()
	found, skipped := scan(t, folder.Folder{Path: root})
	require.Empty(t, found)
	require.Equal(t, []string{"socket.mp4: special"}, skipped)
}

func TestAFolderThatIsGoneIsNotMounted(t *testing.T) {
	t.Parallel()
	root := tree(t, "clip.mp4")
	gone := filepath.Join(root, "usb")
	for _, c := range []struct {
		path, zh, en string
	}{
		{gone, "网络盘", "not mounted"},
		{filepath.Join(root, "clip.mp4"), "不是文件夹", "not a folder"},
	} {
		found, skipped, err := folder.Scan(t.Context(), folder.Folder{Path: c.path})
		var e *folder.NotMounted
		require.ErrorAs(t, err, &e)
		require.Equal(t, c.path, e.Path)
		require.Nil(t, found)
		require.Nil(t, skipped)
		require.Equal(t, 1, strings.Count(err.Error(), c.path), "the path stands once in %q", err)
		for lang, want := range map[string]string{"zh": c.zh, "en": c.en} {
			message, remedy := e.Explain(lang)
			require.Contains(t, message, want)
			require.Contains(t, message, c.path)
			require.NotEmpty(t, remedy)
		}
	}
}

func TestAFolderWithinThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	if nobody.Run(t) {
		return
	}
	root := tree(t, "locked/clip.mp4", "clip.mp4")
	locked := filepath.Join(root, "locked")
	require.NoError(t, os.Chmod(locked, 0))
	defer os.Chmod(locked, 0o755)
	found, skipped := scan(t, folder.Folder{Path: root, Recursive: true})
	require.Equal(t, []string{"clip.mp4"}, found)
	require.Equal(t, []string{"locked: unreadable"}, skipped)
	_, _, err := folder.Scan(t.Context(), folder.Folder{Path: locked})
	var e *folder.NotMounted
	require.ErrorAs(t, err, &e)
	message, _ := e.Explain("zh")
	require.Contains(t, message, "没有权限")
}

func TestScanEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := folder.Scan(ctx, folder.Folder{Path: tree(t, "a")})
	require.ErrorIs(t, err, context.Canceled)
}

// Whatever is told to a person names the thing and says what to do.
func TestEveryReasonExplainsItself(t *testing.T) {
	t.Parallel()
	var all []interface{ Explain(string) (string, string) }
	for _, r := range []folder.Reason{folder.Unfinished, folder.Symlink, folder.Special, folder.Open, folder.Unreadable} {
		all = append(all, folder.Skipped{Path: "/drop/开场.mp4", Reason: r})
	}
	for _, why := range []string{"", folder.WhyLocked, "empty", "moov-missing"} {
		all = append(all, folder.Busy{Candidate: folder.Candidate{Path: "/drop/开场.mp4"}, Why: why})
	}
	for _, err := range []error{fs.ErrNotExist, fs.ErrPermission, errors.New("stale file handle")} {
		all = append(all, &folder.NotMounted{Path: "/drop/开场.mp4", Err: err})
	}
	seen := map[string]bool{}
	for _, e := range all {
		for _, lang := range []string{"zh", "en"} {
			message, remedy := e.Explain(lang)
			require.Contains(t, message, "开场.mp4", "%#v", e)
			require.Greater(t, len(message), len("开场.mp4: "), "%#v", e)
			require.NotEmpty(t, remedy, "%#v", e)
			require.False(t, seen[message], "%q is said of two things", message)
			seen[message] = true
		}
	}
}

func BenchmarkScan10000(b *testing.B) {
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("组%02d/素材 %05d.mp4", i%50, i)
	}
	root := tree(b, names...)
	for b.Loop() {
		c, _, err := folder.Scan(b.Context(), folder.Folder{Path: root, Recursive: true})
		if err != nil || len(c) != len(names) {
			b.Fatal(len(c), err)
		}
	}
}
