package folder

import "golang.org/x/sys/unix"

func mountSmall(at string) error { return unix.Mount("tmpfs", at, "tmpfs", 0, "size=64k,mode=755") }

func unmount(at string) error { return unix.Unmount(at, unix.MNT_DETACH) }
