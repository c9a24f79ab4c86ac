package folder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames a file within a drive and replaces nothing: the error is
// fs.ErrExist then.
func renameNew(from, to string) error {
	err := unix.RenamexNp(from, to, unix.RENAME_EXCL)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL):
		return renameByLink(from, to)
	}
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}
