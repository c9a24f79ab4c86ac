package riverengine

import (
	"context"
	"sync/atomic"
	"time"

	"wedrop/pipeline"
)

// clock is the ledger's, for River: the machines' own clocks may be minutes
// apart, and River sets due times by them.
type clock struct {
	ledger pipeline.Journal
	ahead  atomic.Int64 // of this machine's clock, nanoseconds
}

// set measures by how much the clocks differ.
func (c *clock) set(ctx context.Context) error {
	now, err := c.ledger.Now(ctx)
	if err == nil {
		c.ahead.Store(int64(time.Until(now)))
	}
	return err
}

// Now keeps the monotonic reading, which River's own deadlines need.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// NowOrNil is not nil, so that River asks no other clock.
func (c *clock) NowOrNil() *time.Time {
	now := c.Now()
	return &now
}
