package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"wedrop/cmd/wedrop/web"
	"wedrop/pipeline"
	"wedrop/pipeline/folder"
)

const (
	tableEvery = time.Second      // a table is written at most so often,
	tableShare = 20               // with pauses of so many times what it cost
	tableRetry = 10 * time.Second // after it could not be written
	// So often before it is told that somebody has the table open: as long as
	// is left alone what a killed process was writing.
	tableMisses = 6
	indexLife   = time.Minute // how long it is believed what a folder holds
)

// drops are the folders of the configuration: files go in, tables of results
// and, where the folder wants that, the files themselves come out.
type drops struct {
	line    *line
	batch   *batch
	say     *messages
	log     *slog.Logger
	watcher *folder.Watcher
	bell    chan struct{}

	mu      sync.Mutex
	folders []*drop
	skipped map[string]folder.Reason // that the log has
	blocked bool                     // a table said what its files wait for: see pipeline.Blocks
}

// A drop is one folder. Its fields are under drops.mu.
type drop struct {
	folder.Folder
	down    error                // why it cannot be read
	dirty   bool                 // its table is not up to date
	next    time.Time            // not before it
	misses  int                  // how often its table could not be written since it last was
	mute    bool                 // the log has it
	files   int                  // as last counted
	waiting string               // the files that are not finished, as last seen
	items   map[int64]bool       // that its files have
	listed  time.Time            // when that was
	entered map[string]time.Time // with After: Move, when a file came in, until it is put away
}

func newDrops(l *line, b *batch, say *messages, log *slog.Logger) *drops {
	d := &drops{line: l, batch: b, say: say, log: log, bell: make(chan struct{}, 1)}
	w := &folder.Watcher{Settle: l.cfg.Settle, Known: d.known, Found: d.found, State: d.state}
	for _, f := range l.cfg.Folders {
		abs, err := filepath.Abs(f.Path)
		if err != nil {
			abs = f.Path
		}
		at := folder.Folder{Path: abs, Type: f.Type, Recursive: f.Recursive, After: f.After}
		w.Folders = append(w.Folders, at)
		d.folders = append(d.folders, &drop{Folder: at, dirty: true, entered: map[string]time.Time{}})
	}
	d.watcher = w
	return d
}

// known is folder.Watcher.Known. A file whose media_id has died is not known
// enough: it comes in again, to be renewed.
func (d *drops) known(ctx context.Context, c []folder.Candidate) ([]bool, error) {
	entries, err := d.line.Known(ctx, filesOf(c))
	if err != nil {
		return nil, d.trouble(ctx, err)
	}
	now, err := d.line.Journal.Now(ctx)
	if err != nil {
		return nil, d.trouble(ctx, err)
	}
	known := make([]bool, len(c))
	for n, e := range entries {
		dead := e.Item.Step == pipeline.Done && !e.Item.Valid(now, leastTTL) && d.line.cfg.Renew != RenewOff
		known[n] = e.ID != 0 && !dead
	}
	return known, nil
}

// found is folder.Watcher.Found.
func (d *drops) found(ctx context.Context, c []folder.Candidate) error {
	cfg := d.line.cfg
	entries, err := d.line.Enter(ctx, filesOf(c), pipeline.EnterOptions{RenewBefore: cfg.RenewBefore, Keep: cfg.Renew == RenewOff})
	if err != nil {
		return d.trouble(ctx, err)
	}
	now, err := d.line.Journal.Now(ctx)
	if err != nil {
		return d.trouble(ctx, err)
	}
	d.batch.enter(entries, time.Now())
	d.log.Info("files found", "n", len(entries), "first", filepath.Base(c[0].Path))
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range entries {
		for _, f := range d.folders {
			if within(f.Path, e.File.Path) {
				f.dirty = true
				if f.After == folder.Move {
					f.entered[e.File.Path] = now
				}
			}
		}
	}
	return nil
}

func (d *drops) trouble(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		d.log.Error("the ledger does not answer, files wait", "err", err)
	}
	return err
}

// state is folder.Watcher.State.
func (d *drops) state(at folder.Folder, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.folders {
		if f.Path != at.Path {
			continue
		}
		was := f.down
		f.down = err
		switch {
		case err != nil:
			message, remedy := explain(err, d.say)
			d.log.Error("folder down", "folder", f.Path, "message", message, "remedy", remedy)
		case was != nil:
			d.log.Info("folder back", "folder", f.Path)
			f.dirty = true
		}
	}
}

// touch is told of Items that changed.
func (d *drops) touch(items []pipeline.Item) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.blocked || slices.ContainsFunc(items, func(it pipeline.Item) bool { return it.Held() && it.Fault.Config })
	for _, f := range d.folders {
		f.dirty = f.dirty || all
		for _, it := range items {
			if f.items[it.ID] || within(f.Path, it.Path) {
				f.dirty = true
				break
			}
		}
	}
	select {
	case d.bell <- struct{}{}:
	default: // it rings already
	}
}

// run keeps the tables up to date until ctx ends, and brings them up to date
// once more then.
func (d *drops) run(ctx context.Context) {
	for ctx.Err() == nil {
		d.recount()
		d.refreshAll(ctx)
		select {
		case <-d.bell:
			_ = sleepFor(ctx, lookPause) // more comes at once
		case <-time.After(tableEvery):
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	for _, f := range d.due(time.Time{}) {
		d.refresh(last, f)
	}
}

// recount notices that files went away, and tells of those that are left out.
func (d *drops) recount() {
	snap := d.watcher.Snapshot()
	d.mu.Lock()
	defer d.mu.Unlock()
	skipped := map[string]folder.Reason{}
	for n, s := range snap.Folders {
		if f := d.folders[n]; s.Err == nil && f.files != s.Files {
			f.files, f.dirty = s.Files, true
		}
		if f, now := d.folders[n], waitingIn(snap, s.Path); s.Err == nil && f.waiting != now {
			f.waiting, f.dirty = now, true
		}
		for _, left := range s.Skipped {
			skipped[left.Path] = left.Reason
			if d.skipped[left.Path] != left.Reason {
				d.leftOut(left)
			}
		}
	}
	d.skipped = skipped
}

// waitingFiles are the files that are not finished, for the page.
func (d *drops) waitingFiles() []web.Waiting {
	var out []web.Waiting
	for _, w := range d.watcher.Snapshot().Waiting {
		one := web.Waiting{Path: w.Path, Size: w.ID.Size, Since: w.Since}
		one.Message.ZH, one.Remedy.ZH = w.Explain("zh")
		one.Message.EN, one.Remedy.EN = w.Explain("en")
		out = append(out, one)
	}
	return out
}

// waitingIn names the files in a folder that are not finished, and why.
func waitingIn(snap folder.Snapshot, dir string) string {
	var b strings.Builder
	for _, w := range snap.Waiting {
		if within(dir, w.Path) {
			b.WriteString(w.Path + "\x00" + w.Why + "\x00")
		}
	}
	return b.String()
}

func (d *drops) leftOut(s folder.Skipped) {
	level := slog.LevelInfo // a download, for example, that will be finished
	if s.Reason == folder.Unreadable {
		level = slog.LevelWarn
	}
	message, remedy := s.Explain(d.say.Lang)
	d.log.Log(context.Background(), level, "left out", "path", s.Path, "reason", string(s.Reason), "message", message, "remedy", remedy)
}

// due are the folders whose tables are not up to date, and may be written at
// that time; zero: at any.
func (d *drops) due(now time.Time) []*drop {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*drop
	for _, f := range d.folders {
		if f.dirty && f.down == nil && (now.IsZero() || !now.Before(f.next)) {
			f.dirty = false
			out = append(out, f)
		}
	}
	return out
}

func (d *drops) refreshAll(ctx context.Context) {
	for _, f := range d.due(time.Now()) {
		begin := time.Now()
		ok := d.refresh(ctx, f)
		d.mu.Lock()
		f.next = time.Now().Add(max(tableEvery, tableShare*time.Since(begin)))
		if !ok {
			f.dirty, f.next = true, time.Now().Add(tableRetry)
		}
		d.mu.Unlock()
	}
}

// refresh puts away what is done or refused, and writes the folder's table.
// It reports false if that has to be tried again.
func (d *drops) refresh(ctx context.Context, f *drop) bool {
	entries, err := d.list(ctx, f)
	if err == nil {
		entries, err = d.putAway(ctx, f, entries)
		blocked, e := writeTable(ctx, d.line, f.Folder, entries, d.watcher.Snapshot().Waiting, d.say.Lang)
		if err == nil {
			err = e
		}
		d.mu.Lock()
		d.blocked = blocked
		d.mu.Unlock()
	}
	var gone *folder.NotMounted
	if errors.As(err, &gone) || ctx.Err() != nil { // the Watcher tells of that
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		f.mute, f.misses = false, 0
		return true
	}
	f.misses++
	var busy *folder.WriteError
	if !f.mute && (!errors.As(err, &busy) || !busy.InUse() || f.misses > tableMisses) {
		f.mute = true
		message, remedy := explain(err, d.say)
		d.log.Warn("results not written", "folder", f.Path, "message", message, "remedy", remedy)
	}
	return false
}

// list returns what the ledger knows of the files in a folder, those that
// were put away included.
func (d *drops) list(ctx context.Context, f *drop) ([]pipeline.Entry, error) {
	entries, err := filesIn(ctx, d.line, f.Folder)
	if err != nil {
		return nil, err
	}
	items := make(map[int64]bool, len(entries))
	for _, e := range entries {
		items[e.Item.ID] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f.items, f.listed = items, time.Now()
	return entries, nil
}

// filesIn returns what the ledger knows of the files in a folder.
func filesIn(ctx context.Context, l *line, f folder.Folder) ([]pipeline.Entry, error) {
	found, _, err := folder.Scan(ctx, f)
	if err != nil {
		return nil, err
	}
	away, err := folder.ScanPutAway(ctx, f)
	if err != nil {
		return nil, err
	}
	found = append(found, away...)
	entries, err := l.Known(ctx, filesOf(found))
	if err != nil {
		return nil, err
	}
	known := entries[:0]
	for _, e := range entries {
		if e.ID != 0 {
			known = append(known, e)
		}
	}
	return known, nil
}

// writeTable writes the results into a folder: what the ledger knows of its
// files, and those that are not finished. One where there is nothing to tell,
// and never was, gets none. blocked tells that files wait for a person who mends
// the configuration, be they in this folder or not.
func writeTable(ctx context.Context, l *line, f folder.Folder, entries []pipeline.Entry, waiting []folder.Waiting, lang string) (blocked bool, err error) {
	dir, err := filepath.Abs(f.Path)
	if err != nil {
		return false, err
	}
	blocks, err := l.Blocks(ctx)
	if err != nil {
		return false, err
	}
	shown := make([]pipeline.Entry, len(entries))
	known := map[string]bool{}
	for n, e := range entries {
		e.Item = blocks.Shown(e.Item)
		shown[n], known[e.File.Path] = e, true
	}
	waiting = slices.DeleteFunc(slices.Clone(waiting), func(w folder.Waiting) bool { return known[w.Path] || !within(dir, w.Path) })
	if len(entries) == 0 && len(waiting) == 0 && !exists(filepath.Join(dir, folder.ResultsName)) {
		return len(blocks) > 0, nil
	}
	now, err := l.Journal.Now(ctx)
	if err != nil {
		return false, err
	}
	rows := append(folder.Rows(dir, shown, now, lang), folder.WaitingRows(dir, waiting, lang)...)
	folder.Sort(rows)
	return len(blocks) > 0, folder.WriteCSV(dir, rows, lang)
}

// holds reports whether an Item's file still is in a folder, put away there
// included. What cannot be seen now counts as there: a drive that is not
// mounted is no reason to let media_ids die.
func (d *drops) holds(it pipeline.Item) bool {
	for _, f := range d.all() {
		if !within(f.Path, it.Path) {
			continue
		}
		fi, err := d.line.LookAt(it.Path)
		switch {
		case err == nil && d.line.FileID(it.Path, fi) == it.File:
			return true
		case err != nil && (!errors.Is(err, os.ErrNotExist) || !exists(f.Path) || d.isDown(f)):
			return true
		}
	}
	// Equal files share an Item, and the path in it may be another's.
	for _, f := range d.all() {
		if d.has(f, it.ID) {
			return true
		}
	}
	return false
}

func (d *drops) all() []*drop { return d.folders } // which never change

func (d *drops) isDown(f *drop) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return f.down != nil
}

// has reports whether a file in the folder has that Item.
func (d *drops) has(f *drop, id int64) bool {
	d.mu.Lock()
	fresh := time.Since(f.listed) < indexLife || f.down != nil
	d.mu.Unlock()
	if !fresh {
		ctx, cancel := context.WithTimeout(context.Background(), indexLife)
		defer cancel()
		_, _ = d.list(ctx, f) // else what was there last counts
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return f.items[id]
}

// within reports whether path is below dir.
func within(dir, path string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}
