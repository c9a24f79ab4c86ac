package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	sqlite "modernc.org/sqlite"

	"wedrop/pipeline"
)

// Lease is how long a claim lasts without a Beat. A process that dies on this
// machine loses its claims at once; the lease is for one that hangs.
const Lease = 30 * time.Second

// Options of Open.
type Options struct {
	Now func() time.Time // the ledger's clock; time.Now if nil
}

// A Journal is a ledger on SQLite.
type Journal struct {
	path  string
	now   func() time.Time
	owner string
	alive *flock.Flock // held as long as this process works

	db   *sql.DB   // one connection
	conn *sql.Conn // that one: all writes
	read *sql.DB

	ops  chan op
	quit chan struct{}
	done sync.WaitGroup
	once sync.Once

	buried struct {
		sync.Mutex
		at time.Time
	}
}

var _ pipeline.Journal = (*Journal)(nil)

// Open opens the ledger in the file at path, and makes it (mode 0600) where
// there is none, its folder (0700) too. Close it after use.
func Open(ctx context.Context, path string, o Options) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{path: path, now: o.Now, owner: newOwner(), ops: make(chan op, 256), quit: make(chan struct{})}
	if j.now == nil {
		j.now = time.Now
	}
	if err := j.open(ctx); err != nil {
		j.shut()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	j.done.Add(1)
	go j.writer()
	return j, nil
}

func (j *Journal) open(ctx context.Context) error {
	dir := filepath.Dir(j.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := localDisk(dir); err != nil {
		return err
	}
	// Two processes that make one file at once get in each other's way
	// while they switch it to WAL, whatever the busy time-out is.
	gate := flock.New(j.path + ".lock")
	if err := gate.Lock(); err != nil {
		return err
	}
	defer gate.Unlock()
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if j.db, err = connect(j.path, "&_pragma=synchronous(FULL)", 1); err != nil {
		return err
	}
	if j.read, err = connect(j.path, "&_pragma=query_only(1)", 4); err != nil {
		return err
	}
	if err := migrate(ctx, j.db); err != nil {
		return err
	}
	if j.conn, err = j.db.Conn(ctx); err != nil {
		return err
	}
	// From here on begin does the waiting.
	if _, err := j.conn.ExecContext(ctx, `PRAGMA busy_timeout=5`); err != nil {
		return err
	}
	return j.live()
}

// connect opens a pool. A path may hold characters that mean something in a
// URI, such as '?' and '%'.
func connect(path, more string, conns int) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	db, err := sql.Open("sqlite", u.String()+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)"+more)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// migrate brings the schema up to date, or refuses a ledger that a newer
// wedrop wrote.
func migrate(ctx context.Context, db *sql.DB) error {
	var have int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return notALedger(err)
	}
	if have > len(migrations) {
		return fmt.Errorf("written by a newer wedrop (schema %d, this one knows %d): use that one", have, len(migrations))
	}
	for n := have; n < len(migrations); n++ {
		if err := migrateTo(ctx, db, n); err != nil {
			return fmt.Errorf("schema %d: %w", n+1, err)
		}
	}
	return nil
}

func migrateTo(ctx context.Context, db *sql.DB, n int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, migrations[n]); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, n+1)); err != nil {
		return err
	}
	return tx.Commit()
}

// notALedger says in words what SQLite's SQLITE_NOTADB (26) means here.
func notALedger(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == 26 {
		return errors.New("this file is not a ledger of wedrop's; give another path")
	}
	return err
}

// Path returns where the ledger is.
func (j *Journal) Path() string { return j.path }

// Now is the ledger's clock.
func (j *Journal) Now(context.Context) (time.Time, error) { return j.now(), nil }

// Rev is that of the newest change.
func (j *Journal) Rev(ctx context.Context) (rev int64, err error) {
	return rev, j.read.QueryRowContext(ctx, `SELECT rev FROM counter`).Scan(&rev)
}

// Close ends the process's claims and closes the file. A second Close does
// nothing.
func (j *Journal) Close() error {
	err := error(nil)
	j.once.Do(func() {
		err = j.write(context.Background(), func(t *tx) error {
			return t.exec(`UPDATE items SET lease=0, owner='' WHERE owner=? AND lease>0`, j.owner)
		})
		close(j.quit)
		j.done.Wait()
		j.shut()
	})
	return err
}

func (j *Journal) shut() {
	if j.read != nil {
		j.read.Close()
	}
	if j.conn != nil {
		j.conn.Close()
	}
	if j.db != nil {
		j.db.Close()
	}
	if j.alive != nil {
		os.Remove(j.ownerFile(j.owner))
		j.alive.Unlock()
	}
}

func newOwner() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// ms and from turn times into what the tables hold, and back.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func from(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
