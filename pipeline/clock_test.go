package pipeline_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
	"wedrop/wecom/wecomtest"
)

// clocked is a pipeline on a ledger whose wall clock can be set. WeCom's cannot.
func (w *world) clocked(clock *wecomtest.Clock, set *atomic.Int64) *pipeline.Pipeline {
	w.t.Helper()
	began := time.Now()
	j, err := journal.Open(context.Background(), w.ledger, journal.Options{Now: clock.Now,
		Uptime:   func() (time.Duration, string) { return time.Since(began), "this run of the machine" },
		ClockSet: func(by time.Duration) { set.Store(int64(by)) }})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { j.Close() })
	p := w.pipeOn(j, "secret")
	p.PollMin, p.PollMax, p.Submits = time.Second, 2*time.Second, 4
	return p
}

var clockSteps = []time.Duration{-72 * time.Hour, -time.Hour, time.Hour, 72 * time.Hour}

// The clock of a machine was set back by an hour, and none of its files came to
// an end before it had caught up; set forward, each job under way was queried
// or submitted once more.
func TestTheClockIsSetWhileItemsAreUnderWay(t *testing.T) {
	const files = 12
	for _, by := range clockSteps {
		for _, daemon := range []bool{true, false} {
			t.Run(fmt.Sprintf("by %v, daemon %v", by, daemon), func(t *testing.T) {
				t.Parallel()
				w := newWorldOf(t, wecomtest.Options{JobTime: 1500 * time.Millisecond})
				clock, set := &wecomtest.Clock{}, &atomic.Int64{}
				p := w.clocked(clock, set)
				ctx, stop := context.WithTimeout(t.Context(), 25*time.Second)
				defer stop()
				entries, err := p.Enter(ctx, w.files(files), pipeline.EnterOptions{})
				require.NoError(t, err)
				if daemon {
					w.serve(p, pipeline.ServeOptions{Keep: -1})
				} else {
					ended := make(chan error, 1)
					go func() { ended <- p.Run(ctx, entries, pipeline.RunOptions{}) }()
					t.Cleanup(func() { require.NoError(t, <-ended) })
				}
				require.Eventually(t, func() bool { return w.submits() >= files/2 }, 10*time.Second, time.Millisecond)
				clock.Advance(by)
				began := time.Now()
				for _, e := range entries {
					w.until(p, e.Item.ID, isDone)
				}
				require.Less(t, time.Since(began), 15*time.Second)
				require.Equal(t, files, w.submits(), "submits")
				require.LessOrEqual(t, w.wecom.Count("media/get_upload_by_url_result"), 4*files, "queries")
				require.InDelta(t, by.Seconds(), time.Duration(set.Load()).Seconds(), 0.1, "what the log is told")
			})
		}
	}
}

// A process that starts after the clock was set (cron) finds nothing that waits
// for the old time, whether or not the machine has started anew since.
func TestTheClockWasSetBeforeTheProcessStarted(t *testing.T) {
	const files = 6
	for _, by := range clockSteps {
		for _, boot := range []string{"same", "next"} {
			t.Run(fmt.Sprintf("by %v, %s run of the machine", by, boot), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				began := time.Now()
				open := func(boot string, at time.Duration) *pipeline.Pipeline {
					j, err := journal.Open(context.Background(), filepath.Clean(w.ledger), journal.Options{
						Now:    func() time.Time { return time.Now().Add(at) },
						Uptime: func() (time.Duration, string) { return time.Since(began), boot }})
					require.NoError(t, err)
					p := w.pipeOn(j, "secret")
					p.PollMin, p.PollMax = time.Second, 2*time.Second
					return p
				}
				p := open("same", 0)
				ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
				defer stop()
				entries, err := p.Enter(ctx, w.files(files), pipeline.EnterOptions{})
				require.NoError(t, err)
				require.NoError(t, p.Run(ctx, entries, pipeline.RunOptions{NoWait: true}))
				require.NoError(t, p.Journal.Close())

				p = open(boot, by)
				defer p.Journal.Close()
				entries, err = p.Enter(ctx, w.files(files), pipeline.EnterOptions{})
				require.NoError(t, err)
				require.NoError(t, p.Run(ctx, entries, pipeline.RunOptions{}))
				require.Equal(t, files, w.submits())
			})
		}
	}
}
