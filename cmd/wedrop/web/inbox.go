package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

// spare is how much of the disk uploads leave for the ledger and others.
const spare = 64 << 20

// An inbox is the folder of uploads. While one arrives it is ID.part, with
// what is known of it in ID.json where it may be resumed. A file that is whole
// is in a folder of its own, ID/NAME, so that equal names never meet.
type inbox struct {
	dir     string
	pipe    *pipeline.Pipeline
	entry   *entrance
	free    func(dir string) (int64, bool)
	reading chan struct{} // as many files at once as there are processors
	begin   sync.Mutex    // one upload begins at a time, so that reserve counts right
	// writing is what a file is written through; nil but in tests.
	writing func(io.Writer) io.Writer
}

// entrance is where files become Items, one after the other.
type entrance struct {
	sync.Mutex
	entered   map[content]int64      // Items that had not been read when they were entered
	finishing map[string]*sync.Mutex // uploads, by ID
}

// content is what makes two files the same Item.
type content struct {
	md5, name string
	kind      inspect.Type
}

func newInbox(dir string, p *pipeline.Pipeline, st *State, free func(string) (int64, bool)) (*inbox, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := newFolder(abs); err != nil {
		return nil, err
	}
	if free == nil {
		free = func(string) (int64, bool) { return 0, false }
	}
	return &inbox{dir: abs, pipe: p, entry: &st.entry, free: free, reading: make(chan struct{}, runtime.GOMAXPROCS(0))}, nil
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, as its documentation says
	return hex.EncodeToString(b)
}

func isID(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 16 && s == hex.EncodeToString(b)
}

func (b *inbox) part(id string) string { return filepath.Join(b.dir, id+".part") }

// has reports whether a file is an upload.
func (b *inbox) has(path string) bool { return filepath.Dir(filepath.Dir(path)) == b.dir }

// room refuses early what the disk could not hold.
func (b *inbox) room(size int64) error {
	if free, known := b.free(b.dir); known && free < size+spare {
		return diskFull()
	}
	return nil
}

// What uploads that are not whole may take up at once, all together: anybody who
// may upload could promise files of any number and size, and never send them.
const (
	maxUnfinished = 200
	maxReserved   = 2 << 30 // bytes
)

// reserve refuses an upload of that size, in bytes, if those that are not whole
// are too many with it. The caller holds b.begin until the upload has a file.
func (b *inbox) reserve(size int64) error {
	found, err := os.ReadDir(b.dir)
	if err != nil {
		return err
	}
	n, reserved := 1, size
	for _, e := range found {
		id, isPart := strings.CutSuffix(e.Name(), ".part")
		if !isPart || !isID(id) {
			continue
		}
		n++
		if note, err := b.load(id); err == nil {
			reserved += note.Size
		} else if fi, err := e.Info(); err == nil { // one request brings it
			reserved += fi.Size()
		}
	}
	if n > maxUnfinished || reserved > maxReserved {
		return tooManyUploads()
	}
	return nil
}

// A mindful writer asks every now and then whether there is still room: what
// was promised to others may be on the disk by now.
type mindful struct {
	w     io.Writer
	inbox *inbox
	left  int // bytes until it asks
}

func (m *mindful) Write(p []byte) (int, error) {
	if m.left -= len(p); m.left < 0 {
		m.left = 4 << 20
		if err := m.inbox.room(int64(len(p))); err != nil {
			return 0, err
		}
	}
	return m.w.Write(p)
}

// write appends what r has to an upload, and returns how much that was. It
// uses one small buffer. More than max bytes are refused, and nothing is left
// of the upload then, nor where the disk is full.
func (b *inbox) write(id string, r io.Reader, name string, max int64) (n int64, err error) {
	f, err := os.OpenFile(b.part(id), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	var w io.Writer = struct{ io.Writer }{f} // no ReadFrom: the buffer is ours
	if b.writing != nil {
		w = b.writing(f)
	}
	n, err = io.CopyBuffer(&mindful{w: w, inbox: b}, struct{ io.Reader }{io.LimitReader(r, max+1)}, make([]byte, 64<<10))
	if err == nil && n > max {
		err = refusedFor(inspect.TooLarge, name, n)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	var no *refusal
	if full(err) || errors.As(err, &no) {
		b.forget(id)
	}
	return n, err
}

// forget removes what there is of an upload.
func (b *inbox) forget(id string) {
	_ = os.Remove(b.part(id))
	_ = os.Remove(b.note(id))
	_ = os.RemoveAll(filepath.Join(b.dir, id))
}

// full reports whether err says that there is no space.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// take makes an Item of an upload that is whole. What its reading rules out
// leaves nothing behind.
func (b *inbox) take(ctx context.Context, id, name string, kind inspect.Type) (pipeline.Item, error) {
	f, facts, err := b.judge(ctx, id, name, kind)
	if err != nil {
		b.forget(id)
		return facts, err
	}
	return b.enter(ctx, id, f, facts)
}

// owned reports whether the ledger knows the file of an upload, which is the
// ledger's then.
func (b *inbox) owned(ctx context.Context, id string) (bool, error) {
	dir := filepath.Join(b.dir, id)
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(files) == 0 {
		return false, nil
	} else if err != nil {
		return false, err
	}
	items, err := b.pipe.Journal.Items(ctx, pipeline.Query{Corp: b.pipe.Corp, Named: filepath.Join(dir, files[0].Name()), Limit: 1})
	return len(items) > 0, err
}

// judge gives the file its name, unless it was given already and the ledger
// did not take it then, and reads it.
func (b *inbox) judge(ctx context.Context, id, name string, kind inspect.Type) (f pipeline.File, facts pipeline.Item, err error) {
	name = text(name)
	shown, _ := inspect.ShownName(name, inspect.File)
	if shown == "" {
		return f, facts, refusedFor(inspect.BadName, name, 0)
	}
	dir := filepath.Join(b.dir, id)
	f = pipeline.File{Path: filepath.Join(dir, shown), Type: kind}
	if shown != name {
		f.Name = name // inspect makes it harmless, too, and warns of the change
	}
	if _, gone := os.Stat(f.Path); gone != nil {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			err = os.Rename(b.part(id), f.Path)
		}
	}
	if err == nil {
		facts, err = b.read(ctx, f)
	}
	if err == nil && facts.Fault != nil {
		err = refused(*facts.Fault)
	}
	return f, facts, err
}

// text is what every ledger can keep and look for: PostgreSQL refuses bytes
// that are no UTF-8, and NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "_"), "\x00", "")
}

// read reads the file, a few at a time: each takes a processor.
func (b *inbox) read(ctx context.Context, f pipeline.File) (pipeline.Item, error) {
	select {
	case b.reading <- struct{}{}:
	case <-ctx.Done():
		return pipeline.Item{}, ctx.Err()
	}
	defer func() { <-b.reading }()
	return pipeline.Check(ctx, f)
}

// enter puts a file that was read into the ledger. If its content is there
// already under that name, the Item that has it is the answer; the file goes
// if that Item has its own, and takes its place if not. Where the ledger fails
// the file stays: it may be entered, and if not it is swept.
func (b *inbox) enter(ctx context.Context, id string, f pipeline.File, facts pipeline.Item) (pipeline.Item, error) {
	b.entry.Lock()
	defer b.entry.Unlock()
	again := pipeline.EnterOptions{Retry: true} // somebody sends it again: what stopped is to go on
	who := content{facts.MD5, facts.Name, facts.Type}
	old, err := b.twin(ctx, who)
	if err != nil {
		return facts, err
	}
	if old != nil && b.served(*old) {
		if old.Path != f.Path { // else it was entered before, and the program ended then
			b.forget(id)
		}
		return b.wake(ctx, pipeline.Entry{Item: *old}, again, facts)
	}
	entries, err := b.pipe.Enter(ctx, []pipeline.File{f}, again)
	if err != nil {
		return facts, err
	}
	it := entries[0].Item
	if it.ID == 0 { // gone a moment later
		return it, refused(*it.Fault)
	}
	if old != nil { // the ledger makes one Item of them when it has read the file
		return b.wake(ctx, pipeline.Entry{ID: entries[0].ID, File: entries[0].File, Item: *old}, again, facts)
	}
	b.entry.remember(who, it.ID)
	return told(it, facts), nil
}

// twin is the Item which has that content and name, be it read already or
// just entered; nil if there is none.
func (b *inbox) twin(ctx context.Context, who content) (*pipeline.Item, error) {
	it, err := b.known(ctx, who)
	id, ok := b.entry.entered[who]
	if err != nil || it != nil || !ok {
		return it, err
	}
	items, err := b.pipe.Journal.Items(ctx, pipeline.Query{Corp: b.pipe.Corp, IDs: []int64{id}})
	if err != nil {
		return nil, err
	}
	if len(items) > 0 && items[0].Step == pipeline.Inspect && items[0].MD5 == "" {
		return &items[0], nil
	}
	return b.known(ctx, who) // it was read between the two questions
}

// known is the Item that was read and has that content and name; nil if there
// is none.
func (b *inbox) known(ctx context.Context, who content) (*pipeline.Item, error) {
	items, err := b.pipe.Journal.Items(ctx, pipeline.Query{Corp: b.pipe.Corp, Named: who.md5})
	for n, it := range items {
		if it.Type == who.kind && it.Name == who.name {
			return &items[n], err
		}
	}
	return nil, err
}

// served reports whether the Item's own file is still what it was.
func (b *inbox) served(it pipeline.Item) bool {
	for _, host := range b.pipe.Hosts() {
		if it.Host == host {
			return same(b.pipe, it)
		}
	}
	return false
}

func (b *inbox) wake(ctx context.Context, e pipeline.Entry, o pipeline.EnterOptions, facts pipeline.Item) (pipeline.Item, error) {
	entries := []pipeline.Entry{e}
	err := b.pipe.Wake(ctx, entries, o)
	return told(entries[0].Item, facts), err
}

// told adds to an Item what its reading showed, for the answer: the ledger
// reads it once more.
func told(it, facts pipeline.Item) pipeline.Item {
	if it.Step == pipeline.Inspect && it.MD5 == "" {
		it.Name, it.Type, it.Size, it.MD5, it.Warnings = facts.Name, facts.Type, facts.Size, facts.MD5, facts.Warnings
	}
	return it
}

// remember notes an Item that will be found by its MD5 only when the ledger
// has read it.
func (e *entrance) remember(who content, id int64) {
	if len(e.entered) >= 1000 {
		clear(e.entered)
	}
	e.entered[who] = id
}
