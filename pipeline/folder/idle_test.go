//go:build unix

package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const crowd = 10_000

// crowded makes a folder of so many files in 50 folders.
func crowded(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for i := range crowd {
		p := filepath.Join(root, fmt.Sprintf("组%02d", i%50), fmt.Sprintf("素材 %05d.mp4", i))
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte("small"), 0o644))
	}
	return root
}

// What an idle daemon does again and again; to stay below 100 ms.
func BenchmarkReading10000(b *testing.B) {
	all := func(_ context.Context, c []Candidate) ([]bool, error) {
		known := make([]bool, len(c))
		for n := range known {
			known[n] = true
		}
		return known, nil
	}
	r := newRounds(&Watcher{Folders: []Folder{{Path: crowded(b), Recursive: true}}, Known: all})
	require.NoError(b, r.read(b.Context()))
	r.ask(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		if err := r.read(b.Context()); err != nil || len(r.fresh) > 0 || len(r.files) != crowd {
			b.Fatal(err, len(r.fresh), len(r.files))
		}
	}
}

// What an idle daemon costs, over 20 seconds a round; to stay below 2 % of one
// core.
func BenchmarkIdle10000(b *testing.B) {
	root := crowded(b)
	before := heap()
	found, n := make(chan struct{}), 0
	w := &Watcher{Folders: []Folder{{Path: root, Recursive: true}}, Settle: 100 * time.Millisecond,
		Found: func(_ context.Context, c []Candidate) error {
			if n += len(c); n == crowd {
				close(found)
			}
			return nil
		}}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	<-found
	time.Sleep(2 * time.Second)
	memory := heap() - before
	b.ResetTimer()
	used := cpu(b)
	for range b.N {
		time.Sleep(20 * time.Second)
	}
	b.StopTimer()
	share := float64(cpu(b)-used) / float64(b.Elapsed())
	cancel()
	require.True(b, errors.Is(<-ended, context.Canceled))
	b.ReportMetric(100*share, "%core")
	b.ReportMetric(float64(memory)/crowd, "B/file")
	b.ReportMetric(float64(w.Snapshot().Cost.Milliseconds()), "ms/reading")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func cpu(t testing.TB) time.Duration {
	var u unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
