package dirbucket

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"wedrop/storage"
)

var errMismatch = errors.New("the content differs from its size or MD5")

// Put implements storage.Driver. ContentType, Disposition and ACL are the web
// server's affair.
func (d *Driver) Put(ctx context.Context, r storage.PutRequest) error {
	name, err := nameOf(r.Key)
	if err != nil {
		return err
	}
	if r.IfAbsent {
		if _, err := d.root.Lstat(name); err == nil {
			return fs.ErrExist
		}
	}
	if err := d.makeFolder(filepath.Dir(name)); err != nil {
		return d.gone(err)
	}
	d.sweep(filepath.Dir(name))
	temp := filepath.Join(filepath.Dir(name), tempPrefix+rand.Text()+".part")
	info, err := d.write(ctx, temp, r)
	if err == nil {
		err = d.publish(temp, name, r.IfAbsent)
	}
	if err != nil {
		d.root.Remove(temp)
		return d.gone(err)
	}
	d.remember(r.Key, sum{info, r.MD5})
	return d.syncFolder(filepath.Dir(name))
}

// tempPrefix is hidden, and no web server serves it by default.
const tempPrefix = ".wedrop-"

// makeFolder makes what is missing on the way to dir, readable by the web
// server.
func (d *Driver) makeFolder(dir string) error {
	if dir == "." {
		return nil
	}
	if info, err := d.root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	at := ""
	for part := range strings.SplitSeq(filepath.ToSlash(dir), "/") {
		at = filepath.Join(at, part)
		err := d.root.Mkdir(at, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := d.root.Chmod(at, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// write leaves the whole body, flushed and compared, under the hidden name.
func (d *Driver) write(ctx context.Context, temp string, r storage.PutRequest) (os.FileInfo, error) {
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := md5.New()
	// One byte more than announced is enough to see that it is too long.
	body := io.LimitReader(onlyReader{ctx, r.Body}, r.Size+1)
	n, err := io.CopyBuffer(io.MultiWriter(f, h), body, make([]byte, min(bufferSize, r.Size+1)))
	if err != nil {
		return nil, err
	}
	if n != r.Size || hex.EncodeToString(h.Sum(nil)) != strings.ToLower(r.MD5) {
		return nil, errMismatch
	}
	if err := f.Chmod(0o644); err != nil && runtime.GOOS != "windows" {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return info, f.Close()
}

// publish gives the file its name. A hard link is the one way that replaces
// nothing even if two processes come at once; where there are none (SMB, FAT)
// a look has to do.
func (d *Driver) publish(temp, name string, ifAbsent bool) error {
	if !ifAbsent {
		return d.root.Rename(temp, name)
	}
	err := d.root.Link(temp, name)
	if err == nil {
		return d.root.Remove(temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := d.root.Lstat(name); err == nil {
		return fs.ErrExist
	}
	return d.root.Rename(temp, name)
}

// syncFolder makes the new name survive a power cut. Windows knows no such
// thing, and some shares refuse it.
func (d *Driver) syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !isInvalid(err) {
		return err
	}
	return nil
}

// sweep removes what a crash has left half written, once for each folder. A
// day is longer than any file is under way.
func (d *Driver) sweep(dir string) {
	d.mu.Lock()
	_, done := d.swept[dir]
	d.swept[dir] = struct{}{}
	d.mu.Unlock()
	if done {
		return
	}
	f, err := d.root.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	entries, _ := f.ReadDir(-1)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempPrefix) || !strings.HasSuffix(e.Name(), ".part") {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			d.root.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
