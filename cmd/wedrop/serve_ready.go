package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
)

// readiness is what /readyz answers.
type readiness struct {
	Ready  bool    `json:"ready"`
	Checks []check `json:"checks"`
}

// A check is one thing without which files do not go.
type check struct {
	Check   string `json:"check"`
	OK      bool   `json:"ok"`
	Message string `json:"message,omitempty"`
	Remedy  string `json:"remedy,omitempty"`
	Code    string `json:"code,omitempty"` // what programs go by: "journal/deleted", for example
}

// health is what the daemon knows of its own state.
type health struct {
	line  *line
	drops *drops // nil: no folders
	say   *messages

	mu     sync.Mutex
	faults map[string]*pipeline.Fault // of the configuration, by "wecom" and "storage"; nil: none

	asking  sync.Mutex // one at a time
	asked   time.Time  // when the journal was asked last: anybody may ask, and it costs a write
	journal error
}

const askAgain = 2 * time.Second

// step is for pipeline.Pipeline.Observe: what WeCom and the bucket said last.
func (h *health) step(step pipeline.Step, f *pipeline.Fault) {
	who := map[pipeline.Step]string{pipeline.Stage: "storage", pipeline.Submit: "wecom", pipeline.Await: "wecom"}[step]
	if who == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case f == nil:
		delete(h.faults, who)
	case f.Config:
		if about, _, _ := strings.Cut(f.Code, "/"); about == "wecom" || about == "storage" {
			who = about
		}
		h.faults[who] = f
	}
}

// ready checks everything.
func (h *health) ready(ctx context.Context) readiness {
	checks := []check{h.writes(ctx), h.folders(), h.said("wecom"), h.said("storage")}
	r := readiness{Ready: true, Checks: checks}
	for _, c := range checks {
		r.Ready = r.Ready && c.OK
	}
	return r
}

// writes checks that the journal takes a change: it leases a token that
// nobody has, for no time.
func (h *health) writes(ctx context.Context) check {
	h.asking.Lock()
	defer h.asking.Unlock()
	if time.Since(h.asked) > askAgain {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_, h.journal = h.line.Journal.LeaseToken(ctx, "readyz", "readyz", 0)
		h.asked = time.Now()
	}
	c := check{Check: "journal", OK: h.journal == nil}
	if h.journal != nil {
		c.Message, c.Remedy = rootCause(h.journal), h.say.Serve.JournalRemedy
		if _, ok := h.journal.(explainer); ok || isShared(h.line.cfg.Journal) {
			c.Message, c.Remedy = explain(h.journal, h.say)
		}
		var replaced *journal.ReplacedError
		if errors.As(h.journal, &replaced) {
			c.Code = replaced.Code()
		}
	}
	return c
}

func (h *health) folders() check {
	c := check{Check: "folders", OK: true}
	if h.drops == nil {
		return c
	}
	snap := h.drops.watcher.Snapshot()
	if len(snap.Folders) == 0 {
		return check{Check: "folders", Message: h.say.Serve.NotRead, Remedy: h.say.Serve.WatcherRemedy}
	}
	var what, cure []string
	for _, f := range snap.Folders {
		if f.Err != nil {
			message, remedy := explain(f.Err, h.say)
			what, cure = append(what, message), append(cure, remedy)
		}
	}
	if len(what) > 0 {
		c = check{Check: "folders", Message: strings.Join(what, "; "), Remedy: cure[0]}
	}
	return c
}

func (h *health) said(who string) check {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.faults[who]
	if f == nil {
		return check{Check: who, OK: true}
	}
	return check{Check: who, Message: f.Message.In(h.say.Lang), Remedy: f.Remedy.In(h.say.Lang)}
}
