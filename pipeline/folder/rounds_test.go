package folder

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
)

// Where a drive was mounted an empty folder remains, of the drive below it.
func TestAnEmptyMountPointIsNotMounted(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.txt")
	require.NoError(t, os.WriteFile(path, []byte("whole"), 0o644))
	if deviceOf(root) == 0 {
		t.Skip("this system does not tell one drive from another")
	}
	var states []error
	r := newRounds(&Watcher{Folders: []Folder{{Path: root}}, State: func(_ Folder, err error) { states = append(states, err) }})
	read := func() { require.NoError(t, r.read(t.Context())) }
	read()
	require.Equal(t, []error{nil}, states)

	require.NoError(t, os.Remove(path))
	drive := r.device[0]
	r.device[0] = drive + 1 // as if root had been another drive
	read()
	require.Len(t, states, 2)
	require.ErrorIs(t, states[1], errUnmounted)
	require.Len(t, r.files, 1, "nothing is forgotten")
	read()
	require.Len(t, states, 2, "told once")

	require.NoError(t, os.WriteFile(path, []byte("whole"), 0o644))
	read()
	require.Len(t, states, 3)
	require.NoError(t, states[2])
	require.NoError(t, os.Remove(path))
	read()
	require.Len(t, states, 3, "an empty folder on the same drive is an empty folder")
	require.Empty(t, r.files)
}

// A file that waits costs few looks into it, and fewer the longer it waits.
func TestAWaitingFileIsNotReadAtEveryLook(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "half.pdf")
	require.NoError(t, os.WriteFile(path, []byte("%PDF-1.7\n"), 0o644))
	fi, err := os.Lstat(path)
	require.NoError(t, err)
	now := time.Now()
	w := &watch{settle: 2 * time.Second, now: func() time.Time { return now }, ready: func(*watched) {}}
	f := w.add(Candidate{Path: path, ID: inspect.ID(fi), Seen: now}, now)
	looks, last := 0, time.Time{}
	for range 25 * 60 {
		require.NoError(t, w.look(t.Context()))
		if f.checked != last {
			looks, last = looks+1, f.checked
		}
		now = now.Add(time.Second)
	}
	require.Less(t, looks, 130)
	require.Greater(t, looks, 60, "what is written without its times moving is seen soon")
}

func TestThePauseAfterAReadingGrowsWithItsCost(t *testing.T) {
	t.Parallel()
	require.Equal(t, 10*time.Second, quiet(100*time.Millisecond))
	require.Equal(t, maxQuiet, quiet(time.Hour))
}

// What lies in a folder that cannot be read is not gone.
func TestWhatCannotBeSeenIsNotForgotten(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"sub/a.txt", "sub2/b.txt", "c.txt"} {
		put(t, root, name, "whole")
	}
	r := newRounds(&Watcher{Folders: []Folder{{Path: root, Recursive: true}}})
	require.NoError(t, r.read(t.Context()))
	require.Len(t, r.files, 3)
	r.n++ // a reading that found nothing
	r.forget([]string{filepath.Join(root, "sub")})
	require.Len(t, r.files, 1)
	require.Contains(t, r.files, filepath.Join(root, "sub", "a.txt"))
	r.states[0].Err = errUnmounted
	r.forget(nil)
	require.Len(t, r.files, 1)
}
