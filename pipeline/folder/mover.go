package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"wedrop/pipeline/beneath"
	"wedrop/pipeline/inspect"
)

// A Mover puts away the files of a folder whose After is Move: done ones into
// DoneFolder, by month, refused ones into RefusedFolder beside a text that
// says why. A file of a folder within goes into a folder of that name there.
//
// It overwrites nothing: a name that is taken becomes name-2.mp4, name-3.mp4.
// A file is renamed; where that is another drive it is copied, and removed
// when the copy is on the disk and was read back and is equal. After an error
// the file is where it was, unless the error comes with a Moved.
//
// A refused file that somebody moves back into the folder is a new one to a
// Watcher and to Scan, and is tried again.
type Mover struct {
	Folder string // must be there: it is not made, because it may be a drive that is not mounted

	disk disk
}

// Moved is where a file is now, as Journal.Moved wants to know it.
type Moved struct {
	Path string
	ID   inspect.FileID
}

// ErrReplaced is the Err of a MoveError: the file is not the one any more that
// was processed, so it is left for the next reading of the folder.
var ErrReplaced = errors.New("another file has taken its place")

// Done puts away a file that has its media_id, into the folder of the month of
// at in local time. id is the file that was processed. A file that is put away
// already stays where it is.
func (m *Mover) Done(path string, id inspect.FileID, at time.Time) (Moved, error) {
	if m.away(path) {
		return Moved{path, id}, nil
	}
	w, err := m.open(path, DoneFolder, at.Local().Format("2006-01"))
	if err != nil {
		return Moved{}, moveError(path, err)
	}
	defer w.close()
	to, err := m.move(w, id)
	return to, moveError(path, err)
}

// Refused puts away a file that was refused, and writes the message and the
// remedy into a text file beside it. A Moved with an error means that only the
// text could not be written. A file that is put away already stays where it is.
func (m *Mover) Refused(path string, id inspect.FileID, message, remedy string) (Moved, error) {
	if m.away(path) {
		return Moved{path, id}, nil
	}
	to, err := m.refuse(path, id, message, remedy)
	return to, moveError(path, err)
}

func (m *Mover) refuse(path string, id inspect.FileID, message, remedy string) (Moved, error) {
	w, err := m.open(path, RefusedFolder)
	if err != nil {
		return Moved{}, err
	}
	defer w.close()
	if err := same(w.from, w.name, id); err != nil {
		return Moved{}, err
	}
	// The text is on the disk before the file moves, so that a full disk
	// leaves all as it was.
	temp := scratch(reasonFile(w.name))
	if err := fill(w.to, temp, reason(message, remedy)); err != nil {
		return Moved{}, err
	}
	to, err := m.move(w, id)
	if err != nil {
		_ = w.to.Remove(temp)
		return Moved{}, err
	}
	// A text that is there already belonged to a file that is not.
	if err := w.to.Rename(temp, w.to, reasonFile(filepath.Base(to.Path))); err != nil {
		_ = w.to.Remove(temp)
		return to, err
	}
	return to, nil
}

// reasonFile is the name of the text beside the file of that name.
func reasonFile(name string) string { return fit(name, reasonSuffix, maxName) }

// reason is the text for Notepad and others: one line what happened, one line
// what to do.
func reason(message, remedy string) []byte {
	text := bom
	for _, s := range []string{message, remedy} {
		if s = strings.Join(strings.Fields(s), " "); s != "" {
			text += s + crlf
		}
	}
	return []byte(text)
}

// A way is what a move works with: both folders are held open, so that it does
// not matter what becomes of their paths meanwhile.
type way struct {
	from *beneath.Dir
	name string
	to   *beneath.Dir
}

func (w *way) close() {
	w.from.Close()
	w.to.Close()
}

// open opens the folder that has the file and the one of ours that it goes
// into, which is made. No link below the drop folder is followed.
func (m *Mover) open(path string, into ...string) (*way, error) {
	root, group, err := m.within(path)
	if err != nil {
		return nil, err
	}
	top, err := beneath.Root(root)
	if err != nil {
		return nil, err
	}
	defer top.Close()
	from, err := top.Walk(filepath.Join(append([]string{"."}, group...)...))
	if errors.Is(err, beneath.ErrLink) {
		err = ErrReplaced
	}
	if err != nil {
		return nil, err
	}
	to, err := makeDirs(top, append(into[:len(into):len(into)], group...))
	if err != nil {
		from.Close()
		return nil, err
	}
	return &way{from, filepath.Base(path), to}, nil
}

// move puts a file into a folder of ours.
func (m *Mover) move(w *way, id inspect.FileID) (Moved, error) {
	if err := same(w.from, w.name, id); err != nil {
		return Moved{}, err
	}
	name, err := m.place(w.from, w.name, w.to, w.name)
	if beneath.CrossDevice(err) {
		return m.carry(w, id)
	}
	if err != nil {
		return Moved{}, err
	}
	fi, err := w.to.Lstat(name)
	if err != nil {
		return Moved{}, err
	}
	now := inspect.ID(fi)
	if was := id; !fi.Mode().IsRegular() || was.Device != now.Device || was.Inode != now.Inode || was.Size != now.Size || was.MTime != now.MTime {
		// It was replaced at the last moment: that one goes back.
		if err := m.disk.renameNew(w.to, name, w.from, w.name); err != nil {
			return Moved{}, fmt.Errorf("%w, and is in %s now: %w", ErrReplaced, w.to.Join(name), err)
		}
		return Moved{}, ErrReplaced
	}
	_ = w.to.Sync()
	return Moved{Path: w.to.Join(name), ID: now}, nil
}

// same tells whether the file is still the one that was processed.
func same(d *beneath.Dir, name string, id inspect.FileID) error {
	fi, err := d.Lstat(name)
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() || inspect.ID(fi) != id {
		return ErrReplaced
	}
	return nil
}

// mostNames is how many files of one name there may be in a folder.
const mostNames = 10_000

// place gives a file of from a free name in to.
func (m *Mover) place(from *beneath.Dir, name string, to *beneath.Dir, want string) (got string, err error) {
	for n := 1; n <= mostNames; n++ {
		got = numbered(want, n)
		err = m.disk.renameNew(from, name, to, got)
		if !errors.Is(err, fs.ErrExist) {
			return got, err
		}
	}
	return "", err
}

// numbered is the n-th name for a file. Beyond the first it leaves room for
// reasonSuffix.
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	ext := filepath.Ext(name)
	if len(ext) > maxName/2 {
		ext = ""
	}
	return fit(strings.TrimSuffix(name, ext), fmt.Sprintf("-%d%s", n, ext), maxName-len(reasonSuffix))
}

// within tells in which folder within the drop folder a file is.
func (m *Mover) within(path string) (root string, group []string, err error) {
	root, err = filepath.Abs(m.Folder)
	if err != nil {
		return "", nil, err
	}
	rel, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil || !filepath.IsLocal(rel) {
		return "", nil, fmt.Errorf("not a file of the folder %s", m.Folder)
	}
	if rel != "." {
		group = strings.Split(rel, string(filepath.Separator))
	}
	return root, group, nil
}

func (m *Mover) away(path string) bool {
	_, group, err := m.within(path)
	return err == nil && len(group) > 0 && slices.Contains(ownFolders, group[0])
}

// makeDirs makes folders within top that may be used by whoever may use top,
// and opens the last one. It follows no links: they could lead anywhere.
func makeDirs(top *beneath.Dir, parts []string) (*beneath.Dir, error) {
	fi, err := top.Stat()
	if err != nil {
		return nil, err
	}
	mode := fi.Mode() & (fs.ModePerm | fs.ModeSetgid)
	at, err := top.Walk(".")
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		next, err := at.Sub(p)
		if errors.Is(err, fs.ErrNotExist) {
			if err = at.Mkdir(p, mode); err == nil || errors.Is(err, fs.ErrExist) {
				next, err = at.Sub(p)
			}
		}
		if errors.Is(err, beneath.ErrLink) || errors.Is(err, syscall.ENOTDIR) {
			err = &notFolder{at.Join(p)}
		}
		at.Close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}
