package journal

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
)

// A MovedError says that the ledger was carried to another place, and work
// goes on there.
type MovedError struct {
	Path string
	To   string // a file, or postgres://host:port/database without user and password
}

func (e *MovedError) Error() string { return "carried away to " + e.To }

// Explain says in "zh" or "en" what happened and what to do now.
func (e *MovedError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		return "账本 " + e.Path + " 已经搬到 " + e.To + "，这里不再使用",
			"把 journal（或 WEDROP_JOURNAL）设为 " + e.To + "；在两个账本上同时工作会把文件发两次"
	}
	return "the journal " + e.Path + " was carried away to " + e.To + ", and is not used any more",
		"set journal (or WEDROP_JOURNAL) to " + e.To + "; to work with both would send files twice"
}

// A NewerError says that a newer wedrop made the ledger's tables.
type NewerError struct {
	Schema, Known int
	Program       string // the version that made them; empty if it is not known
}

func (e *NewerError) Error() string {
	return "written by a newer wedrop (schema " + strconv.Itoa(e.Schema) + ", this one knows " + strconv.Itoa(e.Known) + ")"
}

// Explain says in "zh" or "en" what happened and what to do now.
func (e *NewerError) Explain(lang string) (message, remedy string) {
	n, known := strconv.Itoa(e.Schema), strconv.Itoa(e.Known)
	if lang == "zh" {
		what := "账本是更新的 wedrop 写的（结构 " + n + "，这个版本只认识到 " + known + "）"
		if e.Program != "" {
			return what, "请使用 wedrop " + e.Program + " 或更新的版本"
		}
		return what, "请使用上次打开它的那个 wedrop，或更新的版本"
	}
	what := "the journal was written by a newer wedrop (schema " + n + ", this one knows " + known + ")"
	if e.Program != "" {
		return what, "use wedrop " + e.Program + " or newer"
	}
	return what, "use the wedrop that opened it last, or a newer one"
}

// newer is the error of a ledger with more migrations than this program has.
func newer(ctx context.Context, db *sql.DB, have int) error {
	e := &NewerError{Schema: have, Known: len(migrations)}
	// Not known is no error: the table may have changed.
	_ = db.QueryRowContext(ctx, `SELECT value FROM about WHERE key='program'`).Scan(&e.Program)
	return e
}

// ID is a random name of this ledger, which its copies share. It tells nothing
// of where it is.
func (j *Journal) ID(ctx context.Context) (id string, err error) {
	return id, j.read.QueryRowContext(ctx, `SELECT value FROM about WHERE key='id'`).Scan(&id)
}

// admit refuses a ledger that was carried away, and notes which program made
// the tables as they are.
func (j *Journal) admit(ctx context.Context, program string) error {
	know := map[string]string{}
	rows, err := j.read.QueryContext(ctx, `SELECT key,value FROM about`)
	if err != nil {
		return err
	}
	if _, err := collect(rows, func(s scanner) (_ struct{}, err error) {
		var key, value string
		err = s.Scan(&key, &value)
		know[key] = value
		return struct{}{}, err
	}); err != nil {
		return err
	}
	schema := strconv.Itoa(len(migrations))
	switch {
	case know["moved"] != "":
		return &MovedError{j.path, know["moved"]}
	case program == "" || know["schema"] == schema:
		return nil
	}
	return j.write(ctx, func(t *tx) error {
		return errors.Join(t.note("program", program), t.note("schema", schema))
	})
}

// note sets what is true of the journal as a whole.
func (t *tx) note(key, value string) error {
	return t.exec(`INSERT INTO about (key,value) VALUES (?,?) ON CONFLICT DO UPDATE SET value=excluded.value`, key, value)
}

// CarryAway is Dump for somebody who makes another ledger of what is read.
// commit makes that one durable and returns where it is; then this one is
// marked, and every Open of it returns a *MovedError. Nobody can change it in
// between. If commit fails this ledger stays as it was.
func (j *Journal) CarryAway(ctx context.Context, read func(*Table) error, commit func() (to string, err error)) error {
	return j.dump(ctx, read, func(t *tx) error {
		to, err := commit()
		if err != nil {
			return err
		}
		return t.note("moved", to)
	})
}
