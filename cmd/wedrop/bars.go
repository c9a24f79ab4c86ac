package main

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"wedrop/pipeline"
)

// bars show on stderr what a run is doing: on a terminal as bars, elsewhere
// as a line every half minute, so that a log of a long run is no riddle. With
// -q and --json they show nothing.
type bars struct {
	a    *console
	p    *pipeline.Pipeline
	view *view

	mu    sync.Mutex
	lines []string                 // as they are drawn now
	held  []string                 // results, while stdout is the terminal with the bars
	more  func() []pipeline.Flight // work that the pipeline does not know of; may be nil

	tty  bool
	quit chan struct{}
	done sync.WaitGroup
}

const (
	barsAfter   = 200 * time.Millisecond // runs that are shorter draw nothing
	sampleEvery = 100 * time.Millisecond
	logEvery    = 30 * time.Second
)

// startBars begins to show the run of entries. It takes over p.Changed.
func (a *console) startBars(p *pipeline.Pipeline, entries []pipeline.Entry) *bars {
	b := &bars{a: a, p: p, quit: make(chan struct{}), tty: isTerminal(a.stderr.w)}
	b.view = newView(a.say, entries, !a.plain)
	if a.quiet || a.json {
		b.tty = false
		return b
	}
	p.Changed = b.view.changed
	b.done.Add(1)
	go b.show()
	return b
}

func (b *bars) show() {
	defer b.done.Done()
	if b.tty {
		b.draw()
		return
	}
	t := time.NewTicker(logEvery)
	defer t.Stop()
	for {
		select {
		case <-b.quit:
			return
		case <-t.C:
			b.a.note(b.view.summary())
		}
	}
}

// draw samples what the pipeline does and leaves the drawing to mpb: a bar
// for each line.
func (b *bars) draw() {
	select {
	case <-b.quit:
		return
	case <-time.After(barsAfter):
	}
	container := mpb.New(mpb.WithOutput(b.a.stderr.w), mpb.WithAutoRefresh(), mpb.WithRefreshRate(sampleEvery))
	b.a.stderr.through(container)
	var shown []*mpb.Bar
	defer func() {
		for _, s := range shown {
			s.Abort(true)
		}
		container.Wait()
		b.a.stderr.through(nil)
	}()
	t := time.NewTicker(sampleEvery)
	defer t.Stop()
	for {
		lines := b.view.lines(b.flights(), time.Now(), terminalWidth(b.a.stderr.w))
		b.mu.Lock()
		b.lines = lines
		b.mu.Unlock()
		for len(shown) < len(lines) {
			shown = append(shown, b.add(container, len(shown)))
		}
		for len(shown) > len(lines) {
			shown[len(shown)-1].Abort(true)
			shown = shown[:len(shown)-1]
		}
		select {
		case <-b.quit:
			return
		case <-t.C:
		}
	}
}

// also shows what is not the pipeline's own work.
func (b *bars) also(more func() []pipeline.Flight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.more = more
}

func (b *bars) flights() []pipeline.Flight {
	b.mu.Lock()
	more := b.more
	b.mu.Unlock()
	all := b.p.Flights()
	if more != nil {
		all = append(all, more()...)
	}
	return all
}

// add is the bar that draws the n-th line.
func (b *bars) add(container *mpb.Progress, n int) *mpb.Bar {
	fill := mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if n >= len(b.lines) {
			return nil
		}
		_, err := io.WriteString(w, "\r"+b.lines[n])
		return err
	})
	return container.MustAdd(0, fill, mpb.BarFillerTrim(), mpb.BarPriority(n))
}

// result prints a line of results. If stdout is the terminal with the bars,
// it waits until they are gone.
func (b *bars) result(line string) {
	if line == "" {
		return
	}
	if b.tty && isTerminal(b.a.stdout.w) {
		b.held = append(b.held, line)
		return
	}
	_, _ = io.WriteString(b.a.stdout, line)
}

// finished tells that a file has its media_id; reused, that it had it before;
// failed, that it has a fault.
func (b *bars) finished(name string) { b.mark(true, name, b.a.say.MarkDone) }
func (b *bars) reused(name string)   { b.mark(true, name, b.a.say.MarkReused) }
func (b *bars) failed(name string)   { b.mark(false, name, b.a.say.MarkFailed) }

// mark is for who watches: elsewhere the results say the same.
func (b *bars) mark(good bool, name, what string) {
	b.view.ended(good)
	if !b.tty {
		return
	}
	sign := b.view.paint(green, "✔")
	if !good {
		sign = b.view.paint(red, "✘")
	}
	b.a.note(sign + " " + shown(name) + "  " + b.view.paint(dim, what))
}

// stop takes the bars off the screen and prints the results that waited.
func (b *bars) stop() {
	if b.p != nil {
		close(b.quit)
		b.done.Wait()
	}
	for _, l := range b.held {
		_, _ = io.WriteString(b.a.stdout, l)
	}
	b.held = nil
}
