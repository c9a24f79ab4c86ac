package journal

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"time"

	sqlite "modernc.org/sqlite"
)

// op is one change, to be made in a transaction together with others.
type op struct {
	by      *Journal
	do      func(*tx) error
	done    chan error
	patient bool         // waits a little for others
	begun   *atomic.Bool // by the writer, or given up by who asked for it
}

// company is how long after patient changes the next one waits for others,
// unless one comes that does not wait, or the last went alone. A commit costs
// more than a change: one each for the records of inspect, stage and await, as
// they come, keeps the disk so busy that the records of submits wait, which are
// made one at a time.
const company = 4 * time.Millisecond

// errClosed is returned by calls after Close.
var errClosed = errors.New("journal: closed")

// errGivenUp is the outcome of a change that nobody waits for any more.
var errGivenUp = errors.New("journal: given up")

// errReading is returned by what would change a journal that was opened to
// read it.
var errReading = errors.New("journal: opened to read it alone")

// write makes a change and returns when it is durable. What do returns as an
// error is undone, and the other changes of the transaction stay. ctx is
// looked at only before the change is under way, so that its outcome is
// never unknown: a change that still waits for another process is given up when
// ctx ends.
func (j *Journal) write(ctx context.Context, do func(*tx) error) error {
	return j.put(ctx, op{do: do})
}

// writePatiently is write for a change for which nobody but its own Item
// waits.
func (j *Journal) writePatiently(ctx context.Context, do func(*tx) error) error {
	return j.put(ctx, op{do: do, patient: true})
}

func (j *Journal) put(ctx context.Context, o op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.reading {
		return errReading
	}
	o.by, o.done, o.begun = j, make(chan error, 1), new(atomic.Bool)
	select {
	case <-j.closed:
		return errClosed
	default:
	}
	select {
	case j.ops <- o:
	case <-j.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return j.explained(err)
	case <-j.quit:
		return errClosed
	case <-ctx.Done():
	}
	if o.begun.CompareAndSwap(false, true) { // it is not made
		if j.waiting.Load() {
			return &BusyError{j.path, ctx.Err()}
		}
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return j.explained(err)
	case <-j.quit:
		return errClosed
	}
}

// writer makes the changes: all that have gathered while the last transaction
// was under way go into the next one. When none came for a while it empties
// the WAL.
func (s *store) writer() {
	defer s.done.Done()
	t := &tx{conn: s.conn, prepared: map[string]*sql.Stmt{}}
	// database/sql closes none that belong to one connection, and SQLite keeps
	// the file open, its locks and its WAL too, as long as there is one.
	defer t.finalize()
	var last time.Time         // a patient change was made, together with others
	var still <-chan time.Time // when the WAL is emptied; nil: it is
	for {
		batch := s.gather(last.Add(company), still)
		if batch == nil {
			return
		}
		if len(batch) == 0 {
			if still = nil; !s.checkpoint() {
				still = time.After(quiet)
			}
			continue
		}
		changes := t.changes
		errs, err := s.commit(batch, t)
		if t.changes != changes {
			still = time.After(quiet)
		}
		switch {
		case !slices.ContainsFunc(batch, func(o op) bool { return o.patient }):
		case len(batch) == 1:
			last = time.Time{}
		default:
			last = time.Now()
		}
		for i, o := range batch {
			if err != nil {
				o.done <- err
			} else {
				o.done <- errs[i]
			}
		}
	}
}

// gather waits for a change, and returns it with those that are there as well.
// As long as all are patient it goes on waiting until that time. It returns
// an empty batch when still comes first, and nil when the ledger is closed.
func (s *store) gather(until time.Time, still <-chan time.Time) (batch []op) {
	patient := true
	take := func(o op) {
		batch = append(batch, o)
		patient = patient && o.patient
	}
	select {
	case o := <-s.ops:
		take(o)
	case <-still:
		return []op{}
	case <-s.quit:
		return nil
	}
	for len(batch) < cap(s.ops) {
		select {
		case o := <-s.ops:
			take(o)
			continue
		default:
		}
		rest := time.Until(until)
		if !patient || rest <= 0 {
			break
		}
		select {
		case o := <-s.ops:
			take(o)
		case <-time.After(rest):
		case <-s.quit:
			until = time.Time{}
		}
	}
	return batch
}

func (s *store) commit(batch []op, t *tx) (errs []error, err error) {
	if err := s.unmoved(); err != nil {
		return nil, err
	}
	if d := s.damaged.Load(); d != nil {
		return nil, d
	}
	if err := s.begin(t); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			t.exec(`ROLLBACK`)
		}
	}()
	if err := t.readClock(); err != nil {
		return nil, err
	}
	was, changes, shifted := t.rev, t.changes, t.shifted
	var by *Journal
	seen := map[*Journal]reading{}
	for _, o := range batch {
		if o.by != by {
			by = o.by
			is := by.clocks() // when the change is made, not when it was asked for
			if err := t.adjust(is); err != nil {
				return nil, err
			}
			t.owner, t.now, seen[by] = by.owner, is.wall, is
		}
		if o.begun.Swap(true) {
			errs = append(errs, errGivenUp)
			continue
		}
		errs = append(errs, t.savepoint(o.do))
	}
	if err := t.row(`SELECT total_changes()`).Scan(&t.changes); err != nil {
		return nil, err
	}
	if t.rev != was || t.changes != changes || t.shifted != shifted {
		if err := t.noteClock(); err != nil {
			return nil, err
		}
		t.changes++
	}
	if err := t.exec(`COMMIT`); err != nil {
		return nil, err
	}
	if s.wal == nil {
		s.wal, _ = os.Stat(s.path + "-wal")
	}
	for j, is := range seen {
		j.checked(is)
	}
	return errs, nil
}

// lockWait is how long the write lock is waited for. Others hold it for
// milliseconds.
const lockWait = time.Minute

// begin takes the write lock. SQLite's own way of waiting sleeps ever longer,
// so that a process starves beside others that write without a pause; this
// one asks often.
func (s *store) begin(t *tx) error {
	defer s.waiting.Store(false)
	for since := time.Now(); ; {
		err := t.exec(`BEGIN IMMEDIATE`)
		if !isBusy(err) || time.Since(since) > lockWait {
			return err
		}
		s.waiting.Store(true)
		select {
		case <-s.quit:
			return err
		case <-time.After(time.Millisecond + rand.N(2*time.Millisecond)):
		}
	}
}

// isBusy reports whether another process has the lock: SQLITE_BUSY (5).
func isBusy(err error) bool {
	return codeOf(err) == 5
}

// codeOf is SQLite's primary result code; 0 if err is none of SQLite's.
func codeOf(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// tx is the transaction that changes are made in. Its statements are prepared
// once in the life of the connection.
type tx struct {
	conn     *sql.Conn
	now      int64 // one time for all changes of a Journal in it
	changes  int64 // rows that were changed in the life of the connection
	rev      int64
	clock    reading // what the ledger noted last
	shifted  int64   // by how many milliseconds its clock was set in all
	owner    string
	prepared map[string]*sql.Stmt
}

// savepoint undoes what do did if it fails.
func (t *tx) savepoint(do func(*tx) error) error {
	if err := t.exec(`SAVEPOINT op`); err != nil {
		return err
	}
	err := do(t)
	if err != nil {
		if e := t.exec(`ROLLBACK TO op`); e != nil {
			return errors.Join(err, e)
		}
	}
	if e := t.exec(`RELEASE op`); e != nil {
		return e
	}
	return err
}

// background is for statements: a change that is under way is not given up.
var background = context.Background()

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s := t.prepared[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(background, query)
	if err == nil {
		t.prepared[query] = s
	}
	return s, err
}

// finalize closes the statements.
func (t *tx) finalize() {
	for _, s := range t.prepared {
		s.Close()
	}
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.changed(query, args...)
	return err
}

// changed is exec, and reports whether a row was changed.
func (t *tx) changed(query string, args ...any) (bool, error) {
	s, err := t.stmt(query)
	if err != nil {
		return false, err
	}
	r, err := s.Exec(args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

func (t *tx) rows(query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// row is a query of one row; its error comes out of Scan.
func (t *tx) row(query string, args ...any) scanner {
	s, err := t.stmt(query)
	if err != nil {
		return failed{err}
	}
	return s.QueryRow(args...)
}

// scanner is a *sql.Row, a *sql.Rows at a row, or an error.
type scanner interface{ Scan(...any) error }

type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// next is the Rev of the next change.
func (t *tx) next() int64 { t.rev++; return t.rev }
