package folder_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/folder"
	"wedrop/pipeline/inspect"
	"wedrop/storage/storagetest/nobody"
)

// A daemon is a Watcher at work, with a ledger that remembers.
type daemon struct {
	*folder.Watcher
	t *testing.T

	mu     sync.Mutex
	ledger map[string]inspect.FileID
	found  []string // names in the order in which they were handed on
	asked  []string
	states []string
	down   error
}

// watch starts a Watcher over these folders.
func watch(t *testing.T, edit func(*daemon), folders ...folder.Folder) *daemon {
	t.Helper()
	d := &daemon{t: t, ledger: map[string]inspect.FileID{}}
	d.Watcher = &folder.Watcher{Folders: folders, Settle: quick, Interval: quick / 3, Known: d.known, Found: d.take, State: d.state}
	if edit != nil {
		edit(d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	return d
}

func (d *daemon) known(_ context.Context, c []folder.Candidate) ([]bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]bool, len(c))
	for n, c := range c {
		d.asked = append(d.asked, filepath.Base(c.Path))
		out[n] = d.ledger[c.Path] == c.ID
	}
	return out, d.down
}

func (d *daemon) take(_ context.Context, c []folder.Candidate) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down != nil {
		return d.down
	}
	for _, c := range c {
		d.ledger[c.Path] = c.ID
		d.found = append(d.found, filepath.Base(c.Path))
	}
	return nil
}

func (d *daemon) state(f folder.Folder, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := filepath.Base(f.Path) + " mounted"
	var e *folder.NotMounted
	if errors.As(err, &e) {
		s = filepath.Base(f.Path) + " not mounted"
	}
	d.states = append(d.states, s)
}

func (d *daemon) setDown(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = err
}

func (d *daemon) sees(list *[]string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(*list)
}

// waits until the list is as wanted.
func (d *daemon) waits(list *[]string, want ...string) {
	d.t.Helper()
	if !eventually(func() bool { return slices.Equal(want, d.sees(list)) }) {
		require.Equal(d.t, want, d.sees(list))
	}
}

// rounds waits until the folders have been read n times more.
func (d *daemon) rounds(n int) {
	d.t.Helper()
	for range n {
		last := d.Snapshot().Read
		require.True(d.t, eventually(func() bool { return d.Snapshot().Read.After(last) }), "the folders are no longer read")
	}
}

func eventually(ok func() bool) bool {
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}

func TestTheDaemonHandsOnWhatIsThereAndWhatComes(t *testing.T) {
	t.Parallel()
	root := tree(t, "b.txt", "sub/a.txt", ".hidden", "x.mp4.part")
	d := watch(t, nil, folder.Folder{Path: root, Recursive: true, Type: inspect.File})
	d.waits(&d.found, "b.txt", "a.txt")
	write(t, filepath.Join(root, "c.txt"), "new")
	d.waits(&d.found, "b.txt", "a.txt", "c.txt")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "later", "deep"), 0o755))
	write(t, filepath.Join(root, "later", "deep", "d.txt"), "deeper")
	d.waits(&d.found, "b.txt", "a.txt", "c.txt", "d.txt")
	d.rounds(3)
	require.Len(t, d.sees(&d.found), 4, "each once")
	require.ElementsMatch(t, []string{"b.txt", "a.txt", "c.txt", "d.txt"}, d.sees(&d.asked), "the ledger is asked once for each")

	s := d.Snapshot()
	require.Len(t, s.Folders, 1)
	require.NoError(t, s.Folders[0].Err)
	require.Equal(t, 4, s.Folders[0].Files)
	require.Equal(t, "x.mp4.part", filepath.Base(s.Folders[0].Skipped[0].Path))
	require.Empty(t, s.Waiting)
	require.Positive(t, s.Cost)
	require.Equal(t, []string{filepath.Base(root) + " mounted"}, d.sees(&d.states))
}

func TestEachFolderHasItsTypeAndTheFirstOneItsFiles(t *testing.T) {
	t.Parallel()
	root := tree(t, "视频/a.mp4", "文件/b.pdf", "top.txt")
	write(t, filepath.Join(root, "视频", "a.mp4"), "video as text") // structure is not the point here
	types := map[string]inspect.Type{}
	var mu sync.Mutex
	d := watch(t, func(d *daemon) {
		take := d.Found
		d.Found = func(ctx context.Context, c []folder.Candidate) error {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range c {
				types[filepath.Base(c.Path)] = c.Type
			}
			return take(ctx, c)
		}
	}, folder.Folder{Path: filepath.Join(root, "视频"), Type: inspect.Video},
		folder.Folder{Path: filepath.Join(root, "文件"), Type: inspect.File},
		folder.Folder{Path: root, Type: inspect.Auto, Recursive: true})
	require.True(t, eventually(func() bool { return len(d.sees(&d.found)) == 3 }))
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, map[string]inspect.Type{"a.mp4": inspect.Video, "b.pdf": inspect.File, "top.txt": inspect.Auto}, types)
}

func TestWhatTheLedgerKnowsUnchangedIsNotHandedOn(t *testing.T) {
	t.Parallel()
	root := tree(t, "known.txt", "changed.txt", "new.txt")
	d := watch(t, func(d *daemon) {
		for _, c := range candidates(t, root) {
			switch filepath.Base(c.Path) {
			case "known.txt":
				d.ledger[c.Path] = c.ID
			case "changed.txt":
				d.ledger[c.Path] = inspect.FileID{Size: 1}
			}
		}
	}, folder.Folder{Path: root})
	d.waits(&d.found, "changed.txt", "new.txt")
	d.rounds(3)
	require.Len(t, d.sees(&d.asked), 3)
	require.Len(t, d.sees(&d.found), 2)
}

func TestReplacedContentIsHandedOnAgain(t *testing.T) {
	t.Parallel()
	root := tree(t, "a.txt", "b.txt", "c.txt")
	path := func(n string) string { return filepath.Join(root, n) }
	d := watch(t, nil, folder.Folder{Path: root})
	d.waits(&d.found, "a.txt", "b.txt", "c.txt")

	write(t, path("b.txt"), "CONTENT OF b.txt") // as long as before
	d.waits(&d.found, "a.txt", "b.txt", "c.txt", "b.txt")

	// As editors save: another file is renamed over it.
	write(t, path(".c.txt.new"), "another one")
	require.NoError(t, os.Rename(path(".c.txt.new"), path("c.txt")))
	d.waits(&d.found, "a.txt", "b.txt", "c.txt", "b.txt", "c.txt")

	// A file that was moved away and comes back is tried again, also with
	// the same name and content.
	require.NoError(t, os.Rename(path("a.txt"), path(".away")))
	d.rounds(2)
	require.NoError(t, os.Rename(path(".away"), path("a.txt")))
	d.waits(&d.found, "a.txt", "b.txt", "c.txt", "b.txt", "c.txt", "a.txt")
}

func TestADeletedFileIsForgottenAndNothingElse(t *testing.T) {
	t.Parallel()
	root := tree(t, "a.txt", "b.txt")
	d := watch(t, nil, folder.Folder{Path: root})
	d.waits(&d.found, "a.txt", "b.txt")
	require.NoError(t, os.Remove(filepath.Join(root, "a.txt")))
	require.True(t, eventually(func() bool { return d.Snapshot().Folders[0].Files == 1 }))
	write(t, filepath.Join(root, "a.txt"), "anew")
	d.waits(&d.found, "a.txt", "b.txt", "a.txt")
	require.Len(t, d.sees(&d.asked), 3)
}

func TestAHalfFileWaitsAndSaysWhy(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "half.pdf")
	write(t, path, pdfHead)
	d := watch(t, nil, folder.Folder{Path: root})
	require.True(t, eventually(func() bool {
		w := d.Snapshot().Waiting
		return len(w) == 1 && w[0].Why == "pdf-end-missing"
	}))
	w := d.Snapshot().Waiting[0]
	require.Equal(t, path, w.Path)
	require.WithinDuration(t, time.Now(), w.Since, long)
	for lang, want := range map[string]string{"zh": "PDF", "en": "not whole"} {
		message, remedy := w.Explain(lang)
		require.Contains(t, message, "half.pdf")
		require.Contains(t, message, want)
		require.NotEmpty(t, remedy)
	}
	require.Empty(t, d.sees(&d.found))
	write(t, path, pdfHead+pdfEnd)
	d.waits(&d.found, "half.pdf")
	require.True(t, eventually(func() bool { return len(d.Snapshot().Waiting) == 0 }))
}

// later is a clock that is moved by hand.
type later struct {
	mu sync.Mutex
	by time.Duration
}

func (l *later) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.by)
}

func (l *later) move(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.by += d
}

func TestAHalfFileIsHandedOnAfterHalfAnHour(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "half.pdf"), pdfHead)
	write(t, filepath.Join(root, "blank.bin"), "begins, and then "+string(make([]byte, 128<<10)))
	clock := &later{}
	d := watch(t, func(d *daemon) { d.Now = clock.now }, folder.Folder{Path: root})
	waiting := func(n int) bool {
		w := d.Snapshot().Waiting
		return len(w) == n && !slices.ContainsFunc(w, func(w folder.Waiting) bool { return w.Why == "" })
	}
	require.True(t, eventually(func() bool { return waiting(2) }))
	clock.move(time.Minute)
	d.waits(&d.found, "blank.bin") // only a guess: a finished file may end in zeroes
	clock.move(28 * time.Minute)
	d.rounds(2)
	require.True(t, waiting(1))
	require.Len(t, d.sees(&d.found), 1)
	clock.move(time.Minute)
	d.waits(&d.found, "blank.bin", "half.pdf") // the inspection refuses it with the reason
}

func TestALedgerThatIsDownLosesNothing(t *testing.T) {
	t.Parallel()
	root := tree(t, "a.txt", "b.txt")
	down := errors.New("database is locked")
	asks := 0
	d := watch(t, func(d *daemon) {
		known := d.Known
		d.down = down
		d.Known = func(ctx context.Context, c []folder.Candidate) ([]bool, error) {
			out, err := known(ctx, c)
			if asks++; asks >= 3 {
				err = nil // the question works, the entry does not yet
			}
			return out, err
		}
	}, folder.Folder{Path: root})
	require.True(t, eventually(func() bool { s := d.Snapshot(); return errors.Is(s.Err, down) && len(s.Waiting) == 2 }))
	d.rounds(2)
	require.NoError(t, os.Remove(filepath.Join(root, "b.txt")))
	write(t, filepath.Join(root, "c.txt"), "also")
	d.rounds(2)
	require.Empty(t, d.sees(&d.found))
	d.setDown(nil)
	require.True(t, eventually(func() bool { return len(d.sees(&d.found)) == 2 }))
	require.ElementsMatch(t, []string{"a.txt", "c.txt"}, d.sees(&d.found))
	require.True(t, eventually(func() bool { return d.Snapshot().Err == nil }))
}

func TestAVanishedFolderIsNotMountedAndComesBack(t *testing.T) {
	t.Parallel()
	base := tree(t, "usb/a.txt", "usb/half.pdf", "disk/b.txt")
	usb := filepath.Join(base, "usb")
	write(t, filepath.Join(usb, "half.pdf"), pdfHead)
	d := watch(t, nil, folder.Folder{Path: usb}, folder.Folder{Path: filepath.Join(base, "disk")})
	require.True(t, eventually(func() bool { return len(d.sees(&d.found)) == 2 }))

	require.NoError(t, os.Rename(usb, usb+".gone"))
	d.waits(&d.states, "usb mounted", "disk mounted", "usb not mounted")
	var e *folder.NotMounted
	require.True(t, eventually(func() bool { return errors.As(d.Snapshot().Folders[0].Err, &e) }))
	write(t, filepath.Join(base, "disk", "c.txt"), "the other folder goes on")
	require.True(t, eventually(func() bool { return len(d.sees(&d.found)) == 3 }))

	require.NoError(t, os.Rename(usb+".gone", usb))
	d.waits(&d.states, "usb mounted", "disk mounted", "usb not mounted", "usb mounted")
	write(t, filepath.Join(usb, "half.pdf"), pdfHead+pdfEnd)
	write(t, filepath.Join(usb, "d.txt"), "new")
	require.True(t, eventually(func() bool { return len(d.sees(&d.found)) == 5 }))
	d.rounds(2)
	found := d.sees(&d.found)
	require.ElementsMatch(t, []string{"half.pdf", "d.txt"}, found[3:], "a.txt was not touched and is not handed on again")
	require.Len(t, d.sees(&d.states), 4)
}

func TestAFolderThatIsNotThereAtTheStart(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "nas")
	d := watch(t, nil, folder.Folder{Path: root})
	d.waits(&d.states, "nas not mounted")
	require.ErrorIs(t, d.Snapshot().Folders[0].Err, fs.ErrNotExist)
	require.NoError(t, os.Mkdir(root, 0o755))
	write(t, filepath.Join(root, "a.txt"), "whole")
	d.waits(&d.found, "a.txt")
	d.waits(&d.states, "nas not mounted", "nas mounted")
}

// What lies in a folder within that cannot be read is not gone.
func TestAFolderWithinThatCannotBeReadForgetsNothing(t *testing.T) {
	t.Parallel()
	if nobody.Run(t) {
		return
	}
	root := tree(t, "sub/a.txt", "b.txt")
	sub := filepath.Join(root, "sub")
	d := watch(t, nil, folder.Folder{Path: root, Recursive: true})
	require.True(t, eventually(func() bool { return len(d.sees(&d.found)) == 2 }))
	require.NoError(t, os.Chmod(sub, 0))
	defer os.Chmod(sub, 0o755)
	require.True(t, eventually(func() bool { return len(d.Snapshot().Folders[0].Skipped) == 1 }))
	require.NoError(t, os.Chmod(sub, 0o755))
	require.True(t, eventually(func() bool { return len(d.Snapshot().Folders[0].Skipped) == 0 }))
	d.rounds(1)
	require.Len(t, d.sees(&d.asked), 2)
}
