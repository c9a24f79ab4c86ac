package pipeline

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A flight is a step of an Item under way in this process.
type flight struct {
	item    Item
	bytes   atomic.Int64
	since   time.Time // this process's clock
	base    time.Time // the ledger's clock at since
	claimed time.Time // machineTime
	cancel  context.CancelCauseFunc
}

// now is the ledger's time, as far as it can be told without asking.
func (f *flight) now() time.Time { return f.base.Add(time.Since(f.since)) }

type flights struct {
	sync.Mutex
	m map[int64]*flight
}

func (fs *flights) add(f *flight) {
	fs.Lock()
	defer fs.Unlock()
	if fs.m == nil {
		fs.m = map[int64]*flight{}
	}
	fs.m[f.item.ID] = f
}

func (fs *flights) remove(f *flight) {
	fs.Lock()
	defer fs.Unlock()
	if fs.m[f.item.ID] == f { // not another one, of a newer claim
		delete(fs.m, f.item.ID)
	}
}

// ground ends the work on Items; why is ErrLost if they are another's by now.
func (fs *flights) ground(ids []int64, why error) {
	fs.Lock()
	defer fs.Unlock()
	for _, id := range ids {
		if f := fs.m[id]; f != nil {
			f.cancel(why)
		}
	}
}

// those are the Items for whose flights want holds.
func (fs *flights) those(want func(*flight) bool) (ids []int64) {
	fs.Lock()
	defer fs.Unlock()
	for id, f := range fs.m {
		if want(f) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Flights returns what this process works on now, the oldest first, for
// progress bars.
func (p *Pipeline) Flights() []Flight {
	p.flights.Lock()
	defer p.flights.Unlock()
	var out []Flight
	for _, f := range p.flights.m {
		out = append(out, Flight{Item: f.item, Bytes: f.bytes.Load(), Since: f.since})
	}
	slices.SortFunc(out, func(a, b Flight) int { return a.Since.Compare(b.Since) })
	return out
}
