package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// OpenReading opens the journal in the file at path to read it: list and get
// need no more. It waits for nobody who writes, takes no lock of its own,
// changes nothing and leaves nothing behind; a file or a folder that may not
// be written is no hindrance. What would change the journal returns an error.
// Where there is no file yet, or it is of an older version, it is opened as
// Open does.
func OpenReading(ctx context.Context, path string, o Options) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return Open(ctx, path, o)
	}
	s, version, err := openToRead(ctx, path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("journal %s: %w", path, explained(path, err))
	case version != len(migrations):
		s.shut()
		return Open(ctx, path, o)
	}
	j := &Journal{store: s, path: path, now: o.Now, closed: make(chan struct{})}
	if j.now == nil {
		j.now = time.Now
	}
	if err := j.admit(ctx, ""); err != nil {
		s.shut()
		return nil, fmt.Errorf("journal %s: %w", path, explained(path, err))
	}
	return j, nil
}

// openToRead opens a store that cannot be changed, and returns the version of
// its schema.
func openToRead(ctx context.Context, path string) (*store, int, error) {
	real, err := resolve(path)
	if err != nil {
		return nil, 0, err
	}
	s := &store{path: real, reading: true, quit: make(chan struct{})}
	if s.file, err = os.Stat(real); err != nil {
		return nil, 0, err
	}
	version, err := s.readPool(ctx, "")
	if code := codeOf(err); (code == 14 || code == 8) && !notEmpty(real+"-wal") {
		// SQLITE_CANTOPEN, SQLITE_READONLY: no -shm can be made here. Nobody
		// writes: who has the journal open has a WAL.
		version, err = s.readPool(ctx, "&immutable=1")
	}
	if err != nil {
		s.shut()
		return nil, 0, err
	}
	return s, version, nil
}

func (s *store) readPool(ctx context.Context, more string) (version int, err error) {
	if s.read != nil {
		s.read.Close()
	}
	if s.read, err = openPool(s.path, "mode=ro&_pragma=busy_timeout(10000)"+more, 4); err != nil {
		return 0, err
	}
	return version, s.read.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version)
}
