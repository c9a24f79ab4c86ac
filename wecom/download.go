package wecom

import (
	"context"
	"errors"
	"io"
	"time"
)

// MaxRange is how many bytes of a media one request may ask for
// (path/96486: 20M, of which it does not say whether they are of 2^20 or 10^6
// bytes: this is the smaller reading).
const MaxRange = 20_000_000

const apiGet = "media/get"

// DownloadOptions of Download and DownloadFile; the zero value is good.
type DownloadOptions struct {
	Chunk int64         // bytes asked for at once; 10 MiB if zero, at most MaxRange
	Stall time.Duration // how long nothing may come before a request is made again; 30 s if zero
	// Tries is how many requests one after another may bring next to nothing
	// before it is given up; 5 if zero.
	Tries int
	Pause time.Duration // before the second of those tries, then twice as long each; 1 s if zero
	// Progress is called as bytes arrive, from the calling goroutine: done
	// includes what an earlier call left. total is -1 while it is unknown.
	// Nil is allowed.
	Progress func(done, total int64)
}

// A DownloadResult says what was written.
type DownloadResult struct {
	Size        int64
	Name        string // the file's name as WeCom tells it, without a folder; may be ""
	ContentType string // as WeCom tells it
	MD5         string // of all bytes, in lower-case hex
	Resumed     int64  // bytes of them that an earlier call of DownloadFile had left
}

// Download writes the media to w, each byte once and in order.
func (c *Client) Download(ctx context.Context, mediaID string, w io.Writer, o DownloadOptions) (DownloadResult, error) {
	return DownloadResult{}, errors.ErrUnsupported
}

// DownloadFile writes the media to a file.
func (c *Client) DownloadFile(ctx context.Context, mediaID, path string, o DownloadOptions) (DownloadResult, error) {
	return DownloadResult{}, errors.ErrUnsupported
}
