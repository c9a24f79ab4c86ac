package riverengine_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
	"wedrop/pipeline/riverengine"
	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// office is a WeCom, a bucket, a shared folder and a database, for any number
// of machines.
type office struct {
	t      testing.TB
	url    string // of the database
	wecom  *wecomtest.Server
	clock  *wecomtest.Clock // of WeCom and of the ledger
	dir    string           // all machines see it
	bucket storage.Driver
	public string
}

func newOffice(t testing.TB) *office {
	o := &office{t: t, url: pgtest.Start(t), clock: &wecomtest.Clock{}, dir: t.TempDir()}
	var err error
	o.wecom, err = wecomtest.Start(wecomtest.Options{Clock: o.clock})
	require.NoError(t, err)
	t.Cleanup(func() { o.wecom.Close() })
	d, err := dirbucket.Open("dir://" + t.TempDir())
	require.NoError(t, err)
	s := httptest.NewServer(d.Handler())
	t.Cleanup(s.Close)
	o.bucket, o.public = d, s.URL
	return o
}

// A machine is a process with its own connections.
type machine struct {
	*pipeline.Pipeline
	engine  *riverengine.Engine
	journal *postgres.Journal
	fuse    *fuse
	steps   atomic.Int64 // that it did
	stop    func()
}

// fuse is a ledger that can blow: then nothing comes through, as when the
// machine is switched off.
type fuse struct {
	*postgres.Journal
	blown atomic.Bool
}

type off struct{}

func (off) Error() string { return "switched off" }

func (f *fuse) Beat(ctx context.Context) ([]int64, error) {
	if f.blown.Load() {
		return nil, off{}
	}
	return f.Journal.Beat(ctx)
}

func (f *fuse) Record(ctx context.Context, it pipeline.Item, keep bool) (pipeline.Item, error) {
	if f.blown.Load() {
		return it, off{}
	}
	return f.Journal.Record(ctx, it, keep)
}

func (f *fuse) Release(ctx context.Context, items []pipeline.Item) error {
	if f.blown.Load() {
		return off{}
	}
	return f.Journal.Release(ctx, items)
}

// machine opens the ledger as a further machine.
func (o *office) machine(name string) *machine {
	o.t.Helper()
	ctx := context.Background()
	e, err := riverengine.New(riverengine.Options{Corp: "wwtest", Sweep: 300 * time.Millisecond})
	require.NoError(o.t, err)
	j, err := postgres.Open(ctx, o.url, postgres.Options{Wake: e.Wake, Noted: e.Noted, Now: o.clock.Now})
	require.NoError(o.t, err)
	o.t.Cleanup(func() { j.Close() })
	require.NoError(o.t, e.Use(ctx, j))
	m := &machine{engine: e, journal: j, fuse: &fuse{Journal: j}}
	b, err := storage.New(o.bucket, storage.Options{PublicURL: o.public, Prefix: "media", Pause: time.Millisecond})
	require.NoError(o.t, err)
	c, err := wecom.New(wecom.Config{BaseURL: o.wecom.URL, CorpID: "wwtest", Secret: "secret", Store: j, Now: o.clock.Now, PerMinute: 600_000})
	require.NoError(o.t, err)
	m.Pipeline = &pipeline.Pipeline{Corp: "wwtest", Journal: m.fuse, Bucket: b, WeCom: c, Host: name, Shares: []string{o.dir},
		PollMin: 5 * time.Millisecond, PollMax: 20 * time.Millisecond,
		Observe: func(pipeline.Step, time.Duration, *pipeline.Fault) { m.steps.Add(1) }}
	return m
}

// serve lets a machine work until the test ends, or its stop is called.
func (o *office) serve(m *machine, opts pipeline.ServeOptions) *machine {
	opts.Engine, opts.Keep = m.engine.Serving(m.Pipeline), -1
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := m.Serve(ctx, opts); ctx.Err() == nil && !m.fuse.blown.Load() {
			o.t.Errorf("%s stopped serving: %v", m.Host, err)
		}
	}()
	m.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(15 * time.Second):
			o.t.Errorf("%s did not stop", m.Host)
		}
	})
	o.t.Cleanup(m.stop)
	return m
}

// files writes n small videos into the shared folder.
func (o *office) files(n int) []pipeline.File {
	files := make([]pipeline.File, n)
	for i := range files {
		files[i].Path = o.file(o.dir, fmt.Sprintf("%03d.mp4", i), uint64(i+1))
	}
	return files
}

func (o *office) file(dir, name string, seed uint64) string {
	path := filepath.Join(dir, name)
	require.NoError(o.t, os.WriteFile(path, inspecttest.MP4(4000, seed), 0o644))
	return path
}

func (o *office) enter(m *machine, files []pipeline.File) []int64 {
	entries, err := m.Enter(context.Background(), files, pipeline.EnterOptions{})
	require.NoError(o.t, err)
	ids := make([]int64, len(entries))
	for n, e := range entries {
		ids[n] = e.Item.ID
	}
	return ids
}

// until waits until ok holds for each of the Items.
func (o *office) until(m *machine, ids []int64, ok func(pipeline.Item) bool) []pipeline.Item {
	o.t.Helper()
	var items []pipeline.Item
	for end := time.Now().Add(60 * time.Second); ; {
		var err error
		items, err = m.journal.Items(context.Background(), pipeline.Query{IDs: ids})
		require.NoError(o.t, err)
		left := len(ids)
		for _, it := range items {
			if ok(it) {
				left--
			}
		}
		if left == 0 {
			return items
		}
		if time.Now().After(end) {
			for _, it := range items {
				if !ok(it) {
					o.t.Logf("%d: %s, due %v, fault %v, now %v", it.ID, it.Step, it.Due, it.Fault, o.clock.Now())
				}
			}
			require.FailNow(o.t, "items stand still", "%d of %d", left, len(ids))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func done(it pipeline.Item) bool { return it.Step == pipeline.Done }

func at(s pipeline.Step) func(pipeline.Item) bool {
	return func(it pipeline.Item) bool { return it.Step == s }
}

func (o *office) submits() int { return o.wecom.Count("media/upload_by_url") }

func TestThreeMachinesCarryEachFileOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	machines := []*machine{o.machine("a"), o.machine("b"), o.machine("c")}
	files := o.files(300)
	for _, m := range machines {
		o.serve(m, pipeline.ServeOptions{})
	}
	var ids []int64
	for n := range 3 { // each machine finds all of them, as watchers of one share do
		ids = o.enter(machines[n], files)
	}
	began := time.Now()
	o.until(machines[0], ids, done)
	t.Logf("300 files in %v", time.Since(began))
	require.Equal(t, 300, o.submits())
	for _, m := range machines {
		require.Positive(t, m.steps.Load(), "%s did nothing", m.Host)
		t.Logf("%s did %d steps", m.Host, m.steps.Load())
	}
}

// A callback to one machine brings the result at once, though the Item's job
// sleeps for an hour on another.
func TestACallbackIsActedOnAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, b := o.machine("a"), o.machine("b")
	for _, m := range []*machine{a, b} {
		m.PollMin, m.PollMax = 55*time.Minute, 55*time.Minute
	}
	o.wecom.SetJobTime(45 * time.Minute)
	o.serve(a, pipeline.ServeOptions{})
	ids := o.enter(a, o.files(5))
	items := o.until(a, ids, at(pipeline.Await))
	o.clock.Advance(50 * time.Minute)
	require.Zero(t, o.wecom.Count("media/get_upload_by_url_result"))
	for _, it := range items {
		began := time.Now()
		require.NoError(t, b.Finished(context.Background(), it.Job.ID))
		o.until(a, []int64{it.ID}, done)
		t.Logf("callback to done: %v", time.Since(began))
	}
}

// A killed machine releases nothing. When its leases have lapsed the others go
// on with what it had, and what it had submitted is not submitted again.
func TestAKilledMachinesItemsGoOn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, b := o.machine("a"), o.machine("b")
	o.wecom.SetJobTime(time.Hour)
	o.serve(a, pipeline.ServeOptions{})
	ids := o.enter(a, o.files(40))
	require.Eventually(t, func() bool { return o.submits() > 5 }, 30*time.Second, time.Millisecond)
	a.fuse.blown.Store(true)
	a.stop()
	made := o.submits()
	o.serve(b, pipeline.ServeOptions{})
	o.clock.Advance(a.journal.Lease() + 10*time.Second)
	o.until(b, ids, at(pipeline.Await))
	require.LessOrEqual(t, o.submits(), 41, "one at the instant of death may be made twice")
	require.Greater(t, o.submits(), made)
}

// A job that is lost, for whatever reason, is missed by nobody.
func TestALostJobIsHealed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a := o.machine("a")
	ids := o.enter(a, o.files(20))
	tag, err := a.journal.Pool().Exec(context.Background(), `DELETE FROM river_job`)
	require.NoError(t, err)
	require.EqualValues(t, 20, tag.RowsAffected(), "one for each, in the transaction that entered it")
	o.serve(a, pipeline.ServeOptions{})
	o.clock.Advance(time.Minute)
	o.until(a, ids, done)
}

// Renewals have no job for their sixty hours: the table of jobs stays small.
func TestRenewalsComeWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a := o.serve(o.machine("a"), pipeline.ServeOptions{Renew: func(pipeline.Item) bool { return true }})
	ids := o.enter(a, o.files(3))
	was := map[int64]string{}
	for _, it := range o.until(a, ids, done) {
		was[it.ID] = it.Media.ID
	}
	require.Eventually(t, func() bool {
		var n int
		err := a.journal.Pool().QueryRow(context.Background(),
			`SELECT count(*) FROM river_job WHERE state IN ('available','scheduled','running','retryable')`).Scan(&n)
		return err == nil && n == 0
	}, 20*time.Second, 10*time.Millisecond)
	o.clock.Advance(61 * time.Hour)
	o.until(a, ids, func(it pipeline.Item) bool { return done(it) && it.Media.ID != was[it.ID] })
	require.Equal(t, 6, o.submits())
}

// A local file waits for its machine, and says so.
func TestAFileWaitsForItsMachine(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, b := o.machine("a"), o.machine("b")
	path := o.file(t.TempDir(), "local.mp4", 77)
	ids := o.enter(a, []pipeline.File{{Path: path}})
	o.serve(b, pipeline.ServeOptions{})
	o.clock.Advance(2 * time.Minute)
	items := o.until(b, ids, func(it pipeline.Item) bool { return it.Fault != nil })
	require.Equal(t, "wedrop/host-away", items[0].Fault.Code)
	require.Contains(t, items[0].Fault.Message.EN, "machine a")
	o.serve(a, pipeline.ServeOptions{})
	items = o.until(b, ids, done)
	require.Nil(t, items[0].Fault)
}

// A machine that stops lets go of what it carries at once.
func TestAStoppingMachineLetsGo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, b := o.machine("a"), o.machine("b")
	o.serve(a, pipeline.ServeOptions{})
	ids := o.enter(a, o.files(100))
	require.Eventually(t, func() bool { return o.submits() > 10 }, 30*time.Second, time.Millisecond)
	a.stop()
	o.serve(b, pipeline.ServeOptions{})
	o.until(b, ids, done) // the clock stands still: no lease lapses
	require.Equal(t, 100, o.submits())
}

func TestMachinesMayStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var starting sync.WaitGroup
	for n := range 4 {
		starting.Go(func() {
			e, err := riverengine.New(riverengine.Options{Corp: "wwtest"})
			if err != nil {
				t.Error(err)
				return
			}
			j, err := postgres.Open(context.Background(), o.url, postgres.Options{Wake: e.Wake, Noted: e.Noted})
			if err != nil {
				t.Errorf("machine %d: %v", n, err)
				return
			}
			defer j.Close()
			if err := e.Use(context.Background(), j); err != nil {
				t.Errorf("machine %d: %v", n, err)
			}
		})
	}
	starting.Wait()
}

// What one, two and three machines do, in one process and on one database,
// against a WeCom and a bucket that answer at once.
func BenchmarkMachines(b *testing.B) {
	for _, n := range []int{1, 2, 3, 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o := newOffice(b)
			var machines []*machine
			for i := range n {
				machines = append(machines, o.serve(o.machine(fmt.Sprint(i)), pipeline.ServeOptions{}))
			}
			files := o.files(b.N)
			b.ResetTimer()
			for len(files) > 0 {
				some := files[:min(len(files), 500)]
				files = files[len(some):]
				o.enter(machines[0], some)
			}
			for left := b.N; left > 0; time.Sleep(20 * time.Millisecond) {
				stats, err := machines[0].journal.Stats(context.Background(), "wwtest")
				require.NoError(b, err)
				left = b.N
				for _, s := range stats {
					if s.Step == pipeline.Done {
						left -= s.N
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "files/s")
		})
	}
}
