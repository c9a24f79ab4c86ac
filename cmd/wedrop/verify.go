package main

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"wedrop/pipeline"
)

// verifiers is how many media are read back at once.
const verifiers = 4

// A verifier stands between a run and its report: what is done is read back
// from WeCom and compared first.
type verifier struct {
	a    *app
	on   bool // else it tells at once
	all  bool // those too that had their media_id before
	ctx  context.Context
	line *line

	slots chan struct{}
	work  sync.WaitGroup
	mu    sync.Mutex
	told  func(int, pipeline.Entry)

	reading map[int64]*reading // by Item.ID
}

// reading is a media on its way back.
type reading struct {
	item  pipeline.Item
	bytes atomic.Int64
	since time.Time
}

func (a *app) newVerifier(ctx context.Context, l *line, on bool, told func(int, pipeline.Entry)) *verifier {
	return &verifier{a: a, on: on, ctx: ctx, line: l, slots: make(chan struct{}, verifiers), told: told, reading: map[int64]*reading{}}
}

// end is pipeline.RunOptions.Ended. The run goes on while media are read back.
func (v *verifier) end(i int, e pipeline.Entry) {
	if !v.on || e.Item.Reused && !v.all || e.Item.Fault != nil || e.Item.Step != pipeline.Done || e.Item.Media == nil {
		v.tell(i, e)
		return
	}
	v.work.Go(func() {
		v.slots <- struct{}{}
		defer func() { <-v.slots }()
		r := v.begin(e.Item)
		read := func(done, _ int64) { r.bytes.Store(done) }
		it, err := v.line.Verify(v.ctx, e.Item, read)
		if pipeline.DeadMedia(err) { // its file or its copy is there: once
			fresh, e2 := v.line.Media(v.ctx, "id:"+strconv.FormatInt(it.ID, 10), 0)
			if e2 == nil {
				fresh.Path = e.Item.Path
				it, err = v.line.Verify(v.ctx, fresh, read)
			}
		}
		if err != nil && it.Fault == nil { // the journal's
			v.a.log.Error("journal", "err", err)
			it.Fault = &pipeline.Fault{Step: pipeline.Done, Code: "wedrop/internal", Retry: true, At: time.Now(),
				Message: pipeline.Text{ZH: err.Error(), EN: err.Error()}, Remedy: pipeline.Text{ZH: v.a.say.CarryOn, EN: v.a.say.CarryOn}}
		}
		if err == nil && !v.a.quiet && !v.a.json {
			v.a.note(v.a.say.Download.Verified(shown(it.Name), time.Since(r.since)))
		}
		e.Item = it
		v.tell(i, e)
	})
}

func (v *verifier) begin(it pipeline.Item) *reading {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := &reading{item: it, since: time.Now()}
	v.reading[it.ID] = r
	return r
}

// flights are what is read back now, for bars.
func (v *verifier) flights() []pipeline.Flight {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []pipeline.Flight
	for _, r := range v.reading {
		all = append(all, pipeline.Flight{Item: r.item, Bytes: r.bytes.Load(), Since: r.since})
	}
	slices.SortFunc(all, func(a, b pipeline.Flight) int { return a.Since.Compare(b.Since) })
	return all
}

func (v *verifier) tell(i int, e pipeline.Entry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.reading, e.Item.ID)
	v.told(i, e)
}

// wait returns when everything was told.
func (v *verifier) wait() { v.work.Wait() }
