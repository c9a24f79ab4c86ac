package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"wedrop/pipeline"
	"wedrop/pipeline/folder"
	"wedrop/pipeline/journal"
)

// folders checks that each is there, can be read, and takes results.
func (d *doctor) folders(ctx context.Context) finding {
	m := &d.say.Doctor
	if len(d.cfg.Folders) == 0 {
		return good(m.NoFolders)
	}
	var paths, wrong, cures []string
	for _, f := range d.cfg.Folders {
		paths = append(paths, f.Path)
		bad, ok := atMost(ctx, func() finding { return d.folder(f.Path) })
		if !ok {
			bad = broken(m.FolderHangs(f.Path), m.FolderHangsRemedy)
		}
		if bad.Status == failed {
			wrong, cures = append(wrong, bad.Message), append(cures, bad.Remedy)
		}
	}
	if len(wrong) > 0 {
		return broken(strings.Join(wrong, "\n"), strings.Join(cures, "\n"))
	}
	return good(m.FoldersGood(len(paths), d.list(paths)))
}

// folder is the zero finding if nothing is wrong.
func (d *doctor) folder(path string) finding {
	m := &d.say.Doctor
	path, err := filepath.Abs(path)
	if err != nil {
		return broken(explain(&folder.NotMounted{Path: path, Err: err}, d.say))
	}
	if mount := d.unmounted(path); mount != "" {
		return broken(m.FolderUnmounted(path, mount), m.FolderUnmountedRemedy(mount))
	}
	if err := readable(path); err != nil {
		return broken(explain(&folder.NotMounted{Path: path, Err: err}, d.say))
	}
	if err := writable(path); err != nil {
		return broken(m.FolderUnwritable(path, cause(err)), m.FolderUnwritableRemedy)
	}
	return finding{}
}

func readable(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.ReadDir(1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// writable makes a hidden file and removes it. Its name is always the same,
// and none that is taken from a folder: what was left by a doctor that was
// killed is removed by the next one. It is never written to, for somebody may
// have put a link to another file there. Doctors on several machines may do
// this at once.
func writable(dir string) error {
	path := filepath.Join(dir, ".wedrop-doctor.tmp")
	var f *os.File
	err := fs.ErrExist
	for tries := 0; tries < 5 && errors.Is(err, fs.ErrExist); tries++ {
		_ = os.Remove(path) // else the next line says why
		f, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	}
	if err != nil {
		return err
	}
	closed, removed := f.Close(), os.Remove(path)
	if errors.Is(removed, fs.ErrNotExist) { // by another doctor
		removed = nil
	}
	return errors.Join(closed, removed)
}

// unmounted is the place at or above path which the system's table mounts and
// which is not mounted now; "" if there is none.
func (d *doctor) unmounted(path string) string {
	for at := path; ; at = filepath.Dir(at) {
		if d.inTab(at) && !isMount(at) {
			return at
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

func (d *doctor) inTab(path string) bool {
	f, err := os.Open(d.tabs)
	if err != nil {
		return false
	}
	defer f.Close()
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 1 && !strings.HasPrefix(fields[0], "#") && path != "/" && unescape.Replace(fields[1]) == path {
			return true
		}
	}
	return false
}

// isMount says whether path is another drive than the folder above it. What
// cannot be told is taken for one.
func isMount(path string) bool {
	here, there := device(path), device(filepath.Dir(path))
	return here == 0 || there == 0 || here != there
}

// An opening is what came of opening the journal.
type opening struct {
	journal pipeline.Journal
	err     error
}

// openedJournal opens it and makes a change that means nothing.
func (d *doctor) openedJournal(ctx context.Context) finding {
	m, path := &d.say.Doctor, d.journalName()
	gaveUp := make(chan struct{})
	got, ok := atMost(ctx, func() opening {
		j, err := d.openJournal(context.WithoutCancel(ctx), d.cfg)
		select {
		case <-gaveUp: // nobody waits any more
			if err == nil {
				_ = j.Close()
			}
		default:
		}
		return opening{j, err}
	})
	switch {
	case !ok:
		close(gaveUp)
		return broken(m.JournalLocked(path), m.JournalLockedRemedy)
	case got.err != nil && locked(got.err):
		return broken(m.JournalLocked(path), m.JournalLockedRemedy)
	case errors.As(got.err, new(*journal.ForeignError)):
		return broken(m.JournalForeign(path), m.JournalForeignRemedy)
	case errors.Is(got.err, fs.ErrPermission):
		return broken(m.JournalClosed(path), m.JournalUnwritableRemedy)
	case got.err != nil:
		return d.told(ctx, got.err)
	}
	err, ok := atMost(ctx, func() error {
		// As /readyz does: a token that nobody has is leased for no time.
		_, err := got.journal.LeaseToken(ctx, "readyz", "doctor", 0)
		return err
	})
	switch {
	case !ok || err != nil && (ctx.Err() != nil || locked(err)):
		go got.journal.Close() // it waits for the lock as well
		return broken(m.JournalLocked(path), m.JournalLockedRemedy)
	case errors.As(err, new(explainer)):
		_ = got.journal.Close()
		return d.told(ctx, err)
	case err != nil:
		_ = got.journal.Close()
		return broken(m.JournalUnwritable(path, rootCause(err)), m.JournalUnwritableRemedy)
	}
	if j, ok := got.journal.(*journal.Journal); ok {
		// A large one is read as far as the time for this check goes.
		if err := j.Verify(ctx); errors.As(err, new(explainer)) && ctx.Err() == nil {
			_ = j.Close()
			return d.told(ctx, err)
		}
	}
	d.journal = got.journal
	if others(path) {
		return warning(m.JournalNotOurs(path), m.JournalNotOursRemedy)
	}
	return good(m.JournalGood(path))
}

// journalName is the journal as people may see it: without a password.
func (d *doctor) journalName() string {
	if !d.remote() {
		return d.cfg.Journal
	}
	u, err := url.Parse(d.cfg.Journal)
	if err != nil { // it may have the password at any place
		return "postgres://"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// remote reports whether the journal is no file of this machine.
func (d *doctor) remote() bool { return strings.Contains(d.cfg.Journal, "://") }

// locked reads SQLite's SQLITE_BUSY and SQLITE_LOCKED, without its package.
func locked(err error) bool {
	if errors.As(err, new(*journal.BusyError)) {
		return true
	}
	var e interface{ Code() int }
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == 5 || code == 6
}

const (
	spaceFails = 64 << 20 // bytes
	spaceWarns = 1 << 30
)

// diskSpace looks at the disks of the journal, beside which the daemon puts
// what comes by its page, of the folders, and of a bucket that is a folder.
func (d *doctor) diskSpace(ctx context.Context) finding {
	m := &d.say.Doctor
	var places []string
	if d.cfg.Journal != "" && !d.remote() {
		places = append(places, filepath.Dir(d.cfg.Journal))
	}
	if dir, ok := strings.CutPrefix(d.cfg.Storage.URL, "dir://"); ok && d.bucket.Bucket != nil {
		places = append(places, filepath.FromSlash(dir))
	}
	if len(places) == 0 {
		return good(m.SpaceWhere)
	}
	var said []string
	least := int64(spaceWarns)
	for _, dir := range places {
		free, ok := d.freeAbove(ctx, dir)
		if !ok {
			continue
		}
		said = append(said, m.Space(dir, space(free)))
		least = min(least, free)
	}
	message := strings.Join(said, d.semicolon())
	switch {
	case len(said) == 0:
		return unproven(m.SpaceUnknown, "")
	case least < spaceFails:
		return broken(message, m.SpaceNone)
	case least < spaceWarns:
		return warning(message, m.SpaceLow)
	}
	return good(message)
}

// freeAbove is what is free where dir is, or will be.
func (d *doctor) freeAbove(ctx context.Context, dir string) (free int64, ok bool) {
	type answer struct {
		free int64
		ok   bool
	}
	got, ok := atMost(ctx, func() answer {
		for !exists(dir) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
		}
		free, ok := d.free(dir)
		return answer{free, ok}
	})
	return got.free, ok && got.ok
}

func space(n int64) string {
	if n < 1<<30 {
		return size(n)
	}
	return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GB"
}
