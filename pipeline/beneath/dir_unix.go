//go:build linux || darwin

package beneath

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Dir is a folder that is held open. Names given to its methods are names
// of its entries, never paths. Close lets go of it. A Dir may be used by
// several goroutines, but Close ends its use.
type Dir struct {
	f    *os.File
	path string
}

// Root opens a folder by its path, which may lead over links.
func Root(path string) (*Dir, error) {
	return openDir(unix.AT_FDCWD, path, path, 0)
}

func openDir(at int, name, path string, flags int) (*Dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK|unix.O_CLOEXEC|flags, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &Dir{os.NewFile(uintptr(fd), path), path}, nil
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func (d *Dir) fd() int { return int(d.f.Fd()) }

func (d *Dir) again() (*Dir, error) { return openDir(d.fd(), ".", d.path, 0) }

// Close lets go of the folder.
func (d *Dir) Close() error { return d.f.Close() }

// Sub opens a folder within d. A link is an ErrLink.
func (d *Dir) Sub(name string) (*Dir, error) {
	if err := single(name); err != nil {
		return nil, d.fail("open", name, err)
	}
	s, err := openDir(d.fd(), name, d.Join(name), unix.O_NOFOLLOW)
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		if fi, e := d.Lstat(name); e == nil && fi.Mode()&fs.ModeSymlink != 0 {
			return nil, d.fail("open", name, ErrLink)
		}
	}
	return s, err
}

// Open opens a regular file for reading, see the function Open.
func (d *Dir) Open(name string) (*os.File, error) {
	if err := single(name); err != nil {
		return nil, d.fail("open", name, err)
	}
	// Looked at before, because an open has effects on some devices and fails
	// on sockets, and after it, which alone is certain.
	fi, err := d.Lstat(name)
	if err != nil {
		return nil, err
	}
	if err := regular(fi); err != nil {
		return nil, d.fail("open", name, err)
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	})
	if err == unix.ELOOP {
		err = ErrLink
	}
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	f := os.NewFile(uintptr(fd), d.Join(name))
	if fi, err = f.Stat(); err == nil {
		err = regular(fi)
	}
	if err != nil {
		f.Close()
		return nil, d.fail("open", name, err)
	}
	return f, nil
}

func regular(fi fs.FileInfo) error {
	switch {
	case fi.Mode().IsRegular():
		return nil
	case fi.Mode()&fs.ModeSymlink != 0:
		return ErrLink
	}
	return ErrNotRegular
}

// Create makes a file for writing that was not there: fs.ErrExist.
func (d *Dir) Create(name string, perm fs.FileMode) (*os.File, error) {
	if err := single(name); err != nil {
		return nil, d.fail("create", name, err)
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd(), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(perm.Perm()))
	})
	if err != nil {
		return nil, d.fail("create", name, err)
	}
	return os.NewFile(uintptr(fd), d.Join(name)), nil
}

// Stat tells of the folder itself.
func (d *Dir) Stat() (fs.FileInfo, error) { return d.f.Stat() }

// Lstat tells of an entry, as os.Lstat does.
func (d *Dir) Lstat(name string) (fs.FileInfo, error) {
	if err := single(name); err != nil {
		return nil, d.fail("lstat", name, err)
	}
	var st unix.Stat_t
	_, err := retry(func() (int, error) { return 0, unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil {
		return nil, d.fail("lstat", name, err)
	}
	return &info{name, sys(&st)}, nil
}

// ReadDir lists the folder in the order of names. The entries' Info looks by
// path: use Lstat.
func (d *Dir) ReadDir() ([]fs.DirEntry, error) {
	at, err := d.again() // it has a position of its own
	if err != nil {
		return nil, err
	}
	defer at.Close()
	entries, err := at.f.ReadDir(-1)
	sortEntries(entries)
	return entries, err
}

// Mkdir makes a folder within d, with exactly that mode where the drive knows
// modes.
func (d *Dir) Mkdir(name string, mode fs.FileMode) error {
	if err := single(name); err != nil {
		return d.fail("mkdir", name, err)
	}
	if err := unix.Mkdirat(d.fd(), name, uint32(mode.Perm())); err != nil {
		return d.fail("mkdir", name, err)
	}
	if s, err := d.Sub(name); err == nil {
		_ = s.f.Chmod(mode)
		s.Close()
	}
	return nil
}

// Remove removes a file, or a link itself.
func (d *Dir) Remove(name string) error {
	if err := single(name); err != nil {
		return d.fail("remove", name, err)
	}
	if err := unix.Unlinkat(d.fd(), name, 0); err != nil {
		return d.fail("remove", name, err)
	}
	return nil
}

// Chtimes sets the times of a file; of a link, its own.
func (d *Dir) Chtimes(name string, t time.Time) error {
	if err := single(name); err != nil {
		return d.fail("chtimes", name, err)
	}
	ts, err := unix.TimeToTimespec(t)
	if err == nil {
		err = unix.UtimesNanoAt(d.fd(), name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		return d.fail("chtimes", name, err)
	}
	return nil
}

// Rename moves an entry into another folder, and replaces what has that name.
func (d *Dir) Rename(name string, to *Dir, newName string) error {
	err := errors.Join(single(name), single(newName))
	if err == nil {
		err = unix.Renameat(d.fd(), name, to.fd(), newName)
	}
	return linkError("rename", d.Join(name), to.Join(newName), err)
}

// RenameNew moves an entry into another folder on the same drive and replaces
// nothing: the error is fs.ErrExist then.
func (d *Dir) RenameNew(name string, to *Dir, newName string) error {
	err := errors.Join(single(name), single(newName))
	if err == nil {
		err = renameExcl(d.fd(), name, to.fd(), newName)
	}
	if noFlags(err) {
		return d.RenameByLink(name, to, newName)
	}
	return linkError("rename", d.Join(name), to.Join(newName), err)
}

func (d *Dir) link(name string, to *Dir, newName string) error {
	return linkError("link", d.Join(name), to.Join(newName), unix.Linkat(d.fd(), name, to.fd(), newName, 0))
}

// Sync makes renames last. Not every drive can.
func (d *Dir) Sync() error { return d.f.Sync() }

// CrossDevice reports whether a rename failed because it led to another drive.
func CrossDevice(err error) bool { return errors.Is(err, unix.EXDEV) }

// info is what Lstat tells.
type info struct {
	name string
	st   *syscall.Stat_t
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.st.Size }
func (i *info) ModTime() time.Time { return modTime(i.st) }
func (i *info) IsDir() bool        { return i.Mode().IsDir() }
func (i *info) Sys() any           { return i.st }

func (i *info) Mode() fs.FileMode {
	m := fs.FileMode(i.st.Mode & 0o777)
	switch i.st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
	case syscall.S_IFDIR:
		m |= fs.ModeDir
	case syscall.S_IFLNK:
		m |= fs.ModeSymlink
	case syscall.S_IFIFO:
		m |= fs.ModeNamedPipe
	case syscall.S_IFSOCK:
		m |= fs.ModeSocket
	case syscall.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case syscall.S_IFBLK:
		m |= fs.ModeDevice
	default:
		m |= fs.ModeIrregular
	}
	return m
}
