package pipeline

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"wedrop/pipeline/beneath"
	"wedrop/pipeline/inspect"
)

// Access says which files may be opened, whatever paths the ledger holds:
// those below Folders, and those that a person named. Without it, whoever can
// write the ledger's database could have any file published that this
// process can read.
//
// What a person named is not known from the ledger, but from a file beside
// it that processes of this machine write. It protects against somebody who
// has the database alone (PostgreSQL, or a way to change rows), not against
// somebody who may write into the folder of that file.
type Access struct {
	// Folders are absolute paths. Others may write into them: below them no
	// link is followed.
	Folders []string
	// Named is the file that remembers what persons named; made when needed.
	Named string

	mu    sync.Mutex
	size  int64 // of Named when it was read
	named map[string]bool
}

// outside is what a path is called that nobody may open. It tells nothing of
// what is there.
func outside(path string) error { return &inspect.Error{Code: inspect.Outside, Path: path} }

// root is the outermost of the Folders that has path. The outermost, because
// one within another is as changeable as any other entry of that.
func (a *Access) root(path string) (root, rel string, ok bool) {
	for _, f := range a.Folders {
		f = filepath.Clean(f)
		if r, below := beneath.Rel(f, path); below && (!ok || len(f) < len(root)) {
			root, rel, ok = f, r, true
		}
	}
	return root, rel, ok
}

// Remember notes that a person named these files, so that another process of
// this machine may carry them on. A file that is below the Folders needs no
// note. Paths are absolute, and each file has its ID.
func (a *Access) Remember(files []File) error {
	if a == nil || a.Named == "" {
		return nil
	}
	files = slices.DeleteFunc(slices.Clone(files), func(f File) bool {
		_, _, below := a.root(f.Path)
		return below
	})
	return a.note(files)
}

// rememberNamed is Remember for a file that was named by itself: that may be a
// link below the Folders, too, and what it led to then is noted.
func (a *Access) rememberNamed(f File) error {
	if a == nil || a.Named == "" {
		return nil
	}
	if root, rel, ok := a.root(f.Path); ok {
		if fi, err := beneath.Lstat(root, rel); err == nil && fi.Mode().IsRegular() {
			return nil
		}
	}
	return a.note([]File{f})
}

func (a *Access) note(files []File) error {
	if len(files) == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.read(); err != nil {
		return err
	}
	var add []byte
	for _, f := range files {
		if f.ID == (inspect.FileID{}) {
			continue
		}
		line := noteOf(f.Path) + noteOfID(f.ID)
		if !a.named[line] {
			add = append(add, line+"\n"...)
			a.named[line], a.named[noteOf(f.Path)] = true, true
		}
	}
	if add == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(a.Named), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(a.Named, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(add) // in one piece: others write, too
	return errors.Join(err, out.Close())
}

// read reads what others have noted since.
func (a *Access) read() error {
	fi, err := os.Stat(a.Named)
	if errors.Is(err, fs.ErrNotExist) || err == nil && a.named != nil && fi.Size() == a.size {
		if a.named == nil {
			a.named = map[string]bool{}
		}
		return nil
	}
	if err != nil {
		return err
	}
	b, err := os.ReadFile(a.Named)
	if err != nil {
		return err
	}
	a.named, a.size = map[string]bool{}, int64(len(b))
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); len(line) > 2*notePath {
			a.named[line], a.named[line[:2*notePath]] = true, true
		}
	}
	return nil
}

const notePath = 16 // bytes of a path's hash

func noteOf(path string) string {
	sum := sha256.Sum256([]byte(path))
	return fmt.Sprintf("%x", sum[:notePath])
}

func noteOfID(id inspect.FileID) string { return fmt.Sprintf(" %d %d", id.Device, id.Inode) }

// has reports whether a person named path, or where id is given, that file of
// this path.
func (a *Access) has(path string, id *inspect.FileID) bool {
	if a.Named == "" {
		return false
	}
	note := noteOf(path)
	if id != nil {
		note += noteOfID(*id)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.named[note] || a.read() == nil && a.named[note]
}

// opened is a file that may be read, and how to see what its path leads to
// now.
type opened struct {
	*os.File
	now func() (fs.FileInfo, error)
}

// OpenFile opens a file that the ledger has for reading: it is the only way
// in which a file is opened by a path of the ledger. It never waits, and
// returns regular files only; the error is an *inspect.Error, of Code Outside
// if Access does not allow it. What is known of the file is not compared.
func (p *Pipeline) OpenFile(path string) (*os.File, error) {
	f, err := p.open(path)
	return f.File, err
}

func (p *Pipeline) open(path string) (opened, error) {
	at := func() (fs.FileInfo, error) { return os.Stat(path) }
	if p.Access == nil {
		f, err := inspect.Open(path)
		return opened{f, at}, err
	}
	if root, rel, ok := p.Access.root(path); ok {
		f, err := inspect.OpenIn(root, rel)
		if err == nil || !p.Access.has(path, nil) {
			return opened{f, func() (fs.FileInfo, error) { return beneath.Lstat(root, rel) }}, err
		}
	} else if !p.Access.has(path, nil) {
		return opened{}, outside(path)
	}
	f, err := inspect.Open(path)
	if err != nil {
		return opened{}, err
	}
	fi, err := f.Stat()
	if err == nil {
		if id := inspect.ID(fi); p.Access.has(path, &id) {
			return opened{f, at}, nil
		}
	}
	f.Close()
	return opened{}, outside(path)
}

// LookAt tells what file the path leads to now, for whoever compares it with
// what the ledger knows. Where Access does not allow to open it the error is
// an *inspect.Error of Code Outside.
func (p *Pipeline) LookAt(path string) (fs.FileInfo, error) {
	if p.Access == nil {
		return os.Stat(path)
	}
	if root, rel, ok := p.Access.root(path); ok {
		if fi, err := beneath.Lstat(root, rel); err != nil || fi.Mode().IsRegular() || !p.Access.has(path, nil) {
			return fi, err
		}
	} else if !p.Access.has(path, nil) {
		return nil, outside(path)
	}
	return os.Stat(path)
}

// entered reports whether the opened file is the one that was entered, as far
// as the ledger knows that: a share has no numbers that all machines see
// alike. Content and times may differ, they are read now.
func entered(it Item, fi fs.FileInfo) bool {
	id := inspect.ID(fi)
	return it.File.Inode == 0 || id.Inode == 0 || it.File.Device == id.Device && it.File.Inode == id.Inode
}
