// Package beneath opens, lists and moves files below a folder into which
// others may write. Begin with Open or Root.
//
// A path that was checked is worth nothing to whoever can replace a part of
// it by a link a moment later. So everything here goes by names within a
// folder that is held open: each folder on the way is opened from the one
// above it, and no symbolic link is ever followed, whoever makes one and
// whenever. Only the path of the outermost folder may lead over links: it is
// the word of the operator.
//
// Only regular files are opened, and no open waits: neither for the other
// end of a FIFO nor for a device.
//
// On Linux and macOS the system keeps this promise (openat with O_NOFOLLOW).
// Elsewhere os.Root does, which never leaves the folder; links inside it are
// recognised before and after the open by the identity of what was opened.
package beneath

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrLink says that a part of a path below the folder is a symbolic link. It
// is wrapped in a *fs.PathError.
var ErrLink = errors.New("it is a symbolic link")

// ErrNotRegular says that what should be opened is no regular file. It is
// wrapped in a *fs.PathError.
var ErrNotRegular = errors.New("it is not a regular file")

// Open opens the regular file rel below the folder root for reading, and
// follows no link on the way. A link in the place of the file or of a folder
// on the way is an ErrLink, what is no regular file an ErrNotRegular.
func Open(root, rel string) (*os.File, error) {
	d, name, err := parent(root, rel)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Open(name)
}

// Lstat tells what rel below the folder root is, and follows no link on the
// way to it.
func Lstat(root, rel string) (fs.FileInfo, error) {
	d, name, err := parent(root, rel)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Lstat(name)
}

// parent opens the folder that has rel.
func parent(root, rel string) (d *Dir, name string, err error) {
	if rel == "." || !filepath.IsLocal(rel) {
		return nil, "", &fs.PathError{Op: "open", Path: filepath.Join(root, rel), Err: fs.ErrInvalid}
	}
	top, err := Root(root)
	if err != nil {
		return nil, "", err
	}
	defer top.Close()
	if d, err = top.Walk(filepath.Dir(rel)); err != nil {
		return nil, "", err
	}
	return d, filepath.Base(rel), nil
}

// Rel returns the path of a file relative to the folder root, and whether it
// is below it. Both are absolute and clean. It looks at nothing on the disk.
func Rel(root, path string) (string, bool) {
	below := strings.TrimSuffix(root, string(filepath.Separator)) + string(filepath.Separator)
	rel, ok := strings.CutPrefix(path, below)
	return rel, ok && rel != "." && filepath.IsLocal(rel)
}

// Walk opens the folder rel below d, each folder on the way from the one
// before. rel may be ".". The caller closes it.
func (d *Dir) Walk(rel string) (*Dir, error) {
	if !filepath.IsLocal(rel) {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(d.path, rel), Err: fs.ErrInvalid}
	}
	at, err := d.again()
	if rel = filepath.Clean(rel); err != nil || rel == "." {
		return at, err
	}
	for _, name := range strings.Split(rel, string(filepath.Separator)) {
		next, err := at.Sub(name)
		at.Close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// Path is where d was opened. It is for messages: d stays the same folder
// when that path leads elsewhere.
func (d *Dir) Path() string { return d.path }

// Join is the path of name in d, for messages.
func (d *Dir) Join(name string) string { return filepath.Join(d.path, name) }

// single refuses what is not the name of one entry of a folder.
func single(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsRune(name, 0) ||
		strings.ContainsRune(name, filepath.Separator) || strings.ContainsRune(name, '/') {
		return fs.ErrInvalid
	}
	return nil
}

func (d *Dir) fail(op, name string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: d.Join(name), Err: err}
}

// RenameByLink is RenameNew where the system's own rename replaces: the file
// has both names for a moment.
func (d *Dir) RenameByLink(name string, to *Dir, newName string) error {
	err := d.link(name, to, newName)
	switch {
	case errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || CrossDevice(err):
		return err
	case err != nil: // a drive without links, or a file whose owner is another
		return d.RenameByClaim(name, to, newName)
	}
	if err := d.Remove(name); err != nil {
		return errors.Join(err, to.Remove(newName))
	}
	return nil
}

// RenameByClaim takes the name first, with an empty file, and then replaces
// that.
func (d *Dir) RenameByClaim(name string, to *Dir, newName string) error {
	f, err := to.Create(newName, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err := d.Rename(name, to, newName); err != nil {
		if fi, e := to.Lstat(newName); e == nil && fi.Size() == 0 {
			_ = to.Remove(newName)
		}
		return err
	}
	return nil
}

func linkError(op string, from, to string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: from, New: to, Err: err}
}

func sortEntries(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
