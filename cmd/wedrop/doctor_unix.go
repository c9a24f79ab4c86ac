//go:build linux || darwin

package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeSpace is what this user may still write where dir is, in bytes.
func freeSpace(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}

// device is the drive on which path is; 0 if that is not known.
func device(path string) uint64 {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return 0
	}
	return uint64(s.Dev)
}

// others reports whether this is root and the file is somebody else's.
func others(path string) bool {
	info, err := os.Stat(path)
	if err != nil || os.Geteuid() != 0 {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Uid != 0
}
