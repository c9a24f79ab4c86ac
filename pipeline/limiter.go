package pipeline

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wedrop/wecom"
)

const (
	turnsAtOnce = 16          // taken from the ledger in one go, at most
	turnsLast   = time.Second // those that nobody used are given up
)

// NewLimiter returns a Limiter that lets perMinute calls a minute (6000 if not
// positive) go to each API of a corp, over all processes that share the ledger,
// evenly: at most a second's worth, and at most 100, at once. It asks the
// ledger for few turns at first, and for more where they are used up quickly,
// so that a busy process asks once for sixteen calls. It is safe for
// concurrent use.
func NewLimiter(j Journal, corp string, perMinute int) wecom.Limiter {
	if perMinute <= 0 {
		perMinute = 6000
	}
	return &sharedLimiter{j: j, corp: corp, every: time.Minute / time.Duration(perMinute),
		burst: min(max(1, perMinute/60), 100), byAPI: map[string]*turns{}}
}

type sharedLimiter struct {
	j     Journal
	corp  string
	every time.Duration
	burst int

	mu    sync.Mutex
	byAPI map[string]*turns
}

// turns are those of one API that the ledger has given and nobody has used.
type turns struct {
	mu    sync.Mutex // held while the ledger is asked: one asks for all
	left  int
	until time.Time
	batch int // to ask for next
}

// Wait waits for a turn. Its errors are ctx's and the ledger's.
func (l *sharedLimiter) Wait(ctx context.Context, api string) error {
	t := l.of(api)
	for {
		wait, err := l.take(ctx, t, api)
		if err != nil {
			return err
		}
		if wait <= 0 {
			return awake(ctx)
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
			return fmt.Errorf("%w before the rate limit allows the call", context.DeadlineExceeded)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (l *sharedLimiter) of(api string) *turns {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byAPI[api] == nil {
		l.byAPI[api] = &turns{batch: 1}
	}
	return l.byAPI[api]
}

// take takes a turn, or returns how long until there may be one.
func (l *sharedLimiter) take(ctx context.Context, t *turns, api string) (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	now := time.Now()
	switch {
	case t.left > 0 && now.Before(t.until):
		t.left--
		return 0, nil
	case t.left == 0 && now.Before(t.until): // used up in time
		t.batch = min(2*t.batch, turnsAtOnce, l.burst)
	default:
		t.batch = 1
	}
	got, wait, err := l.j.Turns(ctx, l.corp+"/"+api, t.batch, l.every, l.burst)
	if err != nil || got == 0 {
		t.left, t.until = 0, time.Time{}
		return max(wait, time.Millisecond), err
	}
	t.left, t.until = got-1, now.Add(turnsLast)
	return 0, nil
}
