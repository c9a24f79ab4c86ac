package beneath

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func renameExcl(at int, name string, toAt int, newName string) error {
	return unix.RenameatxNp(at, name, toAt, newName, unix.RENAME_EXCL)
}

func noFlags(err error) bool { return errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) }

func sys(st *unix.Stat_t) *syscall.Stat_t {
	return &syscall.Stat_t{Dev: st.Dev, Ino: st.Ino, Nlink: st.Nlink, Mode: st.Mode, Uid: st.Uid, Gid: st.Gid, Size: st.Size,
		Mtimespec: syscall.Timespec(st.Mtim), Ctimespec: syscall.Timespec(st.Ctim)}
}

func modTime(st *syscall.Stat_t) time.Time { return time.Unix(st.Mtimespec.Unix()) }
