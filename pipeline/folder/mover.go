package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	to, err := m.move(path, id, DoneFolder, at.Local().Format("2006-01"))
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
	dir, err := m.target(path, RefusedFolder)
	if err != nil {
		return Moved{}, err
	}
	if err := same(path, id); err != nil {
		return Moved{}, err
	}
	// The text is on the disk before the file moves, so that a full disk
	// leaves all as it was.
	temp := scratch(reasonFile(filepath.Join(dir, filepath.Base(path))))
	if err := fill(temp, reason(message, remedy)); err != nil {
		return Moved{}, err
	}
	to, err := m.move(path, id, RefusedFolder)
	if err != nil {
		os.Remove(temp)
		return Moved{}, err
	}
	// A text that is there already belonged to a file that is not.
	if err := os.Rename(temp, reasonFile(to.Path)); err != nil {
		os.Remove(temp)
		return to, err
	}
	return to, nil
}

func reasonFile(path string) string {
	return filepath.Join(filepath.Dir(path), fit(filepath.Base(path), reasonSuffix, maxName))
}

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

// move puts a file into a folder of ours.
func (m *Mover) move(path string, id inspect.FileID, into ...string) (Moved, error) {
	dir, err := m.target(path, into...)
	if err != nil {
		return Moved{}, err
	}
	if err := same(path, id); err != nil {
		return Moved{}, err
	}
	to, err := m.place(path, dir, filepath.Base(path))
	if crossDevice(err) {
		return m.carry(path, id, dir)
	}
	if err != nil {
		return Moved{}, err
	}
	fi, err := os.Lstat(to)
	if err != nil {
		return Moved{}, err
	}
	now := inspect.ID(fi)
	if was := id; was.Device != now.Device || was.Inode != now.Inode || was.Size != now.Size || was.MTime != now.MTime {
		// It was replaced at the last moment: that one goes back.
		if err := m.disk.renameNew(to, path); err != nil {
			return Moved{}, fmt.Errorf("%w, and is in %s now: %w", ErrReplaced, to, err)
		}
		return Moved{}, ErrReplaced
	}
	syncDir(dir)
	return Moved{Path: to, ID: now}, nil
}

// same tells whether the file is still the one that was processed.
func same(path string, id inspect.FileID) error {
	fi, err := os.Lstat(path)
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

// place gives the file at from a free name in dir.
func (m *Mover) place(from, dir, name string) (to string, err error) {
	for n := 1; n <= mostNames; n++ {
		to = filepath.Join(dir, numbered(name, n))
		err = m.disk.renameNew(from, to)
		if !errors.Is(err, fs.ErrExist) {
			return to, err
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

// target makes the folder for a file of the drop folder.
func (m *Mover) target(path string, into ...string) (string, error) {
	root, group, err := m.within(path)
	if err != nil {
		return "", err
	}
	return makeDirs(root, append(into[:len(into):len(into)], group...))
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

// makeDirs makes folders within root that may be used by whoever may use
// root. It follows no links: they could lead anywhere.
func makeDirs(root string, parts []string) (string, error) {
	top, err := os.Stat(root)
	if err != nil {
		return "", err
	}
	mode := top.Mode() & (fs.ModePerm | fs.ModeSetgid)
	dir := root
	for _, p := range parts {
		dir = filepath.Join(dir, p)
		switch fi, err := os.Lstat(dir); {
		case errors.Is(err, fs.ErrNotExist):
			if err := os.Mkdir(dir, mode.Perm()); err != nil && !errors.Is(err, fs.ErrExist) {
				return "", err
			}
			_ = os.Chmod(dir, mode) // beyond the umask, where the drive knows modes
		case err != nil:
			return "", err
		case !fi.IsDir():
			return "", &notFolder{dir}
		}
	}
	return dir, nil
}
