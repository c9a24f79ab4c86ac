package pipeline_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
)

// Two processes that want as much as they can get stay within the rate
// together, and neither starves.
func TestLimiterIsSharedByProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "l.db")
	const perMinute = 3000 // 50 a second, as many at once
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	began := time.Now()
	counts := make([]int, 2)
	var wg sync.WaitGroup
	for n := range counts {
		j, err := journal.Open(context.Background(), path, journal.Options{})
		require.NoError(t, err)
		defer j.Close()
		l := pipeline.NewLimiter(j, "wwtest", perMinute)
		wg.Add(1)
		go func() {
			defer wg.Done()
			for l.Wait(ctx, "gettoken") == nil {
				counts[n]++
			}
		}()
	}
	wg.Wait()
	all := counts[0] + counts[1]
	most := 50 + int(time.Since(began).Seconds()*50) + 1
	require.LessOrEqual(t, all, most)
	require.Greater(t, all, most/3, "the rate is used: %v", counts)
	require.NotZero(t, counts[0]*counts[1], "one had nothing: %v", counts)
}

func TestLimiterKnowsThatATurnComesTooLate(t *testing.T) {
	t.Parallel()
	j, err := journal.Open(context.Background(), filepath.Join(t.TempDir(), "l.db"), journal.Options{})
	require.NoError(t, err)
	defer j.Close()
	l := pipeline.NewLimiter(j, "wwtest", 1)
	require.NoError(t, l.Wait(context.Background(), "a"))
	require.NoError(t, l.Wait(context.Background(), "b"), "each API has its own rate")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	began := time.Now()
	require.ErrorIs(t, l.Wait(ctx, "a"), context.DeadlineExceeded)
	require.Less(t, time.Since(began), 10*time.Second, "known at once")
	ended, stop := context.WithCancel(context.Background())
	stop()
	require.ErrorIs(t, l.Wait(ended, "c"), context.Canceled)
}
