package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline/journal"
)

// Backup writes a copy of the ledger as it is at one moment into a file, as a
// ledger on SQLite, while others go on working. See journal.Journal.Backup.
func (j *Journal) Backup(ctx context.Context, file string, replace bool) (n journal.Counts, err error) {
	err = pgx.BeginTxFunc(ctx, j.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout=0; SET LOCAL idle_in_transaction_session_timeout=0`); err != nil {
			return err
		}
		n, err = journal.WriteFile(ctx, file, replace, func(w *journal.Writer) error { return export(ctx, tx, w) })
		return err
	})
	return n, j.explained(err)
}

// exported are the tables in an order in which they can be filled.
var exported = [...]string{"items", "files", "objects", "callbacks", "templates"}

// export puts all rows into a ledger on SQLite.
func export(ctx context.Context, tx pgx.Tx, w *journal.Writer) error {
	for _, table := range exported {
		columns, err := w.Columns(table)
		if err != nil {
			return err
		}
		if err := exportTable(ctx, tx, w, table, columns); err != nil {
			return err
		}
	}
	if err := w.Put("about", []string{"key", "value"}, []any{"backup", strconv.FormatInt(time.Now().UnixMilli(), 10)}); err != nil {
		return err
	}
	for _, table := range []string{"items", "files"} {
		var last int64
		if err := tx.QueryRow(ctx, `SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence($1,'id')::regclass),0)`, table).Scan(&last); err != nil {
			return err
		}
		if err := w.Sequence(table, last); err != nil {
			return err
		}
	}
	return nil
}

func exportTable(ctx context.Context, tx pgx.Tx, w *journal.Writer, table string, columns []string) error {
	quoted := make([]string, len(columns))
	for n, c := range columns {
		quoted[n] = pgx.Identifier{c}.Sanitize()
	}
	rows, err := tx.Query(ctx, `SELECT `+strings.Join(quoted, ",")+` FROM `+pgx.Identifier{table}.Sanitize())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return err
		}
		for n, v := range row {
			switch v := v.(type) {
			case string:
				row[n] = restored(v)
			case bool:
				row[n] = int64(0)
				if v {
					row[n] = int64(1)
				}
			}
		}
		if table == "items" {
			row[slices.Index(columns, "owner")], row[slices.Index(columns, "lease")] = "", int64(0)
		}
		if err := w.Put(table, columns, row); err != nil {
			return err
		}
	}
	return rows.Err()
}
