package folder_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/folder"
)

// A PDF is whole with its end mark, and only then.
const (
	pdfHead = "%PDF-1.7\nsome pages\n"
	pdfEnd  = "trailer\n%%EOF\n"
	quick   = 60 * time.Millisecond // settle of these tests
	long    = 20 * time.Second      // longer than any of them needs
)

func candidates(t *testing.T, root string) []folder.Candidate {
	t.Helper()
	c, _, err := folder.Scan(t.Context(), folder.Folder{Path: root, Recursive: true})
	require.NoError(t, err)
	return c
}

func paths(c []folder.Candidate) (out []string) {
	for _, c := range c {
		out = append(out, filepath.Base(c.Path))
	}
	return out
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

func TestAFastCopyIsTakenAfterItStoodStill(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "b.pdf"), pdfHead+pdfEnd)
	write(t, filepath.Join(root, "a.txt"), "hello")
	begin := time.Now()
	ready, busy, err := folder.Settle(t.Context(), candidates(t, root), quick, long)
	require.NoError(t, err)
	require.Equal(t, []string{"a.txt", "b.pdf"}, paths(ready), "in the order given")
	require.Empty(t, busy)
	require.GreaterOrEqual(t, time.Since(begin), quick)
}

// A writer at work: what is handed on must be what it left at its end.
func TestAWriterAtWorkIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		write func(*os.File)
	}{
		{"a slow copy", func(f *os.File) {
			for range 20 {
				fmt.Fprintln(f, "a page")
				time.Sleep(quick / 6)
			}
		}},
		{"a copy that stalls for longer than settle", func(f *os.File) {
			fmt.Fprintln(f, "a page")
			time.Sleep(5 * quick)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "f.pdf")
			f, err := os.Create(path)
			require.NoError(t, err)
			_, err = f.WriteString(pdfHead)
			require.NoError(t, err)
			found := candidates(t, filepath.Dir(path))
			var done atomic.Int64
			go func() {
				c.write(f)
				_, _ = f.WriteString(pdfEnd)
				fi, _ := f.Stat()
				done.Store(fi.Size())
				f.Close()
			}()
			var size int64
			busy, err := folder.SettleEach(t.Context(), found, quick, long, func(c folder.Candidate) {
				require.NotZero(t, done.Load(), "taken while it was being written")
				size = c.ID.Size
			})
			require.NoError(t, err)
			require.Empty(t, busy)
			require.Equal(t, done.Load(), size, "the candidate is as the file is now")
		})
	}
}

func TestADownloadIsTakenUnderItsFinalName(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	part := filepath.Join(root, "clip.pdf.part")
	write(t, part, pdfHead)
	require.Empty(t, candidates(t, root))
	write(t, part, pdfHead+pdfEnd)
	require.NoError(t, os.Rename(part, filepath.Join(root, "clip.pdf")))
	ready, busy, err := folder.Settle(t.Context(), candidates(t, root), quick, long)
	require.NoError(t, err)
	require.Equal(t, []string{"clip.pdf"}, paths(ready))
	require.Empty(t, busy)
}

func TestWhatIsNotFinishedAtTheEndIsNamed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "a.pdf"), pdfHead)
	write(t, filepath.Join(root, "b.txt"), "")
	write(t, filepath.Join(root, "c.txt"), "whole")
	ready, busy, err := folder.Settle(t.Context(), candidates(t, root), quick, 5*quick)
	require.NoError(t, err)
	require.Equal(t, []string{"c.txt"}, paths(ready))
	require.Len(t, busy, 2)
	require.Equal(t, "pdf-end-missing", busy[0].Why)
	require.Equal(t, "empty", busy[1].Why)

	// Nothing has stood still for an hour here.
	ready, busy, err = folder.Settle(t.Context(), candidates(t, root), time.Hour, 5*time.Millisecond)
	require.NoError(t, err)
	require.Empty(t, ready)
	require.Len(t, busy, 3)
	require.Empty(t, busy[2].Why)
}

// The others do not wait for one that takes its time.
func TestEachIsHandedOnWhenItIsFinished(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	slow := filepath.Join(root, "a.pdf")
	write(t, slow, pdfHead)
	write(t, filepath.Join(root, "b.txt"), "whole")
	var order []string
	busy, err := folder.SettleEach(t.Context(), candidates(t, root), quick, long, func(c folder.Candidate) {
		order = append(order, filepath.Base(c.Path))
		if len(order) == 1 {
			write(t, slow, pdfHead+pdfEnd)
		}
	})
	require.NoError(t, err)
	require.Empty(t, busy)
	require.Equal(t, []string{"b.txt", "a.pdf"}, order)
}

func TestAnOldFragmentIsHandedOnToBeRefused(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, age := range map[string]time.Duration{"old.pdf": 31 * time.Minute, "new.pdf": 29 * time.Minute, "future.pdf": -time.Hour} {
		p := filepath.Join(root, name)
		write(t, p, pdfHead)
		require.NoError(t, os.Chtimes(p, time.Now(), time.Now().Add(-age)))
	}
	ready, busy, err := folder.Settle(t.Context(), candidates(t, root), quick, 6*quick)
	require.NoError(t, err)
	require.Equal(t, []string{"old.pdf"}, paths(ready))
	require.Len(t, busy, 2)
}

// The clock of a network drive may be ahead.
func TestATimeInTheFutureIsWatched(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := filepath.Join(root, "f.txt")
	write(t, p, "whole")
	require.NoError(t, os.Chtimes(p, time.Now(), time.Now().Add(time.Hour)))
	ready, busy, err := folder.Settle(t.Context(), candidates(t, root), quick, long)
	require.NoError(t, err)
	require.Equal(t, []string{"f.txt"}, paths(ready))
	require.Empty(t, busy)
}

func TestWhatIsGoneOrNoFileAnyMoreIsInNeitherList(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, n := range []string{"gone.txt", "turned.txt", "stays.txt"} {
		write(t, filepath.Join(root, n), "whole")
	}
	c := candidates(t, root)
	require.NoError(t, os.Remove(filepath.Join(root, "gone.txt")))
	require.NoError(t, os.Remove(filepath.Join(root, "turned.txt")))
	require.NoError(t, os.Mkdir(filepath.Join(root, "turned.txt"), 0o755))
	ready, busy, err := folder.Settle(t.Context(), c, quick, long)
	require.NoError(t, err)
	require.Equal(t, []string{"stays.txt"}, paths(ready))
	require.Empty(t, busy)
}

// Content that was replaced between the listing and the look is not still.
func TestAReplacedFileStartsAnew(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := filepath.Join(root, "f.txt")
	write(t, p, "old")
	c := candidates(t, root)
	c[0].Seen = c[0].Seen.Add(-time.Hour) // listed long ago
	write(t, p, "replaced")
	ready, busy, err := folder.Settle(t.Context(), c, time.Minute, 10*time.Millisecond)
	require.NoError(t, err)
	require.Empty(t, ready)
	require.Len(t, busy, 1)
	require.Equal(t, int64(len("replaced")), busy[0].ID.Size)
}

func TestSettleEndsWithItsContext(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "f.pdf"), pdfHead)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(quick, cancel)
	begin := time.Now()
	ready, busy, err := folder.Settle(ctx, candidates(t, root), quick, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, ready)
	require.Nil(t, busy)
	require.Less(t, time.Since(begin), long)
}

func TestNothingToSettleTakesNoTime(t *testing.T) {
	t.Parallel()
	ready, busy, err := folder.Settle(t.Context(), nil, time.Hour, time.Hour)
	require.NoError(t, err)
	require.Empty(t, slices.Concat(paths(ready)))
	require.Empty(t, busy)
}
