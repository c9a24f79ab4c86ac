package folder

import (
	"bytes"
	"crypto/md5"
	"errors"
	"io"
	"os"
	"path/filepath"

	"wedrop/pipeline/inspect"
)

// disk is what a Mover does to files, for tests to get in the way of. What is
// nil is done by the system.
type disk struct {
	rename func(from, to string) error                   // without replacing
	write  func(w io.Writer, r io.Reader) (int64, error) // io.Copy
	remove func(path string) error
}

func (d disk) renameNew(from, to string) error {
	if d.rename != nil {
		return d.rename(from, to)
	}
	return renameNew(from, to)
}

func (d disk) removeFile(path string) error {
	if d.remove != nil {
		return d.remove(path)
	}
	return os.Remove(path)
}

func (d disk) copy(w io.Writer, r io.Reader) (int64, error) {
	if d.write != nil {
		return d.write(w, r)
	}
	return io.Copy(w, r)
}

// errCopy says that what was read back differs from what was written.
var errCopy = errors.New("the copy differs from the file")

// carry moves a file to another drive. Until the last step, the removal, the
// file is untouched; if that fails too, the copy goes and the file stays.
func (m *Mover) carry(path string, id inspect.FileID, dir string) (Moved, error) {
	temp := scratch(filepath.Join(dir, filepath.Base(path)))
	if err := m.copy(path, id, temp); err != nil {
		return Moved{}, err
	}
	to, err := m.place(temp, dir, filepath.Base(path))
	if err != nil {
		os.Remove(temp)
		return Moved{}, err
	}
	syncDir(dir)
	fi, err := os.Lstat(to)
	if err == nil {
		err = same(path, id)
	}
	if err == nil {
		err = m.disk.removeFile(path)
	}
	if err != nil {
		return Moved{}, errors.Join(err, os.Remove(to))
	}
	return Moved{Path: to, ID: inspect.ID(fi)}, nil
}

// copy makes a verified copy that survives a loss of power. After an error
// there is none.
func (m *Mover) copy(path string, id inspect.FileID, temp string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	fi, err := in.Stat()
	if err != nil {
		return err
	}
	if inspect.ID(fi) != id {
		return ErrReplaced
	}
	out, err := create(temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(temp)
		}
	}()
	sum := md5.New()
	n, err := m.disk.copy(out, io.TeeReader(in, sum))
	if err != nil {
		return err
	}
	if n != id.Size {
		return ErrReplaced
	}
	_ = out.Chmod(fi.Mode().Perm()) // some drives know no modes
	if err = out.Sync(); err != nil {
		return err
	}
	if err = out.Close(); err != nil {
		return err
	}
	_ = os.Chtimes(temp, fi.ModTime(), fi.ModTime()) // it looks as it did
	if err = verify(temp, n, sum.Sum(nil)); err != nil {
		return err
	}
	return same(path, id)
}

func verify(path string, size int64, sum []byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := md5.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if n != size || !bytes.Equal(h.Sum(nil), sum) {
		return errCopy
	}
	return nil
}
