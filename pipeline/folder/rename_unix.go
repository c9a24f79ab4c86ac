//go:build !windows

package folder

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

func crossDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }

// renameByLink is renameNew where the system's own rename replaces: the file
// has both names for a moment.
func renameByLink(from, to string) error {
	err := os.Link(from, to)
	switch {
	case errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || crossDevice(err):
		return err
	case err != nil: // a drive without links, or a file whose owner is another
		return renameByClaim(from, to)
	}
	if err := os.Remove(from); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// renameByClaim takes the name first, with an empty file, and then replaces
// that.
func renameByClaim(from, to string) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err := os.Rename(from, to); err != nil {
		if fi, e := os.Lstat(to); e == nil && fi.Size() == 0 {
			os.Remove(to)
		}
		return err
	}
	return nil
}
