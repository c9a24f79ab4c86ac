package main

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"wedrop/pipeline"
)

// A report tells what becomes of the entries of a run: results on stdout,
// faults and the rest on stderr.
type report struct {
	a     *console
	bars  *bars
	names []string // of each entry, as the user gave it
	// style is what a file that got its media_id prints on stdout.
	style  style
	noWait bool

	began time.Time
	index map[string]int
	lines []string // results that wait for the ones before them
	ended []bool
	next  int // the first that has not been printed
	told  map[string]bool
	again string // what to do about files that were left on their way
	same  int    // files stopped by a fault of the configuration that was told
	code  exit

	done, reused, failed, unfinished int
	left                             int // files of a folder that are not written to their end
}

// A style is the form of results without --json.
type style int

const (
	bare    style = iota // the media_id alone
	paired               // media_id<TAB>path, in the order of arguments
	arrived              // as paired, but only what is new
)

func (a *console) newReport(names []string, s style, noWait bool, b *bars) *report {
	return &report{a: a, bars: b, names: names, style: s, noWait: noWait, began: time.Now(),
		lines: make([]string, len(names)), ended: make([]bool, len(names)), told: map[string]bool{}}
}

// end takes an entry at its end; it is pipeline.RunOptions.Ended.
func (r *report) end(i int, e pipeline.Entry) {
	it := e.Item
	if e.File.Path != "" {
		it.Path = e.File.Path
	}
	r.count(it)
	r.warn(r.names[i], it)
	switch {
	case r.a.json:
		r.a.object(it)
	case it.Fault == nil && it.Step == pipeline.Done && it.Media != nil:
		r.lines[i] = r.line(it, r.names[i])
	}
	r.mark(r.names[i], it)
	if r.style == arrived { // nobody gave an order
		r.bars.result(r.lines[i])
		return
	}
	r.ended[i] = true
	for ; r.next < len(r.ended) && r.ended[r.next]; r.next++ {
		r.bars.result(r.lines[r.next])
	}
}

func (r *report) line(it pipeline.Item, name string) string {
	switch {
	case r.style == bare:
		return it.Media.ID + "\n"
	case r.style == arrived && it.Reused:
		return ""
	}
	return it.Media.ID + "\t" + field(name) + "\n"
}

func (r *report) count(it pipeline.Item) {
	code := exitOfItem(it, r.noWait)
	r.code = worst(r.code, code)
	switch {
	case code == exitFailed || code == exitConfig:
		r.failed++
	case it.Fault != nil || it.Step != pipeline.Done:
		r.unfinished++
	case it.Reused:
		r.reused++
	default:
		r.done++
	}
}

func (r *report) warn(name string, it pipeline.Item) {
	if r.a.quiet || it.Reused {
		return
	}
	for _, w := range it.Warnings {
		r.a.note(r.a.say.WarningOf(shown(name), w.Message.In(r.a.say.Lang)))
	}
}

// mark is what stderr says of one file. A fault of the configuration stops
// all files alike and is told once.
func (r *report) mark(name string, it pipeline.Item) {
	if f := it.Fault; f != nil {
		key := f.Code + f.Message.EN
		if f.Config && r.told[key] {
			r.same++
			return
		}
		r.told[key] = true
		r.bars.view.ended(false)
		remedy := f.Remedy.In(r.a.say.Lang)
		if f.Retry { // the same for all that were left on their way
			r.again, remedy = remedy, ""
		}
		r.a.fault(shown(name)+": "+f.Message.In(r.a.say.Lang), remedy)
		return
	}
	switch {
	case it.Step != pipeline.Done:
		if !r.a.quiet && !r.a.json {
			r.a.note(r.a.say.Submitted(shown(name)))
		}
	case !it.Reused:
		r.bars.finished(name)
	case r.style != arrived:
		r.bars.reused(name)
	}
}

// place is where a name stands.
func (r *report) place(name string) int {
	if r.index == nil {
		r.index = make(map[string]int, len(r.names))
		for i, n := range r.names {
			r.index[n] = i
		}
	}
	return r.index[name]
}

// other takes an entry that is none of the names.
func (r *report) other(e pipeline.Entry) {
	r.names = append(r.names, e.Item.Path)
	r.lines, r.ended = append(r.lines, ""), append(r.ended, false)
	r.end(len(r.names)-1, e)
}

// finish is called after the run, with its error.
func (r *report) finish(err error, summary bool) error {
	var stop *pipeline.StopError
	switch {
	case errors.As(err, &stop):
		if !r.told[stop.Fault.Code+stop.Fault.Message.EN] {
			r.a.fault(stop.Fault.Message.In(r.a.say.Lang), stop.Fault.Remedy.In(r.a.say.Lang))
		}
		r.code = worst(r.code, exitConfig)
	case err != nil && exitOf(err) == exitUnfinished && r.unfinished > 0: // told of each file
		r.code = worst(r.code, exitUnfinished)
	case err != nil:
		r.a.fault(explain(err, r.a.say))
		r.code = worst(r.code, exitOf(err))
	}
	if r.same > 0 {
		r.a.fault(r.a.say.Same(r.same), "")
	}
	if r.again != "" {
		r.a.note("→ " + r.again)
	}
	if summary && !r.a.quiet {
		r.a.note(r.a.say.Summary(r.done, r.reused, r.failed, r.unfinished, r.left, time.Since(r.began)))
	}
	return done(r.code)
}

// object prints an Item as a line of JSON.
func (a *console) object(it pipeline.Item) {
	line, err := json.Marshal(it.In(a.say.Lang))
	if err != nil { // cannot be: an Item is plain data
		line = []byte("null")
	}
	_, _ = a.stdout.Write(append(line, '\n'))
}

// note is a line for people on stderr; -q leaves those out that are neither
// result nor fault, which is for the caller to see to.
func (a *console) note(line string) { _, _ = io.WriteString(a.stderr, line+"\n") }

// fault tells on stderr what went wrong and what to do now.
func (a *console) fault(message, remedy string) {
	lines := message + "\n"
	if remedy != "" {
		lines += "→ " + remedy + "\n"
	}
	_, _ = io.WriteString(a.stderr, lines)
}

func (a *console) fileFault(name string, f pipeline.Fault) {
	a.fault(shown(name)+": "+f.Message.In(a.say.Lang), f.Remedy.In(a.say.Lang))
}

// shown is a name as a terminal may see it: nothing in it moves the cursor or
// turns the direction of the text.
func shown(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x2028, r == 0x2029:
			return '\ufffd'
		}
		return r
	}, name)
}

// field is a path in a line of results. What would break the line is written
// as in a Go string; --json has such paths to the letter.
func field(path string) string {
	return strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(path)
}
