package wecom_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// From document/path/90454: the limit is for each API, so polling must not
// hold submits back.
func TestLimiterCountsEachAPI(t *testing.T) {
	t.Parallel()
	l := wecom.NewLimiter(1)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, l.Wait(ctx, "a"))
	require.NoError(t, l.Wait(ctx, "b"))
	start := time.Now()
	require.ErrorIs(t, l.Wait(ctx, "a"), context.DeadlineExceeded)
	require.Less(t, time.Since(start), 5*time.Second, "a wait that is too long is known at once")
	cancel()
	require.ErrorIs(t, l.Wait(ctx, "c"), context.Canceled)
}

// A second's worth goes at once, and at most 100; the rest goes evenly.
func TestLimiterBurst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ perMinute, burst int }{{30, 1}, {600, 10}, {0, 100}, {60_000, 100}} {
		l := wecom.NewLimiter(c.perMinute)
		ended, stop := context.WithTimeout(context.Background(), time.Second)
		var passed atomic.Int64
		var all sync.WaitGroup
		for range c.burst {
			all.Go(func() {
				if l.Wait(ended, "a") == nil {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		stop()
		require.EqualValues(t, c.burst, passed.Load(), "%d a minute", c.perMinute)
	}
}

// A Limiter of one's own sees each API, and its errors come back as they are.
func TestLimiterOfOnesOwn(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	l := &gate{}
	cl := client(t, wecom.Config{BaseURL: s.URL, Limiter: l})
	require.NoError(t, send(cl))
	require.Equal(t, []string{"gettoken", submitAPI}, l.asked)
	l.err = errors.New("the rate's row is locked")
	require.ErrorIs(t, send(cl), l.err)
	l.err = context.DeadlineExceeded
	require.Equal(t, wecom.ClassCancelled, asError(t, send(cl)).Class())
	require.Equal(t, 1, s.Count(submitAPI))
}

type gate struct {
	asked []string
	err   error
}

func (g *gate) Wait(_ context.Context, api string) error {
	g.asked = append(g.asked, api)
	return g.err
}
