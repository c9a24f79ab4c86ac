package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// look is how often the owners of other claims are looked after.
const look = 250 * time.Millisecond

// live takes the lock that proves, as long as it is held, that this process
// works: the system lets go of it however the process ends. The file has its
// final name only when the lock is held.
func (j *Journal) live() error {
	dir := j.owners()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp := filepath.Join(dir, "."+j.owner)
	f := flock.New(tmp)
	if err := f.Lock(); err != nil {
		return err
	}
	if err := os.Rename(tmp, j.ownerFile(j.owner)); err != nil {
		// Windows does not rename an open file: there leases lapse by time.
		f.Unlock()
		os.Remove(tmp)
		j.owner = unlocked + j.owner
		return nil
	}
	j.alive = f
	j.tidy(dir)
	return nil
}

// unlocked is how the name of an owner begins that has no lock.
const unlocked = "unlocked-"

// tidy removes the files of processes that were killed: an owner without a
// file is as dead as one without its lock.
func (j *Journal) tidy(dir string) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return // another time
	}
	for _, f := range files {
		if name := f.Name(); !strings.HasPrefix(name, ".") && name != j.owner && j.dead(name) {
			os.Remove(j.ownerFile(name))
		}
	}
}

// owners is the folder with a file for each Journal that is open, in whatever
// process.
func (s *store) owners() string { return s.path + ".owners" }

func (s *store) ownerFile(owner string) string { return filepath.Join(s.owners(), owner) }

// bury ends the claims of processes that are dead. It looks at most every
// 250 ms.
func (j *Journal) bury(t *tx) error {
	j.buried.Lock()
	skip := time.Since(j.buried.at) < look
	if !skip {
		j.buried.at = time.Now()
	}
	j.buried.Unlock()
	if skip {
		return nil
	}
	rows, err := t.rows(`SELECT DISTINCT owner FROM items WHERE lease>? AND lease>0 AND owner<>?`, t.now, j.owner)
	if err != nil {
		return err
	}
	owners, err := collect(rows, readString)
	if err != nil {
		return err
	}
	for _, o := range owners {
		if !j.dead(o) {
			continue
		}
		if err := t.exec(`UPDATE items SET lease=0, owner='' WHERE owner=? AND lease>0`, o); err != nil {
			return err
		}
	}
	return nil
}

// othersLive reports whether another Journal, of whatever process, is open.
func (j *Journal) othersLive() (bool, error) {
	files, err := os.ReadDir(j.owners())
	for _, f := range files {
		if name := f.Name(); !strings.HasPrefix(name, ".") && name != j.owner && !j.dead(name) {
			return true, nil
		}
	}
	return false, err
}

// dead reports whether the process of that name is gone for sure: it claims
// nothing before it has its file and the lock on it.
func (s *store) dead(owner string) bool {
	if strings.HasPrefix(owner, unlocked) {
		return false
	}
	name := s.ownerFile(owner)
	if _, err := os.Stat(name); err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	f := flock.New(name)
	got, err := f.TryLock()
	if err != nil || !got {
		return false
	}
	f.Unlock()
	return true
}
