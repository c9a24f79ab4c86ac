package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/uptime"
	"wedrop/wecom/wecomtest"
)

// onAnotherClock is wedrop with a journal whose wall clock is wrong by what is
// written in the file that WEDROP_TEST_CLOCK names. To set the real one needs
// rights that no test should have, and every other program would notice.
func onAnotherClock() {
	wrong := func() time.Duration {
		text, _ := os.ReadFile(os.Getenv("WEDROP_TEST_CLOCK"))
		by, _ := time.ParseDuration(string(text))
		return by
	}
	ctx, stop := interruptible()
	a := newApp(os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	a.clock = func() time.Time { return time.Now().Add(wrong()) }
	began := time.Now()
	a.uptime = func() (time.Duration, string) {
		if up, ok := uptime.Now(); ok {
			return up, uptime.Boot()
		}
		return time.Since(began), fmt.Sprint("the run of process ", os.Getpid())
	}
	code := a.run(ctx)
	stop()
	os.Exit(int(code))
}

// The clock was set back by an hour: 0 of 80 files were done after 42 s, and
// /readyz said that all was well.
func TestADaemonWhoseClockIsSet(t *testing.T) {
	const files = 40
	for _, by := range []string{"-1h", "-72h", "1h"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			o := newOfficeWith(t, files, wecomtest.Options{JobTime: 2 * time.Second})
			o.program = "wedrop-on-another-clock"
			clock := filepath.Join(t.TempDir(), "clock")
			set := func(by string) {
				require.NoError(t, os.WriteFile(clock+".new", []byte(by), 0o600))
				require.NoError(t, os.Rename(clock+".new", clock))
			}
			set("0s")
			o.env = append(o.env, "WEDROP_TEST_CLOCK="+clock, "WEDROP_FOLDERS="+o.folder, "WEDROP_POLL_MIN=1s", "WEDROP_POLL_MAX=2s")
			s := o.serve(o.journal())
			s.until("half of the submits", func() bool { return o.we.Count("media/upload_by_url") >= files/2 })
			set(by)
			began := time.Now()
			s.until("a word about the clock", s.says("the system clock was set"))
			require.Less(t, time.Since(began), 5*time.Second, "it is noticed within seconds")
			s.until("everything done", func() bool {
				time.Sleep(100 * time.Millisecond) // each look is a process
				done := 0
				for _, it := range o.list() {
					if it.Step == string(pipeline.Done) {
						done++
					}
				}
				return done == files
			})
			require.Less(t, time.Since(began), 30*time.Second)
			require.Equal(t, files, o.we.Count("media/upload_by_url"), "submits")
			code, _ := s.get("/readyz", "")
			require.Equal(t, http.StatusOK, code)
		})
	}
}
