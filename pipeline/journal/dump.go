package journal

import (
	"context"
	"database/sql"
	"errors"
)

// ErrInUse is returned by Dump while another process has the ledger open, or
// this one has claimed Items.
var ErrInUse = errors.New("journal: somebody works with this ledger")

// A Table is one of the ledger's, as Dump reads it. Its methods are those of
// a source of rows that other databases' bulk loaders take.
type Table struct {
	Name    string
	Columns []string
	rows    *sql.Rows
}

// Next goes to the next row, the first one at first. It returns false after
// the last.
func (t *Table) Next() bool { return t.rows.Next() }

// Values are the row's, in the order of Columns: int64, string, []byte or nil.
func (t *Table) Values() ([]any, error) {
	row := make([]any, len(t.Columns))
	into := make([]any, len(row))
	for n := range row {
		into[n] = &row[n]
	}
	return row, t.rows.Scan(into...)
}

// Err is what ended the rows too early.
func (t *Table) Err() error { return t.rows.Err() }

// dumped are the tables in an order in which they can be filled again: an Item
// before its files. sqlite_sequence has the highest ids that were ever given.
// Tokens are no part of it: there are new ones to be had, and so are rates.
var dumped = [...]string{"items", "files", "objects", "callbacks", "templates", "sqlite_sequence"}

// Dump hands all that the ledger holds to read, table by table, in one
// transaction: nobody changes it until read was called for the last one.
// Claims are not in it, but fences are. It returns ErrInUse while somebody
// might go on working with this ledger afterwards.
func (j *Journal) Dump(ctx context.Context, read func(*Table) error) error {
	return j.dump(ctx, read, func(*tx) error { return nil })
}

// dump is Dump, and calls after at the end of the same transaction.
func (j *Journal) dump(ctx context.Context, read func(*Table) error, after func(*tx) error) error {
	return j.write(ctx, func(t *tx) error {
		if used, err := j.inUse(t); err != nil {
			return err
		} else if used {
			return ErrInUse
		}
		for _, name := range dumped {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := t.dump(name, read); err != nil {
				return err
			}
		}
		return after(t)
	})
}

func (t *tx) dump(table string, read func(*Table) error) error {
	rows, err := t.rows(`SELECT * FROM ` + table)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	if err := read(&Table{table, columns, rows}); err != nil {
		return err
	}
	return rows.Err()
}

// inUse reports whether another process that lives has the ledger open, or
// some claim is not over.
func (j *Journal) inUse(t *tx) (bool, error) {
	if used, err := j.othersLive(); used || err != nil {
		return used, err
	}
	rows, err := t.rows(`SELECT DISTINCT owner FROM items WHERE +lease>?`, t.now)
	if err != nil {
		return false, err
	}
	owners, err := collect(rows, readString)
	for _, o := range owners {
		if o == j.owner || !j.dead(o) {
			return true, err
		}
	}
	return false, err
}
