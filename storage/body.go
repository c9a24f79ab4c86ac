package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// A body is what a driver reads of a file: it counts for Blob.Sent, keeps the
// file's own errors (drivers and transports disguise them), notices a file
// that is longer or shorter than it was, and ends a try that stands still.
//
// Transports may go on reading after the driver has returned, so everything
// is under a lock, and nothing reaches the file after stop.
type body struct {
	mu      sync.Mutex
	file    io.ReadSeeker
	size    int64
	at      int64
	blob    Blob
	failed  error
	stopped bool
	timer   *time.Timer
	stall   time.Duration
	cancel  context.CancelCauseFunc
}

func newBody(ctx context.Context, file io.ReadSeeker, blob Blob, stall time.Duration) (context.Context, *body) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &body{file: file, size: blob.Size, blob: blob, stall: stall, cancel: cancel}
	b.timer = time.AfterFunc(stall, func() { cancel(errStalled) })
	b.sent()
	return ctx, b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return 0, io.ErrClosedPipe
	}
	n, err := b.file.Read(p)
	b.at += int64(n)
	b.sent()
	b.timer.Reset(b.stall)
	switch {
	case b.at > b.size:
		err = fmt.Errorf("the file has grown past %d bytes", b.size)
		b.failed = err
	case err == io.EOF && b.at < b.size:
		err = fmt.Errorf("the file ends after %d of %d bytes: %w", b.at, b.size, io.ErrUnexpectedEOF)
		b.failed = err
	case err != nil && err != io.EOF:
		b.failed = err
	}
	return n, err
}

// Seek implements io.Seeker. Drivers seek to measure and to begin again.
func (b *body) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return 0, io.ErrClosedPipe
	}
	at, err := b.file.Seek(offset, whence)
	if err != nil {
		b.failed = err
		return at, err
	}
	b.at = at
	if whence != io.SeekEnd {
		b.sent()
	}
	return at, nil
}

func (b *body) sent() {
	if b.blob.Sent != nil {
		b.blob.Sent.Store(min(b.at, b.size))
	}
}

func (b *body) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

func (b *body) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	b.timer.Stop()
	b.cancel(nil)
}

// errStalled is the cause of a context that body ended.
var errStalled = errors.New("no byte moved for a long time")
