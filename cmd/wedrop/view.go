package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"wedrop/pipeline"
)

// A view is what is known of a run, as lines for a screen.
type view struct {
	say   *messages
	color bool
	total int
	began time.Time

	mu      sync.Mutex
	good    int
	bad     int
	waiting map[int64]pipeline.Item // at WeCom, by ID
	speed   map[int64]*speed
}

func newView(say *messages, entries []pipeline.Entry, color bool) *view {
	v := &view{say: say, color: color, total: len(entries), began: time.Now(),
		waiting: map[int64]pipeline.Item{}, speed: map[int64]*speed{}}
	for _, e := range entries {
		v.changed(e.Item)
	}
	return v
}

// changed takes in how an Item stands now.
func (v *view) changed(it pipeline.Item) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if it.Step == pipeline.Await && !it.Held() && it.Job != nil {
		v.waiting[it.ID] = it
		return
	}
	delete(v.waiting, it.ID)
}

func (v *view) ended(good bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if good {
		v.good++
	} else {
		v.bad++
	}
}

// maxLines are shown at once; what is beyond them is in the summary's figures.
const maxLines = 8

// lines is what is drawn: files that are read or sent, then those that WeCom
// works on, then the sum where there are several.
func (v *view) lines(flights []pipeline.Flight, now time.Time, columns int) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var files []pipeline.Item
	var active []pipeline.Flight
	for _, f := range flights {
		if f.Item.Step != pipeline.Await && len(active) < maxLines {
			active, files = append(active, f), append(files, f.Item)
		}
	}
	files = append(files, v.oldest(maxLines-len(active))...)
	name, bar := v.widths(files, columns)
	var out []string
	for i, it := range files {
		what := fit(v.say.Waiting, v.stateWidth())
		if i < len(active) {
			what = v.active(active[i], now, bar)
		} else {
			what += "  " + clock(now.Sub(it.Job.SubmittedAt))
		}
		out = append(out, cutRight("  "+fit(shown(it.Name), name)+"  "+what, columns-1))
	}
	if v.total > 1 {
		out = append(out, cutRight("  "+v.sum(now), columns-1))
	}
	return out
}

// widths shares a line between the names and the bar: names are what people
// look for, so they get theirs first.
func (v *view) widths(files []pipeline.Item, columns int) (name, bar int) {
	for _, it := range files {
		name = max(name, width(shown(it.Name)))
	}
	room := columns - v.stateWidth() - len("      [] 100 %  199.9 MB/s") - 2
	name = min(name, 40, max(room-10, 8))
	return name, max(min(room-name, 28), 4)
}

// oldest are up to n files that WeCom has had the longest.
func (v *view) oldest(n int) []pipeline.Item {
	var all []pipeline.Item
	for _, it := range v.waiting {
		all = append(all, it)
	}
	sortBySubmit(all)
	return all[:min(n, len(all))]
}

// active is a file that is being worked on here.
func (v *view) active(f pipeline.Flight, now time.Time, columns int) string {
	state := map[pipeline.Step]string{pipeline.Inspect: v.say.Reading, pipeline.Stage: v.say.Uploading, pipeline.Submit: v.say.Submitting, pipeline.Done: v.say.Download.Verifying}[f.Item.Step]
	line := fit(state, v.stateWidth()) + "  "
	if f.Item.Step == pipeline.Submit || f.Item.Size <= 0 {
		return strings.TrimRight(line, " ")
	}
	part := min(1, float64(f.Bytes)/float64(f.Item.Size))
	line += bar(part, columns) + fmt.Sprintf("  %3.0f %%", part*100)
	if s := v.speedOf(f, now); s > 0 {
		line += fmt.Sprintf("  %s/s", size(s))
	}
	return line
}

func bar(part float64, columns int) string {
	n := int(part * float64(columns))
	tip := ""
	if n < columns {
		tip = ">"
	}
	return "[" + strings.Repeat("=", n) + tip + strings.Repeat("-", columns-n-len(tip)) + "]"
}

// stateWidth is room for the longest word about a file.
func (v *view) stateWidth() int {
	return max(width(v.say.Reading), width(v.say.Uploading), width(v.say.Submitting), width(v.say.Waiting), width(v.say.Download.Verifying))
}

func (v *view) sum(now time.Time) string {
	return v.say.Progress(v.good, v.total, v.bad, len(v.waiting), clock(now.Sub(v.began)))
}

// summary is the state of the run in a line.
func (v *view) summary() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sum(time.Now())
}

// A speed is smoothed over the last seconds.
type speed struct {
	step  pipeline.Step
	at    time.Time
	bytes int64
	rate  float64 // bytes a second
}

func (v *view) speedOf(f pipeline.Flight, now time.Time) int64 {
	s := v.speed[f.Item.ID]
	if s == nil || s.step != f.Item.Step || f.Bytes < s.bytes {
		v.speed[f.Item.ID] = &speed{step: f.Item.Step, at: now, bytes: f.Bytes}
		return 0
	}
	if took := now.Sub(s.at).Seconds(); took >= 0.2 {
		rate := float64(f.Bytes-s.bytes) / took
		if s.rate > 0 {
			rate = 0.7*s.rate + 0.3*rate
		}
		s.at, s.bytes, s.rate = now, f.Bytes, rate
	}
	return int64(s.rate)
}

// clock is a length of time as minutes and seconds.
func clock(d time.Duration) string {
	s := max(0, int(d.Seconds()))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

type color string

const (
	green color = "32"
	red   color = "31"
	dim   color = "2"
)

func (v *view) paint(c color, s string) string {
	if !v.color {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// cutRight is s in at most n cells.
func cutRight(s string, n int) string {
	if width(s) <= n {
		return s
	}
	var b strings.Builder
	room := n
	for _, r := range s {
		if room -= width(string(r)); room < 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

func sortBySubmit(items []pipeline.Item) {
	slices.SortFunc(items, func(a, b pipeline.Item) int {
		return cmp.Or(a.Job.SubmittedAt.Compare(b.Job.SubmittedAt), cmp.Compare(a.ID, b.ID))
	})
}
