package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/pipeline/journal"
	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// world is a WeCom, a bucket and a folder of files, for any number of
// pipelines on one ledger.
type world struct {
	t      testing.TB
	wecom  *wecomtest.Server
	clock  *wecomtest.Clock
	dir    string // of the files
	ledger string
	bucket *counted
	url    string
}

// counted is a bucket that counts.
type counted struct {
	storage.Driver
	mu   sync.Mutex
	puts map[string]int
	crcs map[string]uint32 // as told with the last Put
	dels int
	hold func(context.Context) // before each Put; nil: nothing
}

func (c *counted) Put(ctx context.Context, r storage.PutRequest) error {
	if c.hold != nil {
		c.hold(ctx)
	}
	err := c.Driver.Put(ctx, r)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.puts[r.Key]++
		c.crcs[r.Key] = r.CRC32C
	}
	return err
}

func (c *counted) Delete(ctx context.Context, key string) error {
	c.mu.Lock()
	c.dels++
	c.mu.Unlock()
	return c.Driver.Delete(ctx, key)
}

func newWorld(t testing.TB) *world { return newWorldOf(t, wecomtest.Options{}) }

// newWorldKeeping has a WeCom that hands media out again.
func newWorldKeeping(t testing.TB) *world { return newWorldOf(t, wecomtest.Options{KeepMedia: true}) }

func newWorldOf(t testing.TB, o wecomtest.Options) *world {
	w := &world{t: t, clock: &wecomtest.Clock{}, dir: t.TempDir(), ledger: filepath.Join(t.TempDir(), "l.db")}
	var err error
	o.Clock = w.clock
	w.wecom, err = wecomtest.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { w.wecom.Close() })
	d, err := dirbucket.Open("dir://" + t.TempDir())
	require.NoError(t, err)
	s := httptest.NewServer(d.Handler())
	t.Cleanup(s.Close)
	w.bucket, w.url = &counted{Driver: d, puts: map[string]int{}, crcs: map[string]uint32{}}, s.URL
	return w
}

// pipe is a new pipeline, as another process would have it.
func (w *world) pipe() *pipeline.Pipeline {
	w.t.Helper()
	j, err := journal.Open(context.Background(), w.ledger, journal.Options{Now: w.clock.Now})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { j.Close() })
	return w.pipeOn(j, "secret")
}

func (w *world) pipeOn(j pipeline.Journal, secret string) *pipeline.Pipeline {
	b, err := storage.New(w.bucket, storage.Options{PublicURL: w.url, Prefix: "media", Pause: time.Millisecond})
	require.NoError(w.t, err)
	c, err := wecom.New(wecom.Config{BaseURL: w.wecom.URL, CorpID: "wwtest", Secret: secret, Store: j, Now: w.clock.Now})
	require.NoError(w.t, err)
	return &pipeline.Pipeline{Corp: "wwtest", Journal: j, Bucket: b, WeCom: c, PollMin: 5 * time.Millisecond, PollMax: 20 * time.Millisecond}
}

// file writes an MP4 whose content depends on its seed.
func (w *world) file(name string, seed uint64) string {
	path := filepath.Join(w.dir, name)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(w.t, os.WriteFile(path, inspecttest.MP4(4000, seed), 0o644))
	return path
}

func (w *world) push(p *pipeline.Pipeline, path string) (pipeline.Item, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return p.PushFile(ctx, pipeline.File{Path: path})
}

func (w *world) submits() int { return w.wecom.Count("media/upload_by_url") }

func TestPush(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("开场.mp4", 1))
	require.NoError(t, err)
	require.Equal(t, pipeline.Done, it.Step)
	require.NotEmpty(t, it.Media.ID)
	require.Equal(t, wecom.MediaLife, it.Media.ExpiresAt.Sub(it.Media.CreatedAt))
	require.False(t, it.Reused)
	job := w.wecom.Jobs()[0]
	require.Equal(t, "开场.mp4", job.Filename)
	require.Equal(t, "video", job.Type)
	require.Equal(t, it.MD5, job.MD5)
}

// The bucket's service may compare a CRC32C at less cost: it is of the same
// reading as the MD5, and no process tells one that it has not seen itself.
func TestTheBucketIsToldTheChecksumOfTheReading(t *testing.T) {
	w := newWorld(t)
	path := w.file("a.mp4", 1)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	it, err := w.push(w.pipe(), path)
	require.NoError(t, err)
	require.Equal(t, map[string]uint32{it.Object.Key: crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))}, w.bucket.crcs)

	// Another process stages it again, after the media and the object died.
	w.clock.Advance(wecom.MediaLife)
	require.NoError(t, w.bucket.Driver.Delete(t.Context(), it.Object.Key))
	_, err = w.push(w.pipe(), path)
	require.NoError(t, err)
	require.Equal(t, 2, w.bucket.puts[it.Object.Key])
	require.Zero(t, w.bucket.crcs[it.Object.Key])
}

func TestPushAgainCostsNoCall(t *testing.T) {
	w := newWorld(t)
	path := w.file("a.mp4", 1)
	first, err := w.push(w.pipe(), path)
	require.NoError(t, err)
	calls := len(w.wecom.Calls())
	w.wecom.Close()
	again, err := w.push(w.pipe(), path)
	require.NoError(t, err)
	require.True(t, again.Reused)
	require.Equal(t, first.Media.ID, again.Media.ID)
	require.Equal(t, calls, len(w.wecom.Calls()))
}

func TestSameContentElsewhereIsReused(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	first, err := w.push(p, w.file("a/x.mp4", 1))
	require.NoError(t, err)
	second, err := w.push(p, w.file("b/x.mp4", 1))
	require.NoError(t, err)
	require.Equal(t, first.Media.ID, second.Media.ID)
	require.True(t, second.Reused)
	require.Equal(t, filepath.Join(w.dir, "b/x.mp4"), second.Path, "the path that was asked for")
	require.Equal(t, 1, w.submits())
}

func TestSameContentUnderAnotherNameIsStagedOnce(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	var files []pipeline.File
	for n := range 6 {
		files = append(files, pipeline.File{Path: w.file(fmt.Sprintf("%d.mp4", n), 1)})
	}
	w.run(p, files, pipeline.EnterOptions{})
	require.Equal(t, 6, w.submits())
	require.Len(t, w.bucket.puts, 1)
	for key, n := range w.bucket.puts {
		require.Equal(t, 1, n, key)
	}
}

// run enters files and runs until all are at their end.
func (w *world) run(p *pipeline.Pipeline, files []pipeline.File, o pipeline.EnterOptions) []pipeline.Entry {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	entries, err := p.Enter(ctx, files, o)
	require.NoError(w.t, err)
	ended := map[int]int{}
	require.NoError(w.t, p.Run(ctx, entries, pipeline.RunOptions{Again: o, Ended: func(i int, e pipeline.Entry) {
		ended[i]++
		entries[i] = e
	}}))
	for n := range files {
		require.Equal(w.t, 1, ended[n], "file %d ended", n)
	}
	return entries
}

func (w *world) files(n int) (files []pipeline.File) {
	for i := range n {
		files = append(files, pipeline.File{Path: w.file(fmt.Sprintf("f%03d.mp4", i), uint64(i+1))})
	}
	return files
}

// Four runs over the same files, each on its own handle of the ledger: each
// file is submitted once, and the token is fetched once.
func TestOverlappingRuns(t *testing.T) {
	w := newWorld(t)
	w.wecom.SetJobTime(50 * time.Millisecond)
	files := w.files(60)
	var wg sync.WaitGroup
	for range 4 {
		p := w.pipe()
		wg.Add(1)
		go func() {
			defer wg.Done()
			for _, e := range w.run(p, files, pipeline.EnterOptions{}) {
				require.Equal(t, pipeline.Done, e.Item.Step)
			}
		}()
	}
	wg.Wait()
	require.Equal(t, 60, w.submits())
	require.Equal(t, 1, w.wecom.Count("gettoken"))
	for key, n := range w.bucket.puts {
		require.Equal(t, 1, n, key)
	}
}

func TestReplacedContentIsSentAnew(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	first, err := w.push(p, path)
	require.NoError(t, err)
	w.file("a.mp4", 2)
	second, err := w.push(p, path)
	require.NoError(t, err)
	require.NotEqual(t, first.Media.ID, second.Media.ID)
	got, err := p.Media(context.Background(), "a.mp4", 0)
	require.NoError(t, err)
	require.Equal(t, second.Media.ID, got.Media.ID, "the name stands for the content that is there now")
}

func TestWhatWeComFetchedWrongIsMended(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault int
	}{
		{"no range", 830001}, {"not fetched", 830003}, {"other bytes", 301019}, {"busy", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wecom.Inject("media/upload_by_url", wecomtest.Fault{JobErrcode: c.fault})
			it, err := w.push(w.pipe(), w.file("a.mp4", 1))
			require.NoError(t, err)
			require.Equal(t, 2, w.submits())
			require.Nil(t, it.Fault)
		})
	}
}

func TestWhatStaysWrongIsHeld(t *testing.T) {
	w := newWorld(t)
	w.wecom.Inject("media/upload_by_url", wecomtest.Fault{JobErrcode: 301019, Times: -1})
	p := w.pipe()
	path := w.file("a.mp4", 1)
	it, err := w.push(p, path)
	var fe *pipeline.FaultError
	require.ErrorAs(t, err, &fe)
	require.Equal(t, "wecom/301019", it.Fault.Code)
	require.Equal(t, pipeline.Await, it.Fault.Step)
	require.Equal(t, 3, w.submits(), "bounded")

	w.wecom.ClearFaults()
	entries := w.run(p, []pipeline.File{{Path: path}}, pipeline.EnterOptions{})
	require.True(t, entries[0].Item.Held(), "a batch run leaves it alone")
	require.Equal(t, 3, w.submits())

	freed, err := p.Retry(context.Background(), nil)
	require.NoError(t, err)
	require.Len(t, freed, 1)
	entries = w.run(p, []pipeline.File{{Path: path}}, pipeline.EnterOptions{})
	require.Equal(t, pipeline.Done, entries[0].Item.Step)
}

func TestAFaultOfTheConfigurationEndsTheRun(t *testing.T) {
	w := newWorld(t)
	w.wecom.SetTrustedIPs("198.51.100.1")
	p := w.pipe()
	files := w.files(20)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	entries, err := p.Enter(ctx, files, pipeline.EnterOptions{})
	require.NoError(t, err)
	codes := map[string]int{}
	err = p.Run(ctx, entries, pipeline.RunOptions{Ended: func(_ int, e pipeline.Entry) { codes[e.Item.Fault.Code]++ }})
	var stop *pipeline.StopError
	require.ErrorAs(t, err, &stop)
	require.Equal(t, "wecom/60020", stop.Fault.Code)
	require.Contains(t, stop.Fault.Remedy.ZH, "203.0.113.9")
	require.Equal(t, 1, w.submits(), "one call")
	require.Equal(t, map[string]int{"wecom/60020": 20}, codes)

	w.wecom.SetTrustedIPs("203.0.113.9")
	for _, e := range w.run(p, files, pipeline.EnterOptions{}) {
		require.Equal(t, pipeline.Done, e.Item.Step, "mended: it goes on without a retry")
	}
	require.Equal(t, 21, w.submits())
}

func TestAWrongSecretIsTriedOnceOverAllRuns(t *testing.T) {
	w := newWorld(t)
	path := w.file("a.mp4", 1)
	for range 3 {
		p := w.pipe()
		p = w.pipeOn(p.Journal, "wrong")
		_, err := w.push(p, path)
		var stop *pipeline.StopError
		require.ErrorAs(t, err, &stop)
		require.Equal(t, "wecom/40001", stop.Fault.Code)
	}
	require.Equal(t, 1, w.wecom.Count("gettoken"))
	_, err := w.push(w.pipe(), path)
	require.NoError(t, err, "another secret is tried at once")
}

func TestRefusedFilesCostNoCall(t *testing.T) {
	w := newWorld(t)
	mov := filepath.Join(w.dir, "a.mp4")
	require.NoError(t, os.WriteFile(mov, inspecttest.MOV(4000, 1), 0o644))
	p := w.pipe()
	for path, code := range map[string]string{
		mov:                              "inspect/not-mp4",
		filepath.Join(w.dir, "nope.mp4"): "inspect/unreadable",
		w.dir:                            "inspect/not-regular",
	} {
		it, err := w.push(p, path)
		var fe *pipeline.FaultError
		require.ErrorAs(t, err, &fe, path)
		require.Equal(t, code, it.Fault.Code)
		require.NotEmpty(t, it.Fault.Remedy.ZH)
	}
	require.Empty(t, w.wecom.Calls())
	require.Empty(t, w.bucket.puts)
}

func TestNoWaitThenTakeTheResult(t *testing.T) {
	w := newWorld(t)
	w.wecom.SetJobTime(200 * time.Millisecond)
	p := w.pipe()
	files := w.files(1)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	entries, err := p.Enter(ctx, files, pipeline.EnterOptions{})
	require.NoError(t, err)
	require.NoError(t, p.Run(ctx, entries, pipeline.RunOptions{NoWait: true}))
	require.Equal(t, pipeline.Await, entries[0].Item.Step)
	require.Nil(t, entries[0].Item.Fault)
	it, err := w.push(w.pipe(), files[0].Path)
	require.NoError(t, err)
	require.Equal(t, pipeline.Done, it.Step)
	require.Equal(t, 1, w.submits())
}

func TestTimeoutLeavesTheItemOnItsWay(t *testing.T) {
	w := newWorld(t)
	w.wecom.Inject("media/upload_by_url", wecomtest.Fault{JobForever: true})
	p := w.pipe()
	entries, err := p.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	err = p.Run(ctx, entries, pipeline.RunOptions{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	it := entries[0].Item
	require.Equal(t, "wedrop/timeout", it.Fault.Code)
	require.True(t, it.Fault.Retry)
	now, err := p.Journal.Items(context.Background(), pipeline.Query{IDs: []int64{it.ID}})
	require.NoError(t, err)
	require.Nil(t, now[0].Fault, "the ledger knows of no fault")
}

// foresees refuses calls that would go after the deadline, as a Limiter may.
type foresees struct{ api string }

func (f foresees) Wait(ctx context.Context, api string) error {
	if _, ok := ctx.Deadline(); ok && api == f.api {
		return context.DeadlineExceeded
	}
	return nil
}

// Seen in a slow CI run: the limiter refused a query a moment before the end
// of the run, which then told of the query instead of the time.
func TestTimeoutThatALimiterForesees(t *testing.T) {
	w := newWorld(t)
	w.wecom.SetJobTime(time.Hour)
	p := w.pipe()
	var err error
	p.WeCom, err = wecom.New(wecom.Config{BaseURL: w.wecom.URL, CorpID: "wwtest", Secret: "secret", Store: p.Journal,
		Now: w.clock.Now, Limiter: foresees{"media/get_upload_by_url_result"}})
	require.NoError(t, err)
	entries, err := p.Enter(context.Background(), w.files(1), pipeline.EnterOptions{})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	err = p.Run(ctx, entries, pipeline.RunOptions{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "wedrop/timeout", entries[0].Item.Fault.Code)
	now, err := p.Journal.Items(context.Background(), pipeline.Query{IDs: []int64{entries[0].Item.ID}})
	require.NoError(t, err)
	require.Nil(t, now[0].Fault, "the ledger knows of no fault")
}

// A run that is interrupted at any moment loses nothing and does nothing
// twice.
func TestInterruptedRunsGoOn(t *testing.T) {
	w := newWorld(t)
	w.wecom.SetJobTime(20 * time.Millisecond)
	files := w.files(60)
	p := w.pipe()
	for n := range 12 {
		entries, err := p.Enter(context.Background(), files, pipeline.EnterOptions{})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(5+3*n)*time.Millisecond)
		err = p.Run(ctx, entries, pipeline.RunOptions{})
		cancel()
		if err != nil {
			require.True(t, errors.Is(err, context.DeadlineExceeded), "%v", err)
		}
	}
	for _, e := range w.run(w.pipe(), files, pipeline.EnterOptions{}) {
		require.Equal(t, pipeline.Done, e.Item.Step)
	}
	require.Equal(t, 60, w.submits())
	for key, n := range w.bucket.puts {
		require.Equal(t, 1, n, key)
	}
}

func TestMediaIsValidNow(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	first, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	get := func(ttl time.Duration) pipeline.Item {
		it, err := p.Media(ctx, "a.mp4", ttl)
		require.NoError(t, err)
		require.Greater(t, it.Media.ExpiresAt.Sub(w.clock.Now()), ttl)
		return it
	}
	require.Equal(t, first.Media.ID, get(time.Hour).Media.ID)
	require.Equal(t, 1, w.submits())
	w.clock.Advance(71*time.Hour + time.Minute)
	renewed := get(time.Hour)
	require.NotEqual(t, first.Media.ID, renewed.Media.ID)
	require.Equal(t, 2, w.submits())
	require.Len(t, w.bucket.puts, 1, "from the same object")
	for _, n := range w.bucket.puts {
		require.Equal(t, 1, n)
	}
	w.clock.Advance(100 * time.Hour)
	get(0)
	require.Equal(t, 3, w.submits())

	_, err = p.Media(ctx, "nobody", 0)
	require.ErrorAs(t, err, new(*pipeline.NotFoundError))
	_, err = w.push(p, w.file("sub/a.mp4", 9))
	require.NoError(t, err)
	_, err = p.Media(ctx, "a.mp4", 0)
	var amb *pipeline.AmbiguousError
	require.ErrorAs(t, err, &amb)
	require.Len(t, amb.Items, 2)
	it, err := p.Media(ctx, filepath.Join(w.dir, "sub/a.mp4"), 0)
	require.NoError(t, err)
	require.Equal(t, amb.Items[0].ID, it.ID, "a path says which")
}

func TestAPathSentUnderTwoNames(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	w.run(p, []pipeline.File{{Path: path}, {Path: path, Name: "夏.mp4"}}, pipeline.EnterOptions{})
	for _, name := range []string{"a.mp4", "夏.mp4"} {
		it, err := p.Media(context.Background(), name, 0)
		require.NoError(t, err)
		require.Equal(t, name, it.Name)
	}
	it, err := p.Media(context.Background(), path, 0)
	require.NoError(t, err)
	require.Equal(t, "a.mp4", it.Name, "its own name goes before the one that it was given")
	byMD5, err := p.Media(context.Background(), it.MD5, 0)
	require.NoError(t, err)
	require.Equal(t, it.ID, byMD5.ID)
}

func TestRenewalOfAPoisonedObjectStagesAnew(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	it, err := w.push(p, path)
	require.NoError(t, err)
	require.NoError(t, w.bucket.Driver.Delete(context.Background(), it.Object.Key)) // somebody tidied up
	w.clock.Advance(73 * time.Hour)
	again, err := w.push(p, path)
	require.NoError(t, err)
	require.NotEqual(t, it.Media.ID, again.Media.ID)
}

func TestClean(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	it, err := w.push(p, path)
	require.NoError(t, err)
	n, err := p.Clean(context.Background(), time.Hour)
	require.NoError(t, err)
	require.Zero(t, n)
	w.clock.Advance(2 * time.Hour)
	n, err = p.Clean(context.Background(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = w.bucket.Head(context.Background(), it.Object.Key)
	require.Error(t, err, "it is gone")
	again, err := w.push(p, path)
	require.NoError(t, err)
	require.True(t, again.Reused, "the media_id lives on without the object")
	w.clock.Advance(72 * time.Hour)
	_, err = w.push(p, path)
	require.NoError(t, err, "and is renewed from the file")
	require.Equal(t, 2, w.bucket.puts[it.Object.Key])
}

func TestForceSendsAgain(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	first, err := w.push(p, path)
	require.NoError(t, err)
	e := w.run(p, []pipeline.File{{Path: path}}, pipeline.EnterOptions{Force: true})[0]
	require.NotEqual(t, first.Media.ID, e.Item.Media.ID)
	require.False(t, e.Item.Reused)
	require.Equal(t, 2, w.submits())
}

func TestPlanChangesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	it, err := p.Plan(context.Background(), pipeline.File{Path: path}, pipeline.EnterOptions{})
	require.NoError(t, err)
	require.Equal(t, pipeline.Stage, it.Step)
	require.Equal(t, w.url+"/"+it.Object.Key, it.Object.URL)
	require.Empty(t, w.wecom.Calls())
	all, err := p.Journal.Items(context.Background(), pipeline.Query{})
	require.NoError(t, err)
	require.Empty(t, all)
	_, err = w.push(p, path)
	require.NoError(t, err)
	it, err = p.Plan(context.Background(), pipeline.File{Path: path}, pipeline.EnterOptions{})
	require.NoError(t, err)
	require.True(t, it.Reused)
}

func TestHistoryTellsWhatHappened(t *testing.T) {
	w := newWorld(t)
	w.wecom.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 48002})
	p := w.pipe()
	path := w.file("a.mp4", 1)
	_, err := w.push(p, path)
	require.Error(t, err)
	it, err := w.push(p, path)
	require.NoError(t, err)
	var got []string
	for _, e := range it.History {
		require.NotZero(t, e.At)
		require.Equal(t, 1, e.N)
		got = append(got, string(e.What)+" "+string(e.Step)+e.Code)
	}
	require.Equal(t, []string{"moved_on stage", "moved_on submit", "stopped submitwecom/48002", "retried submit", "moved_on await", "moved_on done"}, got)
	w.clock.Advance(73 * time.Hour)
	it, err = w.push(p, path)
	require.NoError(t, err)
	require.Equal(t, "renewing submit", string(it.History[6].What)+" "+string(it.History[6].Step))
}

// What nothing is left of is forgotten after ninety days; a file that is
// there, or may be, keeps its Item.
func TestOldItemsAreForgotten(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	files := w.files(4)
	w.run(p, files, pipeline.EnterOptions{})
	require.NoError(t, os.Remove(files[0].Path))
	alone := filepath.Join(t.TempDir(), "unmounted", "b.bin")
	require.NoError(t, os.Mkdir(filepath.Dir(alone), 0o755))
	require.NoError(t, os.WriteFile(alone, []byte("another drive"), 0o644))
	_, err := w.push(p, alone)
	require.NoError(t, err)
	require.NoError(t, os.Remove(alone)) // its folder is empty now

	items := func() int {
		all, err := p.Journal.Items(context.Background(), pipeline.Query{Corp: "wwtest"})
		require.NoError(t, err)
		return len(all)
	}
	w.clock.Advance(80 * 24 * time.Hour)
	_, err = p.Clean(context.Background(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 5, items(), "not before its time")
	w.clock.Advance(20 * 24 * time.Hour)
	_, err = p.Clean(context.Background(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 4, items(), "the one whose file is gone")
	found, err := p.Find(context.Background(), files[0].Path)
	require.NoError(t, err)
	require.Empty(t, found)
}
