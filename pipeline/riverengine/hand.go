package riverengine

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"wedrop/pipeline"
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
	kept   map[int64]waiting
}

// waiting is an Item that is looked at when its timer fires, and the queue that
// its job is for where it gets one.
type waiting struct {
	timer *time.Timer
	queue string
}

func newHand(ctx context.Context, e *Engine, carry pipeline.Carry) *hand {
	return &hand{e: e, ctx: ctx, carry: carry, turns: make(chan struct{}, e.queue().MaxWorkers), kept: map[int64]waiting{}}
}

// keep looks at an Item again in a while, unless the process is stopping.
func (h *hand) keep(id int64, queue string, in time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	if old, ok := h.kept[id]; ok {
		old.timer.Stop()
	}
	h.kept[id] = waiting{time.AfterFunc(max(in, cooldown), func() { h.look(id, queue) }), queue}
	return true
}

func (h *hand) look(id int64, queue string) {
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
	if again && (in > soon || !h.keep(id, queue, in)) {
		h.give(map[int64]waiting{id: {queue: queue}}, in)
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

// give inserts jobs for Items that are due in a while. If that does not succeed
// the sweep finds them.
func (h *hand) give(items map[int64]waiting, in time.Duration) {
	var jobs []river.InsertManyParams
	for id, w := range items {
		o := &river.InsertOpts{Queue: w.queue, MaxAttempts: attempts}
		if in > soon {
			o.ScheduledAt = h.e.clock.Now().Add(in)
		}
		jobs = append(jobs, river.InsertManyParams{Args: look{id}, InsertOpts: o})
	}
	if len(jobs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), giveFor)
	defer cancel()
	err := pgx.BeginFunc(ctx, h.e.ledger.Pool(), func(tx pgx.Tx) error {
		_, err := h.e.insert.InsertManyTx(ctx, tx, jobs)
		return err
	})
	if err != nil {
		logger(h.e.o.Log).Warn("items are left to the sweep", "err", err)
	}
}

// open lets go of everything, when the run has ended.
func (h *hand) open() {
	h.mu.Lock()
	h.closed = true
	for _, w := range h.kept {
		w.timer.Stop()
	}
	h.mu.Unlock()
	h.looks.Wait()
	h.give(h.kept, 0)
}
