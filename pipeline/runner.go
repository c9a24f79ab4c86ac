package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	lookEvery  = 200 * time.Millisecond // at what other processes did
	takeEvery  = time.Second            // tries to claim what they had
	sweepEvery = 5 * time.Second        // for Items that they merged into others
)

// errTimeout is why a run with a deadline leaves Items unfinished.
var errTimeout = errors.New("the time given is over")

// RunOptions of Run.
type RunOptions struct {
	// Again is what Enter was given. It decides about a file that turns out
	// to have the content of an Item that is there already.
	Again EnterOptions
	// NoWait ends an entry when WeCom has taken its job.
	NoWait bool
	// Ended is called once for each entry when it is at its end, one call
	// at a time: done, held, or not finished (then with a Fault that says
	// why, such as wedrop/timeout). i is the entry's place in entries. The
	// Item has the path of this entry.
	Ended func(i int, e Entry)
}

// A runner works on the Items of some entries until each is at its end. An
// Item that waits costs a row, not a goroutine.
type runner struct {
	crew
	o       RunOptions
	entries []Entry
	items   map[int64]*tracked // by Item.ID; those that are not at their end
	// foreign are those that are due, but the journal did not give them:
	// others work on them.
	foreign map[int64]bool
	later   dues // those that are not due
	clock   ledgerClock
	ready   map[Step][]int64 // those that are, not claimed
	rev     int64
	stop    *Fault // of the configuration: ends the run
}

// A ledgerClock notices that the ledger's clock was set.
type ledgerClock struct{ ledger, here time.Time }

// set reports whether the ledger's clock went on by another time than this
// process's monotonic one since the last call. After a sleep of the machine it
// does, too.
func (c *ledgerClock) set(now time.Time) bool {
	was := *c
	c.ledger, c.here = now, time.Now()
	drift := now.Round(0).Sub(was.ledger.Round(0)) - c.here.Sub(was.here)
	return !was.here.IsZero() && drift.Abs() > time.Second
}

// unset is an Item that was recorded before the clock was set back, and arrived
// after that was noticed, as the ledger has it by now.
func (c *ledgerClock) unset(it Item) Item {
	if it.Updated.After(c.ledger.Add(2 * time.Second)) {
		it.Due = c.ledger.Add(it.Due.Sub(it.Updated))
	}
	return it
}

// tracked is an Item that entries wait for.
type tracked struct {
	it      Item
	entries []int // places
	claimed bool  // by this run
}

// Run works on entries, together with any other process that has the same
// ledger, until each is at its end. It returns nil then, a *StopError if a
// fault of the configuration ended it, ctx's error, or the journal's.
func (p *Pipeline) Run(ctx context.Context, entries []Entry, o RunOptions) error {
	r := &runner{o: o, entries: entries, items: map[int64]*tracked{}, foreign: map[int64]bool{}, ready: map[Step][]int64{}}
	r.crew = newCrew(p, r.ended)
	return r.run(ctx)
}

func (r *runner) run(ctx context.Context) (err error) {
	if r.rev, err = r.p.Journal.Rev(ctx); err != nil {
		return err
	}
	steps, cut := context.WithCancel(ctx)
	defer cut()
	go r.beat(steps)
	for n, e := range r.entries {
		r.track(n, e.Item)
	}
	if len(r.items) > 0 {
		r.sweep(ctx) // what happened between Enter and Rev
	}
	look, take, sweep := every(lookEvery), every(takeEvery), every(sweepEvery)
	for len(r.items) > 0 && r.stop == nil && r.fatal == nil && ctx.Err() == nil {
		nap := min(r.promote(ctx), r.fill(ctx))
		r.dispatch(steps)
		select {
		case res := <-r.results:
			r.settled(ctx, res)
			continue
		case ids := <-r.lost:
			r.drop(ids, r.overran)
		case <-ctx.Done():
		case <-time.After(nap):
		}
		if len(r.foreign) == 0 {
			continue
		}
		if look() {
			r.look(ctx)
		}
		if take() {
			r.takeOver("")
		}
		if sweep() {
			r.sweep(ctx)
		}
	}
	cut()
	r.drain(context.WithoutCancel(ctx), r.settled)
	return r.finish(ctx)
}

// every returns a func that is true once in d.
func every(d time.Duration) func() bool {
	last := time.Now()
	return func() bool {
		if time.Since(last) < d {
			return false
		}
		last = time.Now()
		return true
	}
}

// track takes in that an entry waits for an Item.
func (r *runner) track(n int, it Item) {
	if it.ID == 0 || r.ended(it) {
		r.end(n, it)
		return
	}
	if t := r.items[it.ID]; t != nil {
		t.entries = append(t.entries, n)
		return
	}
	r.items[it.ID] = &tracked{it: it, entries: []int{n}}
	r.later.push(it)
}

// ended reports whether this run has nothing more to do with an Item.
func (r *runner) ended(it Item) bool {
	return it.Step == Done || it.Held() || r.o.NoWait && it.Step == Await && it.Fault == nil
}

// end reports one entry.
func (r *runner) end(n int, it Item) {
	e := &r.entries[n]
	e.Item = it
	if e.File.Path != "" {
		e.Item.Path = e.File.Path
	}
	if r.o.Ended != nil {
		r.o.Ended(n, *e)
	}
}

// arrived takes in how an Item stands that this run has not claimed (any
// more).
func (r *runner) arrived(it Item) {
	t := r.items[it.ID]
	if t == nil {
		return
	}
	delete(r.foreign, it.ID)
	if !r.ended(it) {
		it = r.clock.unset(it)
		t.it, t.claimed = it, false
		r.later.push(it)
		return
	}
	delete(r.items, it.ID)
	for _, n := range t.entries {
		r.end(n, it)
	}
}

// promote moves what has become due to its lane, and returns for how long
// there is nothing more to move.
func (r *runner) promote(ctx context.Context) time.Duration {
	now, err := r.p.Journal.Now(ctx)
	if err != nil {
		r.fail(ctx, err)
		return 0
	}
	if r.clock.set(now) {
		r.reread(ctx)
	}
	for {
		d, ok := r.later.pop(now)
		if !ok {
			break
		}
		t := r.items[d.id]
		if t == nil {
			continue
		}
		r.ready[t.it.Step] = append(r.ready[t.it.Step], d.id)
	}
	nap := time.Second // the ledger's clock may have been set meanwhile
	if len(r.foreign) > 0 {
		nap = lookEvery
	}
	return max(r.later.next(now, nap), time.Millisecond)
}

// reread takes in anew when Items are due: the ledger moved that, for its clock
// was set.
func (r *runner) reread(ctx context.Context) {
	waiting := r.later
	r.later = nil
	r.sweep(ctx)
	for _, d := range waiting {
		if t := r.items[d.id]; t != nil && !t.claimed {
			r.later.push(t.it)
		}
	}
}

// fill claims Items for the lanes that have room, and returns for how long at
// most it is to be called no more.
func (r *runner) fill(ctx context.Context) time.Duration {
	nap := time.Second
	for _, l := range r.lanes {
		if rest := l.rest(); rest > 0 && len(r.ready[l.step]) > 0 {
			nap = min(nap, rest)
		}
		ids := r.next(l.step, r.room(l))
		if len(ids) == 0 {
			continue
		}
		at := machineTime()
		l.took()
		items, err := r.p.Journal.Claim(ctx, Want{Corp: r.p.Corp, Hosts: r.p.Hosts(), Steps: []Step{l.step}, IDs: ids, Limit: len(ids)})
		if err != nil {
			r.fail(ctx, err)
			return nap
		}
		for _, id := range ids {
			r.foreign[id] = true
		}
		for _, it := range items {
			r.items[it.ID].claimed = true
			delete(r.foreign, it.ID)
		}
		r.enqueue(l, items, at)
	}
	return nap
}

// next takes up to room Items out of those that are ready for a step. What
// came to its end meanwhile, by others, is left out.
func (r *runner) next(step Step, room int) (ids []int64) {
	ready := r.ready[step]
	for len(ids) < room && len(ready) > 0 {
		if r.items[ready[0]] != nil {
			ids = append(ids, ready[0])
		}
		ready = ready[1:]
	}
	r.ready[step] = ready
	return ids
}

// settled takes in that a step ended.
func (r *runner) settled(ctx context.Context, res result) {
	res.lane.running--
	if res.err != nil {
		r.unrecorded(ctx, res)
		return
	}
	it := res.it
	if res.was.Step == Stage { // equal content under another name may be staged now
		defer r.takeOver(res.was.MD5)
	}
	if it.Fault != nil && it.Fault.Config && r.stop == nil {
		r.stop = it.Fault
	}
	if res.was.MD5 != "" && it.MD5 != res.was.MD5 {
		r.split(ctx, res.was.ID)
	}
	if it.ID != res.was.ID {
		r.merged(ctx, res.was.ID, it)
		return
	}
	if it.Claim.Fence == 0 {
		r.arrived(it)
		return
	}
	t := r.items[it.ID]
	if t == nil { // its file has another Item by now: others may go on with it
		if err := r.p.letGo(ctx, []Item{it}); err != nil {
			r.fail(ctx, err)
		}
		return
	}
	t.it = it
	l := r.lane(it.Step)
	l.queue = append(l.queue, res.work)
}

// split lets the entries go to their own Items again that shared one until
// one of their files got other content.
func (r *runner) split(ctx context.Context, id int64) {
	t := r.items[id]
	if t == nil || len(t.entries) < 2 {
		return
	}
	for n, e := range r.files(ctx, t.entries) {
		if e.Item.ID != id {
			r.follow(ctx, id, n, e.Item)
		}
	}
}

// files are the ledger's entries of those with these places that have one.
func (r *runner) files(ctx context.Context, places []int) map[int]Entry {
	var ids []int64
	var at []int
	for _, n := range places {
		if id := r.entries[n].ID; id != 0 {
			ids, at = append(ids, id), append(at, n)
		}
	}
	entries, err := r.p.Journal.Entries(ctx, ids)
	if err != nil {
		r.fail(ctx, err)
		return nil
	}
	found := map[int]Entry{}
	for i, e := range entries {
		if e.ID != 0 {
			found[at[i]] = e
		}
	}
	return found
}

// follow lets one entry wait for another Item than it did.
func (r *runner) follow(ctx context.Context, was int64, n int, it Item) {
	if t := r.items[was]; t != nil {
		t.entries = slices.DeleteFunc(t.entries, func(m int) bool { return m == n })
		if len(t.entries) == 0 {
			delete(r.items, was)
			delete(r.foreign, was)
		}
	}
	r.instead(ctx, []int{n}, it)
}

// unrecorded takes in that a step came to nothing: it was given up, or its
// claim was over.
func (r *runner) unrecorded(ctx context.Context, res result) {
	r.overran(res.was)
	r.giveBack(ctx, res)
}

// overran takes in that an Item is claimed no more: it is tried again when it
// can be claimed.
func (r *runner) overran(it Item) {
	if t := r.items[it.ID]; t != nil {
		t.claimed, r.foreign[it.ID] = false, true
	}
}

// merged lets the entries of one Item wait for another that has the same
// content.
func (r *runner) merged(ctx context.Context, was int64, it Item) {
	t := r.items[was]
	delete(r.items, was)
	delete(r.foreign, was)
	if t != nil {
		r.instead(ctx, t.entries, it)
	}
}

// instead lets entries wait for an Item that they did not wait for before.
func (r *runner) instead(ctx context.Context, places []int, it Item) {
	some := []Entry{{Item: it}}
	if err := r.p.wake(ctx, some, r.o.Again); err != nil {
		r.fail(ctx, err)
	}
	for _, n := range places {
		r.track(n, some[0].Item)
	}
}

// look takes in what other processes recorded.
func (r *runner) look(ctx context.Context) {
	const page = 1000
	for {
		items, err := r.p.Journal.Items(ctx, Query{Corp: r.p.Corp, Since: r.rev, Limit: page})
		if err != nil {
			r.fail(ctx, err)
			return
		}
		for _, it := range items {
			r.rev = it.Rev
			r.seen(it)
		}
		if len(items) < page {
			return
		}
	}
}

// takeOver lets the lanes try to claim what others had: all of it, or what
// has that MD5.
func (r *runner) takeOver(md5 string) {
	for id := range r.foreign {
		if t := r.items[id]; md5 == "" || t.it.MD5 == md5 {
			delete(r.foreign, id)
			r.later.push(t.it)
		}
	}
}

// sweep reads the tracked Items anew, for what others did may leave no trace
// in the order of changes: an Item that they merged into another is gone, and
// its files have the other.
func (r *runner) sweep(ctx context.Context) {
	var places []int
	var bare []int64
	waits := map[int]int64{}
	for id, t := range r.items {
		for _, n := range t.entries {
			waits[n] = id
			if r.entries[n].ID != 0 {
				places = append(places, n)
			} else {
				bare = append(bare, id)
			}
		}
	}
	for n, e := range r.files(ctx, places) {
		if e.Item.ID != waits[n] {
			r.follow(ctx, waits[n], n, e.Item)
		} else {
			r.seen(e.Item)
		}
	}
	if len(bare) == 0 {
		return
	}
	items, err := r.p.Journal.Items(ctx, Query{IDs: bare})
	if err != nil {
		r.fail(ctx, err)
	}
	for _, it := range items {
		r.seen(it)
	}
}

// seen takes in how an Item stands that others may have changed.
func (r *runner) seen(it Item) {
	t := r.items[it.ID]
	if t == nil || t.claimed {
		return
	}
	t.it = it
	if r.ended(it) {
		r.arrived(it)
	}
}

// finish reports what is left and says why the run ended.
func (r *runner) finish(ctx context.Context) error {
	now := time.Now()
	cause := ctx.Err()
	if errors.Is(cause, context.DeadlineExceeded) {
		cause = errTimeout
	}
	left := map[int]Item{}
	for _, t := range r.items {
		for _, n := range t.entries {
			left[n] = t.it
		}
	}
	for n := range r.entries {
		it, ok := left[n]
		if !ok {
			continue
		}
		switch {
		case r.stop != nil:
			f := *r.stop
			f.Step, f.Retry = it.Step, true
			it.Fault = &f
		case it.Fault == nil:
			f := unfinished(it, cause, now)
			it.Fault = &f
		}
		r.end(n, it)
	}
	switch {
	case r.stop != nil:
		return &StopError{*r.stop}
	case r.fatal != nil:
		return r.fatal
	case len(left) > 0:
		return ctx.Err()
	}
	return nil
}
