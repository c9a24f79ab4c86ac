package wecom

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// syncEvery is how many bytes are written before they must be on the disk:
// what a later call finds below a multiple of it is whole, power cuts included.
const syncEvery = 8 << 20

// DownloadFile writes the media to the file path, which appears whole or not
// at all and takes the place of one that is there. Until then the bytes are
// beside it in path.part-*, from where a later call for the same media_id and
// path goes on; nothing is left there if the media_id is refused or the disk
// is. Two calls at once do not disturb each other. Where files cannot be locked
// (Windows, some network file systems) nothing is left, and every call begins
// anew.
//
// The errors are those of Download; of KindWrite is also a path that is not
// that of a plain file.
func (c *Client) DownloadFile(ctx context.Context, mediaID, path string, o DownloadOptions) (DownloadResult, error) {
	d := newDownload(c, mediaID, nil, o)
	if err := plainPlace(path); err != nil {
		return DownloadResult{}, writeError(err)
	}
	p, err := openPart(path, d.id)
	if err != nil {
		return DownloadResult{}, writeError(err)
	}
	resumed, err := d.fill(ctx, p)
	if err == nil {
		err = p.become(path)
	}
	if err != nil {
		p.leave(worthKeeping(err))
		return DownloadResult{}, err
	}
	res := d.result()
	res.Resumed = resumed
	return res, nil
}

// fill downloads what p does not have yet and returns how much it had.
func (d *download) fill(ctx context.Context, p *part) (resumed int64, err error) {
	if err := d.resume(p); err != nil {
		return 0, writeError(err)
	}
	resumed = d.done
	err = d.run(ctx)
	if resumed > 0 && doesNotFit(err) {
		if err := p.cut(0); err != nil {
			return 0, writeError(err)
		}
		fresh := newDownload(d.client, d.id, p, d.o)
		*d, resumed = *fresh, 0
		err = d.run(ctx)
	}
	return resumed, err
}

// resume makes d go on behind what p has.
func (d *download) resume(p *part) error {
	if err := p.cut(max(0, p.size-1) / syncEvery * syncEvery); err != nil {
		return err
	}
	d.w = p
	n, err := io.CopyBuffer(d.sum, io.LimitReader(plainReader{p.file}, p.size), d.buf)
	d.done = n
	if err == nil && n < p.size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// A plainReader has nothing but Read, so that the buffer that is given is the
// one that is used.
type plainReader struct{ io.Reader }

// doesNotFit reports whether what was left from an earlier call is of no use.
func doesNotFit(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Err == error(otherMedia)
}

// worthKeeping reports whether a later call may go on after err.
func worthKeeping(err error) bool {
	var e *Error
	return !errors.As(err, &e) || e.Class() != ClassInput && !doesNotFit(err)
}

// plainPlace refuses a path that is something else than a file: a rename
// would come to nothing in the end, or put a file in a device's place.
func plainPlace(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "write", Path: path, Err: errNotPlain}
	}
	return nil
}

var errNotPlain = errors.New("this is not a plain file")

// A part is the file beside the one that is wanted, and ours alone.
type part struct {
	file   *os.File
	size   int64 // bytes that it has
	shared bool  // a later call finds it under its name
}

// openPart opens what an earlier call left or, if there is nothing or somebody
// writes to it at the moment, a new file.
func openPart(path, mediaID string) (*part, error) {
	sum := sha256.Sum256([]byte(mediaID))
	name := path + ".part-" + hex.EncodeToString(sum[:6])
	file, err := openLocked(name)
	if err != nil {
		return nil, err
	}
	if file == nil {
		// Not os.CreateTemp: that makes files which others may not read.
		file, err = os.OpenFile(name+"-"+rand.Text()[:10], os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, err
		}
		return &part{file: file}, nil
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &part{file: file, size: info.Size(), shared: true}, nil
}

// Write writes on, and sees to it that nothing is written behind a multiple
// of syncEvery before all that is ahead of it is on the disk.
func (p *part) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		m, err := p.file.Write(b[:min(int64(len(b)), syncEvery-p.size%syncEvery)])
		n, p.size, b = n+m, p.size+int64(m), b[m:]
		if err == nil && p.size%syncEvery == 0 {
			err = p.file.Sync()
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// cut drops all but the first size bytes and goes back to the beginning, if
// size is 0, or to be read.
func (p *part) cut(size int64) error {
	p.size = size
	if err := p.file.Truncate(size); err != nil {
		return err
	}
	_, err := p.file.Seek(0, io.SeekStart)
	return err
}

// become puts the part in path's place, whole and on the disk.
func (p *part) become(path string) error {
	if err := p.file.Sync(); err != nil {
		return writeError(err)
	}
	if err := rename(p.file, path); err != nil {
		return writeError(err)
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		dir.Sync() // not every file system can; the file itself is safe
		dir.Close()
	}
	return nil
}

// leave ends the work on a part that did not become a file.
func (p *part) leave(keep bool) {
	switch {
	case !p.shared:
		p.file.Close()
		os.Remove(p.file.Name())
	case !keep || p.size <= syncEvery:
		os.Remove(p.file.Name()) // while it is locked: nobody else's
		p.file.Close()
	default:
		p.file.Close()
	}
}
