//go:build !linux && !darwin

package beneath

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// A Dir is a folder that is held open. Names given to its methods are names
// of its entries, never paths. Close lets go of it. A Dir may be used by
// several goroutines, but Close ends its use.
type Dir struct {
	root *os.Root // of d itself
	top  *os.Root // of the outermost folder: what has two folders goes by it
	rel  string   // of d below top
	path string
}

// Root opens a folder by its path, which may lead over links.
func Root(path string) (*Dir, error) {
	r, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Dir{root: r, top: r, rel: ".", path: path}, nil
}

func (d *Dir) again() (*Dir, error) {
	r, err := d.root.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	top, err := d.top.OpenRoot(".")
	if err != nil {
		r.Close()
		return nil, err
	}
	return &Dir{root: r, top: top, rel: d.rel, path: d.path}, nil
}

// Close lets go of the folder.
func (d *Dir) Close() error {
	err := d.root.Close()
	if d.top != d.root {
		err = errors.Join(err, d.top.Close())
	}
	return err
}

// Sub opens a folder within d. A link is an ErrLink.
func (d *Dir) Sub(name string) (*Dir, error) {
	was, err := d.Lstat(name)
	if err != nil {
		return nil, err
	}
	if was.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 { // a junction is irregular
		return nil, d.fail("open", name, ErrLink)
	}
	if !was.IsDir() {
		return nil, d.fail("open", name, syscall.ENOTDIR)
	}
	r, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	is, err := r.Stat(".")
	if err == nil && !os.SameFile(was, is) {
		err = ErrLink
	}
	var top *os.Root
	if err == nil {
		top, err = d.top.OpenRoot(".")
	}
	if err != nil {
		r.Close()
		return nil, d.fail("open", name, err)
	}
	return &Dir{root: r, top: top, rel: filepath.Join(d.rel, name), path: d.Join(name)}, nil
}

// Open opens a regular file for reading, see the function Open.
func (d *Dir) Open(name string) (*os.File, error) {
	was, err := d.Lstat(name)
	if err != nil {
		return nil, err
	}
	switch {
	case was.Mode()&fs.ModeSymlink != 0:
		return nil, d.fail("open", name, ErrLink)
	case !was.Mode().IsRegular():
		return nil, d.fail("open", name, ErrNotRegular)
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	is, err := f.Stat()
	switch {
	case err != nil:
	case !is.Mode().IsRegular():
		err = ErrNotRegular
	case !os.SameFile(was, is):
		err = ErrLink
	default:
		return f, nil
	}
	f.Close()
	return nil, d.fail("open", name, err)
}

const nonBlock = syscall.O_NONBLOCK

// Create makes a file for writing that was not there: fs.ErrExist.
func (d *Dir) Create(name string, perm fs.FileMode) (*os.File, error) {
	if err := single(name); err != nil {
		return nil, d.fail("create", name, err)
	}
	return d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm.Perm())
}

// Stat tells of the folder itself.
func (d *Dir) Stat() (fs.FileInfo, error) { return d.root.Stat(".") }

// Lstat tells of an entry, as os.Lstat does.
func (d *Dir) Lstat(name string) (fs.FileInfo, error) {
	if err := single(name); err != nil {
		return nil, d.fail("lstat", name, err)
	}
	fi, err := d.root.Lstat(name)
	if err != nil {
		return nil, d.fail("lstat", name, err)
	}
	return fi, nil
}

// ReadDir lists the folder in the order of names. The entries' Info looks by
// path: use Lstat.
func (d *Dir) ReadDir() ([]fs.DirEntry, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	sortEntries(entries)
	return entries, err
}

// Mkdir makes a folder within d, with exactly that mode where the drive knows
// modes.
func (d *Dir) Mkdir(name string, mode fs.FileMode) error {
	if err := single(name); err != nil {
		return d.fail("mkdir", name, err)
	}
	if err := d.root.Mkdir(name, mode.Perm()); err != nil {
		return d.fail("mkdir", name, err)
	}
	if runtime.GOOS != "windows" {
		_ = d.root.Chmod(name, mode)
	}
	return nil
}

// Remove removes a file, or a link itself.
func (d *Dir) Remove(name string) error {
	if err := single(name); err != nil {
		return d.fail("remove", name, err)
	}
	return d.root.Remove(name)
}

// Chtimes sets the times of a file.
func (d *Dir) Chtimes(name string, t time.Time) error {
	if err := single(name); err != nil {
		return d.fail("chtimes", name, err)
	}
	return d.root.Chtimes(name, t, t)
}

// Rename moves an entry into another folder of the same Root, and replaces
// what has that name.
func (d *Dir) Rename(name string, to *Dir, newName string) error {
	if err := errors.Join(single(name), single(newName)); err != nil {
		return linkError("rename", d.Join(name), to.Join(newName), err)
	}
	return d.top.Rename(filepath.Join(d.rel, name), filepath.Join(to.rel, newName))
}

// RenameNew moves an entry into another folder of the same Root and replaces
// nothing: the error is fs.ErrExist then.
func (d *Dir) RenameNew(name string, to *Dir, newName string) error {
	if err := errors.Join(single(name), single(newName)); err != nil {
		return linkError("rename", d.Join(name), to.Join(newName), err)
	}
	return d.RenameByLink(name, to, newName)
}

func (d *Dir) link(name string, to *Dir, newName string) error {
	return d.top.Link(filepath.Join(d.rel, name), filepath.Join(to.rel, newName))
}

// Sync makes renames last. Not every drive can.
func (d *Dir) Sync() error {
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// CrossDevice reports whether a rename failed because it led to another drive.
func CrossDevice(err error) bool {
	const notSameDevice = syscall.Errno(17) // ERROR_NOT_SAME_DEVICE of Windows
	if runtime.GOOS == "windows" {
		return errors.Is(err, notSameDevice)
	}
	return errors.Is(err, syscall.EXDEV)
}
