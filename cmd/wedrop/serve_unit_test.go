package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheUnitIsOneForSystemd(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd is not installed")
	}
	out, err := exec.Command("wedrop", "serve", "--print-unit").Output()
	require.NoError(t, err)
	require.Regexp(t, `(?m)^MemoryMax=1G$`, string(out))
	require.Regexp(t, `(?m)^TasksMax=512$`, string(out))
	path := filepath.Join(t.TempDir(), "wedrop.service")
	require.NoError(t, os.WriteFile(path, out, 0o600))
	said, err := exec.Command(tool, "verify", "--man=no", path).CombinedOutput()
	var wrong []string
	for _, l := range strings.Split(string(said), "\n") {
		if strings.Contains(l, "wedrop.service") {
			wrong = append(wrong, l)
		}
	}
	require.Empty(t, wrong)
	if err != nil {
		t.Logf("systemd-analyze cannot say more here: %s", said)
	}
}

func TestPathsInTheUnit(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/usr/bin/wedrop":  "/usr/bin/wedrop",
		"/opt/my tools/w":  `"/opt/my tools/w"`,
		"/opt/50%/$x":      "/opt/50%%/$$x",
		`/opt/say "hi"/it`: `"/opt/say \"hi\"/it"`,
	} {
		require.Equal(t, want, unitWord(path))
	}
}

// systemd hears when the daemon is ready, reloads, lives and stops.
func TestSystemdIsTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	j := o.journal()
	dir, err := os.MkdirTemp("", "sd") // the name of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	defer l.Close()
	o.env = append(o.env, "NOTIFY_SOCKET="+socket, fmt.Sprintf("WATCHDOG_USEC=%d", (100*time.Millisecond).Microseconds()))
	heard := func(want string) string {
		t.Helper()
		require.NoError(t, l.SetReadDeadline(time.Now().Add(patience)))
		b := make([]byte, 4096)
		for {
			n, err := l.Read(b)
			require.NoError(t, err, "never heard %s", want)
			if strings.Contains(string(b[:n]), want) {
				return string(b[:n])
			}
		}
	}
	s := o.serve(j)
	require.Contains(t, heard("READY=1"), "STATUS=")
	heard("WATCHDOG=1")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	var usec int64
	_, err = fmt.Sscanf(heard("RELOADING=1"), "RELOADING=1\nMONOTONIC_USEC=%d", &usec)
	require.NoError(t, err)
	require.Positive(t, usec)
	heard("READY=1")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	heard("STOPPING=1")
	<-s.ended
	require.Equal(t, 0, s.cmd.ProcessState.ExitCode())
}

func TestNobodyIsToldWithoutSystemd(t *testing.T) {
	t.Parallel()
	env := map[string]string{"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
	s := newSupervisor(func(k string) string { return env[k] })
	require.Zero(t, s.watchdog, "the request is for process 1")
	s.ready("nobody hears this")
	beats, stop := s.beats()
	defer stop()
	require.Nil(t, beats)
}
