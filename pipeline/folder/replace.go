package folder

import (
	"errors"
	"io/fs"
	"os"
	"time"
	"unicode/utf8"

	"wedrop/pipeline/beneath"
)

// stale is how long a scratch file is left alone: another process may be
// writing it.
const stale = time.Minute

// scratch is the name under which a file is written: hidden, beside it, and
// the same every time, so that what a crash leaves is cleared away by the next
// try.
func scratch(name string) string { return "." + fit(name, ".tmp", maxName-1) }

// create makes a scratch file. errOther: another process has just made it.
func create(d *beneath.Dir, name string) (*os.File, error) {
	f, err := d.Create(name, 0o600)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	fi, err := d.Lstat(name)
	if err == nil && time.Since(fi.ModTime()) < stale {
		return nil, errOther
	}
	if err := d.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return d.Create(name, 0o600)
}

var errOther = errors.New("another process is writing it")

// replace writes a small file of ours in one instant: readers see the old one
// or the new one, also after a loss of power.
func replace(d *beneath.Dir, name string, content []byte) error {
	temp := scratch(name)
	if err := fill(d, temp, content); err != nil {
		return err
	}
	if err := d.Rename(temp, d, name); err != nil {
		_ = d.Remove(temp)
		return &renameError{err}
	}
	_ = d.Sync()
	return nil
}

// renameError is the refusal of the last step, after it was proven that the
// folder can be written to.
type renameError struct{ error }

func (e *renameError) Unwrap() error { return e.error }

// fill writes a scratch file that everybody may read who may read the folder.
// After an error it is gone.
func fill(d *beneath.Dir, temp string, content []byte) (err error) {
	f, err := create(d, temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = d.Remove(temp)
		}
	}()
	if _, err = f.Write(content); err != nil {
		return err
	}
	if fi, err := d.Stat(); err == nil {
		_ = f.Chmod(fi.Mode().Perm()&0o666 | 0o600) // some drives know no modes
	}
	if err = f.Sync(); err != nil {
		return err
	}
	return f.Close()
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
