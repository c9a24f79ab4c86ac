package riverengine

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
)

const (
	sweepEvery = 10 * time.Second
	sweepMost  = 1000        // Items at a time
	awayAfter  = time.Minute // a machine counts as away that was not seen for so long
)

// sweeping is the advisory lock of a sweep: one machine's is enough.
const sweeping = 0x7765_6472_6f70_0002

// A sweeper wakes Items that are due and that nobody works on, whatever became
// of their jobs: those of a killed machine, and those due in a future for which
// no job was inserted.
type sweeper struct {
	e      *Engine
	p      *pipeline.Pipeline
	client *river.Client[pgx.Tx]
	hosts  map[string]bool // whose files are seen here
}

// run sweeps until ctx ends. A sweep that fails is made again.
func (s *sweeper) run(ctx context.Context) {
	for ctx.Err() == nil {
		full, err := s.sweep(ctx)
		if err != nil && ctx.Err() == nil {
			logger(s.e.o.Log).Warn("overdue items could not be woken", "err", err)
		}
		nap := s.e.o.Sweep
		if nap <= 0 {
			nap = sweepEvery
		}
		if full {
			nap = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(nap):
		}
	}
}

// sweep reports whether there may be more.
func (s *sweeper) sweep(ctx context.Context) (full bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*sweepEvery)
	defer cancel()
	if err := s.e.clock.set(ctx); err != nil {
		return false, err
	}
	if err := s.here(ctx); err != nil {
		return false, err
	}
	var away []postgres.Wake
	err = pgx.BeginFunc(ctx, s.e.ledger.Pool(), func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, int64(sweeping)).Scan(&mine); err != nil || !mine {
			return err
		}
		lapsed, err := s.e.ledger.Lapsed(ctx, s.e.o.Corp, sweepMost)
		if err != nil || len(lapsed) == 0 {
			return err
		}
		full = len(lapsed) == sweepMost
		there, err := s.there(ctx, tx)
		if err != nil {
			return err
		}
		waiting, err := s.waiting(ctx, tx, there)
		if err != nil {
			return err
		}
		var jobs []river.InsertManyParams
		jobs, away = s.e.overdue(lapsed, there, waiting)
		if len(jobs) > 0 {
			_, err = s.e.insert.InsertManyTx(ctx, tx, jobs)
		}
		return err
	})
	if err != nil || len(away) == 0 {
		return full, err
	}
	ids := make([]int64, len(away))
	for n, w := range away {
		ids[n] = w.Item
	}
	return full, s.p.Away(ctx, ids)
}

// overdue are the jobs for Items that are due and that nobody works on, and
// those Items that nobody can read.
func (e *Engine) overdue(lapsed []postgres.Wake, there map[string]bool, waiting map[turn]bool) (jobs []river.InsertManyParams, away []postgres.Wake) {
	now := e.clock.Now()
	for _, w := range lapsed {
		queue := e.route(w)
		if byHost(w.Step) && !there[queue] {
			if w.Step != pipeline.Done {
				if now.Sub(w.At) > awayAfter {
					away = append(away, w)
				}
				continue
			}
			queue = e.shared() // what cannot be seen counts as there
		}
		if waiting[turn{w.Item, queue}] {
			continue
		}
		jobs = append(jobs, river.InsertManyParams{Args: look{w.Item}, InsertOpts: again(queue)})
	}
	return jobs, away
}

// there are the queues that some machine works on.
func (s *sweeper) there(ctx context.Context, tx pgx.Tx) (map[string]bool, error) {
	rows, err := tx.Query(ctx, `SELECT name FROM river_queue WHERE updated_at > now() - $1::interval`, awayAfter)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	there := map[string]bool{}
	for _, n := range names {
		there[n] = true
	}
	return there, err
}

// A turn is that of an Item in a queue.
type turn struct {
	item  int64
	queue string
}

// waiting are the turns of Items with a job that will be fetched: those are not
// forgotten, there is more to do than can be done at once. (A job in the queue
// of the machine that read the file is no turn for what any machine may do: that
// one may have gone a moment ago.)
func (s *sweeper) waiting(ctx context.Context, tx pgx.Tx, there map[string]bool) (map[turn]bool, error) {
	queues := []string{s.e.shared()}
	for q := range there {
		queues = append(queues, q)
	}
	rows, err := tx.Query(ctx, `SELECT (args->>'item')::bigint, queue FROM river_job
		WHERE state='available' AND queue=ANY($1) AND scheduled_at<=$2 AND kind=$3`, queues, s.e.clock.Now(), look{}.Kind())
	if err != nil {
		return nil, err
	}
	turns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t turn, err error) {
		err = row.Scan(&t.item, &t.queue)
		return t, err
	})
	waiting := make(map[turn]bool, len(turns))
	for _, t := range turns {
		waiting[t] = true
	}
	return waiting, err
}

// here works on the queues of those shares that are mounted now, tells that
// this machine is there, and takes up what others thought left alone: they may
// at any time, if this machine slept or could not reach the database.
func (s *sweeper) here(ctx context.Context) error {
	seen := map[string]bool{}
	hosts := s.p.Hosts()
	var queues []string
	for _, h := range hosts {
		seen[h] = true
		queues = append(queues, s.e.queueOf(h))
		if !s.hosts[h] {
			s.hosts[h] = true
			_ = s.client.Queues().Add(s.e.queueOf(h), s.e.queue()) // it may have it from the beginning
		}
	}
	s.e.sees(hosts)
	for h := range s.hosts {
		if !seen[h] && s.leave(ctx, h) {
			delete(s.hosts, h)
		}
	}
	if _, err := s.e.ledger.Pool().Exec(ctx, `UPDATE river_queue SET updated_at = now() WHERE name = ANY($1)`, queues); err != nil {
		return err
	}
	return s.p.Back(ctx, hosts)
}

// leave gives up the queue of a share that is not mounted any more; one that
// hangs is tried again.
func (s *sweeper) leave(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return s.client.Queues().Remove(ctx, s.e.queueOf(host)) == nil
}
