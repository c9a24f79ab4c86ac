package riverengine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

// What a machine would look at again in a moment has no job; it gets one when
// the machine stops, and another one goes on at once.
func TestAStoppingMachineHandsOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, b := o.machine("a"), o.machine("b")
	a.PollMin, a.PollMax = 4*time.Second, 4*time.Second
	o.wecom.SetJobTime(45 * time.Minute)
	jobs := func() (n int) {
		require.NoError(t, b.journal.Pool().QueryRow(context.Background(),
			`SELECT count(*) FROM river_job WHERE state IN ('available','scheduled','running','retryable')`).Scan(&n))
		return n
	}
	o.serve(a, pipeline.ServeOptions{})
	ids := o.enter(a, o.files(20))
	o.until(a, ids, at(pipeline.Await))
	require.Eventually(t, func() bool { return jobs() == 0 }, 20*time.Second, 5*time.Millisecond)
	a.stop()
	require.Equal(t, 20, jobs())
	o.serve(b, pipeline.ServeOptions{})
	o.clock.Advance(50 * time.Minute)
	o.until(b, ids, done)
	require.Equal(t, 20, o.submits())
}

// The result of a file that only one machine sees is anybody's to ask for: it
// does not wait in the queue of that machine when that stops.
func TestAStoppingMachineHandsOverWhatOthersMayDo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, b := o.machine("a"), o.machine("b")
	a.PollMin, a.PollMax = 4*time.Second, 4*time.Second
	o.wecom.SetJobTime(45 * time.Minute)
	o.serve(a, pipeline.ServeOptions{})
	ids := o.enter(a, []pipeline.File{{Path: o.file(t.TempDir(), "local.mp4", 77)}})
	o.until(a, ids, at(pipeline.Await))
	require.Eventually(t, func() bool {
		var running int
		err := b.journal.Pool().QueryRow(context.Background(), `SELECT count(*) FROM river_job WHERE state='running'`).Scan(&running)
		return err == nil && running == 0
	}, 20*time.Second, 5*time.Millisecond)
	a.stop()
	o.serve(b, pipeline.ServeOptions{})
	o.clock.Advance(50 * time.Minute)
	began := time.Now()
	o.until(b, ids, done)
	require.Less(t, time.Since(began), 30*time.Second, "it waited for the machine that had stopped")
}
