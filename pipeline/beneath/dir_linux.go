package beneath

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func renameExcl(at int, name string, toAt int, newName string) error {
	return unix.Renameat2(at, name, toAt, newName, unix.RENAME_NOREPLACE)
}

// noFlags: NFS and some FUSE drives know no flags, old kernels and jails not
// the call.
func noFlags(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP)
}

func sys(st *unix.Stat_t) *syscall.Stat_t {
	return &syscall.Stat_t{Dev: st.Dev, Ino: st.Ino, Nlink: st.Nlink, Mode: st.Mode, Uid: st.Uid, Gid: st.Gid, Size: st.Size,
		Mtim: syscall.Timespec(st.Mtim), Ctim: syscall.Timespec(st.Ctim)}
}

func modTime(st *syscall.Stat_t) time.Time { return time.Unix(st.Mtim.Unix()) }
