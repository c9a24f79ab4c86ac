//go:build unix

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
)

// list and get work on a journal that they may only read, in a folder that
// they may only read.
func TestReadingAReadOnlyJournal(t *testing.T) {
	t.Parallel()
	o, j := sent(t)
	dir := filepath.Dir(j)
	for _, left := range []string{".lock", ".owners", ".serve"} {
		_ = os.RemoveAll(j + left)
	}
	require.NoError(t, os.Chmod(j, 0o444))
	require.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	self, err := exec.LookPath("wedrop")
	require.NoError(t, err)
	program, err := os.ReadFile(self)
	require.NoError(t, err)
	copied := filepath.Join(filepath.Dir(dir), "wedrop") // where others may start it
	require.NoError(t, os.WriteFile(copied, program, 0o755))
	before, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, args := range [][]string{{"get", filepath.Join(o.folder, "000.mp4")}, {"list"}} {
		c := o.wedrop(args...)
		if os.Geteuid() == 0 { // whom no mode holds back
			c.Path, c.Dir = copied, "/"
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "3*1*")
	}
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Equal(t, names(before), names(after), "nothing is left behind")
}

func names(entries []fs.DirEntry) (out []string) {
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// A disk that fails is named, as a full one is, and ends a run with 3.
func TestADiskThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if runtime.GOOS != "linux" || err != nil {
		if os.Getenv("CI") != "" && runtime.GOOS == "linux" {
			t.Fatal("no strace")
		}
		t.Skip("no strace, which lets system calls fail")
	}
	o, j := sent(t)
	o.drop(o.folder, "late.mp4", inspecttest.MP4(20_000, 99))
	c := o.wedrop("sync", "-q", o.folder)
	c.Args = append([]string{"strace", "-f", "-o", os.DevNull, "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO", c.Path}, c.Args[1:]...)
	c.Path = strace
	out, _ := c.CombinedOutput()
	require.Equal(t, 3, c.ProcessState.ExitCode(), string(out))
	require.Contains(t, string(out), "the journal "+j+" cannot be read or written: its disk (")
	require.Contains(t, string(out), "disk I/O error")
	require.Contains(t, string(out), "dmesg")
	out, err = o.wedrop("sync", "-q", o.folder).CombinedOutput()
	require.NoError(t, err, "the disk works again: %s", out)
	require.Equal(t, 4, o.we.Count("media/upload_by_url"), "and no submit is repeated")
}
