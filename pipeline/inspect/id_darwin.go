package inspect

import (
	"io/fs"
	"syscall"
)

// A FIFO must not block the open, a terminal must not become ours.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC | syscall.O_NOCTTY

// ID returns the identity that fi, of os.Stat or File.Stat, tells.
func ID(fi fs.FileInfo) FileID {
	id := FileID{Size: fi.Size(), MTime: fi.ModTime().UnixNano()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		id.Device, id.Inode, id.CTime = uint64(st.Dev), uint64(st.Ino), st.Ctimespec.Nano()
	}
	return id
}

func lockedByOther(error) bool { return false }
