package pipeline

import (
	"context"
	"strings"
	"time"
)

const (
	askEvery   = 500 * time.Millisecond // for Items that other processes made due
	pauseMax   = 10 * time.Minute
	cleanEvery = 10 * time.Minute
	never      = 100 * 365 * 24 * time.Hour
)

// ServeOptions of Serve.
type ServeOptions struct {
	// Renew reports whether a done Item's media_id is to be kept alive. It
	// is asked p.RenewBefore before the media_id dies. Nil: none is.
	Renew func(Item) bool
	// Keep is how long a staged object stays after its last media_id came;
	// negative: for ever.
	Keep time.Duration
	// Rest is the first pause after a fault of the configuration; a minute
	// if zero.
	Rest time.Duration
	// Engine wakes the Items. Nil: the ledger is asked every half second
	// for what is due, as fits one machine that has it to itself.
	Engine Engine
}

// A server works on everything that is due.
type server struct {
	crew
	office
	o     ServeOptions
	ask   map[Step]time.Time // by this process's clock: when to ask the journal for more
	rest  map[string]*rest   // by "storage" and "wecom": where a person has to mend something
	spent bool               // an Item is done since the last cleaning
}

// rest is a pause after a fault of the configuration.
type rest struct {
	until time.Time // zero: at work
	d     time.Duration
}

// Serve works on everything that is due in the ledger until ctx ends: new
// files, those that were left on their way, results that WeCom called ready
// (Finished), and media_ids that are to be renewed. Uploads under way are
// given up then and go on later; Serve returns within seconds, with ctx's
// error or the journal's.
//
// After a fault of the configuration the steps that it concerns rest for a
// minute, then longer, up to ten: one call is made then to see whether a
// person has mended it, and if so everything goes on.
func (p *Pipeline) Serve(ctx context.Context, o ServeOptions) error {
	s := &server{o: o, ask: map[Step]time.Time{}, rest: map[string]*rest{"storage": {}, "wecom": {}}}
	s.crew = newCrew(p, func(it Item) bool {
		return it.Step == Done || it.Held()
	})
	return s.run(ctx)
}

func (s *server) run(ctx context.Context) error {
	steps, cut := context.WithCancel(ctx)
	defer cut()
	go s.beat(steps)
	s.free(ctx, "")
	if s.o.Engine != nil {
		s.engage(steps)
	}
	clean, cleanSpent := every(cleanEvery), every(time.Second)
	for ctx.Err() == nil && s.fatal == nil {
		nap := s.fill(ctx)
		s.dispatch(steps)
		select {
		case res := <-s.results:
			s.settled(ctx, res)
		case ids := <-s.lost:
			s.drop(ids, func(it Item) { s.reply(it.ID, time.Time{}, ErrLost) })
		case w := <-s.wishes:
			s.take(w)
		case err := <-s.ended:
			s.ended <- err // for dissolve
			s.fail(ctx, err)
		case <-s.p.bell():
			clear(s.ask)
		case <-ctx.Done():
		case <-time.After(nap):
		}
		if s.o.Keep >= 0 && clean() || s.o.Keep == 0 && s.spent && cleanSpent() {
			s.spent = false
			go s.clean(steps)
		}
	}
	cut()
	s.drain(context.WithoutCancel(ctx), s.settled)
	s.dissolve(s.fatal)
	if s.fatal != nil {
		return s.fatal
	}
	return ctx.Err()
}

// fill claims Items for the lanes that have room, and returns for how long
// there is nothing to claim.
func (s *server) fill(ctx context.Context) time.Duration {
	s.wakeUp(ctx)
	if s.o.Engine != nil {
		s.fillAsked(ctx)
		return askEvery
	}
	now := time.Now()
	nap := askEvery
	for _, l := range s.lanes {
		if d := max(s.ask[l.step].Sub(now), l.rest()); d > 0 {
			nap = min(nap, d)
			continue
		}
		room := s.room(l)
		if room <= 0 || s.resting(l.step) {
			continue
		}
		l.took()
		at := machineTime()
		items := s.claim(ctx, l.step, room)
		s.enqueue(l, items, at)
		if len(items) < room {
			s.ask[l.step] = now.Add(askEvery)
		}
	}
	s.renew(ctx, now)
	return max(nap, time.Millisecond)
}

func (s *server) claim(ctx context.Context, step Step, n int) []Item {
	items, err := s.p.Journal.Claim(ctx, Want{Corp: s.p.Corp, Hosts: s.p.Hosts(), Steps: []Step{step}, Limit: n})
	if err != nil {
		s.fail(ctx, err)
	}
	return items
}

// renew sends those done Items through the line again whose media_id dies
// soon, if somebody wants that, and lets the others be.
func (s *server) renew(ctx context.Context, now time.Time) {
	if s.o.Renew == nil || s.ask[Done].After(now) {
		return
	}
	const some = 100
	items := s.claim(ctx, Done, some)
	if len(items) < some {
		s.ask[Done] = now.Add(askEvery)
	}
	for _, it := range items {
		if it = s.reconsider(ctx, it); it.Step != Done {
			clear(s.ask)
		}
	}
}

// settled takes in that a step ended.
func (s *server) settled(ctx context.Context, res result) {
	res.lane.running--
	if res.err != nil {
		s.giveBack(ctx, res)
		s.reply(res.was.ID, time.Time{}, res.err)
		return
	}
	it := res.it
	if it.ID != res.was.ID { // its content was known
		if err := s.p.wake(ctx, []Entry{{Item: it}}, EnterOptions{Keep: s.o.Renew == nil}); err != nil {
			s.fail(ctx, err)
		}
		s.reply(res.was.ID, time.Time{}, nil)
		clear(s.ask)
		return
	}
	if it.Fault != nil && it.Fault.Config {
		s.pause(ctx, it.Fault.Code)
	} else if r := s.rest[concern(res.was.Step)]; r != nil && it.Fault == nil {
		r.d = 0
	}
	if it.Claim.Fence != 0 {
		l := s.lane(it.Step)
		l.queue = append(l.queue, res.work)
		if s.resting(it.Step) {
			s.dismiss(ctx, l)
		}
		return
	}
	s.reply(it.ID, s.again(it, it.Updated), ctx.Err())
	s.spent = s.spent || it.Step == Done
	if it.Step != Done && !it.Held() {
		at := time.Now().Add(it.Due.Sub(res.it.Updated))
		if old, ok := s.ask[it.Step]; ok && at.Before(old) {
			s.ask[it.Step] = at
		}
	}
	if res.was.Step == Stage { // equal content under another name may be staged now
		delete(s.ask, Stage)
	}
}

// concern is which part of the configuration a step needs.
func concern(step Step) string {
	switch step {
	case Stage:
		return "storage"
	case Submit, Await:
		return "wecom"
	}
	return ""
}

func (s *server) resting(step Step) bool {
	r := s.rest[concern(step)]
	return r != nil && !r.until.IsZero()
}

// pause lets the steps rest that a fault of the configuration concerns.
func (s *server) pause(ctx context.Context, code string) {
	who, _, _ := strings.Cut(code, "/")
	r := s.rest[who]
	if r == nil || !r.until.IsZero() {
		return
	}
	r.d = min(max(2*r.d, orElse(s.o.Rest, time.Minute)), pauseMax)
	r.until = time.Now().Add(r.d)
	for _, l := range s.lanes {
		if concern(l.step) == who {
			s.dismiss(ctx, l)
		}
	}
}

// wakeUp ends the pauses that are over. The first call tells whether the cure
// is there.
func (s *server) wakeUp(ctx context.Context) {
	for who, r := range s.rest {
		if !r.until.IsZero() && time.Now().After(r.until) {
			r.until = time.Time{}
			s.free(ctx, who)
		}
	}
}

// free lets the Items go that a fault of the configuration held.
func (s *server) free(ctx context.Context, who string) {
	_, err := s.p.releaseHeld(ctx, nil, func(it Item) bool {
		return it.Fault.Config && strings.HasPrefix(it.Fault.Code, who)
	})
	if err != nil {
		s.fail(ctx, err)
	}
	clear(s.ask)
}

// clean removes what nobody needs; what cannot be removed now is removed
// another time.
func (s *server) clean(ctx context.Context) {
	if n, err := s.p.Clean(ctx, s.o.Keep); err != nil && ctx.Err() == nil {
		s.p.log().Warn("objects could not be removed", "err", err)
	} else if n > 0 {
		s.p.log().Info("removed objects that nobody needs", "n", n)
	}
}

// Finished tells that WeCom called a job ended: its result is asked for at
// once, by this process if it serves, else by the one that does. The job may
// be unknown, and it may be told again.
func (p *Pipeline) Finished(ctx context.Context, job string) error {
	err := p.Journal.Finished(ctx, job)
	p.ring()
	return err
}

// bell rings when this process made something due.
func (p *Pipeline) bell() chan struct{} {
	p.hung.Do(func() { p.rung = make(chan struct{}, 1) })
	return p.rung
}

func (p *Pipeline) ring() {
	select {
	case p.bell() <- struct{}{}:
	default: // it rings already
	}
}
