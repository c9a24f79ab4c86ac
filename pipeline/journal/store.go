package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

// A store is the open file of a journal. Every Journal of this process that
// was opened on that file, by whatever name, uses the same one.
//
// By the rules of POSIX a process loses all its locks on a file when it closes
// any descriptor of it, SQLite's locks included; another program may then
// remove the WAL under this one, and what is recorded from there on is gone at
// the next start. So nothing in this process may open a journal's file, its
// -wal or its -shm beside SQLite. To stat them is harmless.
type store struct {
	path string // without symbolic links: SQLite names the WAL after it
	file fs.FileInfo
	wal  fs.FileInfo // nil: not seen yet

	db   *sql.DB   // one connection
	conn *sql.Conn // that one: all writes
	read *sql.DB

	ops  chan op
	quit chan struct{}
	done sync.WaitGroup
	refs int // Journals; guarded by open

	reading bool // nothing can be changed
	unclean bool // there was something in the WAL when it was opened
	damaged atomic.Pointer[CorruptError]
	waiting atomic.Bool // another process has the write lock
}

// open are the stores of this process.
var open struct {
	sync.Mutex
	stores []*store
}

// use returns the open store of the file at path and counts one more Journal
// for it; nil if this process does not have that file open.
func use(path string) *store {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	open.Lock()
	defer open.Unlock()
	for _, s := range open.stores {
		if os.SameFile(s.file, info) {
			s.refs++
			return s
		}
	}
	return nil
}

// openStore opens the file at path, and makes it (mode 0600) where there is
// none, its folder (0700) too. If this process has it open already, that store
// is returned. Each is to be left once.
func openStore(ctx context.Context, path string) (*store, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	if s := use(path); s != nil {
		return s, nil
	}
	if err := localDisk(filepath.Dir(path)); err != nil {
		return nil, err
	}
	// Two processes that make one file at once get in each other's way
	// while they switch it to WAL, whatever the busy time-out is.
	gate := flock.New(path + ".lock")
	if err := gate.Lock(); err != nil {
		return nil, err
	}
	defer gate.Unlock()
	if s := use(path); s != nil { // opened while the gate was waited for
		return s, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(ctx, path); err != nil {
			return nil, err
		}
	}
	s := &store{path: path, ops: make(chan op, 256), quit: make(chan struct{}), refs: 1}
	if err := s.connect(ctx); err != nil {
		s.shut()
		return nil, err
	}
	open.Lock()
	open.stores = append(open.stores, s)
	open.Unlock()
	s.done.Add(1)
	go s.writer()
	return s, nil
}

// resolve follows symbolic links, also one to a file that is yet to be made.
func resolve(path string) (string, error) {
	for range 40 {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return real, nil
		}
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, filepath.Base(path))
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link: there is nothing yet
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		path = to
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}

// create makes an empty journal. It gets its name when all its tables are in
// it, so that a file without tables was not made by a process that was killed.
// The caller has the gate.
func create(ctx context.Context, path string) error {
	tmp := path + ".new"
	for _, end := range []string{"", "-wal", "-shm", "-journal"} { // of one that was killed
		if err := os.Remove(tmp + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := connect(tmp, "&_pragma=synchronous(FULL)", 1)
	if err != nil {
		return err
	}
	err = migrate(ctx, db)
	if e := db.Close(); err == nil { // the last connection: it empties the WAL
		err = e
	}
	if _, e := os.Stat(tmp + "-wal"); err == nil && e == nil {
		err = errors.New("SQLite left the tables in the WAL")
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a change of names in a folder durable, where the system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // not on Windows
	return d.Close()
}

func (s *store) connect(ctx context.Context) (err error) {
	if s.file, err = os.Stat(s.path); err != nil {
		return err
	}
	s.unclean = notEmpty(s.path + "-wal")
	if s.db, err = connect(s.path, "&_pragma=synchronous(FULL)", 1); err != nil {
		return err
	}
	if s.read, err = connect(s.path, "&_pragma=query_only(1)", 4); err != nil {
		return err
	}
	if err := s.hasTables(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, s.db); err != nil {
		return err
	}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	s.wal, _ = os.Stat(s.path + "-wal") // else after the first change
	// From here on begin does the waiting.
	_, err = s.conn.ExecContext(ctx, `PRAGMA busy_timeout=5`)
	return err
}

// hasTables returns a *TablelessError for a file that looks like a journal
// and has no tables. One of no bytes that wedrop never worked with is as good
// as none.
func (s *store) hasTables(ctx context.Context) error {
	var version, tables int
	if err := s.db.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)`).Scan(&version, &tables); err != nil {
		return err
	}
	_, err := os.Stat(s.owners())
	if version == 0 && tables == 0 && (s.file.Size() > 0 || err == nil) {
		return &TablelessError{s.path}
	}
	return nil
}

// connect opens a pool on a ledger that is worked with.
func connect(path, more string, conns int) (*sql.DB, error) {
	return openPool(path, "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)"+more, conns)
}

// openPool opens a pool with the options of a URI. A path may hold characters
// that mean something there, such as '?' and '%'.
func openPool(path, options string, conns int) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	db, err := sql.Open("sqlite", u.String()+"?"+options)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// leave gives the store back. The last Journal closes the file; SQLite then
// moves what is in the WAL into it and removes the WAL, unless another process
// has the file open.
func (s *store) leave() {
	if s.reading {
		s.shut()
		return
	}
	open.Lock()
	s.refs--
	last := s.refs == 0
	if last {
		open.stores = slices.DeleteFunc(open.stores, func(o *store) bool { return o == s })
	}
	open.Unlock()
	if !last {
		return
	}
	close(s.quit)
	s.done.Wait()
	s.shut()
}

func (s *store) shut() {
	if s.read != nil {
		s.read.Close()
	}
	if s.conn != nil {
		s.conn.Close()
	}
	if s.db != nil {
		s.db.Close()
	}
}

// quiet is how long nothing must have been changed before the WAL is emptied
// into the file, so that a copy of the file alone has everything.
const quiet = time.Second

// checkpoint empties the WAL into the file. It reports false if another
// process reads or writes at the moment: there is another time.
func (s *store) checkpoint() bool {
	if s.unmoved() != nil {
		return true // not into a file that is gone
	}
	var busy, frames, moved int
	err := s.conn.QueryRowContext(background, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	return err == nil && busy == 0
}
