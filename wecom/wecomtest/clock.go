package wecomtest

import (
	"sync/atomic"
	"time"
)

// A Clock is time.Now shifted by an offset. The zero value is real time. It
// may be used by several goroutines at once.
type Clock struct {
	offset atomic.Int64
}

// Now returns the real time and the offset.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// Advance moves the clock forward by d, or back if d is negative.
func (c *Clock) Advance(d time.Duration) { c.offset.Add(int64(d)) }

// Set moves the clock to t, from where it runs on.
func (c *Clock) Set(t time.Time) { c.offset.Store(int64(time.Until(t))) }
