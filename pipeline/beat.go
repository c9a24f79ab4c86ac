package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pulse is when the ledger last prolonged a crew's claims, by this process's
// clock.
type pulse struct {
	sync.Mutex
	at     time.Time // when it was asked
	failed bool      // it did not answer since
}

func (b *pulse) beaten(at time.Time, err error) {
	b.Lock()
	defer b.Unlock()
	if b.failed = err != nil; err == nil {
		b.at = at
	}
}

// holds reports whether what was claimed then still is this process's for
// sure. While the ledger does not answer a claim counts as over after two
// thirds of its time, so that what is under way ends before another machine
// takes it: a submit takes graceOnStop for it.
func (c *crew) holds(claimed time.Time) bool {
	c.pulse.Lock()
	defer c.pulse.Unlock()
	if c.pulse.at.After(claimed) {
		claimed = c.pulse.at
	}
	lasts := c.p.Journal.Lease()
	if c.pulse.failed {
		lasts = lasts * 2 / 3
	}
	return time.Since(claimed) < lasts
}

// beat prolongs this process's claims until ctx ends, and grounds the work on
// those that it has no more.
func (c *crew) beat(ctx context.Context) {
	lease := c.p.Journal.Lease()
	for nap := lease / 3; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(nap):
		}
		c.p.pay(ctx)
		lost, err := c.beatOnce(ctx, lease/6)
		if nap = lease / 3; err != nil {
			nap = lease / 30
			lost = c.p.flights.claimedFor(func(claimed time.Time) bool { return !c.holds(claimed) })
		}
		if len(lost) == 0 || ctx.Err() != nil {
			continue
		}
		c.p.flights.ground(lost)
		select {
		case c.lost <- lost:
		case <-ctx.Done():
		}
	}
}

func (c *crew) beatOnce(ctx context.Context, within time.Duration) ([]int64, error) {
	at := time.Now()
	within = max(within, time.Second) // of tests
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	lost, err := c.p.Journal.Beat(ctx)
	c.pulse.beaten(at, err)
	return lost, err
}

// record writes what a step made of an Item. A ledger that says that it may
// answer later is asked again as long as the claim lasts: a submit that is not
// recorded is made twice. The first time may have been taken though its answer
// was lost; then the claim is over, or the second writes the same.
func (c *crew) record(ctx context.Context, w work, it Item, keep bool) (Item, error) {
	lasting := context.WithoutCancel(ctx)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		out, err := c.p.Journal.Record(lasting, it, keep)
		var passing interface{ Temporary() bool }
		if err == nil || !errors.As(err, &passing) || !passing.Temporary() || !c.holds(w.at) {
			return out, err
		}
		time.Sleep(pause)
	}
}

// debts are claims that could not be released, because the ledger did not
// answer. A beat would prolong them for ever.
type debts struct {
	sync.Mutex
	items []Item
}

// letGo releases claims. If the ledger does not answer now, they are released
// before the next beat.
func (p *Pipeline) letGo(ctx context.Context, items []Item) error {
	err := p.Journal.Release(ctx, items)
	if err != nil {
		p.debts.Lock()
		defer p.debts.Unlock()
		p.debts.items = append(p.debts.items, items...)
	}
	return err
}

// pay releases what could not be released before.
func (p *Pipeline) pay(ctx context.Context) {
	p.debts.Lock()
	defer p.debts.Unlock()
	if len(p.debts.items) > 0 && p.Journal.Release(ctx, p.debts.items) == nil {
		p.debts.items = nil
	}
}
