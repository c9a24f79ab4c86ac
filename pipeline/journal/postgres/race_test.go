package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// machines are several journals on one new database.
func machines(t *testing.T, n int) (js []*postgres.Journal) {
	db := pgtest.Start(t)
	for range n {
		js = append(js, open(t, db, postgres.Options{Conns: 4}))
	}
	return js
}

// files are n files that nobody has read.
func files(n int) (out []pipeline.File) {
	for i := range n {
		out = append(out, pipeline.File{Path: fmt.Sprintf("/in/%d.mp4", i), Type: inspect.Auto, ID: inspect.FileID{Size: 10, MTime: 1}})
	}
	return out
}

func want(step pipeline.Step, limit int) pipeline.Want {
	return pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{step}, Limit: limit}
}

// known is it as it was read.
func known(it pipeline.Item, md5, name string) pipeline.Item {
	it.MD5, it.Name, it.Type, it.Size, it.Step = md5, name, inspect.Video, 10, pipeline.Stage
	return it
}

// Three machines enter one folder at once: each file has one Item.
func TestMachinesEnterTheSameFolder(t *testing.T) {
	t.Parallel()
	all := files(300)
	var wg sync.WaitGroup
	for _, j := range machines(t, 3) {
		mine := append([]pipeline.File(nil), all...)
		rand.Shuffle(len(mine), func(a, b int) { mine[a], mine[b] = mine[b], mine[a] })
		wg.Go(func() {
			e, err := j.Enter(bg, "corp", "here", mine)
			if err != nil || len(e) != len(mine) {
				t.Errorf("%d entries, %v", len(e), err)
			}
			for n := range e {
				if e[n].ID == 0 || e[n].File != mine[n] {
					t.Errorf("%+v is not the entry of %+v", e[n], mine[n])
				}
			}
		})
		defer func() {
			items, err := j.Items(bg, pipeline.Query{})
			require.NoError(t, err)
			require.Len(t, items, len(all))
		}()
	}
	wg.Wait()
}

// Machines read equal content at once: in the end it is one Item, with all of
// the files.
func TestMachinesFindEqualContent(t *testing.T) {
	t.Parallel()
	js := machines(t, 3)
	const n = 60
	entries, err := js[0].Enter(bg, "corp", "here", files(n))
	require.NoError(t, err)
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(n)
	for _, j := range js {
		for range 3 {
			wg.Go(func() {
				for left.Load() > 0 {
					got, err := j.Claim(bg, want(pipeline.Inspect, 3))
					if err != nil {
						t.Error(err)
						return
					}
					for _, it := range got {
						if _, err := j.Record(bg, known(it, fmt.Sprintf("%032x", it.ID%2), "x.mp4"), rand.N(2) == 0); err != nil {
							t.Error(err)
						}
						left.Add(-1)
					}
				}
			})
		}
	}
	wg.Wait()
	items, err := js[1].Items(bg, pipeline.Query{Corp: "corp"})
	require.NoError(t, err)
	require.Len(t, items, 2)
	ids := make([]int64, n)
	for i, e := range entries {
		ids[i] = e.ID
	}
	now, err := js[2].Entries(bg, ids)
	require.NoError(t, err)
	for _, e := range now {
		require.Contains(t, []int64{items[0].ID, items[1].ID}, e.Item.ID, "a file lost its Item")
	}
}

// However many machines want to stage or remove it, one content is in one hand.
func TestMachinesStageAndRemoveEqualContent(t *testing.T) {
	t.Parallel()
	js := machines(t, 3)
	const n, contents = 48, 3
	entries, err := js[0].Enter(bg, "corp", "here", files(n))
	require.NoError(t, err)
	ids := make([]int64, n)
	for i, e := range entries {
		ids[i] = e.Item.ID
	}
	var hands [contents]atomic.Int64 // on each content
	var left atomic.Int64
	left.Store(n)
	take := func(md5 string) func() {
		h := &hands[md5[31]-'0']
		if h.Add(1) != 1 {
			t.Errorf("%s is in two hands", md5)
		}
		return func() { h.Add(-1) }
	}
	stage := func(j *postgres.Journal) {
		w := want(pipeline.Stage, 3)
		if rand.N(2) == 0 { // as one who was told of some
			w.Steps = append(w.Steps, pipeline.Inspect)
			for range 6 {
				w.IDs = append(w.IDs, ids[rand.N(n)])
			}
			w.Limit = 3 + 3*rand.N(2)
		}
		got, err := j.Claim(bg, w)
		if err != nil {
			t.Error(err)
		}
		for _, it := range got {
			if it.Step == pipeline.Inspect {
				it, err = j.Record(bg, known(it, fmt.Sprintf("%032x", it.ID%contents), fmt.Sprint(it.ID, ".mp4")), true)
				if err != nil {
					t.Error(err)
				}
				if it.Claim.Fence == 0 { // another one has its content
					continue
				}
			}
			release := take(it.MD5)
			if err := j.Staging(bg, "s3://b", it.MD5, it.MD5); err != nil {
				t.Error(err)
			}
			it.Object = &pipeline.Object{Bucket: "s3://b", Key: it.MD5, URL: "https://b"}
			it.Step, it.Due = pipeline.Done, time.Now().Add(time.Hour)
			it.Media = &pipeline.Media{ID: "m", CreatedAt: time.Now().Add(-time.Hour)} // its object is not needed any more
			release()
			if _, err := j.Record(bg, it, false); err != nil {
				t.Error(err)
			}
			left.Add(-1)
		}
	}
	remove := func(j *postgres.Journal) {
		doomed, err := j.Doom(bg, "s3://b", 0)
		if err != nil {
			t.Error(err)
		}
		for _, d := range doomed {
			release := take(d.Key)
			time.Sleep(time.Millisecond)
			release()
			if err := j.Removed(bg, d); err != nil {
				t.Error(err)
			}
		}
	}
	var wg sync.WaitGroup
	for _, j := range js {
		for range 2 {
			wg.Go(func() {
				for left.Load() > 0 {
					stage(j)
					remove(j)
				}
			})
		}
	}
	wg.Wait()
}

// A callback and the record of its job, which pass each other: the Item is due.
func TestACallbackMeetsTheRecord(t *testing.T) {
	t.Parallel()
	js := machines(t, 2)
	const n = 40
	_, err := js[0].Enter(bg, "corp", "here", files(n))
	require.NoError(t, err)
	got, err := js[0].Claim(bg, want(pipeline.Inspect, n))
	require.NoError(t, err)
	require.Len(t, got, n)
	for i, it := range got {
		it, err := js[0].Record(bg, known(it, fmt.Sprintf("%032x", i), "x.mp4"), true)
		require.NoError(t, err)
		it.Object = &pipeline.Object{Bucket: "s3://b", Key: it.MD5, URL: "https://b"}
		it.Step, it.Job, it.Due = pipeline.Await, &pipeline.Job{ID: fmt.Sprint("job", i), SubmittedAt: time.Now()}, time.Now().Add(time.Hour)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := js[0].Record(bg, it, false); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := js[1].Finished(bg, it.Job.ID); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
	due := 0
	require.Eventually(t, func() bool { // the machines' measures of the ledger's clock differ by milliseconds
		some, err := js[1].Claim(bg, want(pipeline.Await, n))
		due += len(some)
		return err == nil && due == n
	}, 10*time.Second, 10*time.Millisecond, "a callback was lost")
}

// Who has seen a Rev has seen all changes before it, however long the
// transactions take that make them.
func TestNoChangeComesLate(t *testing.T) {
	t.Parallel()
	js := machines(t, 3)
	const n, rounds = 30, 8
	_, err := js[0].Enter(bg, "corp", "here", files(n))
	require.NoError(t, err)
	items, err := js[0].Items(bg, pipeline.Query{})
	require.NoError(t, err)
	stop := make(chan struct{})
	var writers, reader sync.WaitGroup
	for w, j := range js {
		writers.Go(func() {
			for range rounds {
				for i := w; i < n; i += len(js) {
					_, err := j.Amend(bg, []int64{items[i].ID}, func(it *pipeline.Item) bool {
						time.Sleep(time.Duration(rand.N(3)) * time.Millisecond)
						it.Tries++
						return true
					})
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	seen := map[int64]int{}
	reader.Go(func() {
		for since, last := int64(1), false; ; {
			select {
			case <-stop:
				last = true // once more, now that all is written
			default:
			}
			page, err := js[0].Items(bg, pipeline.Query{Since: since, Limit: 7})
			if err != nil {
				t.Error(err)
				return
			}
			for _, it := range page {
				seen[it.ID] = max(seen[it.ID], it.Tries)
				since = max(since, it.Rev)
			}
			if last && len(page) == 0 {
				return
			}
		}
	})
	writers.Wait()
	close(stop)
	reader.Wait()
	for _, it := range items {
		require.Equal(t, rounds, seen[it.ID], "the reader missed a change of Item %d", it.ID)
	}
}

// The server is stopped at once, and started again, while Items are recorded:
// what was told to be recorded is there, and nothing is done twice.
func TestTheServerIsRestarted(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	db := s.Database(t)
	j, other := open(t, db, postgres.Options{}), open(t, db, postgres.Options{})
	const n = 30
	_, err := j.Enter(bg, "corp", "here", files(n))
	require.NoError(t, err)
	got, err := j.Claim(bg, want(pipeline.Inspect, n))
	require.NoError(t, err)
	require.Len(t, got, n)
	var wg sync.WaitGroup
	var mu sync.Mutex
	recorded := map[int64]int{}
	started := make(chan struct{}, n)
	for i, it := range got {
		wg.Go(func() {
			for try := range 50 {
				it.Tries = try
				if try == 0 {
					it = known(it, fmt.Sprintf("%032x", i), "x.mp4")
					it.Step = pipeline.Inspect
				}
				rec, err := j.Record(bg, it, true)
				if err != nil {
					t.Errorf("Item %d: %v", it.ID, err)
					return
				}
				it = rec
				if try == 5 {
					started <- struct{}{}
				}
				mu.Lock()
				recorded[it.ID] = it.Tries
				mu.Unlock()
			}
		})
	}
	<-started
	s.Halt()
	require.NoError(t, s.Run())
	wg.Wait()
	for id, tries := range recorded {
		items, err := other.Items(bg, pipeline.Query{IDs: []int64{id}})
		require.NoError(t, err)
		require.Equal(t, tries, items[0].Tries)
	}
	lost, err := j.Beat(bg)
	require.NoError(t, err)
	require.Empty(t, lost)
	again, err := other.Claim(bg, want(pipeline.Inspect, n))
	require.NoError(t, err)
	require.Empty(t, again, "a claim was lost with the server")
}

// A Record that could not be made for want of a server is made later, and its
// claim is prolonged meanwhile as if nothing had been.
func TestARecordThatFailedIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	j := open(t, s.Database(t), postgres.Options{})
	one(t, j, "/a.mp4")
	it := claimOne(t, j, pipeline.Inspect)
	s.Halt()
	ctx, cancel := context.WithTimeout(bg, time.Second)
	defer cancel()
	_, err := j.Record(ctx, it, true)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, s.Run())
	it, err = j.Record(bg, it, true)
	require.NoError(t, err, "the claim lasts")
	lease := func() (ms int64) {
		require.NoError(t, j.Pool().QueryRow(bg, `SELECT lease FROM items WHERE id=$1`, it.ID).Scan(&ms))
		return ms
	}
	before := lease()
	lost, err := j.Beat(bg)
	require.NoError(t, err)
	require.Empty(t, lost)
	require.Greater(t, lease(), before, "it is prolonged")
}
