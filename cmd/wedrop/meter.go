package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A meter shows on a terminal how far a download is, in one line.
type meter struct {
	a     *console
	name  string
	began time.Time

	mu          sync.Mutex
	done, total int64
	from        int64 // that an earlier run had left; -1: not told yet
	drawn       bool

	quit chan struct{}
	over sync.WaitGroup
}

// startMeter begins to show; nothing is shown elsewhere than on a terminal,
// with -q or with --json.
func (a *console) startMeter(name string) *meter {
	m := &meter{a: a, name: name, began: time.Now(), total: -1, from: -1, quit: make(chan struct{})}
	if !a.quiet && !a.json && isTerminal(a.stderr.w) {
		m.over.Go(m.show)
	}
	return m
}

// at is wecom.DownloadOptions.Progress.
func (m *meter) at(done, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.from < 0 {
		m.from = done
	}
	m.done, m.total = done, total
}

func (m *meter) show() {
	t := time.NewTicker(sampleEvery)
	defer t.Stop()
	for {
		select {
		case <-m.quit:
			if m.drawn {
				_, _ = io.WriteString(m.a.stderr, "\r\x1b[K")
			}
			return
		case <-t.C:
			if time.Since(m.began) > barsAfter {
				m.drawn = true
				_, _ = io.WriteString(m.a.stderr, "\r"+cutRight(m.line(time.Since(m.began)), terminalWidth(m.a.stderr.w)-1)+"\x1b[K")
			}
		}
	}
}

func (m *meter) line(took time.Duration) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := "  " + m.name + "  "
	if m.total > 0 {
		part := min(1, float64(m.done)/float64(m.total))
		s += bar(part, 24) + fmt.Sprintf(" %3.0f %%", part*100)
	} else {
		s += size(m.done)
	}
	if seconds := took.Seconds(); m.done > m.from && seconds > 0.5 {
		s += fmt.Sprintf("  %s/s", size(int64(float64(m.done-m.from)/seconds)))
	}
	return s
}

// stop takes the line off the screen.
func (m *meter) stop() {
	close(m.quit)
	m.over.Wait()
}
