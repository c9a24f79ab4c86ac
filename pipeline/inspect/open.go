package inspect

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"wedrop/pipeline/beneath"
)

// open opens a regular file of a size that WeCom takes. The error is an
// *Error; id holds what was learned until then. Nothing is read.
func open(path string, opt Options) (f *os.File, id FileID, err error) {
	if opt.File != nil {
		return within(path, opt.File)
	}
	target, fi, err := resolve(path, opt.NoFollow)
	if err != nil {
		return nil, FileID{}, err
	}
	// Looked at before the open, which already has effects on some devices
	// and fails on sockets, and again after it, which alone is certain.
	if err := gate(path, fi); err != nil {
		return nil, ID(fi), err
	}
	if f, err = os.OpenFile(target, os.O_RDONLY|openFlags, 0); err != nil {
		return nil, ID(fi), unreadable(path, err)
	}
	if fi, err = f.Stat(); err != nil {
		f.Close()
		return nil, FileID{}, unreadable(path, err)
	}
	if err := gate(path, fi); err != nil {
		f.Close()
		return nil, ID(fi), err
	}
	return f, ID(fi), nil
}

// within is open for a file that was opened already.
func within(path string, f *os.File) (*os.File, FileID, error) {
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, FileID{}, unreadable(path, err)
	}
	if err := gate(path, fi); err != nil {
		f.Close()
		return nil, ID(fi), err
	}
	return f, ID(fi), nil
}

// Open opens the regular file at path without waiting, whatever its size. A
// link is followed. The error is an *Error.
func Open(path string) (*os.File, error) {
	target, fi, err := resolve(path, false)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, gate(path, fi)
	}
	f, err := os.OpenFile(target, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if fi, err = f.Stat(); err != nil {
		f.Close()
		return nil, unreadable(path, err)
	}
	if !fi.Mode().IsRegular() {
		f.Close()
		return nil, gate(path, fi)
	}
	return f, nil
}

// OpenIn opens the regular file rel below the folder root, following no link
// below it, see package beneath. The error is an *Error.
func OpenIn(root, rel string) (*os.File, error) {
	f, err := beneath.Open(root, rel)
	if err == nil {
		return f, nil
	}
	path := filepath.Join(root, rel)
	switch {
	case errors.Is(err, beneath.ErrLink):
		return nil, &Error{Code: NotRegular, Path: path, Detail: "symlink"}
	case errors.Is(err, beneath.ErrNotRegular):
		e := &Error{Code: NotRegular, Path: path, Detail: "device"}
		if fi, err := beneath.Lstat(root, rel); err == nil {
			e.Detail = irregular(fi.Mode())
		}
		return nil, e
	}
	return nil, unreadable(path, err)
}

// resolve follows a symbolic link once, so that the open can refuse any.
func resolve(path string, noFollow bool) (target string, fi fs.FileInfo, err error) {
	fi, err = os.Lstat(path)
	if err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		if noFollow {
			return "", nil, &Error{Code: NotRegular, Path: path, Detail: "symlink"}
		}
		if target, err = filepath.EvalSymlinks(path); err == nil {
			fi, err = os.Lstat(target)
		}
		if err != nil {
			return "", nil, unreadable(path, err)
		}
		return target, fi, nil
	}
	if err != nil {
		return "", nil, unreadable(path, err)
	}
	return path, fi, nil
}

func gate(path string, fi fs.FileInfo) error {
	e := &Error{Path: path, Size: fi.Size()}
	switch {
	case !fi.Mode().IsRegular():
		e.Code, e.Detail = NotRegular, irregular(fi.Mode())
	case fi.Size() < MinSize:
		e.Code = TooSmall
		if fi.Size() == 0 {
			e.Detail = "empty"
		}
	case fi.Size() > MaxSize:
		e.Code = TooLarge
	default:
		return nil
	}
	return e
}

func irregular(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&fs.ModeNamedPipe != 0:
		return "pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeSymlink != 0:
		return "symlink"
	}
	return "device"
}

func unreadable(path string, err error) *Error {
	e := &Error{Code: Unreadable, Path: path, Err: err}
	switch {
	case os.IsNotExist(err):
		e.Detail = "missing"
	case os.IsPermission(err):
		e.Detail = "permission"
	}
	return e
}

// now returns the identity of what path leads to now; the zero FileID if it
// leads nowhere any more.
func now(path string, opt Options) FileID {
	look := opt.Now
	if look == nil {
		look = func() (fs.FileInfo, error) { return os.Stat(path) }
	}
	fi, err := look()
	if err != nil {
		return FileID{}
	}
	return ID(fi)
}
