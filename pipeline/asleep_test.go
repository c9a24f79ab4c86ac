package pipeline_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// drowsy is the ledger of a machine whose beat comes late after a sleep.
type drowsy struct {
	pipeline.Journal
	claims atomic.Int64 // of Items to be submitted
	beats  atomic.Int64 // since the second claim
}

func (d *drowsy) Lease() time.Duration { return 900 * time.Millisecond }

func (d *drowsy) Claim(ctx context.Context, w pipeline.Want) ([]pipeline.Item, error) {
	got, err := d.Journal.Claim(ctx, w)
	for _, it := range got {
		if it.Step == pipeline.Submit {
			d.claims.Add(1)
		}
	}
	return got, err
}

func (d *drowsy) Beat(ctx context.Context) ([]int64, error) {
	if d.claims.Load() == 0 {
		return nil, nil
	}
	lost, err := d.Journal.Beat(ctx)
	d.beats.Add(1)
	return lost, err
}

// gate lets submits wait for their turn until it is opened.
type gate struct {
	wecom.Limiter
	came atomic.Int64
	open chan struct{}
}

func (g *gate) Wait(ctx context.Context, api string) error {
	if api == "media/upload_by_url" {
		g.came.Add(1)
		select {
		case <-g.open:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return g.Limiter.Wait(ctx, api)
}

// A machine that wakes up may claim again what it had claimed before it slept,
// and its next beat then tells of no loss. The old claim is over all the same.
func TestWhatIsClaimedAnewIsNotDoneTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	d := &drowsy{Journal: p.Journal}
	p.Journal, p.Submits = d, 2
	g := &gate{Limiter: pipeline.NewLimiter(d, "wwtest", 6000), open: make(chan struct{})}
	var err error
	p.WeCom, err = wecom.New(wecom.Config{BaseURL: w.wecom.URL, CorpID: "wwtest", Secret: "secret", Store: d, Now: w.clock.Now, Limiter: g})
	require.NoError(t, err)
	entries, err := p.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	w.serve(p, pipeline.ServeOptions{Keep: -1})
	soon := func(ok func() bool) { t.Helper(); require.Eventually(t, ok, 10*time.Second, time.Millisecond) }
	soon(func() bool { return g.came.Load() == 1 })
	w.clock.Advance(40 * time.Second)
	soon(func() bool { return d.claims.Load() == 1 })
	soon(func() bool { return d.beats.Load() > 1 })
	close(g.open)
	w.until(p, entries[0].Item.ID, isDone)
	require.Equal(t, 1, w.submits())
}
