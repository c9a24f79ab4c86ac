package folder

import (
	"bytes"
	"crypto/md5"
	"errors"
	"io"

	"wedrop/pipeline/beneath"
	"wedrop/pipeline/inspect"
)

// disk is what a Mover does to files, for tests to get in the way of. What is
// nil is done by the system.
type disk struct {
	rename func(from, to string) error                   // without replacing
	write  func(w io.Writer, r io.Reader) (int64, error) // io.Copy
	remove func(path string) error
}

func (d disk) renameNew(from *beneath.Dir, name string, to *beneath.Dir, newName string) error {
	if d.rename != nil {
		return d.rename(from.Join(name), to.Join(newName))
	}
	return from.RenameNew(name, to, newName)
}

func (d disk) removeFile(from *beneath.Dir, name string) error {
	if d.remove != nil {
		return d.remove(from.Join(name))
	}
	return from.Remove(name)
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
func (m *Mover) carry(w *way, id inspect.FileID) (Moved, error) {
	temp := scratch(w.name)
	if err := m.copy(w, id, temp); err != nil {
		return Moved{}, err
	}
	name, err := m.place(w.to, temp, w.to, w.name)
	if err != nil {
		_ = w.to.Remove(temp)
		return Moved{}, err
	}
	_ = w.to.Sync()
	fi, err := w.to.Lstat(name)
	if err == nil {
		err = same(w.from, w.name, id)
	}
	if err == nil {
		err = m.disk.removeFile(w.from, w.name)
	}
	if err != nil {
		return Moved{}, errors.Join(err, w.to.Remove(name))
	}
	return Moved{Path: w.to.Join(name), ID: inspect.ID(fi)}, nil
}

// copy makes a verified copy that survives a loss of power. After an error
// there is none.
func (m *Mover) copy(w *way, id inspect.FileID, temp string) (err error) {
	in, err := w.from.Open(w.name)
	if errors.Is(err, beneath.ErrLink) || errors.Is(err, beneath.ErrNotRegular) {
		err = ErrReplaced
	}
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
	out, err := create(w.to, temp)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			out.Close()
			_ = w.to.Remove(temp)
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
	_ = w.to.Chtimes(temp, fi.ModTime()) // it looks as it did
	if err = verify(w.to, temp, n, sum.Sum(nil)); err != nil {
		return err
	}
	return same(w.from, w.name, id)
}

func verify(d *beneath.Dir, name string, size int64, sum []byte) error {
	f, err := d.Open(name)
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
