package riverengine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
)

const (
	horizon   = time.Hour             // what is due later gets no job yet
	soon      = 5 * time.Second       // River promotes scheduled jobs every 5 s; what is due before gets one now
	cooldown  = 10 * time.Millisecond // between two fetches of jobs
	poll      = time.Second           // for jobs of which no notice came
	retention = 2 * time.Minute       // of ended jobs, so that the table stays small
	rescue    = 10 * time.Minute      // of jobs whose machine was killed: only to be rid of them
	attempts  = 1<<15 - 1             // as many as the column takes: no Item is given up by its job
	trouble   = time.Second           // until an Item is looked at again that could not be carried
	giveFor   = 2 * time.Second       // to insert jobs for others
	stopFor   = 8 * time.Second       // for a machine to let go of what it carries
	carries   = 16                    // Items at once from each queue; more than the lanes' workers, so that they never wait
)

// Options of New.
type Options struct {
	// Corp keeps the queues of several corps on one database apart.
	Corp string
	// Carries is how many Items of each queue are carried at once; 16 if
	// zero. They are claimed for as long, so a large number leaves other
	// machines idle.
	Carries int
	// Sweep is how often overdue Items are looked for; 10 seconds if zero.
	Sweep time.Duration
	Log   *slog.Logger // nowhere if nil
}

// An Engine wakes Items. Its Wake goes into postgres.Options; when the ledger
// is open, Use gives it that, and a machine that is to work calls Serving.
type Engine struct {
	o      Options
	insert *river.Client[pgx.Tx] // inserts, in transactions of others

	mu      sync.Mutex
	clock   *clock               // nil before Use
	ledger  Ledger               // nil before Use
	carried map[int64]*time.Time // by this process; when the ledger wants it next, if it said so meanwhile
	hosts   map[string]bool      // whose files this process reads now
}

// A Ledger is a *postgres.Journal.
type Ledger interface {
	pipeline.Journal
	Pool() *pgxpool.Pool
	// Lapsed returns Items of a corp that have been due for some seconds and that
	// nobody has claimed, the most overdue first.
	Lapsed(ctx context.Context, corp string, limit int) ([]postgres.Wake, error)
}

// New returns an Engine that inserts jobs and works on none. (River sends no
// second notice of new jobs within its FetchCooldown: whoever missed one would
// wait for the next poll.)
func New(o Options) (*Engine, error) {
	c, err := river.NewClient(riverpgxv5.New(nil), &river.Config{FetchCooldown: river.FetchCooldownMin, Logger: riverLogger(o.Log)})
	if err != nil {
		return nil, err
	}
	return &Engine{o: o, insert: c, carried: map[int64]*time.Time{}}, nil
}

// Use gives the Engine its ledger, and River its tables there. Several
// processes may do so at once.
func (e *Engine) Use(ctx context.Context, l Ledger) error {
	if err := migrate(ctx, l.Pool()); err != nil {
		return err
	}
	c := &clock{ledger: l}
	if err := c.set(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clock, e.ledger = c, l
	return nil
}

// Client is one that works on nothing, for pages that show the jobs.
func (e *Engine) Client() (*river.Client[pgx.Tx], error) {
	return river.NewClient(riverpgxv5.New(e.ledger.Pool()), &river.Config{Logger: riverLogger(e.o.Log)})
}

// Serving is what pipeline.ServeOptions takes, for a process that works with p,
// whose Journal is what Use was given.
func (e *Engine) Serving(p *pipeline.Pipeline) pipeline.Engine { return serving{e, p} }

type serving struct {
	e *Engine
	p *pipeline.Pipeline
}

func (s serving) Run(ctx context.Context, carry pipeline.Carry) error {
	return s.e.run(ctx, s.p, carry)
}

// run works on jobs until ctx ends.
func (e *Engine) run(ctx context.Context, p *pipeline.Pipeline, carry pipeline.Carry) error {
	workers := river.NewWorkers()
	hand := newHand(ctx, e, carry)
	if err := river.AddWorkerSafely(workers, &worker{e: e, carry: carry, hand: hand}); err != nil {
		return err
	}
	hosts := p.Hosts()
	queues := map[string]river.QueueConfig{e.shared(): e.queue()}
	for _, h := range hosts {
		queues[e.queueOf(h)] = e.queue()
	}
	client, err := river.NewClient(riverpgxv5.New(e.ledger.Pool()), &river.Config{
		Queues: queues, Workers: workers,
		FetchCooldown: cooldown, FetchPollInterval: poll,
		JobTimeout: -1, RescueStuckJobsAfter: rescue, MaxAttempts: attempts,
		CompletedJobRetentionPeriod: retention, CancelledJobRetentionPeriod: retention,
		Logger: riverLogger(e.o.Log),
		Test:   river.TestConfig{Time: e.clock},
	})
	if err != nil {
		return err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	e.sees(hosts)
	defer e.sees(nil)
	s := &sweeper{e: e, p: p, client: client, hosts: map[string]bool{}}
	s.run(ctx)
	hand.open()
	return stop(ctx, client)
}

// stop lets go of the jobs. The Items are released by then or soon, as they
// were carried under the same context.
func stop(ctx context.Context, client *river.Client[pgx.Tx]) error {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopFor)
	defer cancel()
	if err := client.Stop(within); err != nil {
		now, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = client.StopAndCancel(now) // what is left lapses
	}
	return ctx.Err()
}

func (e *Engine) queue() river.QueueConfig {
	n := e.o.Carries
	if n <= 0 {
		n = carries
	}
	return river.QueueConfig{MaxWorkers: n}
}

// sees notes whose files this process reads.
func (e *Engine) sees(hosts []string) {
	m := map[string]bool{}
	for _, h := range hosts {
		m[h] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hosts = m
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// quiet leaves out what River says of its well-being, every five seconds for
// each queue.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }
func (q quiet) WithGroup(n string) slog.Handler      { return quiet{q.Handler.WithGroup(n)} }

// riverLogger is what River may write to.
func riverLogger(l *slog.Logger) *slog.Logger { return slog.New(quiet{logger(l).Handler()}) }
