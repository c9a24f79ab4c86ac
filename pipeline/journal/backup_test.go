package journal_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
)

// A backup that is made during work is one moment of it, whole.
func TestBackupDuringWork(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	j := open(t, filepath.Join(dir, "l.db"), journal.Options{})
	var entered atomic.Int64
	enough := make(chan struct{})
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if _, err := j.Enter(ctx, "corp", "here", []pipeline.File{{Path: fmt.Sprintf("/%d.mp4", n), Type: inspect.Auto}}); err != nil {
				stopped <- err
				return
			}
			if entered.Add(1) == 20 {
				close(enough)
			}
		}
	}()
	<-enough
	for n := range 5 {
		before := entered.Load()
		file := filepath.Join(dir, fmt.Sprint(n))
		got, err := j.Backup(ctx, file, false)
		require.NoError(t, err)
		require.GreaterOrEqual(t, got.Items, before)
		require.Equal(t, got.Items, got.Files)

		_, err = j.Backup(ctx, file, false)
		require.ErrorIs(t, err, journal.ErrExists)

		r, err := journal.Restore(ctx, file, filepath.Join(dir, fmt.Sprintf("new%d.db", n)))
		require.NoError(t, err)
		require.Equal(t, got, r.Counts)
		require.False(t, r.Made.IsZero())
	}
	close(stop)
	require.NoError(t, <-stopped)

	_, err := journal.Restore(ctx, filepath.Join(dir, "0"), filepath.Join(dir, "l.db"))
	require.ErrorIs(t, err, journal.ErrInUse)
	_, err = j.Backup(ctx, filepath.Join(dir, "l.db"), true)
	require.ErrorIs(t, err, journal.ErrLive)
	left, err := filepath.Glob(filepath.Join(dir, ".wedrop-*"))
	require.NoError(t, err)
	require.Empty(t, left, "no half file stays")
}

// A ledger of a newer program says which one to use.
func TestNewer(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "l.db")
	j, err := journal.Open(ctx, path, journal.Options{Program: "v1.7.0"})
	require.NoError(t, err)
	backup := filepath.Join(t.TempDir(), "b.db")
	_, err = j.Backup(ctx, backup, false)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	for _, file := range []string{path, backup} {
		db, err := sql.Open("sqlite", file)
		require.NoError(t, err)
		_, err = db.Exec(`PRAGMA user_version=900`)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}

	for name, err := range map[string]error{
		"open":    func() error { _, err := journal.Open(ctx, path, journal.Options{Program: "v1.0.0"}); return err }(),
		"restore": func() error { _, err := journal.Restore(ctx, backup, filepath.Join(t.TempDir(), "n.db")); return err }(),
	} {
		var e *journal.NewerError
		require.ErrorAs(t, err, &e, name)
		_, remedy := e.Explain("en")
		require.Equal(t, "use wedrop v1.7.0 or newer", remedy, name)
	}
}

// FuzzRestore: whatever the file is, it is refused, or what comes of it is a
// ledger that can be opened and read as a whole.
func FuzzRestore(f *testing.F) {
	ctx := context.Background()
	j, err := journal.Open(ctx, filepath.Join(f.TempDir(), "l.db"), journal.Options{})
	require.NoError(f, err)
	_, err = j.Enter(ctx, "corp", "here", []pipeline.File{{Path: "/a.mp4", Type: inspect.Auto}, {Path: "/b.mp4", Type: inspect.Auto}})
	require.NoError(f, err)
	require.NoError(f, j.PutTemplate(ctx, pipeline.Template{Corp: "corp", ID: "T1", Content: []byte(`{}`)}))
	whole := filepath.Join(f.TempDir(), "b.db")
	_, err = j.Backup(ctx, whole, false)
	require.NoError(f, err)
	require.NoError(f, j.Close())
	seed, err := os.ReadFile(whole)
	require.NoError(f, err)
	f.Add(uint32(0), []byte{})
	f.Add(uint32(100), []byte("SQLite format 3"))
	f.Add(uint32(60), []byte{0, 0, 3, 0x84})
	f.Fuzz(func(t *testing.T, at uint32, bytes []byte) {
		data := append([]byte(nil), seed...)
		copy(data[int(at)%len(data):], bytes)
		dir := t.TempDir()
		file, path := filepath.Join(dir, "b"), filepath.Join(dir, "l.db")
		require.NoError(t, os.WriteFile(file, data, 0o600))
		r, err := journal.Restore(ctx, file, path)
		if err != nil {
			_, stat := os.Stat(path)
			require.ErrorIs(t, stat, os.ErrNotExist, "what was refused is not there")
			return
		}
		j, err := journal.Open(ctx, path, journal.Options{})
		require.NoError(t, err)
		defer j.Close()
		items, err := j.Items(ctx, pipeline.Query{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, items, int(r.Items))
		_, err = j.Enter(ctx, "corp", "here", []pipeline.File{{Path: "/new.mp4", Type: inspect.Auto}})
		require.NoError(t, err)
	})
}
