package pipeline

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"time"

	"wedrop/wecom"
)

const (
	maxClaimed  = 128                   // Items that one crew has claimed at once
	kept        = 16                    // of them for each later step: what is nearly done gets done
	claimPause  = 10 * time.Millisecond // between claims for one step: each is a transaction
	graceOnStop = 5 * time.Second       // for a submit under way: cut off, it would be made twice
)

// A crew works on claimed Items: lanes of steps, each in goroutines of their
// own that report back. One goroutine, that of Run or Serve, has all of its
// state.
type crew struct {
	p       *Pipeline
	lanes   []*lane
	results chan result
	lost    chan []int64
	// atEnd reports whether an Item is to go no further now, though its
	// next step could be done at once.
	atEnd func(Item) bool
	fatal error // of the journal: ends everything
	pulse *pulse
}

// A lane works on Items that wait for one step. Each step has its own, for
// each has its own limit.
type lane struct {
	step    Step
	workers int
	running int
	queue   []work    // claimed, not started
	claimed time.Time // when last, by this process's clock
	started int       // since then
}

// work is a claimed Item, and the machineTime when it was claimed.
type work struct {
	it Item
	at time.Time
}

// result is a step that ended.
type result struct {
	work // as recorded
	was  Item
	lane *lane
	err  error // nothing was recorded
}

func newCrew(p *Pipeline, atEnd func(Item) bool) crew {
	return crew{p: p, atEnd: atEnd, pulse: &pulse{}, results: make(chan result), lost: make(chan []int64),
		// The later steps first: what is nearly done gets done.
		lanes: []*lane{
			{step: Await, workers: orElse(p.Queries, 4)},
			{step: Submit, workers: orElse(p.Submits, 1)},
			{step: Stage, workers: orElse(p.Uploads, 8)},
			{step: Inspect, workers: orElse(p.Readers, runtime.GOMAXPROCS(0))},
		}}
}

func orElse[T int | time.Duration](n, otherwise T) T {
	if n > 0 {
		return n
	}
	return otherwise
}

// lane returns that of a step; nil for Done.
func (c *crew) lane(s Step) *lane {
	for _, l := range c.lanes {
		if l.step == s {
			return l
		}
	}
	return nil
}

// room is how many more Items a lane may claim now. Where steps take
// milliseconds many are claimed at once; where they take minutes, few, so that
// other processes get their share.
func (c *crew) room(l *lane) int {
	if l.rest() > 0 {
		return 0
	}
	ahead := 2*l.workers - l.running - len(l.queue)
	ahead += int(2 * claimPause * time.Duration(l.started) / max(time.Since(l.claimed), 1))
	n := maxClaimed
	for i, l2 := range c.lanes {
		n -= l2.running + len(l2.queue)
		if l2 == l {
			n -= kept * i
		}
	}
	return min(n, ahead)
}

// rest is for how long a lane claims nothing.
func (l *lane) rest() time.Duration { return claimPause - time.Since(l.claimed) }

// took notes that a lane asked for Items.
func (l *lane) took() { l.claimed, l.started = time.Now(), 0 }

// enqueue gives a lane what was claimed at that time. A machine that slept may
// have claimed what it had claimed before, and no beat tells of that loss: what
// is left of the old claim is given up.
func (c *crew) enqueue(l *lane, items []Item, at time.Time) {
	anew := map[int64]bool{}
	var ids []int64
	for _, it := range items {
		anew[it.ID] = true
		ids = append(ids, it.ID)
	}
	under := c.p.flights.those(func(f *flight) bool { return anew[f.item.ID] })
	if len(under) > 0 {
		c.p.losses.mourn(under, at.Add(-1))
		c.p.flights.ground(under, ErrLost)
	}
	c.drop(ids, func(Item) {})
	for _, it := range items {
		l.queue = append(l.queue, work{it, at})
	}
}

// dispatch starts as many steps as the lanes allow.
func (c *crew) dispatch(ctx context.Context) {
	for _, l := range c.lanes {
		for l.running < l.workers && len(l.queue) > 0 {
			w := l.queue[0]
			l.queue = l.queue[1:]
			l.running++
			l.started++
			under, f := c.begin(ctx, w)
			go func() {
				c.results <- c.step(under, l, w, f)
				c.p.flights.remove(f) // not before: enqueue must find it
			}()
		}
	}
}

// begin notes that a step is under way, and returns the context that ends with
// its claim.
func (c *crew) begin(ctx context.Context, w work) (context.Context, *flight) {
	f := &flight{item: w.it, claimed: w.at, since: time.Now()}
	f.base = w.it.Claim.At.Add(elapsed(w.at))
	ctx, f.cancel = context.WithCancelCause(context.WithValue(ctx, claimKey{}, func() bool { return c.holds(w.it.ID, w.at) }))
	c.p.flights.add(f)
	return ctx, f
}

// step does the step of an Item and records what settle makes of it.
func (c *crew) step(ctx context.Context, l *lane, w work, f *flight) result {
	p := c.p
	defer f.cancel(nil)
	if ctx.Err() != nil {
		return result{w, w.it, l, ctx.Err()}
	}
	if !c.holds(w.it.ID, w.at) {
		return result{w, w.it, l, context.Canceled}
	}

	it := w.it
	err := p.do(politely(ctx, it.Step), &it, f)
	if err != nil && ends(ctx, err) {
		return result{w, w.it, l, ctx.Err()} // given up: whatever it says, it is no verdict
	}
	if errors.Is(err, errOverslept) {
		return result{w, w.it, l, context.Canceled}
	}
	it = settle(it, err, f.now(), p.policy())
	it.told(w.it.Step, f.now())
	if err != nil && err != errWaiting {
		p.log().Debug("step ended with a fault", "item", it.ID, "step", w.it.Step, "code", it.Fault.Code, "err", err)
	}
	if p.Observe != nil {
		p.Observe(w.it.Step, time.Since(f.since), it.Fault)
	}
	keep := ctx.Err() == nil && !c.atEnd(it) && !it.Due.After(f.now()) && p.sees(it)
	crc, sum := it.crc, it.MD5
	it, err = c.record(ctx, w, it, keep)
	if it.MD5 == sum {
		it.crc = crc
	}
	if err == nil && p.Changed != nil {
		p.Changed(it)
	}
	return result{work{it, w.at}, w.it, l, err}
}

// do does the step of an Item. A step that panics is a fault of its file: the
// Item is left as it was, and the process goes on with the others.
func (p *Pipeline) do(ctx context.Context, it *Item, f *flight) (err error) {
	was := *it
	defer func() {
		if v := recover(); v != nil {
			*it, err = was, panicked{}
			p.log().Error("a step panicked; please report this", "item", was.ID, "step", was.Step, "panic", v, "trace", string(debug.Stack()))
		}
	}()
	return line[it.Step](p, ctx, it, f)
}

// ends reports whether a step failed because ctx ended. A call of WeCom's may
// be given up a little before: where the rate limit would let it go after
// ctx's deadline, or the deadline is over and ctx does not say so yet.
func ends(ctx context.Context, err error) bool {
	var e *wecom.Error
	if _, ok := ctx.Deadline(); ok && errors.As(err, &e) && e.Class() == wecom.ClassCancelled {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

// politely gives a submit under way a little time when the run ends: cut off,
// it may have been taken and would be made again. One that is another's by now
// gets none.
func politely(ctx context.Context, s Step) context.Context {
	if s != Submit {
		return ctx
	}
	polite, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ErrLost) {
			cancel()
			return
		}
		time.AfterFunc(graceOnStop, cancel)
	})
	return polite
}

// drop takes the Items out of the queues whose claims are over, and calls gone
// for each.
func (c *crew) drop(ids []int64, gone func(Item)) {
	over := map[int64]bool{}
	for _, id := range ids {
		over[id] = true
	}
	for _, l := range c.lanes {
		kept := l.queue[:0]
		for _, w := range l.queue {
			if over[w.it.ID] {
				gone(w.it)
			} else {
				kept = append(kept, w)
			}
		}
		l.queue = kept
	}
}

// giveBack releases a claim with which nothing was done. It reports false if
// the claim was over anyway.
func (c *crew) giveBack(ctx context.Context, res result) bool {
	if errors.Is(res.err, ErrLost) {
		return false
	}
	err := c.p.letGo(context.WithoutCancel(ctx), []Item{res.was})
	if !errors.Is(res.err, context.Canceled) && !errors.Is(res.err, context.DeadlineExceeded) {
		err = res.err
	}
	if err != nil {
		c.fail(ctx, err)
	}
	return true
}

// release gives back what the lanes have queued.
func (c *crew) release(ctx context.Context, lanes ...*lane) {
	var back []Item
	for _, l := range lanes {
		for _, w := range l.queue {
			back = append(back, w.it)
		}
		l.queue = nil
	}
	if len(back) == 0 {
		return
	}
	if err := c.p.letGo(ctx, back); err != nil {
		c.fail(ctx, err)
	}
}

// drain waits for the steps under way, hands each to settled, and gives all
// other claims back.
func (c *crew) drain(ctx context.Context, settled func(context.Context, result)) {
	for {
		running := 0
		for _, l := range c.lanes {
			running += l.running
		}
		if running == 0 {
			break
		}
		settled(ctx, <-c.results)
	}
	c.release(ctx, c.lanes...)
}

// fail notes that the journal does not answer.
func (c *crew) fail(ctx context.Context, err error) {
	if ctx.Err() == nil && c.fatal == nil {
		c.fatal = err
	}
}
