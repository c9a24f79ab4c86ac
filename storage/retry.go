package storage

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// longestPause is how long a Bucket waits inside one call. A service that asks
// for more is reported, with its Fault.RetryAfter, and the caller comes back.
const longestPause = 30 * time.Second

// again calls try until it succeeds, says that its error lasts, or the
// attempts are used up. It returns ctx.Err() if the context ends.
func (b *Bucket) again(ctx context.Context, try func(context.Context) (err error, passes bool)) error {
	pause := b.pause
	for n := 1; ; n++ {
		err, passes := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !passes || n >= b.attempts {
			return err
		}
		wait := min(pause/2+rand.N(pause/2+1), longestPause)
		if asked := retryAfter(err); asked > longestPause {
			return err
		} else if asked > wait {
			wait = asked
		}
		b.log.DebugContext(ctx, "storage: tries again", "try", n, "after", wait, "error", err)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

func retryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.Fault.RetryAfter
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// passes says whether a further try may succeed with nobody doing anything.
// An error that a driver cannot name is tried again: the tries are bounded.
func (f Fault) passes() bool {
	switch f.Cause {
	case CauseBusy, CauseUnreachable, CauseUnknown:
		return true
	}
	return false
}

// kind is what a person is told about a cause.
func (c Cause) kind() Kind {
	switch c {
	case CauseDenied:
		return Denied
	case CauseBadDigest:
		return Changed
	case CauseBusy, CauseUnreachable, CauseUnknown:
		return Unreachable
	}
	return BadConfig
}
