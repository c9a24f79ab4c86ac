//go:build unix

package beneath_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"wedrop/pipeline/beneath"
)

const (
	insideText  = "inside"
	outsideText = "outside"
)

// tree is a folder with files, and one beside it that nothing may be opened
// in.
func tree(t testing.TB) (root, private string) {
	top := t.TempDir()
	root, private = filepath.Join(top, "root"), filepath.Join(top, "private")
	for _, dir := range []string{root, private} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
	}
	for _, rel := range []string{"f", "a/f", "a/b/f"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, rel), []byte(insideText), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(private, rel), []byte(outsideText), 0o644))
	}
	return root, private
}

func TestWhatIsOpened(t *testing.T) {
	t.Parallel()
	root, private := tree(t)
	require.NoError(t, os.Symlink(filepath.Join(private, "f"), filepath.Join(root, "out")))
	require.NoError(t, os.Symlink("f", filepath.Join(root, "in")))
	require.NoError(t, os.Symlink(private, filepath.Join(root, "outdir")))
	require.NoError(t, os.Symlink("a", filepath.Join(root, "indir")))
	require.NoError(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o644))
	for rel, want := range map[string]error{
		"f": nil, "a/b/f": nil,
		"out": beneath.ErrLink, "in": beneath.ErrLink, "outdir/f": beneath.ErrLink, "indir/f": beneath.ErrLink, "indir/b/f": beneath.ErrLink,
		"fifo": beneath.ErrNotRegular, "a": beneath.ErrNotRegular, "fifo/f": unix.ENOTDIR,
		"../private/f": os.ErrInvalid, "": os.ErrInvalid, ".": os.ErrInvalid, "/etc/passwd": os.ErrInvalid, "a/../../private/f": os.ErrInvalid,
		"none": os.ErrNotExist, "none/f": os.ErrNotExist,
	} {
		f, err := beneath.Open(root, rel)
		if f != nil {
			f.Close()
		}
		require.ErrorIs(t, err, want, rel)
	}
	// The folder itself may be a link: that is the operator's word.
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(root, link))
	f, err := beneath.Open(link, "a/f")
	require.NoError(t, err)
	f.Close()
}

// What is opened is inside, whatever is asked for while the parts of the path
// are swapped with links, FIFOs and folders.
func FuzzOpen(f *testing.F) {
	f.Add("a/b/f", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add("a/../../private/f", []byte{2})
	f.Add("l/f", []byte{2, 6, 10})
	f.Add("./a//b/./f", []byte{3, 3})
	f.Fuzz(func(t *testing.T, rel string, steps []byte) {
		if len(steps) > 64 {
			return
		}
		root, private := tree(t)
		swapped, err := os.OpenRoot(root) // so that the swapper itself does nothing elsewhere
		require.NoError(t, err)
		defer swapped.Close()
		done, stop := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for round := 0; ; round++ {
				for _, s := range steps {
					at := []string{"a", "a/b", "f", "a/f", "a/b/f", "l"}[int(s)%6]
					switch s / 6 % 6 {
					case 0:
						_ = swapped.RemoveAll(at)
						_ = swapped.Symlink(private, at)
					case 1:
						_ = swapped.RemoveAll(at)
						_ = swapped.Symlink(filepath.Join(private, "f"), at)
					case 2:
						_ = swapped.RemoveAll(at)
						_ = unix.Mkfifo(filepath.Join(root, at), 0o644)
					case 3:
						_ = swapped.RemoveAll(at)
						_ = swapped.Mkdir(at, 0o755)
					case 4:
						_ = swapped.RemoveAll(at)
						_ = swapped.WriteFile(at, []byte(insideText), 0o644)
					case 5:
						_ = swapped.Symlink("..", at)
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		for range 20 {
			for _, rel := range []string{rel, "a/b/f", "l/f", "f"} {
				in, err := beneath.Open(root, rel)
				if err != nil {
					continue
				}
				b, err := io.ReadAll(in)
				in.Close()
				if err != nil || strings.Contains(string(b), outsideText) {
					t.Errorf("%q led to %q, %v", rel, b, err)
				}
			}
		}
		close(stop)
		<-done
		for _, rel := range []string{"f", "a/f", "a/b/f"} {
			b, err := os.ReadFile(filepath.Join(private, rel))
			if err != nil || string(b) != outsideText {
				t.Errorf("the other folder was touched: %q, %v", b, err)
			}
		}
	})
}
