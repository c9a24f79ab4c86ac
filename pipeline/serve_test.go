package pipeline_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

// serve runs a daemon until the test ends, or stop is called.
func (w *world) serve(p *pipeline.Pipeline, o pipeline.ServeOptions) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.ErrorIs(w.t, err, context.Canceled)
		case <-time.After(10 * time.Second):
			w.t.Error("serve did not end within ten seconds")
		}
	})
	w.t.Cleanup(stop)
	return stop
}

// until waits for an Item to be as ok wants it.
func (w *world) until(p *pipeline.Pipeline, id int64, ok func(pipeline.Item) bool) pipeline.Item {
	w.t.Helper()
	var it pipeline.Item
	require.Eventually(w.t, func() bool {
		items, err := p.Journal.Items(context.Background(), pipeline.Query{IDs: []int64{id}})
		require.NoError(w.t, err)
		it = items[0]
		return ok(it)
	}, 10*time.Second, time.Millisecond)
	return it
}

func isDone(it pipeline.Item) bool { return it.Step == pipeline.Done }

func TestServeCarriesWhatIsEntered(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	w.serve(p, pipeline.ServeOptions{Keep: -1})
	other := w.pipe() // as a cron run that only enters
	entries, err := other.Enter(context.Background(), w.files(20), pipeline.EnterOptions{})
	require.NoError(t, err)
	for _, e := range entries {
		w.until(p, e.Item.ID, isDone)
	}
	require.Equal(t, 20, w.submits())
}

// Keep 0 is at once, and not when it is cleaned the next time.
func TestServeRemovesAtOnceWhatNeedNotBeKept(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	w.serve(p, pipeline.ServeOptions{Keep: 0})
	entries, err := w.pipe().Enter(context.Background(), w.files(3), pipeline.EnterOptions{})
	require.NoError(t, err)
	for _, e := range entries {
		w.until(p, e.Item.ID, func(it pipeline.Item) bool { return isDone(it) && it.Object == nil })
	}
	require.Len(t, w.bucket.puts, 3)
	for key := range w.bucket.puts {
		require.Eventually(t, func() bool {
			_, err := w.bucket.Head(context.Background(), key)
			return err != nil
		}, 20*time.Second, 5*time.Millisecond)
	}
}

func TestServeStopsAndGoesOn(t *testing.T) {
	w := newWorld(t)
	w.wecom.SetJobTime(20 * time.Millisecond)
	entries, err := w.pipe().Enter(context.Background(), w.files(60), pipeline.EnterOptions{})
	require.NoError(t, err)
	for range 10 {
		stop := w.serve(w.pipe(), pipeline.ServeOptions{Keep: -1})
		time.Sleep(30 * time.Millisecond)
		stop()
	}
	p := w.pipe()
	w.serve(p, pipeline.ServeOptions{Keep: -1})
	for _, e := range entries {
		w.until(p, e.Item.ID, isDone)
	}
	require.Equal(t, 60, w.submits())
	for key, n := range w.bucket.puts {
		require.Equal(t, 1, n, key)
	}
}

// A callback is acted on at once, not with the next poll.
func TestCallbackBringsTheResult(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	p.PollMin, p.PollMax = 55*time.Minute, 55*time.Minute
	w.serve(p, pipeline.ServeOptions{Keep: -1})
	w.wecom.SetJobTime(45 * time.Minute)
	entries, err := p.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	it := w.until(p, entries[0].Item.ID, func(it pipeline.Item) bool { return it.Step == pipeline.Await })
	w.clock.Advance(50 * time.Minute) // the job has ended, and nobody has asked
	require.Zero(t, w.wecom.Count("media/get_upload_by_url_result"))
	require.NoError(t, p.Finished(context.Background(), it.Job.ID))
	w.until(p, it.ID, isDone)
}

// Over ten days, at every instant the media_id of a file that is to be kept
// alive has at least the promised life, and there are no more submits than
// that needs. (Two known products renew two hours after the end by a wrong
// sign, and leave fresh ones out of the answer.)
func TestRenewalOverTenDays(t *testing.T) {
	w := newWorld(t)
	daemon, tool := w.pipe(), w.pipe()
	path := w.file("a.mp4", 1)
	gone := w.file("gone.mp4", 2)
	w.serve(daemon, pipeline.ServeOptions{Keep: 72 * time.Hour, Renew: func(it pipeline.Item) bool { return it.Path == path }})
	entries, err := daemon.Enter(context.Background(), []pipeline.File{{Path: path}, {Path: gone}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	id := w.until(daemon, entries[0].Item.ID, isDone).ID
	w.until(daemon, entries[1].Item.ID, isDone)
	tool.WeCom = nil // answers come from the ledger
	ids := map[string]bool{}
	for hour := range 240 {
		w.clock.Advance(time.Hour)
		require.NoError(t, daemon.Finished(context.Background(), "wake up")) // instead of half a second's wait
		w.until(daemon, id, func(it pipeline.Item) bool {
			return it.Step == pipeline.Done && it.Due.After(w.clock.Now()) // or its job would be an hour old at the next turn
		})
		it, err := tool.Media(context.Background(), "a.mp4", 11*time.Hour)
		require.NoError(t, err, "hour %d", hour)
		require.Greater(t, it.Media.ExpiresAt.Sub(w.clock.Now()), 11*time.Hour, "hour %d", hour)
		ids[it.Media.ID] = true
	}
	require.LessOrEqual(t, len(ids), 1+240/60, "at most one media_id in 60 hours")
	require.Equal(t, len(ids)+1, w.submits(), "one submit for each, and one for the file that nobody keeps alive")
	for key, n := range w.bucket.puts {
		require.Equal(t, 1, n, "%s: a renewal needs no second upload", key)
	}
}

// While a person has to mend something, WeCom is asked once a pause; then
// everything goes on by itself.
func TestServeRestsAfterAFaultOfTheConfiguration(t *testing.T) {
	w := newWorld(t)
	w.wecom.SetTrustedIPs("198.51.100.1")
	p := w.pipe()
	w.serve(p, pipeline.ServeOptions{Keep: -1, Rest: 300 * time.Millisecond})
	entries, err := p.Enter(context.Background(), w.files(30), pipeline.EnterOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return w.submits() >= 2 }, 10*time.Second, time.Millisecond)
	require.LessOrEqual(t, w.submits(), 3)
	w.wecom.SetTrustedIPs("203.0.113.9")
	for _, e := range entries {
		w.until(p, e.Item.ID, isDone)
	}
	require.LessOrEqual(t, w.submits(), 33)
}
