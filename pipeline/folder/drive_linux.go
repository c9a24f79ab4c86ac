package folder

import (
	"errors"

	"golang.org/x/sys/unix"
)

// ownClock reports whether the times of the file at path come from this
// machine's clock: whether its file system is on it. One that is not known to
// be elsewhere is.
func ownClock(path string) bool {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC,
		unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, unix.CEPH_SUPER_MAGIC, unix.AFS_SUPER_MAGIC,
		unix.AFS_FS_MAGIC, unix.CODA_SUPER_MAGIC, unix.NCP_SUPER_MAGIC, vboxSuperMagic:
		return false
	}
	return true
}

const vboxSuperMagic = 0x786f4256 // shared folders of VirtualBox; fs/vboxsf/super.c of Linux

func held(string) bool { return false }

func inUse(err error) bool { return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ETXTBSY) }

func diskFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
