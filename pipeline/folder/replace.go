package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"
)

// stale is how long a scratch file is left alone: another process may be
// writing it.
const stale = time.Minute

// scratch is the name under which path is written: hidden, beside it, and
// the same every time, so that what a crash leaves is cleared away by the next
// try.
func scratch(path string) string {
	return filepath.Join(filepath.Dir(path), "."+fit(filepath.Base(path), ".tmp", maxName-1))
}

// create makes a scratch file. errOther: another process has just made it.
func create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	fi, err := os.Lstat(path)
	if err == nil && time.Since(fi.ModTime()) < stale {
		return nil, errOther
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

var errOther = errors.New("another process is writing it")

// replace writes a small file of ours in one instant: readers see the old one
// or the new one, also after a loss of power.
func replace(path string, content []byte) error {
	temp := scratch(path)
	if err := fill(temp, content); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return &renameError{err}
	}
	syncDir(filepath.Dir(path))
	return nil
}

// renameError is the refusal of the last step, after it was proven that the
// folder can be written to.
type renameError struct{ error }

func (e *renameError) Unwrap() error { return e.error }

// fill writes a scratch file that everybody may read who may read the folder.
// After an error it is gone.
func fill(temp string, content []byte) (err error) {
	f, err := create(temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
		}
	}()
	if _, err = f.Write(content); err != nil {
		return err
	}
	if fi, err := os.Stat(filepath.Dir(temp)); err == nil {
		_ = f.Chmod(fi.Mode().Perm()&0o666 | 0o600) // some drives know no modes
	}
	if err = f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// syncDir makes a rename last. Not every drive can, and nothing could be done
// about it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// maxName is the longest name of a file in bytes, on most systems.
const maxName = 255

// fit returns name and suffix together, with name cut at the end of a
// character so that they are at most limit bytes.
func fit(name, suffix string, limit int) string {
	for len(name) > 0 && len(name)+len(suffix) > limit {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name + suffix
}
