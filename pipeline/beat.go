package pipeline

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"wedrop/pipeline/uptime"
)

// pulse is when the ledger last prolonged a crew's claims, by machineTime.
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

// losses are the claims that a Pipeline has lost. All of its crews have them in
// common: the ledger tells of each to the one that asks first.
type losses struct {
	sync.Mutex
	over map[int64]time.Time // the Items whose claims of before then are lost
}

// mourning is longer than any step lasts.
const mourning = 24 * time.Hour

// mourn notes that claims of before that time are lost.
func (l *losses) mourn(ids []int64, at time.Time) {
	l.Lock()
	defer l.Unlock()
	if l.over == nil {
		l.over = map[int64]time.Time{}
	}
	maps.DeleteFunc(l.over, func(_ int64, lost time.Time) bool { return at.Sub(lost) > mourning })
	for _, id := range ids {
		l.over[id] = at
	}
}

// has reports whether the claim of then is lost.
func (l *losses) has(id int64, claimed time.Time) bool {
	l.Lock()
	defer l.Unlock()
	at, lost := l.over[id]
	return lost && !claimed.After(at)
}

// holds reports whether the Item that was claimed then still is this process's
// for sure. While the ledger does not answer a claim counts as over after two
// thirds of its time, so that what is under way ends before another machine
// takes it: a submit takes graceOnStop for it.
func (c *crew) holds(id int64, claimed time.Time) bool {
	// In this order: a beat counts after what it lost.
	return elapsed(c.pulse.since(claimed)) < c.lasts() && !c.p.losses.has(id, claimed)
}

// since is when a claim of then was last prolonged.
func (b *pulse) since(claimed time.Time) time.Time {
	b.Lock()
	defer b.Unlock()
	if b.at.After(claimed) {
		return b.at
	}
	return claimed
}

// lasts is for how long a claim counts.
func (c *crew) lasts() time.Duration {
	c.pulse.Lock()
	defer c.pulse.Unlock()
	if c.pulse.failed {
		return c.p.Journal.Lease() * 2 / 3
	}
	return c.p.Journal.Lease()
}

// machineTime is a time that only elapsed and other times of its kind have to
// do with: nobody sets this clock, and it goes on while the machine sleeps.
// Where there is no such clock it is time.Now.
func machineTime() time.Time {
	if up, ok := uptime.Now(); ok {
		return time.Unix(0, 0).Add(up)
	}
	return time.Now()
}

// elapsed is the time since a machineTime, that included in which the machine
// slept: the monotonic clock stands still meanwhile, the other one does not,
// but may be set.
func elapsed(then time.Time) time.Duration {
	if _, ok := uptime.Now(); ok {
		return machineTime().Sub(then)
	}
	return max(time.Since(then), time.Now().Round(0).Sub(then.Round(0)))
}

// claimKey is where the context of a step has a func() bool: whether its claim
// holds.
type claimKey struct{}

// errOverslept says that a claim was over when it was the step's turn.
var errOverslept = errors.New("pipeline: the claim was over when its turn came")

// awake returns errOverslept if ctx is that of a step whose claim is over.
// Between a step's beginning and its turn the process may have been stopped for
// a minute, and the next beat comes too late.
func awake(ctx context.Context) error {
	if holds, ok := ctx.Value(claimKey{}).(func() bool); ok && !holds() {
		return errOverslept
	}
	return ctx.Err()
}

// errLate says that the ledger has not answered in time, which may yet come.
var errLate = errors.New("pipeline: the ledger does not answer")

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
		nap = lease / 3
		if c.beatOnce(ctx, max(lease/6, 100*time.Millisecond)) != nil {
			nap = lease / 30
		}
	}
}

// beatOnce prolongs the claims. While no answer comes it looks, once in a
// while, which of them are too old to be relied on.
func (c *crew) beatOnce(ctx context.Context, patience time.Duration) (err error) {
	type answer struct {
		lost []int64
		err  error
	}
	answers := make(chan answer, 1)
	at := machineTime()
	go func() {
		c.p.pay(ctx)
		lost, err := c.p.Journal.Beat(ctx)
		answers <- answer{lost, err}
	}()
	for {
		var a answer
		select {
		case a = <-answers:
		case <-time.After(patience):
			a.err = errLate
		case <-ctx.Done():
			return ctx.Err()
		}
		if a.err == nil { // what is lost first, or holds would count on this beat
			c.p.losses.mourn(a.lost, at)
			c.lose(ctx, a.lost, nil)
			c.pulse.beaten(at, nil)
			return nil
		}
		c.pulse.beaten(at, a.err)
		// They are nobody else's yet.
		c.lose(ctx, c.p.flights.those(func(f *flight) bool { return !c.holds(f.item.ID, f.claimed) }), a.err)
		if !errors.Is(a.err, errLate) {
			return a.err
		}
	}
}

// lose gives up the work on Items. Without err it is known that they are lost.
func (c *crew) lose(ctx context.Context, ids []int64, err error) {
	if len(ids) == 0 || ctx.Err() != nil {
		return
	}
	if err == nil {
		err = ErrLost
	}
	c.p.flights.ground(ids, err)
	select {
	case c.lost <- ids:
	case <-ctx.Done():
	}
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
		if err == nil || !errors.As(err, &passing) || !passing.Temporary() || !c.holds(w.it.ID, w.at) {
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
