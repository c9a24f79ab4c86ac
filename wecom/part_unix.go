//go:build unix && !aix && !solaris

package wecom

import (
	"errors"
	"os"
	"syscall"
)

// openLocked opens or creates a file that several processes may want to write
// to, and locks it. It returns nil if somebody else has it, or nothing can be
// locked there, or what has the name is no plain file: others may have put a
// link there to a file of ours.
func openLocked(name string) (*os.File, error) {
	for range 10 {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o666)
		if info, lerr := os.Lstat(name); lerr == nil && !info.Mode().IsRegular() {
			if err == nil {
				f.Close()
			}
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, nil
		}
		if sameFile(f, name) {
			return f, nil
		}
		f.Close() // it was finished or removed between the open and the lock
	}
	return nil, nil
}

func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func sameFile(f *os.File, name string) bool {
	a, err := f.Stat()
	b, berr := os.Lstat(name)
	return err == nil && berr == nil && os.SameFile(a, b)
}

// rename gives f its name while it is locked, and closes it.
func rename(f *os.File, to string) error {
	if err := os.Rename(f.Name(), to); err != nil {
		return err
	}
	f.Close() // it is on the disk already
	return nil
}
