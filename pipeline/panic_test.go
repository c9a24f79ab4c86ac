package pipeline_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage"
)

// panicking is a bucket whose driver panics over one content.
type panicking struct {
	storage.Driver
	md5   string
	armed bool
}

func (d *panicking) Put(ctx context.Context, r storage.PutRequest) error {
	if d.armed && strings.Contains(r.Key, d.md5) {
		panic("index out of range")
	}
	return d.Driver.Put(ctx, r)
}

// One file over which a step panics is held after three tries; the others go
// on, and so does a process that starts with it in the journal.
func TestAStepThatPanicsIsAFaultOfItsFile(t *testing.T) {
	w := newWorld(t)
	poisoned := w.file("poisoned.mp4", 1)
	d := &panicking{Driver: w.bucket.Driver, md5: fmt.Sprintf("%x", md5.Sum(inspecttest.MP4(4000, 1))), armed: true}
	w.bucket.Driver = d
	p := w.pipe()
	var lines bytes.Buffer
	p.Log = slog.New(slog.NewJSONHandler(&lines, nil))
	stop := w.serve(p, pipeline.ServeOptions{Keep: -1})
	files := []pipeline.File{{Path: poisoned}, {Path: w.file("a.mp4", 2)}, {Path: w.file("b.mp4", 3)}}
	entries, err := p.Enter(context.Background(), files, pipeline.EnterOptions{})
	require.NoError(t, err)
	id := entries[0].Item.ID
	for _, e := range entries[1:] {
		w.until(p, e.Item.ID, isDone)
	}
	held := func(it pipeline.Item) bool {
		if it.Fault != nil && it.Fault.Retry {
			w.clock.Advance(time.Second)
		}
		return it.Fault != nil && !it.Fault.Retry
	}
	it := w.until(p, id, held)
	require.Equal(t, "internal/panic", it.Fault.Code)
	require.Equal(t, pipeline.Stage, it.Step)
	require.Equal(t, 3, it.Tries)
	require.Contains(t, it.Fault.Remedy.EN, "report")
	require.Contains(t, it.Fault.Remedy.ZH, "trace")
	require.NotContains(t, it.Fault.Message.EN+it.Fault.Message.ZH, "index out of range")
	stop()
	require.Equal(t, 3, strings.Count(lines.String(), "index out of range"))
	require.Contains(t, lines.String(), "panic_test.go", "the log has the trace")

	p = w.pipe() // a new process
	w.serve(p, pipeline.ServeOptions{Keep: -1})
	entries, err = p.Enter(context.Background(), []pipeline.File{{Path: w.file("c.mp4", 4)}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	w.until(p, entries[0].Item.ID, isDone)
}
