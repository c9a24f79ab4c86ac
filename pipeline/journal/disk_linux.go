package journal

import (
	"fmt"
	"syscall"
)

// localDisk refuses file systems on which SQLite's locks do not hold between
// machines. The numbers are those of statfs(2).
func localDisk(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return nil // Open will say what is wrong
	}
	kinds := map[uint32]string{0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB2", 0x73757245: "Coda", 0x5346414f: "AFS"}
	if kind, ok := kinds[uint32(s.Type)]; ok {
		return fmt.Errorf("%s is on a network file system (%s), where a ledger would be damaged: put it on a local disk, or use PostgreSQL", dir, kind)
	}
	return nil
}
