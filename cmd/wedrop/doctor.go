package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
)

func (a *app) doctorCommand() *cobra.Command {
	c := a.command("doctor", a.say.Doctor.About, cobra.NoArgs)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return newDoctor(a).examine(cmd.Context())
	}
	return c
}

// A verdict is how a check ended.
type verdict string

const (
	passed  verdict = "ok"
	warned  verdict = "warned"  // works, and somebody should look at it
	failed  verdict = "failed"  // has to be mended
	skipped verdict = "skipped" // not checked, because it needs another one, or nothing is configured
	unknown verdict = "unknown" // not provable from here
)

// A finding is what a check found, as --json has it.
type finding struct {
	Check   string  `json:"check"`
	OK      bool    `json:"ok"` // false if it failed, or could not be checked because another one failed
	Status  verdict `json:"status"`
	Message string  `json:"message"`
	Remedy  string  `json:"remedy"`
}

func good(message string) finding            { return finding{OK: true, Status: passed, Message: message} }
func warning(message, remedy string) finding { return finding{"", true, warned, message, remedy} }
func broken(message, remedy string) finding  { return finding{"", false, failed, message, remedy} }
func unproven(message, remedy string) finding {
	return finding{"", true, unknown, message, remedy}
}

// A doctor looks at everything that files need on their way. What it makes it
// removes, and nothing that it does is seen by members of the corp.
type doctor struct {
	*app
	now  func() time.Time
	free func(dir string) (int64, bool) // bytes that wedrop may use; false: not known
	tabs string                         // where the system says what is mounted where: fstab(5)

	cfg     *Config // nil: it cannot be read
	journal pipeline.Journal
	bucket  bucketCase
	wecom   wecomCase
	daemon  daemonCase

	limit    time.Duration // of the check that is being made
	findings []finding
}

func newDoctor(a *app) *doctor {
	return &doctor{app: a, now: time.Now, free: freeSpace, tabs: "/etc/fstab"}
}

// An examination is one check. It is given up after limit, which is for the
// network: a check that may hang in the system itself sees to that.
type examination struct {
	name  string
	limit time.Duration
	do    func(context.Context) finding
}

// examinations are in the order in which things are mended.
func (d *doctor) examinations() []examination {
	const brief, network = 6 * time.Second, 10 * time.Second
	return []examination{
		{"configuration", network, d.configuration},
		{"secrets", brief, d.secrets},
		{"clock", brief, d.clock},
		{"folders", brief, d.folders},
		{"journal", brief, d.openedJournal},
		{"disk-space", brief, d.diskSpace},
		{"token", tokenLimit, d.token},
		{"trusted-ip", brief, d.trustedIP},
		{"api-permission", brief, d.permission},
		{"bucket-write", network, d.write},
		{"public-read", network, d.read},
		{"range", brief, d.ranges},
		{"public-listing", network, d.listing},
		{"link-length", brief, d.linkLength},
		{"bucket-clean", network, d.clean},
		{"callback", brief, d.callback},
		{"daemon", brief, d.running},
		{"page-token", brief, d.pageToken},
		{"language", brief, d.language},
	}
}

// examine makes every check and prints each when it is made. Its error is
// that of the context, or carries the exit code.
func (d *doctor) examine(ctx context.Context) error {
	defer d.leave()
	for _, e := range d.examinations() {
		f := d.examined(ctx, e)
		if err := ctx.Err(); err != nil {
			return err
		}
		f.Check = e.name
		d.findings = append(d.findings, f)
		d.tell(f)
	}
	return d.conclude()
}

func (d *doctor) examined(ctx context.Context, e examination) finding {
	if d.cfg == nil && e.name != "configuration" && e.name != "language" {
		return d.needs("configuration")
	}
	d.limit = e.limit
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	return e.do(ctx)
}

// needs is the finding of a check that waits for another one to pass.
func (d *doctor) needs(check string) finding {
	return finding{"", false, skipped, d.say.Doctor.Needs(check), ""}
}

// told is the finding that an error explains. The end of a check's own time
// is no error of its own: then nobody answered.
func (d *doctor) told(ctx context.Context, err error) finding {
	if ctx.Err() != nil && exitOf(err) == exitUnfinished {
		return broken(d.say.Doctor.NoAnswer(d.limit), d.say.Doctor.NoAnswerRemedy)
	}
	return broken(explain(err, d.say))
}

// leave gives back what the checks took, also after a Ctrl-C.
func (d *doctor) leave() {
	d.abandonTrial()
	if c, ok := d.bucket.driver.(io.Closer); ok {
		_ = c.Close()
	}
	if d.journal != nil {
		_ = d.journal.Close()
	}
}

// found is what a check found; the zero finding if it was not made yet.
func (d *doctor) found(check string) finding {
	for _, f := range d.findings {
		if f.Check == check {
			return f
		}
	}
	return finding{}
}

// conclude says what to do first. Exit 3 is for what has to be mended.
func (d *doctor) conclude() error {
	var first finding
	bad, open := 0, 0
	for _, f := range d.findings {
		switch f.Status {
		case failed:
			if bad == 0 {
				first = f
			}
			bad++
		case unknown:
			open++
		}
	}
	if bad == 0 {
		if !d.quiet {
			d.note(d.say.Doctor.Good(open))
		}
		return nil
	}
	if !d.quiet {
		todo, _, _ := strings.Cut(first.Remedy, "\n")
		d.note(d.say.Doctor.Bad(bad, d.say.Doctor.Name(first.Check), todo))
	}
	return done(exitConfig)
}

// tell prints one finding: a line of JSON, or lines for people. --quiet leaves
// to people what they have to look at.
func (d *doctor) tell(f finding) {
	if d.json {
		line, err := json.Marshal(f)
		if err != nil { // cannot be: a finding is plain data
			line = []byte("null")
		}
		_, _ = d.stdout.Write(append(line, '\n'))
		return
	}
	if d.quiet && f.Status != failed && f.Status != warned {
		return
	}
	_, _ = io.WriteString(d.stdout, d.lines(f))
}

const nameCells = 18 // for the names of checks

func (d *doctor) lines(f finding) string {
	name := d.say.Doctor.Name(f.Check)
	margin := strings.Repeat(" ", 3+nameCells)
	var b strings.Builder
	fmt.Fprintf(&b, " %s %s%s%s\n", d.mark(f.Status), name, strings.Repeat(" ", max(1, nameCells-width(name))), indented(f.Message, margin))
	if f.Remedy != "" {
		b.WriteString(margin + "→ " + indented(f.Remedy, margin+"  ") + "\n")
	}
	return b.String()
}

func (d *doctor) list(items []string) string {
	return strings.Join(items, text{"、", ", "}.In(d.say.Lang))
}

func (d *doctor) semicolon() string { return text{"；", "; "}.In(d.say.Lang) }

func indented(s, margin string) string { return strings.ReplaceAll(s, "\n", "\n"+margin) }

// mark is coloured on a terminal alone.
func (d *doctor) mark(v verdict) string {
	sign, colour := "–", "2"
	switch v {
	case passed:
		sign, colour = "✓", "32"
	case warned:
		sign, colour = "!", "33"
	case failed:
		sign, colour = "✗", "31"
	}
	if !isTerminal(d.stdout.w) || d.plain {
		return sign
	}
	return "\x1b[" + colour + "m" + sign + "\x1b[0m"
}

// atMost runs do, which may hang in the system, and waits so long for it.
func atMost[T any](ctx context.Context, do func() T) (got T, ok bool) {
	ch := make(chan T, 1)
	go func() { ch <- do() }()
	select {
	case got = <-ch:
		return got, true
	case <-ctx.Done():
		return got, false
	}
}
