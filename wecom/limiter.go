package wecom

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/time/rate"
)

// A Limiter holds a call back until the corp's rate for that API allows it.
type Limiter interface {
	// Wait returns nil when the call may go, or ctx's error. It may return
	// context.DeadlineExceeded at once where ctx would end before the turn
	// comes.
	Wait(ctx context.Context, api string) error
}

// defaultPerMinute stays well under WeCom's 10,000 a minute for each corp and
// API (path/90454).
const defaultPerMinute = 6000

// NewLimiter returns a Limiter of this process that lets perMinute calls a
// minute go to each API (6000 if not positive), evenly: at most a second's
// worth, and at most 100, at once. It is safe for concurrent use.
func NewLimiter(perMinute int) Limiter {
	if perMinute <= 0 {
		perMinute = defaultPerMinute
	}
	return &buckets{perMinute: perMinute, byAPI: map[string]*rate.Limiter{}}
}

type buckets struct {
	perMinute int
	mu        sync.Mutex
	byAPI     map[string]*rate.Limiter
}

func (b *buckets) Wait(ctx context.Context, api string) error {
	err := b.bucket(api).Wait(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%w before the rate limit allows the call", context.DeadlineExceeded)
}

func (b *buckets) bucket(api string) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byAPI[api] == nil {
		burst := min(max(1, b.perMinute/60), 100)
		b.byAPI[api] = rate.NewLimiter(rate.Limit(float64(b.perMinute)/60), burst)
	}
	return b.byAPI[api]
}
