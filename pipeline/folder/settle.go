package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"wedrop/pipeline/inspect"
)

// patience is how old a file that is not whole may become: nobody is writing
// it any more then.
const patience = 30 * time.Minute

// Bounds of the pause between two looks.
const (
	minPause = 50 * time.Millisecond
	maxPause = time.Second
)

// Settle waits until the candidates are finished, at most for max, and returns
// those that are, as they are now, and those that are not, each in the order
// given. One that is gone meanwhile is in neither.
//
// A file is finished when its size, mtime and ctime have stood still for the
// time settle and inspect.Complete finds it whole. Where both times are older
// than settle at the first look, it has stood still already. A time in the
// future (a network drive with another clock), or a system that has no ctime,
// proves nothing, so such a file is watched for the whole of settle. One that
// stands still, is not whole and was last written over half an hour ago is
// returned as finished: inspection refuses it with the reason; so is one that
// cannot be read.
//
// The error is that of ctx.
func Settle(ctx context.Context, c []Candidate, settle, max time.Duration) (ready []Candidate, busy []Busy, err error) {
	finished := make(map[string]Candidate, len(c))
	busy, err = SettleEach(ctx, c, settle, max, func(c Candidate) { finished[c.Path] = c })
	if err != nil {
		return nil, nil, err
	}
	for _, asked := range c {
		if c, ok := finished[asked.Path]; ok {
			ready = append(ready, c)
		}
	}
	return ready, busy, nil
}

// SettleEach is Settle for a caller who does not wait for the slowest: it
// calls ready for each file as soon as it is finished, one call at a time.
func SettleEach(ctx context.Context, c []Candidate, settle, max time.Duration, ready func(Candidate)) ([]Busy, error) {
	w := &watch{settle: settle, ready: ready}
	now := time.Now()
	for _, c := range c {
		w.pending = append(w.pending, &watched{Candidate: c, since: seen(c, now)})
	}
	for end := now.Add(max); ; {
		if err := w.look(ctx); err != nil {
			return nil, err
		}
		left := time.Until(end)
		if len(w.pending) == 0 || left <= 0 {
			return w.busy(), nil
		}
		if err := sleep(ctx, min(pause(settle), left)); err != nil {
			return nil, err
		}
	}
}

func pause(settle time.Duration) time.Duration {
	return min(max(settle/4, minPause), maxPause)
}

func seen(c Candidate, now time.Time) time.Time {
	if c.Seen.IsZero() {
		return now
	}
	return c.Seen
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// watch is one Settle under way.
type watch struct {
	settle  time.Duration
	ready   func(Candidate)
	pending []*watched
}

// watched is a file that is not finished as far as we know.
type watched struct {
	Candidate
	since   time.Time // when it was first seen as it is
	changed bool      // while we watched
	why     string    // inspect.Completeness.Why of the last look; empty if it still changes
	checked time.Time // when that was
}

// look looks once at all that is pending.
func (w *watch) look(ctx context.Context) error {
	pending := w.pending[:0]
	for _, f := range w.pending {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch w.one(f) {
		case finished:
			w.ready(f.Candidate)
		case waiting:
			pending = append(pending, f)
		case gone:
		}
	}
	clear(w.pending[len(pending):])
	w.pending = pending
	return nil
}

type state int

const (
	waiting state = iota
	finished
	gone
)

func (w *watch) one(f *watched) state {
	now := time.Now()
	fi, err := os.Lstat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gone
	case err != nil: // a network drive that stumbles
		return waiting
	case !fi.Mode().IsRegular():
		return gone
	}
	id := inspect.ID(fi)
	if id != f.ID {
		f.ID, f.since, f.changed, f.why, f.checked = id, now, true, "", time.Time{}
	}
	f.Seen = now
	still := now.Sub(f.since) >= w.settle || !f.changed && older(id, now, w.settle)
	// What is not whole can become so without any of its times moving (memory
	// maps), but a look costs reads: one in each settle is enough.
	if !still || now.Sub(f.checked) < w.settle {
		return waiting
	}
	f.checked = now
	return w.whole(f, now)
}

func (w *watch) whole(f *watched, now time.Time) state {
	c, err := inspect.Complete(f.Path)
	var e *inspect.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gone
	case errors.As(err, &e) && e.Temporary(): // its writer keeps others out, or the drive stumbles
		f.why = WhyLocked
		return waiting
	case err != nil, c.Whole:
		return finished
	case abandoned(f.ID, now):
		return finished
	}
	f.why = c.Why
	return waiting
}

// older reports whether the times prove that the file has stood still for
// longer than d.
func older(id inspect.FileID, now time.Time, d time.Duration) bool {
	line := now.Add(-d).UnixNano()
	return id.MTime < line && id.CTime < line && id.CTime != 0
}

// abandoned reports whether the last write is longer ago than patience. Only
// a time in the future is not believed, where there is another.
func abandoned(id inspect.FileID, now time.Time) bool {
	written := id.MTime
	if written > now.UnixNano() && id.CTime != 0 {
		written = id.CTime
	}
	return written < now.Add(-patience).UnixNano()
}

func (w *watch) busy() []Busy {
	var out []Busy
	for _, f := range w.pending {
		out = append(out, Busy{Candidate: f.Candidate, Why: f.why})
	}
	return out
}
