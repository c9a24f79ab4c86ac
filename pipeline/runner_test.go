package pipeline_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/wecom/wecomtest"
)

// shaky is a ledger whose claims can get lost and that can fail.
type shaky struct {
	pipeline.Journal
	lease  time.Duration
	lose   atomic.Bool
	broken atomic.Pointer[error]
	lost   atomic.Int64

	mu   sync.Mutex
	held []pipeline.Item // all that were claimed
}

func (s *shaky) Lease() time.Duration { return s.lease }

func (s *shaky) Claim(ctx context.Context, w pipeline.Want) ([]pipeline.Item, error) {
	if err := s.broken.Load(); err != nil {
		return nil, *err
	}
	items, err := s.Journal.Claim(ctx, w)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, items...)
	return items, err
}

func (s *shaky) Beat(ctx context.Context) ([]int64, error) {
	lost, err := s.Journal.Beat(ctx)
	if !s.lose.Swap(false) {
		return lost, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range s.held {
		lost = append(lost, it.ID)
	}
	s.lost.Add(int64(len(lost)))
	return lost, s.Journal.Release(ctx, s.held)
}

// A worker whose claims are over gives its work up, and the Items are worked
// on again.
func TestLostClaims(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	s := &shaky{Journal: p.Journal, lease: 60 * time.Millisecond}
	s.lose.Store(true)
	p.Journal = s
	// A submit that hangs keeps claims until the beat.
	w.wecom.Inject("gettoken", wecomtest.Fault{Slow: 300 * time.Millisecond})
	entries := w.run(p, w.files(10), pipeline.EnterOptions{})
	require.Positive(t, s.lost.Load())
	for _, e := range entries {
		require.Equal(t, pipeline.Done, e.Item.Step)
	}
}

// A ledger that does not answer ends the run with its error, and every entry
// is told of.
func TestBrokenLedger(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	s := &shaky{Journal: p.Journal, lease: time.Minute}
	p.Journal = s
	entries, err := p.Enter(context.Background(), w.files(3), pipeline.EnterOptions{})
	require.NoError(t, err)
	full := errors.New("disk full")
	s.broken.Store(&full)
	told := 0
	err = p.Run(context.Background(), entries, pipeline.RunOptions{Ended: func(_ int, e pipeline.Entry) {
		told++
		require.True(t, e.Item.Fault.Retry)
	}})
	require.ErrorIs(t, err, full)
	require.Equal(t, 3, told)
}

func TestKnown(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	a, b := w.file("a.mp4", 1), w.file("b.mp4", 2)
	it, err := w.push(p, a)
	require.NoError(t, err)
	known, err := p.Known(context.Background(), []pipeline.File{{Path: b}, {Path: a}})
	require.NoError(t, err)
	require.Zero(t, known[0].ID)
	require.Equal(t, it.ID, known[1].Item.ID)
	w.file("a.mp4", 3)
	known, err = p.Known(context.Background(), []pipeline.File{{Path: a}})
	require.NoError(t, err)
	require.Zero(t, known[0].ID, "it has other content now")
}

func TestAnUnknownTypeIsNamed(t *testing.T) {
	w := newWorld(t)
	_, err := w.pipe().Enter(context.Background(), []pipeline.File{{Path: w.file("a.mp4", 1), Type: "voice"}}, pipeline.EnterOptions{})
	require.ErrorContains(t, err, `"voice"`)
}
