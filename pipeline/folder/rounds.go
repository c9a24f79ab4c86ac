package folder

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wedrop/pipeline/inspect"
)

// rounds is a Watcher at work.
type rounds struct {
	*Watcher
	rule  watch
	ready []*watched // finished, not yet taken

	n      uint32           // of this reading
	files  map[string]*file // by path; what one of them costs counts
	fresh  []Candidate      // of this reading, to be asked about
	states []FolderState
	device []uint64 // of each folder when it was last read; 0 if not known

	cost time.Duration // of this reading
	at   time.Time     // when it was made
	err  error         // of Known or Found
}

// file is what is remembered of one that is there.
type file struct {
	id     inspect.FileID // in the ledger or handed on like this; zero if it is neither
	wait   *watched       // it is not finished
	n      uint32         // of the reading that saw it last
	folder int32          // which one
}

func newRounds(w *Watcher) *rounds {
	r := &rounds{Watcher: w, files: map[string]*file{},
		states: make([]FolderState, len(w.Folders)), device: make([]uint64, len(w.Folders))}
	r.rule = watch{settle: orElse(w.Settle, 2*time.Second), now: w.now,
		ready: func(f *watched) { r.ready = append(r.ready, f) }}
	return r
}

// read reads all folders. Its error is that of ctx.
func (r *rounds) read(ctx context.Context) error {
	begin := time.Now()
	r.n++
	r.fresh, r.err = nil, nil
	states := make([]FolderState, len(r.Folders))
	var blind []string // what could not be read
	for n, f := range r.Folders {
		st, err := r.folder(ctx, n)
		if err != nil {
			return err
		}
		states[n] = st
		for _, s := range st.Skipped {
			if s.Reason == Unreadable {
				blind = append(blind, s.Path)
			}
		}
		if r.State != nil && (r.n == 1 || (st.Err == nil) != (r.states[n].Err == nil)) {
			r.State(f, st.Err)
		}
	}
	r.states = states
	r.forget(blind)
	r.cost, r.at = time.Since(begin), r.now()
	return nil
}

// folder reads one folder. Its error is that of ctx.
func (r *rounds) folder(ctx context.Context, n int) (FolderState, error) {
	st := FolderState{Folder: r.Folders[n]}
	root, err := filepath.Abs(st.Folder.Path)
	if err != nil {
		st.Err = &NotMounted{Path: st.Folder.Path, Err: err}
		return st, nil
	}
	s := &scan{ctx: ctx, folder: st.Folder, visit: func(c Candidate) { st.Files++; r.visit(c, n) }}
	if st.Err = s.root(root); ctx.Err() != nil {
		return st, ctx.Err()
	}
	if st.Err != nil {
		return st, nil
	}
	st.Skipped = s.skipped
	// What is left of a drive that is gone is often the empty folder where it
	// was mounted.
	device := deviceOf(root)
	if st.Files+len(st.Skipped) == 0 && r.device[n] != 0 && device != r.device[n] {
		st.Err = &NotMounted{Path: root, Err: errUnmounted}
		return st, nil
	}
	r.device[n] = device
	return st, nil
}

func deviceOf(path string) uint64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return inspect.ID(fi).Device
}

// visit takes in one file of this reading.
func (r *rounds) visit(c Candidate, folder int) {
	f := r.files[c.Path]
	switch {
	case f == nil:
		f = &file{}
		r.files[c.Path] = f
		r.fresh = append(r.fresh, c)
	case f.n == r.n: // in an earlier folder too
		return
	case f.wait != nil && !f.wait.dropped: // looked at by the rule
	case f.id != c.ID && !stillIs(c.Path, f.id):
		f.id, f.wait = inspect.FileID{}, nil
		r.fresh = append(r.fresh, c)
	}
	f.n, f.folder = r.n, int32(folder)
}

// stillIs looks at the file itself: on Windows what the folder says of it may
// lag behind.
func stillIs(path string, id inspect.FileID) bool {
	if id == (inspect.FileID{}) {
		return false
	}
	fi, err := os.Lstat(path)
	return err == nil && inspect.ID(fi) == id
}

// forget drops what is gone: what this reading did not find, where it could
// see.
func (r *rounds) forget(blind []string) {
	for path, f := range r.files {
		if f.n == r.n || r.states[f.folder].Err != nil || slices.ContainsFunc(blind, func(dir string) bool {
			return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
		}) {
			continue
		}
		if f.wait != nil {
			f.wait.dropped = true
		}
		delete(r.files, path)
	}
}

// ask finds out which of the fresh files are to be waited for.
func (r *rounds) ask(ctx context.Context) {
	if len(r.fresh) == 0 {
		return
	}
	slices.SortFunc(r.fresh, byPath)
	known := make([]bool, len(r.fresh))
	if r.Known != nil {
		known, r.err = r.Known(ctx, r.fresh)
		if r.err != nil {
			return // they are still fresh with the next reading
		}
	}
	for n, c := range r.fresh {
		if f := r.files[c.Path]; known[n] {
			f.id = c.ID
		} else {
			f.wait = r.rule.add(c, r.now())
		}
	}
}

// settle looks at the files that wait, again and again until end.
func (r *rounds) settle(ctx context.Context, end time.Time) error {
	for {
		begin := time.Now()
		if err := r.rule.look(ctx); err != nil {
			return err
		}
		cost := time.Since(begin)
		r.hand(ctx)
		r.publish()
		left := time.Until(end)
		again := max(pause(r.rule.settle), quiet(cost))
		if r.err != nil || len(r.rule.pending) == 0 || again >= left {
			return sleep(ctx, left)
		}
		if err := sleep(ctx, again); err != nil {
			return err
		}
	}
}

// hand hands on what is finished.
func (r *rounds) hand(ctx context.Context) {
	if len(r.ready) == 0 {
		return
	}
	c := make([]Candidate, len(r.ready))
	for n, f := range r.ready {
		c[n] = f.Candidate
	}
	slices.SortFunc(c, byPath)
	if err := r.Found(ctx, c); err != nil {
		r.err = err
		r.rule.pending = append(r.rule.pending, r.ready...)
		r.ready = nil
		return
	}
	for _, c := range c {
		f := r.files[c.Path]
		f.id, f.wait = c.ID, nil
	}
	r.ready = nil
}
