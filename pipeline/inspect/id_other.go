//go:build !linux && !darwin

package inspect

import (
	"errors"
	"io/fs"
	"runtime"
	"syscall"
)

const openFlags = 0

// ID returns the identity that fi, of os.Stat or File.Stat, tells.
func ID(fi fs.FileInfo) FileID {
	return FileID{Size: fi.Size(), MTime: fi.ModTime().UnixNano()}
}

// On Windows a program that writes a file usually keeps others from opening
// it (ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION).
func lockedByOther(err error) bool {
	const sharing, lock = syscall.Errno(32), syscall.Errno(33)
	return runtime.GOOS == "windows" && (errors.Is(err, sharing) || errors.Is(err, lock))
}
