package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline/journal"
)

// ErrNotEmpty is returned by Import if the ledger holds something already.
var ErrNotEmpty = errors.New("the ledger on PostgreSQL is not empty")

// Counts is how much was carried over.
type Counts = journal.Counts

// Import carries everything of a ledger on SQLite over into this one: Items
// and files keep their ids. It is whole or not at all, and only into an empty
// ledger (ErrNotEmpty). Nobody may work with the one on SQLite meanwhile
// (journal.ErrInUse); it is marked afterwards, so that nobody opens it any more
// (journal.MovedError). Nobody is woken for what is due: Lapsed tells of it.
func (j *Journal) Import(ctx context.Context, l *journal.Journal) (n Counts, err error) {
	n, err = j.importFrom(ctx, l)
	var theirs *readError
	switch {
	case err == nil:
		return n, nil
	case errors.As(err, &theirs):
		return Counts{}, theirs.err
	case errors.Is(err, ErrNotEmpty), ctx.Err() != nil:
		return Counts{}, err
	}
	return Counts{}, j.explained(err)
}

// readError is one of the ledger that is read.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func (j *Journal) importFrom(ctx context.Context, l *journal.Journal) (n Counts, err error) {
	c, err := j.pool.Acquire(ctx)
	if err != nil {
		return n, err
	}
	defer c.Release()
	tx, err := c.Begin(ctx)
	if err != nil {
		return n, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	// Others read meanwhile, and wait before they write. A COPY of a million
	// rows takes longer than any statement else may.
	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout=0; SET LOCAL idle_in_transaction_session_timeout=0;
		LOCK TABLE items, files, objects, callbacks, templates IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return n, err
	}
	var full bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM items) OR EXISTS (SELECT 1 FROM files) OR EXISTS (SELECT 1 FROM objects)
		OR EXISTS (SELECT 1 FROM templates)`).Scan(&full); err != nil {
		return n, err
	}
	if full {
		return n, ErrNotEmpty
	}
	var rev int64
	if err := tx.QueryRow(ctx, `SELECT `+revNow).Scan(&rev); err != nil {
		return n, err
	}
	var filling error
	if err := l.CarryAway(ctx, func(t *journal.Table) error {
		filling = fill(ctx, tx, t, rev, &n)
		return filling
	}, func() (string, error) {
		filling = tx.Commit(ctx)
		return j.Where(), filling
	}); err != nil && filling == nil {
		return n, &readError{err}
	} else if err != nil {
		return n, err
	}
	// For plans that suit the tables as they are now. It is no harm if it
	// fails: the server does so by itself after a while.
	_, _ = c.Exec(ctx, `ANALYZE items, files, objects`)
	return n, nil
}

// fill copies one table.
func fill(ctx context.Context, tx pgx.Tx, t *journal.Table, rev int64, n *Counts) error {
	count, ok := map[string]*int64{"items": &n.Items, "files": &n.Files, "objects": &n.Objects, "callbacks": &n.Callbacks, "templates": &n.Templates}[t.Name]
	if !ok {
		return sequences(ctx, tx, t)
	}
	rows, err := tx.CopyFrom(ctx, pgx.Identifier{t.Name}, t.Columns, &source{t, rev})
	if err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	*count = rows
	return nil
}

// sequences lets the next ids be higher than all that were ever given.
func sequences(ctx context.Context, tx pgx.Tx, t *journal.Table) error {
	for t.Next() {
		v, err := t.Values()
		if err != nil {
			return err
		}
		if name := v[0]; name == "items" || name == "files" {
			if _, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1,'id'),$2)`, name, max(v[1].(int64), 1)); err != nil {
				return err
			}
		}
	}
	return t.Err()
}

// source is the rows of a table in PostgreSQL's types, without claims.
type source struct {
	*journal.Table
	rev int64
}

func (s *source) Values() ([]any, error) {
	row, err := s.Table.Values()
	params(row)
	if err != nil || s.Name != "items" {
		return row, err
	}
	set := func(column string, to func(any) any) {
		if n := slices.Index(s.Columns, column); n >= 0 {
			row[n] = to(row[n])
		}
	}
	for _, column := range []string{"held", "renew"} {
		set(column, func(v any) any { return v != int64(0) })
	}
	set("owner", func(any) any { return "" })
	set("lease", func(any) any { return int64(0) })
	set("rev", func(any) any { return s.rev })
	return row, nil
}
