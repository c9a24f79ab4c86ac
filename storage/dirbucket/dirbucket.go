// Package dirbucket is a storage.Driver over a folder that a web server
// publishes: "dir:///srv/www/media".
//
// Start with [Open]. What is under a name is always whole: a file is written
// beside it under a hidden name, compared with its MD5, flushed to the disk
// and renamed. Files have mode 0644 and new folders 0755, whatever the umask,
// because the web server runs as somebody else. Names never lead out of the
// folder, not even over symbolic links.
//
// The web server decides on headers. [Driver.Handler] is one that serves the
// folder as WeCom needs it.
package dirbucket

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"wedrop/storage"
)

// A Driver keeps objects as files of a folder.
type Driver struct {
	id   string
	root *os.Root

	mu    sync.Mutex
	sums  map[string]sum      // by key: so that an unchanged file is read once
	swept map[string]struct{} // folders that were looked through for leftovers
}

type sum struct {
	info os.FileInfo
	md5  string
}

// Open returns a Driver of the folder in a storage URL, "dir:///folder" or
// "dir:///C:/folder". The folder must exist. Its error is a *storage.Error of
// Kind BadConfig.
func Open(rawURL string) (*Driver, error) {
	l, err := storage.SplitURL(rawURL)
	if err != nil {
		return nil, err
	}
	id := idOf(l.Folder)
	refuse := func(r storage.Reason, detail string, err error) (*Driver, error) {
		return nil, &storage.Error{Op: "open", Kind: storage.BadConfig, Reason: r, Bucket: id, Detail: detail, Err: err}
	}
	if l.Scheme != "dir" {
		return refuse(storage.ReasonURL, "it does not begin with dir://", nil)
	}
	if err := l.Only(); err != nil {
		return nil, err
	}
	folder := filepath.FromSlash(l.Folder)
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return refuse(storage.ReasonFolder, "it is a file", nil)
	}
	root, err := os.OpenRoot(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse(storage.ReasonFolder, "it does not exist", err)
	case errors.Is(err, fs.ErrPermission):
		return refuse(storage.ReasonFolder, "no permission", err)
	case err != nil:
		return refuse(storage.ReasonFolder, "it cannot be opened", err)
	}
	return &Driver{id: id, root: root, sums: map[string]sum{}, swept: map[string]struct{}{}}, nil
}

func idOf(folder string) string {
	return "dir:///" + strings.TrimPrefix(folder, "/")
}

// Close lets go of the folder.
func (d *Driver) Close() error { return d.root.Close() }

// ID implements storage.Driver: "dir:///folder".
func (d *Driver) ID() string { return d.id }

// URL implements storage.Driver: only the web server knows it.
func (d *Driver) URL(string) string { return "" }

// Policy implements storage.Driver: there is none.
func (d *Driver) Policy(string) string { return "" }

// Head implements storage.Driver. It reads the file for its MD5, once: as long
// as the file is the same with the same size and time, the sum is remembered.
func (d *Driver) Head(ctx context.Context, key string) (storage.Attrs, error) {
	name, err := nameOf(key)
	if err != nil {
		return storage.Attrs{}, err
	}
	f, err := d.root.Open(name)
	if err != nil {
		return storage.Attrs{}, d.gone(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return storage.Attrs{}, err
	}
	if !info.Mode().IsRegular() {
		return storage.Attrs{}, fs.ErrNotExist
	}
	if s, ok := d.known(key); ok && unchanged(s.info, info) {
		return storage.Attrs{Size: info.Size(), MD5: s.md5}, nil
	}
	h := md5.New()
	n, err := io.CopyBuffer(h, onlyReader{ctx, f}, make([]byte, min(bufferSize, info.Size()+1)))
	if err != nil {
		return storage.Attrs{}, err
	}
	s := sum{info, hex.EncodeToString(h.Sum(nil))}
	if n != info.Size() {
		return storage.Attrs{Size: n, MD5: s.md5}, nil // it is being changed
	}
	d.remember(key, s)
	return storage.Attrs{Size: n, MD5: s.md5}, nil
}

const (
	bufferSize = 256 << 10
	mostSums   = 10_000 // remembered; beyond it all are forgotten
)

func (d *Driver) known(key string) (sum, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.sums[key]
	return s, ok
}

func (d *Driver) remember(key string, s sum) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.sums) >= mostSums {
		clear(d.sums)
	}
	d.sums[key] = s
}

func unchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Delete implements storage.Driver.
func (d *Driver) Delete(_ context.Context, key string) error {
	name, err := nameOf(key)
	if err != nil {
		return err
	}
	if info, err := d.root.Lstat(name); err == nil && info.IsDir() {
		return nil // a folder is no object
	}
	err = d.gone(d.root.Remove(name))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// errFolderGone tells the missing folder from a missing file: a share that is
// not mounted is not an empty one.
var errFolderGone = errors.New("the folder is gone")

func (d *Driver) gone(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, e := os.Stat(d.root.Name()); e != nil {
		return fmt.Errorf("%w: %w", errFolderGone, e)
	}
	return err
}

var errKey = errors.New("the key is no name of a file")

// nameOf is the key as a path below the folder. Hidden names are ours: a
// file that is being written has one.
func nameOf(key string) (string, error) {
	name := filepath.FromSlash(key)
	if key == "" || path.Clean(key) != key || !filepath.IsLocal(name) || strings.ContainsAny(key, "\x00\\") {
		return "", errKey
	}
	for part := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(part, ".") {
			return "", errKey
		}
	}
	return name, nil
}

// Classify implements storage.Driver.
func (d *Driver) Classify(err error) storage.Fault {
	f := storage.Fault{Message: message(err)}
	switch {
	case errors.Is(err, errMismatch):
		f.Cause = storage.CauseBadDigest
	case errors.Is(err, errFolderGone):
		f.Cause = storage.CauseNoBucket
	case errors.Is(err, errKey):
		f.Cause = storage.CauseBadRequest
	case errors.Is(err, fs.ErrNotExist):
		f.Cause = storage.CauseNotFound
	case errors.Is(err, fs.ErrExist):
		f.Cause = storage.CauseExists
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		f.Cause = storage.CauseDenied
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, errQuota):
		f.Cause = storage.CauseFull
	case errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG):
		f.Cause = storage.CauseBadRequest
	default:
		f.Cause = storage.CauseUnreachable // a share that hangs, an I/O error
	}
	return f
}

// message is what the system says, without the path around it.
func message(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// onlyReader hides WriteTo and ends with the context.
type onlyReader struct {
	ctx context.Context
	r   io.Reader
}

func (o onlyReader) Read(p []byte) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.r.Read(p)
}
