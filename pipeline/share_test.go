package pipeline_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

// on gives a machine its name and the folders that it shares with others.
func on(p *pipeline.Pipeline, host string, shares ...string) *pipeline.Pipeline {
	p.Host, p.Shares = host, shares
	return p
}

func TestAFileOnAShareIsOneForAllMachines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := on(w.pipe(), "a", w.dir), on(w.pipe(), "b", w.dir)
	path := w.file("in/a.mp4", 1)
	entries, err := a.Enter(context.Background(), []pipeline.File{{Path: path}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	same, err := b.Enter(context.Background(), []pipeline.File{{Path: path}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	require.Equal(t, entries[0].ID, same[0].ID)
	it, err := w.push(b, path) // entered by a, read by b
	require.NoError(t, err)
	require.Equal(t, entries[0].Item.ID, it.ID)
	require.Equal(t, 1, w.submits())
	known, err := a.Known(context.Background(), []pipeline.File{{Path: path}})
	require.NoError(t, err)
	require.Equal(t, pipeline.Done, known[0].Item.Step, "what b read is what a sees")
}

// Device, inode and ctime are each machine's own on a share; size and time
// tell whether the content is new.
func TestAFileOnAShareIsKnownBySizeAndTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := on(w.pipe(), "a", w.dir)
	path := w.file("a.mp4", 1)
	_, err := w.push(p, path)
	require.NoError(t, err)
	fi, err := os.Stat(path)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	known := func() bool {
		entries, err := p.Known(context.Background(), []pipeline.File{{Path: path}})
		require.NoError(t, err)
		return entries[0].ID != 0
	}

	require.NoError(t, os.WriteFile(path+"2", content, 0o644)) // another inode
	require.NoError(t, os.Rename(path+"2", path))
	require.NoError(t, os.Chtimes(path, fi.ModTime(), fi.ModTime()))
	require.True(t, known())
	require.NoError(t, os.Chtimes(path, fi.ModTime(), fi.ModTime().Add(time.Second)))
	require.False(t, known())
}

// An empty folder is what is left where a drive is not mounted: its files are
// not gone, and are left to a machine that sees them.
func TestAShareThatIsNotMountedIsLeftToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := filepath.Join(t.TempDir(), "drive")
	require.NoError(t, os.Mkdir(share, 0o755))
	p := on(w.pipe(), "a", share)
	require.Equal(t, []string{"a"}, p.Hosts())
	require.Equal(t, []string{"b"}, on(w.pipe(), "b", filepath.Join(share, "nowhere")).Hosts())
	require.NoError(t, os.WriteFile(filepath.Join(share, "x"), nil, 0o644))
	require.Eventually(t, func() bool { return len(p.Hosts()) == 2 }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, "share:"+share, p.Hosts()[1])
}
