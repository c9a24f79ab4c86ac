package main

import (
	"context"
	"sync"
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
}

func (a *app) newVerifier(ctx context.Context, l *line, on bool, told func(int, pipeline.Entry)) *verifier {
	return &verifier{a: a, on: on, ctx: ctx, line: l, slots: make(chan struct{}, verifiers), told: told}
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
		began := time.Now()
		it, err := v.line.Verify(v.ctx, e.Item, nil)
		if err != nil && it.Fault == nil { // the journal's
			v.a.log.Error("journal", "err", err)
			it.Fault = &pipeline.Fault{Step: pipeline.Done, Code: "wedrop/internal", Retry: true, At: time.Now(),
				Message: pipeline.Text{ZH: err.Error(), EN: err.Error()}, Remedy: pipeline.Text{ZH: v.a.say.CarryOn, EN: v.a.say.CarryOn}}
		}
		if err == nil && !v.a.quiet && !v.a.json {
			v.a.note(v.a.say.Download.Verified(shown(it.Name), time.Since(began)))
		}
		e.Item = it
		v.tell(i, e)
	})
}

func (v *verifier) tell(i int, e pipeline.Entry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told(i, e)
}

// wait returns when everything was told.
func (v *verifier) wait() { v.work.Wait() }
