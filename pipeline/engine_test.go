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

// alarm is an Engine that wakes what it is told to, and what asked for it. It
// never looks at what is due.
type alarm struct {
	wake chan int64
	now  func() time.Time

	mu    sync.Mutex
	said  map[int64]time.Time // the last answer
	calls int
	wait  sync.WaitGroup
}

func newAlarm(now func() time.Time, entries ...pipeline.Entry) *alarm {
	a := &alarm{wake: make(chan int64, 10_000), now: now, said: map[int64]time.Time{}}
	for _, e := range entries {
		a.wake <- e.Item.ID
	}
	return a
}

func (a *alarm) Run(ctx context.Context, carry pipeline.Carry) error {
	defer a.wait.Wait()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case id := <-a.wake:
			a.wait.Go(func() { a.carry(ctx, carry, id) })
		}
	}
}

func (a *alarm) carry(ctx context.Context, carry pipeline.Carry, id int64) {
	again, err := carry(ctx, id)
	a.mu.Lock()
	a.said[id] = again
	a.calls++
	a.mu.Unlock()
	switch {
	case ctx.Err() != nil || err == nil && again.IsZero():
		return
	case err != nil:
		again = a.now().Add(10 * time.Millisecond)
	case again.Sub(a.now()) > time.Hour: // its renewal
		return
	}
	time.AfterFunc(again.Sub(a.now()), func() { a.wake <- id })
}

func (a *alarm) answer(id int64) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.said[id]
	return t, ok
}

func TestAnEngineWakesAndServeCarries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	entries, err := w.pipe().Enter(context.Background(), w.files(30), pipeline.EnterOptions{})
	require.NoError(t, err)
	a := newAlarm(w.clock.Now, entries...)
	for _, e := range entries {
		a.wake <- e.Item.ID // twice, as a poke would
	}
	stop := w.serve(p, pipeline.ServeOptions{Keep: -1, Engine: a})
	for _, e := range entries {
		it := w.until(p, e.Item.ID, isDone)
		require.Eventually(t, func() bool { again, _ := a.answer(it.ID); return again.Equal(it.Due) }, 10*time.Second, time.Millisecond,
			"a done Item is due when it is to be renewed")
	}
	require.Equal(t, 30, w.submits())
	stop()
}

// Nothing is done that the engine did not ask for: other machines may do it.
func TestWithAnEngineNothingElseIsTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	entries, err := p.Enter(context.Background(), w.files(2), pipeline.EnterOptions{})
	require.NoError(t, err)
	w.serve(p, pipeline.ServeOptions{Keep: -1, Engine: newAlarm(w.clock.Now, entries[0])})
	w.until(p, entries[0].Item.ID, isDone)
	it := w.until(p, entries[1].Item.ID, func(pipeline.Item) bool { return true })
	require.Equal(t, pipeline.Inspect, it.Step)
}

// What one machine carries the other leaves alone, and what has to be read
// where it is goes no further elsewhere.
func TestAnEngineIsToldWhatIsNotForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here, there := on(w.pipe(), "here"), on(w.pipe(), "there")
	entries, err := there.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	id := entries[0].Item.ID
	a := newAlarm(w.clock.Now, entries...)
	a.wake <- 4711 // nobody's
	w.serve(here, pipeline.ServeOptions{Keep: -1, Engine: a})
	for _, id := range []int64{id, 4711} {
		require.Eventually(t, func() bool { again, ok := a.answer(id); return ok && again.IsZero() }, 10*time.Second, time.Millisecond)
	}
	w.serve(there, pipeline.ServeOptions{Keep: -1, Engine: newAlarm(w.clock.Now, entries...)})
	w.until(there, id, isDone)
	require.Equal(t, 1, w.submits())
}

func TestAnEngineBringsRenewals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	old, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	gone, err := w.push(p, w.file("b.mp4", 2))
	require.NoError(t, err)
	w.clock.Advance(61 * time.Hour)
	a := newAlarm(w.clock.Now)
	a.wake <- old.ID
	a.wake <- gone.ID
	w.serve(p, pipeline.ServeOptions{Keep: -1, Engine: a, Renew: func(it pipeline.Item) bool { return it.ID == old.ID }})
	w.until(p, old.ID, func(it pipeline.Item) bool { return isDone(it) && it.Media.ID != old.Media.ID })
	it := w.until(p, gone.ID, func(it pipeline.Item) bool { return it.Due.After(w.clock.Now()) })
	require.Equal(t, gone.Media.ID, it.Media.ID)
	require.Equal(t, 3, w.submits())
}

// A rest after a fault of the configuration holds with an engine, too.
func TestAnEngineWaitsWhileAPersonHasToMend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wecom.SetTrustedIPs("198.51.100.1")
	p := w.pipe()
	entries, err := p.Enter(context.Background(), w.files(20), pipeline.EnterOptions{})
	require.NoError(t, err)
	a := newAlarm(w.clock.Now, entries...)
	p.Changed = func(it pipeline.Item) { // as the ledger of several machines does it
		if it.Held() {
			time.AfterFunc(400*time.Millisecond, func() { a.wake <- it.ID })
		}
	}
	w.serve(p, pipeline.ServeOptions{Keep: -1, Rest: 300 * time.Millisecond, Engine: a})
	require.Eventually(t, func() bool { return w.submits() >= 1 }, 10*time.Second, time.Millisecond)
	w.wecom.SetTrustedIPs("203.0.113.9")
	for _, e := range entries {
		w.until(p, e.Item.ID, isDone)
	}
	require.LessOrEqual(t, w.submits(), 24)
}

// What becomes due while it is being asked for is not thought another's.
func TestWhatBecomesDueMeanwhileIsCarriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	p.PollMin, p.PollMax = 10*time.Minute, 10*time.Minute
	entries, err := p.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	id := entries[0].Item.ID
	a := newAlarm(w.clock.Now, entries...)
	p.Journal = &meanwhile{Journal: p.Journal, claimed: func() {
		if again, said := a.answer(id); said {
			w.clock.Set(again.Add(time.Second))
		}
	}}
	w.serve(p, pipeline.ServeOptions{Keep: -1, Engine: a})
	require.Eventually(t, func() bool { _, said := a.answer(id); return said }, 10*time.Second, time.Millisecond)
	require.Zero(t, w.wecom.Count("media/get_upload_by_url_result"))
	a.wake <- id // a moment early
	require.Eventually(t, func() bool { return w.wecom.Count("media/get_upload_by_url_result") > 0 }, 10*time.Second, time.Millisecond)
}

// meanwhile calls claimed after each Claim.
type meanwhile struct {
	pipeline.Journal
	claimed func()
}

func (m *meanwhile) Claim(ctx context.Context, w pipeline.Want) ([]pipeline.Item, error) {
	defer m.claimed()
	return m.Journal.Claim(ctx, w)
}

func TestServeEndsWithItsEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := errors.New("no database")
	err := w.pipe().Serve(context.Background(), pipeline.ServeOptions{Keep: -1, Engine: failing{broken}})
	require.ErrorIs(t, err, broken)
}

type failing struct{ err error }

func (f failing) Run(context.Context, pipeline.Carry) error { return f.err }

// passing is an error that may be gone later.
type passing struct{}

func (passing) Error() string   { return "connection lost" }
func (passing) Temporary() bool { return true }

// cut is a ledger whose connection can be lost.
type cut struct {
	pipeline.Journal
	lease time.Duration
	off   atomic.Bool
	tried atomic.Int64 // while it was off
}

func (c *cut) Lease() time.Duration { return c.lease }

func (c *cut) broken() error {
	if c.off.Load() {
		c.tried.Add(1)
		return passing{}
	}
	return nil
}

func (c *cut) Beat(ctx context.Context) ([]int64, error) {
	if err := c.broken(); err != nil {
		return nil, err
	}
	return c.Journal.Beat(ctx)
}

func (c *cut) Record(ctx context.Context, it pipeline.Item, keep bool) (pipeline.Item, error) {
	if err := c.broken(); err != nil {
		return it, err
	}
	return c.Journal.Record(ctx, it, keep)
}

func (c *cut) Claim(ctx context.Context, w pipeline.Want) ([]pipeline.Item, error) {
	if err := c.broken(); err != nil {
		return nil, err
	}
	return c.Journal.Claim(ctx, w)
}

func (c *cut) Release(ctx context.Context, items []pipeline.Item) error {
	if err := c.broken(); err != nil {
		return err
	}
	return c.Journal.Release(ctx, items)
}

// A submit whose answer comes while the ledger is away for a moment is
// recorded when it is back, and not made twice.
func TestAnAnswerIsRecordedWhenTheLedgerIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	c := &cut{Journal: p.Journal, lease: 30 * time.Second}
	p.Journal = c
	w.wecom.Inject("media/upload_by_url", wecomtest.Fault{Slow: 200 * time.Millisecond})
	entries, err := p.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	w.serve(p, pipeline.ServeOptions{Keep: -1, Engine: newAlarm(w.clock.Now, entries...)})
	require.Eventually(t, func() bool { return w.submits() == 1 }, 10*time.Second, time.Millisecond)
	c.off.Store(true)
	require.Eventually(t, func() bool { return c.tried.Load() > 1 }, 10*time.Second, time.Millisecond)
	c.off.Store(false)
	w.until(p, entries[0].Item.ID, isDone)
	require.Equal(t, 1, w.submits())
}

// A machine that is cut off from the ledger makes no call after its claims
// have lapsed: others make it.
func TestAMachineThatIsCutOffMakesNoCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	c := &cut{Journal: p.Journal, lease: 3 * time.Second}
	p.Journal = c
	w.wecom.SetJobTime(time.Hour)
	hanging := make(chan struct{})
	began := make(chan struct{}, 1)
	w.bucket.hold = func(ctx context.Context) {
		began <- struct{}{}
		select {
		case <-ctx.Done(): // grounded
		case <-hanging:
		}
	}
	entries, err := p.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- p.Serve(ctx, pipeline.ServeOptions{Keep: -1, Engine: newAlarm(w.clock.Now, entries...)})
	}()
	<-began
	c.off.Store(true)
	select {
	case err := <-ended: // and whoever runs it tries again
		require.ErrorAs(t, err, new(passing))
	case <-time.After(20 * time.Second):
		t.Fatal("the upload was not given up")
	}
	close(hanging)
	require.Zero(t, w.submits())
	require.Empty(t, w.bucket.puts)
}
