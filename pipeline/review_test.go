package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage"
)

// hooked is a bucket with something to do at each removal.
type hooked struct {
	storage.Driver
	deleting func(key string)
}

func (h *hooked) Delete(ctx context.Context, key string) error {
	h.deleting(key)
	return h.Driver.Delete(ctx, key)
}

// A clean-up that is slower than the doom of its objects leaves alone what
// somebody has staged anew meanwhile.
func TestASlowCleanRemovesNothingThatIsStagedAgain(t *testing.T) {
	w := newWorld(t)
	tool, cleaner := w.pipe(), w.pipe()
	paths := []string{w.file("a.mp4", 1), w.file("b.mp4", 2)}
	var keys []string
	for _, path := range paths {
		it, err := w.push(tool, path)
		require.NoError(t, err)
		keys = append(keys, it.Object.Key)
	}
	w.clock.Advance(80 * time.Hour) // nobody needs them
	first := true
	h := &hooked{Driver: w.bucket.Driver}
	h.deleting = func(key string) {
		if !first {
			return
		}
		first = false
		w.clock.Advance(10 * time.Minute) // the bucket is slow
		for n := range keys {
			if keys[n] != key {
				_, err := w.push(tool, paths[n])
				require.NoError(t, err)
			}
		}
	}
	w.bucket.Driver = h
	n, err := cleaner.Clean(context.Background(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, errA := w.bucket.Head(context.Background(), keys[0])
	_, errB := w.bucket.Head(context.Background(), keys[1])
	require.True(t, (errA == nil) != (errB == nil), "the one that is needed again is there: %v, %v", errA, errB)
	w.clock.Advance(80 * time.Hour)
	n, err = cleaner.Clean(context.Background(), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 1, n, "and is removed when its time comes")
}

func TestRetryOfNoIdsReleasesAll(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	it := w.refused(p)
	freed, err := p.Retry(context.Background(), []int64{})
	require.NoError(t, err)
	require.Len(t, freed, 1)
	require.Equal(t, it.ID, freed[0].ID)
}

// refused is an Item that is held.
func (w *world) refused(p *pipeline.Pipeline) pipeline.Item {
	path := filepath.Join(w.dir, "held.mp4")
	require.NoError(w.t, os.WriteFile(path, inspecttest.Truncated(4000, 100, 1), 0o644))
	it, err := w.push(p, path)
	require.Error(w.t, err)
	return it
}

// shared are two files of one content and name, whose object is gone and
// whose media_id is dead. The Item has the path of the second.
func (w *world) shared(p *pipeline.Pipeline) (a, b string, it pipeline.Item) {
	a, b = w.file("a/x.mp4", 1), w.file("b/x.mp4", 1)
	for _, path := range []string{a, b} {
		var err error
		it, err = w.push(p, path)
		require.NoError(w.t, err)
	}
	w.clock.Advance(80 * time.Hour)
	n, err := p.Clean(context.Background(), time.Hour)
	require.NoError(w.t, err)
	require.Equal(w.t, 1, n)
	return a, b, it
}

// Of two files that shared an Item one is replaced before the media_id is
// renewed: each gets the media_id of its own content.
func TestOneOfTwoEqualFilesIsReplaced(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	a, b, it := w.shared(p)
	w.file("b/x.mp4", 2)
	got, err := w.push(p, a)
	require.NoError(t, err)
	require.Equal(t, it.MD5, got.MD5)
	require.Equal(t, a, got.Path)
	other, err := w.push(p, b)
	require.NoError(t, err)
	require.NotEqual(t, it.MD5, other.MD5)
	require.NotEqual(t, got.Media.ID, other.Media.ID)
	again, err := w.push(p, a)
	require.NoError(t, err)
	require.Equal(t, got.Media.ID, again.Media.ID)
}

// The same, but it is the daemon that renews, and nobody says which file.
func TestOneOfTwoEqualFilesIsReplacedBeforeARenewal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	a, b, it := w.shared(p)
	w.file("b/x.mp4", 2)
	_, err := p.Journal.Amend(context.Background(), []int64{it.ID}, func(it *pipeline.Item) bool {
		it.Step, it.Due = pipeline.Stage, w.clock.Now()
		return true
	})
	require.NoError(t, err)
	w.serve(w.pipe(), pipeline.ServeOptions{Keep: -1})
	now := w.until(p, it.ID, isDone)
	require.NotEqual(t, it.MD5, now.MD5, "it is the replaced file's by now")
	got, err := w.push(p, a)
	require.NoError(t, err)
	require.Equal(t, it.MD5, got.MD5)
	got, err = w.push(p, b)
	require.NoError(t, err)
	require.Equal(t, now.Media.ID, got.Media.ID)
}

// In one run over both, too.
func TestOneOfTwoEqualFilesIsReplacedInARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a, b, it := w.shared(p)
	entries, err := p.Enter(ctx, []pipeline.File{{Path: b}, {Path: a}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	w.file("b/x.mp4", 2)
	require.NoError(t, p.Run(ctx, entries, pipeline.RunOptions{}))
	require.NotEqual(t, it.MD5, entries[0].Item.MD5)
	require.Equal(t, it.MD5, entries[1].Item.MD5)
	for _, e := range entries {
		require.Equal(t, pipeline.Done, e.Item.Step)
	}
}

// Of two equal files one is gone: the other is sent all the same.
func TestOneOfTwoEqualFilesIsGone(t *testing.T) {
	w := newWorld(t)
	p := w.pipe()
	a, b, it := w.shared(p)
	require.NoError(t, os.Remove(b))
	_, err := p.Media(context.Background(), "id:"+fmt.Sprint(it.ID), 0)
	require.ErrorAs(t, err, new(*pipeline.FaultError), "nobody has said where it is")
	e := w.run(p, []pipeline.File{{Path: a}}, pipeline.EnterOptions{})[0]
	require.Nil(t, e.Item.Fault, "that fault is about another file")
	require.Equal(t, pipeline.Done, e.Item.Step)
	require.Equal(t, it.MD5, e.Item.MD5)
}

// While a replaced file is on its way, the media_id of its old content does
// not stand for it.
func TestTheMediaOfOldContentDoesNotStandForTheNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	it, err := w.push(p, path)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	entries, err := p.Enter(ctx, []pipeline.File{{Path: path}}, pipeline.EnterOptions{Force: true})
	require.NoError(t, err)
	require.NoError(t, w.bucket.Driver.Delete(ctx, it.Object.Key))
	w.file("a.mp4", 2)
	require.NoError(t, p.Run(ctx, entries, pipeline.RunOptions{NoWait: true}))
	now := entries[0].Item
	require.NotEqual(t, it.MD5, now.MD5)
	require.Nil(t, now.Media)
	got, err := p.Media(ctx, path, 0)
	require.NoError(t, err)
	require.NotEqual(t, it.Media.ID, got.Media.ID)
}

// busy is a ledger in which something happens while a run reads its entries,
// and which records no upload before that.
type busy struct {
	pipeline.Journal
	happened chan struct{}
	at       func(ids []int64)
}

func (b *busy) Record(ctx context.Context, it pipeline.Item, keep bool) (pipeline.Item, error) {
	if it.Step == pipeline.Submit {
		<-b.happened
	}
	return b.Journal.Record(ctx, it, keep)
}

func (b *busy) Entries(ctx context.Context, ids []int64) ([]pipeline.Entry, error) {
	b.at(ids)
	return b.Journal.Entries(ctx, ids)
}

// A file is replaced, and another process enters it anew, while its old
// content is on its way: the run goes on with the new.
func TestReplacedAndEnteredByAnotherProcessDuringARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.pipe(), w.pipe()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	path, taken := w.file("a.mp4", 1), w.file("taken.mp4", 5)
	entries, err := p.Enter(ctx, []pipeline.File{{Path: path}, {Path: taken}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	claimed, err := other.Journal.Claim(ctx, pipeline.Want{Corp: "wwtest", Hosts: []string{host()}, Steps: []pipeline.Step{pipeline.Inspect}, IDs: []int64{entries[1].Item.ID}, Limit: 1})
	require.NoError(t, err)
	require.Len(t, claimed, 1) // so that the run looks at what others do
	swept, replaced := 0, make(chan struct{})
	p.Journal = &busy{p.Journal, replaced, func([]int64) {
		if swept++; swept == 2 {
			w.file("a.mp4", 2)
			_, err := other.Enter(ctx, []pipeline.File{{Path: path}}, pipeline.EnterOptions{})
			require.NoError(t, err)
			require.NoError(t, other.Journal.Release(ctx, claimed))
			time.AfterFunc(100*time.Millisecond, func() { close(replaced) })
		}
	}}
	require.NoError(t, p.Run(ctx, entries, pipeline.RunOptions{}))
	for _, e := range entries {
		require.Equal(t, pipeline.Done, e.Item.Step)
	}
	plan, err := p.Plan(ctx, pipeline.File{Path: path}, pipeline.EnterOptions{})
	require.NoError(t, err)
	require.Equal(t, plan.MD5, entries[0].Item.MD5, "the content that is there now")
}

// Whoever asks for a media_id by name is answered though another process
// merges the Item that it waits for into another.
func TestMediaOfAnItemThatIsMergedByAnotherProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.pipe(), w.pipe()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	first, err := w.push(p, w.file("a/x.mp4", 1))
	require.NoError(t, err)
	path := w.file("b/x.mp4", 1)
	entries, err := p.Enter(ctx, []pipeline.File{{Path: path}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	claimed, err := other.Journal.Claim(ctx, pipeline.Want{Corp: "wwtest", Hosts: []string{host()}, Steps: []pipeline.Step{pipeline.Inspect}, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, entries[0].Item.ID, claimed[0].ID)
	var wg sync.WaitGroup
	wg.Go(func() {
		it := claimed[0]
		it.MD5, it.Type, it.Name, it.Size, it.Step = first.MD5, first.Type, first.Name, first.Size, pipeline.Stage
		time.Sleep(300 * time.Millisecond)
		_, err := other.Journal.Record(ctx, it, false)
		require.NoError(t, err)
	})
	got, err := p.Media(ctx, path, 0)
	wg.Wait()
	require.NoError(t, err)
	require.Equal(t, first.Media.ID, got.Media.ID)
}

// A daemon looks at a done Item just when somebody asks for more life than
// its media_id has.
func TestMediaWhileADaemonLooksAtTheItem(t *testing.T) {
	w := newWorld(t)
	p, other := w.pipe(), w.pipe()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	first, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	w.clock.Advance(71 * time.Hour)
	claimed, err := other.Journal.Claim(ctx, pipeline.Want{Corp: "wwtest", Hosts: []string{host()}, Steps: []pipeline.Step{pipeline.Done}, Limit: 1})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		time.Sleep(200 * time.Millisecond)
		require.NoError(t, other.Journal.Release(ctx, claimed))
	})
	got, err := p.Media(ctx, "a.mp4", 2*time.Hour)
	wg.Wait()
	require.NoError(t, err)
	require.NotEqual(t, first.Media.ID, got.Media.ID)
	require.True(t, got.Valid(w.clock.Now(), 2*time.Hour))
}

func host() string {
	h, _ := os.Hostname()
	return h
}
