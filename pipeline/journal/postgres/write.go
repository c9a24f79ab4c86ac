package postgres

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"wedrop/pipeline"
)

const (
	outage  = 20 * time.Second // a database that restarts is waited for so long; less than a lease
	oneTime = 15 * time.Second // for a transaction
)

// write makes a change. One that met others in the wrong order is made again,
// and so is one whose connection broke: a database that restarts is waited
// for. (Where the answer to COMMIT was lost the change may have been made. To
// make it again does no harm: a Record finds its claim as it left it, or gone,
// which is ErrLost.)
func (j *Journal) write(ctx context.Context, do func(*tx) error) error {
	return j.retry(ctx, true, func() error { return j.attempt(context.WithoutCancel(ctx), do) })
}

// retry tries for as long as an outage lasts. Where repeat is false nothing is
// tried again that may have been done.
func (j *Journal) retry(ctx context.Context, repeat bool, try func() error) error {
	since := time.Now()
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := try()
		again := isConflict(err) && n < 100 || isBroken(err) && time.Since(since) < outage
		if unsure := new(unsureError); errors.As(err, &unsure) && !repeat {
			again = false
		}
		if err == nil || !again {
			return j.outcome(err)
		}
		pause := time.Millisecond + rand.N(5*time.Millisecond)
		if isBroken(err) {
			pause = min(50*time.Millisecond<<min(n, 5), time.Second)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// outcome passes on what callers compare, and explains the rest.
func (j *Journal) outcome(err error) error {
	if err == nil || errors.Is(err, pipeline.ErrLost) || errors.Is(err, context.Canceled) {
		return err
	}
	return j.explained(err)
}

// unsureError is a COMMIT without an answer.
type unsureError struct{ err error }

func (e *unsureError) Error() string { return e.err.Error() }
func (e *unsureError) Unwrap() error { return e.err }

// attempt makes a change once.
func (j *Journal) attempt(ctx context.Context, do func(*tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, oneTime)
	defer cancel()
	now, err := j.Now(ctx)
	if err != nil {
		return err
	}
	p, err := j.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer p.Rollback(context.WithoutCancel(ctx))
	t := &tx{j: j, ctx: ctx, tx: p, now: ms(now), owner: j.owner}
	if err := do(t); err != nil {
		return err
	}
	if len(t.wakes) > 0 && j.o.Wake != nil {
		if err := j.o.Wake(ctx, p, t.wakes); err != nil {
			return err
		}
	}
	if err := p.Commit(ctx); err != nil {
		return &unsureError{err}
	}
	for _, f := range t.after {
		f()
	}
	return nil
}

// read makes a query, again if the connection broke.
func (j *Journal) read(ctx context.Context, do func(ctx context.Context) error) error {
	return j.retry(ctx, true, func() error {
		within, cancel := context.WithTimeout(ctx, oneTime)
		defer cancel()
		return do(within)
	})
}

// isConflict reports whether a transaction met another one in the wrong order,
// and may be made again: serialization_failure, deadlock_detected,
// unique_violation and foreign_key_violation (somebody made, or removed, the
// same a moment before).
func isConflict(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "40001", "40P01", "23505", "23503":
		return true
	}
	return false
}

// isBroken reports whether the connection ended, or none can be had now: it is
// restarting (57P01 to 57P05), has too many (53300), or the network says so.
func isBroken(err error) bool {
	if err == nil {
		return false
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return strings.HasPrefix(server.Code, "57P") || strings.HasPrefix(server.Code, "08") || server.Code == "53300"
	}
	var connect *pgconn.ConnectError
	var network interface{ Timeout() bool } // net.Error, and a time-out of ours
	var own *Error
	return errors.As(err, &own) && own.Temporary() ||
		errors.As(err, &connect) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// tx is the transaction that a change is made in.
type tx struct {
	j     *Journal
	ctx   context.Context
	tx    pgx.Tx
	now   int64 // one time for all changes in it
	owner string
	wakes []Wake
	after []func() // to do when it is committed
}

// wake tells when an Item is due that nobody has claimed.
func (t *tx) wake(it pipeline.Item) {
	if !it.Held() {
		t.wakes = append(t.wakes, Wake{it.ID, it.Due, it.Host, it.Step})
	}
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.tx.Exec(t.ctx, dollars(query), params(args)...)
	return err
}

// changed is exec, and reports whether a row was changed.
func (t *tx) changed(query string, args ...any) (bool, error) {
	tag, err := t.tx.Exec(t.ctx, dollars(query), params(args)...)
	return tag.RowsAffected() > 0, err
}

// batch sends what was queued in one go.
func (t *tx) batch(b *pgx.Batch) error { return t.tx.SendBatch(t.ctx, b).Close() }

// make makes a note in this transaction.
func (t *tx) make(queue func(b *pgx.Batch, now int64) error) error {
	var b pgx.Batch
	if err := queue(&b, t.now); err != nil {
		return err
	}
	return t.batch(&b)
}

// queue adds a statement to a batch.
func queue(b *pgx.Batch, query string, args ...any) *pgx.QueuedQuery {
	return b.Queue(dollars(query), params(args)...)
}

// queueOne adds a query for a row that need not be there, and reports whether
// it was.
func queueOne(b *pgx.Batch, there *bool, read func(pgx.Row) error, query string, args ...any) {
	queue(b, query, args...).QueryRow(func(row pgx.Row) error {
		err := read(row)
		*there = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
}

func (t *tx) rows(query string, args ...any) (pgx.Rows, error) {
	return t.tx.Query(t.ctx, dollars(query), params(args)...)
}

func (t *tx) row(query string, args ...any) pgx.Row {
	return t.tx.QueryRow(t.ctx, dollars(query), params(args)...)
}

// dollars numbers the parameters of a statement, which has no ? for anything
// else.
func dollars(query string) string {
	parts := strings.Split(query, "?")
	var b strings.Builder
	b.WriteString(parts[0])
	for n, p := range parts[1:] {
		b.WriteString("$" + strconv.Itoa(n+1) + p)
	}
	return b.String()
}

// collect reads all rows.
func collect[T any](rows pgx.Rows, read func(pgx.Row) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
