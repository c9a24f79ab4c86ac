//go:build unix

package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A machine sleeps while an Item of its waits for its turn to be submitted, and
// wakes when another machine has done everything: it submits nothing any more.
func TestAMachineThatSleptSubmitsNothingThatIsNotItsOwn(t *testing.T) {
	const files = 6
	c := newCompany(t, files)
	c.env = append(c.env, "WEDROP_RATE_LIMIT=40") // a turn in one and a half seconds
	sleeper := c.machine("m1", c.db.URL("postgres"))
	c.submitted(1)
	time.Sleep(300 * time.Millisecond) // the next one waits for its turn
	require.NoError(t, sleeper.cmd.Process.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = sleeper.cmd.Process.Signal(syscall.SIGCONT) })
	other := c.machine("m2", c.db.URL("postgres"))
	other.until("everything done by the other", func() bool {
		time.Sleep(500 * time.Millisecond)
		return c.done() == files
	})
	made := c.we.Count("media/upload_by_url")
	require.NoError(t, sleeper.cmd.Process.Signal(syscall.SIGCONT))
	time.Sleep(8 * time.Second) // a turn, and what a submit gets when its run ends
	require.Equal(t, made, c.we.Count("media/upload_by_url"), "it submitted what it had lost")
}
