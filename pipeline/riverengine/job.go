package riverengine

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
)

// look is the one kind of job: somebody look at this Item.
type look struct {
	Item int64 `json:"item"`
}

func (look) Kind() string { return "wedrop_item" }

// Wake inserts the jobs for Items that a transaction of the ledger makes due.
// Those that are Noted need none.
func (e *Engine) Wake(ctx context.Context, tx pgx.Tx, wakes []postgres.Wake) error {
	jobs := e.jobs(ctx, wakes)
	if len(jobs) == 0 {
		return nil
	}
	_, err := e.insert.InsertManyTx(ctx, tx, jobs)
	return err
}

func (e *Engine) jobs(ctx context.Context, wakes []postgres.Wake) []river.InsertManyParams {
	if !e.sets(ctx) {
		return nil // the sweep sees to it
	}
	now := e.clock.Now()
	var jobs []river.InsertManyParams
	for _, w := range wakes {
		if e.noted(w, now) {
			continue
		}
		o := &river.InsertOpts{Queue: e.route(w), MaxAttempts: attempts}
		if w.At.Sub(now) > soon {
			o.ScheduledAt = w.At
		}
		jobs = append(jobs, river.InsertManyParams{Args: look{w.Item}, InsertOpts: o})
	}
	return jobs
}

// sets reports whether the ledger's time is known; mostly that is no question
// to the database.
func (e *Engine) sets(ctx context.Context) bool {
	e.mu.Lock()
	clock := e.clock
	e.mu.Unlock()
	return clock != nil && clock.set(ctx) == nil
}

// Noted is the ledger's hook for an Item that needs no job: this process
// carries it and snoozes its job until then, or the sweep brings it.
func (e *Engine) Noted(w postgres.Wake) bool {
	e.mu.Lock()
	clock := e.clock
	e.mu.Unlock()
	return clock != nil && e.noted(w, clock.Now())
}

func (e *Engine) noted(w postgres.Wake, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if next := e.carried[w.Item]; next != nil && (!byHost(w.Step) || e.hosts[w.Host]) {
		*next = w.At
		return true
	}
	return w.At.Sub(now) > horizon
}

// once is for how long a sweep's job for an Item is not repeated. It is shorter
// than a killed machine's lease lasts on: the job that it had taken must not
// keep the Item from being woken when that has lapsed.
const once = 15 * time.Second

// again are the options for an Item that is overdue: at most one job in a while
// for each, however many machines look.
func again(queue string) *river.InsertOpts {
	return &river.InsertOpts{Queue: queue, MaxAttempts: attempts, UniqueOpts: river.UniqueOpts{
		ByArgs: true, ByPeriod: once, ByQueue: true, ByState: rivertype.UniqueOptsByStateDefault(),
	}}
}

// worker does the jobs. It returns no error but a snooze: nothing that happens
// to an Item is its job's fault, and no job may be given up.
type worker struct {
	river.WorkerDefaults[look]
	e     *Engine
	carry pipeline.Carry
	hand  *hand
}

func (w *worker) Timeout(*river.Job[look]) time.Duration { return -1 }

func (w *worker) Work(ctx context.Context, job *river.Job[look]) error {
	in, again := w.e.look(ctx, w.carry, job.Args.Item)
	if !again || in <= soon && w.hand.keep(job.Args.Item, in) {
		return nil
	}
	return river.JobSnooze(in)
}

// look carries an Item, and reports whether it is to be carried again, and in
// how long.
func (e *Engine) look(ctx context.Context, carry pipeline.Carry, id int64) (in time.Duration, again bool) {
	if !e.begin(id) {
		return 0, false // there is another job for it, at work here
	}
	next, err := carry(ctx, id)
	next = e.end(id, next)
	in = next.Sub(e.clock.Now())
	switch {
	case err != nil && ctx.Err() == nil:
		return trouble, true
	case err != nil:
		return 0, true // for another machine
	case next.IsZero() || in > horizon:
		return 0, false
	}
	return max(in, 0), true
}

// begin reports whether this process did not carry the Item yet.
func (e *Engine) begin(id int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.carried[id] != nil {
		return false
	}
	e.carried[id] = new(time.Time)
	return true
}

// end returns when the Item is to be carried again: what carry said, or
// earlier, if the ledger has changed its mind since.
func (e *Engine) end(id int64, next time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	said := *e.carried[id]
	delete(e.carried, id)
	if !said.IsZero() && (next.IsZero() || said.Before(next)) {
		return said
	}
	return next
}
