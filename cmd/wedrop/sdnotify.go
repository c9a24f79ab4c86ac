package main

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// A supervisor is systemd, where it started this process: it is told how the
// daemon is over the socket in NOTIFY_SOCKET (sd_notify(3)). Anywhere else
// telling does nothing.
type supervisor struct {
	socket string
	// watchdog is within which time systemd wants a sign of life; 0: none.
	watchdog time.Duration
}

func newSupervisor(env func(string) string) supervisor {
	s := supervisor{socket: env("NOTIFY_SOCKET")}
	pid := env("WATCHDOG_PID") // set: the request is for that process alone
	if usec, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64); err == nil && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.watchdog = time.Duration(usec) * time.Microsecond
	}
	return s
}

// tell sends assignments such as "READY=1". What systemd does not hear it
// deals with itself: a daemon does not fail for it.
func (s supervisor) tell(assignments ...string) {
	if s.socket == "" {
		return
	}
	c, err := net.Dial("unixgram", s.socket) // a leading @ is an abstract socket to net, too
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte(strings.Join(assignments, "\n")))
}

func (s supervisor) ready(status string) { s.tell("READY=1", "STATUS="+status) }

// reloading has to carry the time at which it began, by the clock that systemd
// compares it with.
func (s supervisor) reloading() {
	s.tell("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(monotonic().Microseconds(), 10))
}

// beats is when a sign of life is due; never, if nobody wants one.
func (s supervisor) beats() (<-chan time.Time, func()) {
	if s.watchdog <= 0 || s.socket == "" {
		return nil, func() {}
	}
	t := time.NewTicker(max(s.watchdog/2, time.Millisecond))
	return t.C, t.Stop
}
