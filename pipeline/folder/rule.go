package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"wedrop/pipeline/inspect"
)

const (
	// patience is how old a file that is not whole may become: nobody is
	// writing it any more then.
	patience = 30 * time.Minute
	// doubt is how old one may become of which nobody can say whether it is
	// whole: what ends in zeroes is mostly space kept for a download, but
	// some files end so.
	doubt = time.Minute
	// seldom is the longest pause between two looks into a file.
	seldom = 15 * time.Second
)

// watch is the rule by which files are taken, and those that it waits for.
type watch struct {
	settle  time.Duration
	now     func() time.Time
	ready   func(*watched) // called for each that is finished
	pending []*watched
	local   map[uint64]bool // by device: its times are of our own clock
}

// watched is a file that is not finished as far as we know.
type watched struct {
	Candidate
	since   time.Time // when it was first seen as it is
	changed bool      // while we watched
	why     string    // inspect.Completeness.Why of the last look; empty if it still changes
	checked time.Time // when that was
	done    bool      // it was finished as it is, but nobody took it
	dropped bool      // of no interest any more
}

// add begins to watch a file.
func (w *watch) add(c Candidate, now time.Time) *watched {
	f := &watched{Candidate: c, since: c.Seen}
	if c.Seen.IsZero() {
		f.since = now
	}
	w.pending = append(w.pending, f)
	return f
}

// look looks once at all that is pending. Its error is that of ctx.
func (w *watch) look(ctx context.Context) error {
	pending := w.pending[:0]
	for n, f := range w.pending {
		if err := ctx.Err(); err != nil {
			w.pending = append(pending, w.pending[n:]...)
			return err
		}
		switch w.one(f) {
		case finished:
			w.ready(f)
		case waiting:
			pending = append(pending, f)
		case gone:
			f.dropped = true
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

// one looks at one file.
func (w *watch) one(f *watched) state {
	now := w.now()
	if f.dropped {
		return gone
	}
	if s, same := f.restat(now); !same {
		return s
	}
	f.Seen = now
	stood := now.Sub(f.since)
	switch {
	case f.done:
		return finished
	case stood < w.settle && (f.changed || !w.stoodBefore(f, now)):
		return waiting
	// What is not whole can become so without any of its times moving (memory
	// maps), but a look costs reads: the longer it stands, the fewer.
	case now.Sub(f.checked) < max(w.settle, min(stood/8, seldom)):
		return waiting
	}
	f.checked = now
	return w.whole(f, now)
}

// restat reports whether the file is as it was; if not, what it is now.
func (f *watched) restat(now time.Time) (s state, same bool) {
	fi, err := os.Lstat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gone, false
	case err != nil: // a network drive that stumbles
		return waiting, false
	case !fi.Mode().IsRegular():
		return gone, false
	}
	if id := inspect.ID(fi); id != f.ID {
		*f = watched{Candidate: Candidate{Path: f.Path, Type: f.Type, ID: id, Seen: now}, since: now, changed: true}
		return waiting, false
	}
	return finished, true
}

// whole judges a file that stands still.
func (w *watch) whole(f *watched, now time.Time) state {
	c, err := inspect.Complete(f.Path)
	var e *inspect.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gone
	case errors.As(err, &e) && e.Temporary() || held(f.Path): // its writer keeps others out, or the drive stumbles
		f.why = WhyLocked
		return waiting
	case err == nil && !c.Whole && !(f.stood(now, patience) || c.Guess && f.stood(now, doubt)):
		f.why = c.Why
		return waiting
	}
	// The open made a network drive look anew, and the file may have been
	// changed while it was read.
	if s, same := f.restat(now); !same {
		return s
	}
	f.done = true
	return finished
}

// stood reports whether the file has stood still for d as far as anything
// tells, seen or by its times.
func (f *watched) stood(now time.Time, d time.Duration) bool {
	return now.Sub(f.since) >= d || abandoned(f.ID, now, d)
}

// stoodBefore reports whether the times prove that the file stood still for
// the time settle before anybody watched it.
func (w *watch) stoodBefore(f *watched, now time.Time) bool {
	if !older(f.ID, now, w.settle) {
		return false
	}
	own, asked := w.local[f.ID.Device]
	if !asked {
		if w.local == nil {
			w.local = map[uint64]bool{}
		}
		own = ownClock(f.Path)
		w.local[f.ID.Device] = own
	}
	return own
}

// older reports whether both times are longer than d ago.
func older(id inspect.FileID, now time.Time, d time.Duration) bool {
	line := now.Add(-d).UnixNano()
	return id.MTime < line && id.CTime < line && id.CTime != 0
}

// abandoned reports whether the last write is longer than d ago. Only a time
// in the future is not believed, where there is another.
func abandoned(id inspect.FileID, now time.Time, d time.Duration) bool {
	written := id.MTime
	if written > now.UnixNano() && id.CTime != 0 {
		written = id.CTime
	}
	return written < now.Add(-d).UnixNano()
}
