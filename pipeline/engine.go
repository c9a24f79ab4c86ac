package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"
)

// An Engine wakes Items for Serve: it knows when which of them may have
// something to do, and spreads them over the machines that serve one ledger.
// It knows nothing of what is done to them.
type Engine interface {
	// Run calls carry for Items, several at once, until ctx ends; it
	// returns ctx's error then, or what keeps it from waking any. As many
	// Items as it carries at once are claimed at most.
	Run(ctx context.Context, carry Carry) error
}

// Carry works on one Item, step by step, until it has to wait. It returns when
// the Item is to be carried again, by the ledger's clock, and zero if that is
// not for the caller to see to: it is at its end, a person has to deal with
// it, another machine has to go on with it, or somebody else works on it now.
// An Item that has nothing to do is left alone, so it may be called too often.
// With an error nothing is known about the Item, and it is to be carried again
// soon.
//
// If ctx ends, the step under way is given up and the Item released.
type Carry func(ctx context.Context, id int64) (again time.Time, err error)

// twinPause is how long an Item that is not free to be staged is left alone.
const twinPause = time.Second

// errIdle is why a Serve ended whose Engine did.
var errIdle = errors.New("pipeline: the engine has stopped")

// wish is a call of Carry; or, with it, the outcome of a claim for some.
type wish struct {
	id      int64
	answer  chan answer // has room for one
	outcome *claimed
}

// claimed is the outcome of a claim: what there is of the Items that were asked
// for.
type claimed struct {
	at    time.Time // this process's clock, before
	items []Item
	rest  []int64   // of those not claimed
	as    []Item    // they stand so
	now   time.Time // the ledger's clock, before: what is due later could not be claimed
	err   error
}

type answer struct {
	again time.Time
	err   error
}

// office is where calls of Carry meet the one goroutine of a server.
type office struct {
	wishes chan wish
	closed chan struct{}
	ended  chan error    // of Engine.Run
	late   chan *claimed // has room for the one that nobody heard of any more
	// The server's own:
	asked    []int64 // not claimed yet
	claiming bool    // a claim is under way,
	outcome  *claimed
	carried  map[int64]chan answer
}

// engage lets the engine run until ctx ends.
func (s *server) engage(ctx context.Context) {
	s.office = office{wishes: make(chan wish), closed: make(chan struct{}), ended: make(chan error, 1), late: make(chan *claimed, 1), carried: map[int64]chan answer{}}
	go func() {
		err := s.o.Engine.Run(ctx, s.carry)
		if err == nil {
			err = errIdle
		}
		s.ended <- err
	}()
}

// carry is the Carry of this server.
func (s *server) carry(ctx context.Context, id int64) (time.Time, error) {
	w := wish{id: id, answer: make(chan answer, 1)}
	select {
	case s.wishes <- w:
	case <-s.closed:
		return time.Time{}, context.Canceled
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	defer context.AfterFunc(ctx, func() { s.p.flights.ground([]int64{id}, nil) })()
	a := <-w.answer
	return a.again, a.err
}

// take takes in a wish, and those that come with it.
func (s *server) take(w wish) {
	for {
		if w.outcome != nil {
			s.outcome = w.outcome
		} else if s.carried[w.id] != nil {
			w.answer <- answer{} // it is in hand
		} else {
			s.carried[w.id] = w.answer
			s.asked = append(s.asked, w.id)
		}
		select {
		case w = <-s.wishes:
		default:
			return
		}
	}
}

// reply tells the engine that an Item is out of hand.
func (s *server) reply(id int64, again time.Time, err error) {
	if c := s.carried[id]; c != nil {
		c <- answer{again, err}
		delete(s.carried, id)
	}
}

// fillAsked claims what was asked for. The ledger may take its time: results of
// steps are taken in meanwhile, and what is asked for meanwhile is claimed
// together.
func (s *server) fillAsked(ctx context.Context) {
	if c := s.outcome; c != nil {
		s.outcome, s.claiming = nil, false
		s.enlist(ctx, c)
	}
	if s.claiming || len(s.asked) == 0 {
		return
	}
	steps := []Step{Done}
	for _, l := range s.lanes {
		if !s.resting(l.step) {
			steps = append(steps, l.step)
		}
	}
	ids := s.asked
	s.asked, s.claiming = nil, true
	go func() {
		c := s.p.claimThese(ctx, ids, steps)
		select {
		case s.wishes <- wish{outcome: c}:
		case <-s.closed:
			s.late <- c
		}
	}()
}

// claimThese claims Items, and looks at how those stand that cannot be claimed.
func (p *Pipeline) claimThese(ctx context.Context, ids []int64, steps []Step) *claimed {
	c := &claimed{at: machineTime()}
	if c.now, c.err = p.Journal.Now(ctx); c.err != nil {
		return c
	}
	c.items, c.err = p.Journal.Claim(ctx, Want{Corp: p.Corp, Hosts: p.Hosts(), Steps: steps, IDs: ids, Limit: len(ids)})
	got := map[int64]bool{}
	for _, it := range c.items {
		got[it.ID] = true
	}
	for _, id := range ids {
		if !got[id] {
			c.rest = append(c.rest, id)
		}
	}
	if c.err == nil && len(c.rest) > 0 {
		c.as, c.err = p.Journal.Items(ctx, Query{IDs: c.rest})
	}
	return c
}

// enlist gives the lanes what was claimed, and replies for what was not.
func (s *server) enlist(ctx context.Context, c *claimed) {
	for _, it := range c.items {
		if it.Step == Done {
			if it = s.reconsider(ctx, it); it.Claim.Fence == 0 {
				continue
			}
		}
		l := s.lane(it.Step)
		l.queue = append(l.queue, work{it, c.at})
	}
	for _, l := range s.lanes {
		if len(l.queue) > 0 && s.resting(l.step) { // since the claim began
			s.dismiss(ctx, l)
		}
	}
	if c.err != nil {
		s.fail(ctx, c.err)
		return // dissolve replies
	}
	s.unclaimed(c)
}

// unclaimed replies for the Items that could not be claimed.
func (s *server) unclaimed(c *claimed) {
	for _, it := range c.as {
		again := s.again(it, c.now)
		if it.Step != Stage && !s.resting(it.Step) && !again.After(c.now) {
			again = time.Time{} // somebody else has it
		}
		s.reply(it.ID, again, nil)
	}
	for _, id := range c.rest {
		s.reply(id, time.Time{}, nil) // merged into another
	}
}

// again is when an Item that nobody has claimed is to be carried again; zero:
// that is not for this engine to see to.
func (s *server) again(it Item, now time.Time) time.Time {
	switch {
	case it.Held():
	case it.Due.After(now):
		return it.Due
	case !s.p.sees(it): // whoever does is woken by the ledger
	case s.resting(it.Step):
		return now.Add(time.Until(s.rest[concern(it.Step)].until))
	case it.Step == Stage: // equal content may be on its way
		return now.Add(twinPause)
	default:
		return now
	}
	return time.Time{}
}

// reconsider decides about a done Item that is due: it is sent through the
// line again if somebody wants its media_id kept alive, and let be else. It
// returns the Item as recorded, with its claim where it goes on at once.
//
// Whether the file is still in its folder only its own host can tell. Another
// one that is asked is asked because that host is away, and then the file
// counts as there.
func (s *server) reconsider(ctx context.Context, it Item) Item {
	now := it.Claim.At
	away := s.o.Engine != nil && !slices.Contains(s.p.Hosts(), it.Host)
	switch {
	case s.o.Renew != nil && (away && it.Valid(now, 0) || s.o.Renew(it)):
		renew(&it, now, false)
	case it.Valid(now, 0):
		it.Due = now.Add(time.Hour) // its file may come back
	default:
		it.Due = now.Add(never)
	}
	keep := s.o.Engine != nil && it.Step != Done && s.p.sees(it) && !s.resting(it.Step)
	id := it.ID
	it, err := s.p.Journal.Record(ctx, it, keep)
	if err != nil && !errors.Is(err, ErrLost) {
		s.fail(ctx, err)
	}
	if err != nil || it.Claim.Fence == 0 {
		it.Claim = Claim{}
		s.reply(id, s.again(it, now), err)
	}
	return it
}

// dismiss releases what a lane has queued, and says when it may be carried
// again.
func (s *server) dismiss(ctx context.Context, l *lane) {
	queued := l.queue
	s.release(ctx, l)
	now, err := s.p.Journal.Now(ctx)
	for _, w := range queued {
		s.reply(w.it.ID, s.again(w.it, now), err)
	}
}

// dissolve ends all calls of Carry, and waits for the engine to end.
func (s *server) dissolve(err error) {
	if s.o.Engine == nil {
		return
	}
	close(s.closed)
	s.disclaim()
	if err == nil {
		err = context.Canceled
	}
	for id := range s.carried {
		s.reply(id, time.Time{}, err)
	}
	<-s.ended
}

// disclaim releases what was claimed when it was too late.
func (s *server) disclaim() {
	c := s.outcome
	if s.claiming && c == nil {
		c = <-s.late
	}
	if c != nil && len(c.items) > 0 {
		_ = s.p.letGo(context.Background(), c.items) // what cannot be released lapses
	}
}
