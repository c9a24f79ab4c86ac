package riverengine

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
)

// A hand has the Items that this process looks at again so soon that no job is
// worth its while: mostly those that WeCom has just been told of. Nobody has
// claimed them. They get jobs when the process stops; those of a killed one are
// found by the sweep.
type hand struct {
	e     *Engine
	ctx   context.Context // of the run
	carry pipeline.Carry
	turns chan struct{} // to carry one
	looks sync.WaitGroup

	mu     sync.Mutex
	closed bool
	kept   map[int64]*time.Timer // that fires when it is looked at
}

func newHand(ctx context.Context, e *Engine, carry pipeline.Carry) *hand {
	return &hand{e: e, ctx: ctx, carry: carry, turns: make(chan struct{}, e.queue().MaxWorkers), kept: map[int64]*time.Timer{}}
}

// keep looks at an Item again in a while, unless the process is stopping.
func (h *hand) keep(id int64, in time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	if old, ok := h.kept[id]; ok {
		old.Stop()
	}
	h.kept[id] = time.AfterFunc(max(in, cooldown), func() { h.look(id) })
	return true
}

func (h *hand) look(id int64) {
	if !h.begin(id) {
		return
	}
	defer h.looks.Done()
	in, again := time.Duration(0), true
	select {
	case h.turns <- struct{}{}:
		in, again = h.e.look(h.ctx, h.carry, id)
		<-h.turns
	case <-h.ctx.Done():
	}
	if again && (in > soon || !h.keep(id, in)) {
		h.give(id)
	}
}

func (h *hand) begin(id int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.kept[id]; !ok || h.closed {
		return false
	}
	delete(h.kept, id)
	h.looks.Add(1)
	return true
}

// give inserts jobs for Items, for whoever may do what is next: that need not be
// this machine, even if it read the file. If that does not succeed the sweep
// finds them.
func (h *hand) give(ids ...int64) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), giveFor)
	defer cancel()
	items, err := h.e.ledger.Items(ctx, pipeline.Query{IDs: ids})
	if err == nil {
		err = pgx.BeginFunc(ctx, h.e.ledger.Pool(), func(tx pgx.Tx) error { return h.e.Wake(ctx, tx, wakes(items)) })
	}
	if err != nil {
		logger(h.e.o.Log).Warn("items are left to the sweep", "err", err)
	}
}

func wakes(items []pipeline.Item) (all []postgres.Wake) {
	for _, it := range items {
		if !it.Held() {
			all = append(all, postgres.Wake{Item: it.ID, At: it.Due, Host: it.Host, Step: it.Step})
		}
	}
	return all
}

// open lets go of everything, when the run has ended.
func (h *hand) open() {
	h.mu.Lock()
	h.closed = true
	for _, timer := range h.kept {
		timer.Stop()
	}
	h.mu.Unlock()
	h.looks.Wait()
	h.give(slices.Collect(maps.Keys(h.kept))...)
}
