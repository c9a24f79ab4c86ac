package folder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames a file within a drive and replaces nothing: the error is
// fs.ErrExist then.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch {
	case err == nil:
		return nil
	// NFS and some FUSE drives know no flags, old kernels and jails not the call.
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP):
		return renameByLink(from, to)
	}
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}
