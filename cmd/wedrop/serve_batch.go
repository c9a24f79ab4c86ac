package main

import (
	"sync"
	"time"

	"wedrop/pipeline"
)

const (
	quietFor  = 5 * time.Second  // nothing is on its way for so long: the batch has ended
	soonAgain = 30 * time.Second // what goes on by itself later than that does not keep a batch open
	saidAgo   = time.Minute      // at most one message in it
)

// A batch is the files that are on their way together, and what became of
// them until somebody was told. It follows the ledger, so that it also knows
// of what a cron run does beside the daemon, and takes the time as a
// parameter. Its methods may be called concurrently.
type batch struct {
	mu     sync.Mutex
	rev    int64 // of the newest change that was taken in
	onWay  map[int64]*journey
	byPath map[string]int64 // of those on their way

	done, reused int
	failed       []pipeline.Item
	stop         *pipeline.Fault // of the configuration: everything waits for a person
	told         string          // the code of the last stop that was told and is not mended
	expiring     []pipeline.Item // whose media_ids die, and nobody renews them
	knownToDie   map[string]time.Time

	changed time.Time // the last change of all that
	said    time.Time // the last message
}

// A journey is one Item on its way.
type journey struct {
	since time.Time
	paths []string
	later bool // it goes on by itself, but not soon
}

// An ending is an Item that came to its end.
type ending struct {
	item   pipeline.Item
	took   time.Duration
	reused bool
}

// newBatch follows a ledger from the change rev on.
func newBatch(rev int64) *batch {
	return &batch{rev: rev, onWay: map[int64]*journey{}, byPath: map[string]int64{}, knownToDie: map[string]time.Time{}}
}

// enter notes files that were put into the ledger.
func (b *batch) enter(entries []pipeline.Entry, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range entries {
		if e.ID != 0 && !ended(e.Item) {
			b.start(e.Item.ID, e.File.Path, now)
		}
	}
}

// step notes an Item of which this process has just recorded a step: if it is
// at its end by that, it was on its way.
func (b *batch) step(it pipeline.Item, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if it.Rev > b.rev && b.onWay[it.ID] == nil && b.byPath[it.Path] == 0 {
		b.start(it.ID, it.Path, now)
	}
}

// start needs mu.
func (b *batch) start(id int64, path string, now time.Time) {
	j := b.onWay[id]
	if j == nil {
		j = &journey{since: now}
		b.onWay[id] = j
	}
	if b.byPath[path] != id {
		b.byPath[path] = id
		j.paths = append(j.paths, path)
	}
	b.changed = now
}

// leave forgets an Item that is on its way no more, and needs mu.
func (b *batch) leave(id int64) {
	if j := b.onWay[id]; j != nil {
		for _, p := range j.paths {
			if b.byPath[p] == id {
				delete(b.byPath, p)
			}
		}
		delete(b.onWay, id)
	}
}

func ended(it pipeline.Item) bool { return it.Step == pipeline.Done || it.Held() }

// take takes in how Items stand, in the order of their changes, and returns
// those that came to their end.
func (b *batch) take(items []pipeline.Item, now time.Time) []ending {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []ending
	for _, it := range items {
		b.rev = max(b.rev, it.Rev)
		j := b.onWay[it.ID]
		// The file turned out to have the content of another Item.
		merged := b.byPath[it.Path]
		if merged != 0 && merged != it.ID {
			old := b.onWay[merged]
			b.leave(merged)
			if ended(it) {
				out = append(out, b.end(it, ending{it, now.Sub(old.since), it.Step == pipeline.Done}, now))
			} else {
				b.start(it.ID, it.Path, now)
				j = b.onWay[it.ID]
			}
		}
		switch {
		case !ended(it):
			b.start(it.ID, it.Path, now)
			b.onWay[it.ID].later = it.Fault != nil && it.Due.Sub(now) > soonAgain
		case j != nil:
			b.leave(it.ID)
			out = append(out, b.end(it, ending{it, now.Sub(j.since), false}, now))
		}
	}
	return out
}

// end counts what an Item came to, and needs mu.
func (b *batch) end(it pipeline.Item, e ending, now time.Time) ending {
	b.changed = now
	switch {
	case it.Held() && it.Fault.Config:
		if b.told != it.Fault.Code {
			b.stop = it.Fault
		}
	case it.Held():
		b.failed = append(b.failed, it)
	case e.reused:
		b.reused++
	default:
		b.done++
		b.told, b.stop = "", nil // it is mended
	}
	return e
}

// dies notes Items whose media_ids die soon without being renewed; each is
// told once.
func (b *batch) dies(items []pipeline.Item, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range items {
		if _, known := b.knownToDie[it.Media.ID]; !known {
			b.knownToDie[it.Media.ID] = it.Media.ExpiresAt
			b.expiring = append(b.expiring, it)
		}
	}
	for id, at := range b.knownToDie {
		if at.Before(now) {
			delete(b.knownToDie, id)
		}
	}
}

// waits returns the Items that are on their way as far as is known here, if
// nothing has been heard of any for a while: what somebody merged or took
// away leaves no trace in the order of changes.
func (b *batch) waits(now time.Time) []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.changed) < soonAgain {
		return nil
	}
	var ids []int64
	for id := range b.onWay {
		ids = append(ids, id)
	}
	return ids
}

// gone forgets Items that are in the ledger no more.
func (b *batch) gone(ids []int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.leave(id)
	}
}

// A tally is what there is to tell.
type tally struct {
	done, reused int
	failed       []pipeline.Item
	stop         *pipeline.Fault
	expiring     []pipeline.Item
}

// due returns what is to be told now, and false if there is nothing, or not
// yet: a batch is told of when it has ended (or nothing goes on before a
// person has acted), if there is something that a person has to see to.
func (b *batch) due(now time.Time) (tally, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	moving := false
	for _, j := range b.onWay {
		moving = moving || !j.later
	}
	if now.Sub(b.changed) < quietFor || moving && b.stop == nil {
		return tally{}, false
	}
	t := tally{b.done, b.reused, b.failed, b.stop, b.expiring}
	switch {
	case len(t.failed) == 0 && t.stop == nil && len(t.expiring) == 0: // all is well: nobody is disturbed
		b.done, b.reused = 0, 0
		return tally{}, false
	case !b.said.IsZero() && now.Sub(b.said) < saidAgo:
		return tally{}, false
	}
	if b.stop != nil {
		b.told = b.stop.Code
	}
	b.done, b.reused, b.failed, b.stop, b.expiring, b.said = 0, 0, nil, nil, nil, now
	return t, true
}

// seen is the newest change that was taken in.
func (b *batch) seen() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rev
}
