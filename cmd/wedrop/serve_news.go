package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"wedrop/pipeline"
)

const (
	lookEvery  = time.Second            // for what other processes changed
	lookPause  = 200 * time.Millisecond // between two readings of the ledger
	faultPause = time.Minute            // between two lines about the same passing trouble
)

// news reads what changes in the ledger, whoever changes it, and tells the
// batch, the folders and the log.
type news struct {
	line  *line
	batch *batch
	drops *drops // nil: there are no folders
	say   *messages
	log   *slog.Logger
	count func(ending)

	bell  chan struct{}
	mu    sync.Mutex
	noted map[string]time.Time // by the code of a passing trouble, when it was told
}

func newNews(l *line, b *batch, d *drops, say *messages, log *slog.Logger, count func(ending)) *news {
	return &news{line: l, batch: b, drops: d, say: say, log: log, count: count,
		bell: make(chan struct{}, 1), noted: map[string]time.Time{}}
}

// changed is pipeline.Pipeline.Changed: something is new.
func (n *news) changed(it pipeline.Item) {
	n.batch.step(it, time.Now())
	n.trouble(it, time.Now())
	select {
	case n.bell <- struct{}{}:
	default: // it rings already
	}
}

// run reads until ctx ends, and once more then.
func (n *news) run(ctx context.Context) {
	for ctx.Err() == nil {
		n.read(ctx)
		_ = sleepFor(ctx, lookPause)
		select {
		case <-n.bell:
		case <-time.After(lookEvery):
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	n.read(last)
}

// read takes in what changed. A ledger that does not answer is told of by
// those who work with it.
func (n *news) read(ctx context.Context) {
	for {
		q := pipeline.Query{Corp: n.line.Corp, Since: n.batch.seen()}
		if q.Since > 0 { // else the ledger was empty a moment ago, and is read whole
			q.Limit = pageSize
		}
		items, err := n.line.Journal.Items(ctx, q)
		if err != nil || len(items) == 0 {
			break
		}
		n.take(items)
		if q.Limit == 0 || len(items) < q.Limit {
			break
		}
	}
	if ids := n.batch.waits(time.Now()); len(ids) > 0 {
		n.recount(ctx, ids)
	}
}

func (n *news) take(items []pipeline.Item) {
	for _, e := range n.batch.take(items, time.Now()) {
		n.count(e)
		n.write(e)
	}
	if n.drops != nil {
		n.drops.touch(items)
	}
}

// recount looks at Items of which nothing was heard for long.
func (n *news) recount(ctx context.Context, ids []int64) {
	items, err := n.line.Journal.Items(ctx, pipeline.Query{IDs: ids})
	if err != nil {
		return
	}
	there := map[int64]bool{}
	for _, it := range items {
		there[it.ID] = true
	}
	var gone []int64
	for _, id := range ids {
		if !there[id] {
			gone = append(gone, id)
		}
	}
	n.batch.gone(gone)
	var over []pipeline.Item
	for _, it := range items {
		if ended(it) {
			over = append(over, it)
		}
	}
	n.take(over)
}

// write is the line of a file that came to its end.
func (n *news) write(e ending) {
	it := e.item
	if f := it.Fault; f != nil {
		n.log.Error("held", "file", it.Name, "path", it.Path, "id", it.ID, "code", f.Code,
			"message", f.Message.In(n.say.Lang), "remedy", f.Remedy.In(n.say.Lang))
		return
	}
	n.log.Info("done", "file", it.Name, "path", it.Path, "id", it.ID, "media_id", it.Media.ID,
		"expires", it.Media.ExpiresAt.UTC().Format(time.RFC3339), "reused", e.reused, "seconds", e.took.Round(time.Millisecond).Seconds())
}

// trouble tells of what passes by itself: once a minute for each kind, for it
// often meets every file.
func (n *news) trouble(it pipeline.Item, now time.Time) {
	f := it.Fault
	if f == nil || !f.Retry {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if at, ok := n.noted[f.Code]; ok && now.Sub(at) < faultPause {
		return
	}
	n.noted[f.Code] = now
	n.log.Warn("trouble, goes on by itself", "file", it.Name, "id", it.ID, "code", f.Code,
		"message", f.Message.In(n.say.Lang), "remedy", f.Remedy.In(n.say.Lang))
}
