package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"wedrop/pipeline"
)

// Lease is how long a claim lasts without a Beat. A process that dies on this
// machine loses its claims at once; the lease is for one that hangs.
const Lease = 30 * time.Second

// Options of Open.
type Options struct {
	Now func() time.Time // the ledger's clock; time.Now if nil
	// Uptime tells how long the machine is up, its sleep included, and names
	// this run of it, so that a clock that was set can be told from time that
	// went by. If it and Now are nil it is the system's; if it alone is nil,
	// only a clock that was set back is noticed.
	Uptime func() (time.Duration, string)
	// ClockSet is told when the clock was set and by how much, after all that
	// is under way was moved by as much. It must not call the Journal.
	ClockSet func(by time.Duration)
	// Program is the version of the program, for whoever opens the ledger
	// with an older one; may be empty.
	Program string
}

// A Journal is a ledger on SQLite. Journals of one process on one file share
// what is open; each has claims of its own.
type Journal struct {
	*store
	path     string // as it was given
	now      func() time.Time
	uptime   func() (time.Duration, string)
	clockSet func(time.Duration)
	owner    string
	alive    *flock.Flock // held as long as this Journal works

	closed chan struct{}
	once   sync.Once

	clock struct {
		sync.Mutex
		last reading
	}
	buried struct {
		sync.Mutex
		at time.Time
	}
}

var _ pipeline.Journal = (*Journal)(nil)

// Open opens the ledger in the file at path, and makes it (mode 0600) where
// there is none, its folder (0700) too. A file that this process has open
// already, under whatever name, is not opened again. Close it after use.
func Open(ctx context.Context, path string, o Options) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{path: path, now: o.Now, uptime: o.Uptime, clockSet: o.ClockSet, owner: newOwner(), closed: make(chan struct{})}
	if j.now == nil {
		j.now = time.Now
		if j.uptime == nil {
			j.uptime = readUptime
		}
	}
	if j.store, err = openStore(ctx, path); err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, explained(path, err))
	}
	if err = j.verifyUnclean(ctx); err == nil {
		err = j.live()
	}
	if err != nil {
		j.leave()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	if err := j.admit(ctx, o.Program); err != nil {
		_ = j.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	if err := j.checkClock(ctx); err != nil {
		_ = j.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return j, nil
}

// migrate brings the schema up to date, or refuses a ledger that a newer
// wedrop wrote.
func migrate(ctx context.Context, db *sql.DB) error {
	var have int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return err
	}
	if have > len(migrations) {
		return newer(ctx, db, have)
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

// Path returns where the ledger is.
func (j *Journal) Path() string { return j.path }

// Rev is that of the newest change.
func (j *Journal) Rev(ctx context.Context) (rev int64, err error) {
	defer j.name(&err)
	return rev, j.read.QueryRowContext(ctx, `SELECT rev FROM counter`).Scan(&rev)
}

// Close ends the Journal's claims, and closes the file if no other Journal of
// this process uses it. A second Close does nothing.
func (j *Journal) Close() error {
	err := error(nil)
	j.once.Do(func() {
		if !j.reading {
			err = j.endClaims()
		}
		close(j.closed)
		j.leave()
		if j.alive != nil {
			os.Remove(j.ownerFile(j.owner))
			j.alive.Unlock()
		}
	})
	return err
}

// closeWait is how long Close waits for the write lock.
const closeWait = 2 * time.Second

// endClaims gives back what this Journal has claimed. While another process
// keeps the write lock it does not: without the file of their owner the claims
// are over for everybody.
func (j *Journal) endClaims() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	err := j.write(ctx, func(t *tx) error {
		return t.exec(`UPDATE items SET lease=0, owner='' WHERE owner=? AND lease>0`, j.owner)
	})
	if errors.As(err, new(*BusyError)) && j.alive != nil {
		return nil
	}
	return err
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
