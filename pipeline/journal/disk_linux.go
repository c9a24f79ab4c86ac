package journal

import (
	"fmt"
	"os"
	"strings"
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

// diskOf is where the file system of a file is mounted, and what it is:
// "/data (/dev/sdb1)"; "" if that is not known.
func diskOf(path string) string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	best, device := "", ""
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		at := strings.ReplaceAll(f[1], `\040`, " ")
		if len(at) >= len(best) && (at == "/" || path == at || strings.HasPrefix(path, at+"/")) {
			best, device = at, f[0]
		}
	}
	if best == "" {
		return ""
	}
	return best + " (" + device + ")"
}
