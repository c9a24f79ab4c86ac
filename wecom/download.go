package wecom

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxRange is how many bytes of a media one request may ask for. WeCom's page
// says 20M and not whether those are of 2^20 or of 10^6 bytes
// (developer.work.weixin.qq.com/document/path/96486): this is the smaller.
const MaxRange = 20_000_000

const (
	apiGet = "media/get"

	usualChunk = 10 << 20
	enough     = 64 << 10 // bytes: a request that brought them was worth making
	maxMedia   = 1 << 30  // bytes: WeCom takes up to 200 MiB
	maxPause   = 30 * time.Second
)

// DownloadOptions are those of Download and DownloadFile. The zero value is
// good.
type DownloadOptions struct {
	Chunk int64 // bytes asked for at once; 10 MiB if zero, at most MaxRange
	// Stall is how long nothing may come before the rest is asked for anew;
	// 30 s if zero. A request as a whole may take twenty times as long.
	Stall time.Duration
	// Tries is how many requests in a row may bring next to nothing before it
	// is given up; 4 if zero (WeCom advises to try again three times).
	Tries int
	Pause time.Duration // before the second of those tries, then twice as long each time; 1 s if zero
	// Progress is called as bytes arrive, on the caller's goroutine. done
	// counts what an earlier call left, too; total is -1 while it is unknown.
	// Nil is allowed.
	Progress func(done, total int64)
}

func (o DownloadOptions) withDefaults() DownloadOptions {
	if o.Chunk <= 0 {
		o.Chunk = usualChunk
	}
	o.Chunk = min(o.Chunk, MaxRange)
	o.Stall = cmp.Or(o.Stall, 30*time.Second)
	o.Tries = cmp.Or(o.Tries, 4)
	o.Pause = cmp.Or(o.Pause, time.Second)
	return o
}

// A DownloadResult says what was written.
type DownloadResult struct {
	Size        int64
	Name        string // the file's name as WeCom tells it, never with a folder; "" if it does not
	ContentType string // as WeCom tells it
	MD5         string // of all Size bytes, in lower-case hex
	Resumed     int64  // how many of them an earlier call of DownloadFile had left
}

// Download writes the media to w, each byte once and in order, and holds no
// more than a small buffer of it. It asks for ranges from the first request on,
// so that WeCom never refuses a size (830002), and where an answer breaks off
// it asks for the rest. On an error w has the beginning of the media.
//
// The errors are *Error: of KindWrite if w's Write failed; 40007 for a media_id
// that has expired or is another corp's. To have a file, take DownloadFile.
//
// https://developer.work.weixin.qq.com/document/path/96486
func (c *Client) Download(ctx context.Context, mediaID string, w io.Writer, o DownloadOptions) (DownloadResult, error) {
	d := newDownload(c, mediaID, w, o)
	err := d.run(ctx)
	return d.result(), err
}

// A download is a media on its way in.
type download struct {
	client *Client
	id     string
	w      io.Writer
	o      DownloadOptions
	buf    []byte

	sum   hash.Hash // of the first done bytes
	done  int64
	total int64 // -1 until an answer tells
	name  string
	kind  string
}

func newDownload(c *Client, mediaID string, w io.Writer, o DownloadOptions) *download {
	return &download{client: c, id: strings.TrimSpace(mediaID), w: w, o: o.withDefaults(), buf: make([]byte, 64<<10), sum: md5.New(), total: -1}
}

func (d *download) result() DownloadResult {
	return DownloadResult{Size: d.done, Name: d.name, ContentType: d.kind, MD5: hex.EncodeToString(d.sum.Sum(nil))}
}

// run asks for one range after the other until there is no more. It ends, for
// each request brings enough, or counts as a try in vain.
func (d *download) run(ctx context.Context) error {
	if d.id == "" {
		return inputError(apiGet, "media_id", codes[CodeNoMediaID].what, codes[CodeNoMediaID].cure)
	}
	vain := 0
	for {
		before := d.done
		err := d.ask(ctx)
		switch {
		case err == nil && d.done == d.total:
			return nil
		case err != nil && !again(err):
			return err
		case d.done-before >= min(enough, d.o.Chunk):
			vain = 0
		default:
			vain++
		}
		if vain >= d.o.Tries {
			if err == nil { // answers that are fine, and next to empty
				err = &Error{API: apiGet, Kind: KindBadResponse, Status: http.StatusPartialContent, Err: badRange}
			}
			return err
		}
		if err != nil {
			if err := d.wait(ctx, vain, err); err != nil {
				return err
			}
		}
	}
}

// again reports whether asking for the rest may help.
func again(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Class() == ClassRetry && e.Err != error(otherMedia) && e.Err != error(hugeMedia)
}

// wait is the pause after vain tries, or what the server asked for.
func (d *download) wait(ctx context.Context, vain int, after error) error {
	pause := d.o.Pause << max(0, vain-1)
	var e *Error
	if errors.As(after, &e) {
		pause = max(pause, e.RetryAfter)
	}
	t := time.NewTimer(min(pause, maxPause))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return &Error{API: apiGet, Kind: KindUnreachable, Err: ctx.Err()}
	}
}

// ask asks for the next range and writes what comes.
func (d *download) ask(ctx context.Context) error {
	to := d.done + d.o.Chunk
	if d.total >= 0 {
		to = min(to, d.total)
	}
	r := request{api: apiGet, query: url.Values{"media_id": {d.id}}, span: span(d.done, to)}
	_, err := d.client.withToken(ctx, r, func(r request) error {
		return d.client.line.stream(ctx, r, d.o.Stall, func(resp *http.Response, body io.Reader) error {
			return d.take(r, resp, body)
		})
	})
	return err
}

// take writes the media's next bytes, if that is what the answer holds.
func (d *download) take(r request, resp *http.Response, body io.Reader) error {
	body, media := mediaIn(resp, body)
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && d.done > 0:
		return r.bad(resp, otherMedia) // the media has fewer bytes than there are already
	case !media:
		return d.client.line.noMedia(r, resp, body)
	case resp.StatusCode == http.StatusPartialContent:
		return d.part(r, resp, body)
	}
	return d.whole(r, resp, body)
}

// part takes an answer to a Range.
func (d *download) part(r request, resp *http.Response, body io.Reader) error {
	from, to, total, ok := contentRange(resp.Header.Get("Content-Range"))
	switch n := resp.ContentLength; {
	case !ok || from != d.done || n >= 0 && n != to-from:
		return r.bad(resp, badRange)
	case total > maxMedia:
		return r.bad(resp, hugeMedia)
	case d.total >= 0 && total != d.total:
		return r.bad(resp, otherMedia)
	}
	d.learn(r, resp, total)
	return d.copy(r, resp, body, to-from)
}

// whole takes an answer from a server that knows no Range: of a media that it
// was sent before, the beginning is read and dropped.
func (d *download) whole(r request, resp *http.Response, body io.Reader) error {
	n := resp.ContentLength
	framed := n >= 0 || resp.ProtoMajor >= 2 || len(resp.TransferEncoding) > 0
	switch {
	case !framed: // an end that nobody can tell from a reset
		return r.bad(resp, noLength)
	case n == 0:
		return r.bad(resp, empty)
	case n > maxMedia:
		return r.bad(resp, hugeMedia)
	case n >= 0 && (d.total >= 0 && n != d.total || n < d.done):
		return r.bad(resp, otherMedia)
	}
	if n >= 0 {
		d.learn(r, resp, n)
	} else {
		d.learn(r, resp, d.total)
	}
	for left := d.done; left > 0; {
		got, err := body.Read(d.buf[:min(left, int64(len(d.buf)))])
		if left -= int64(got); err != nil && left > 0 {
			return d.broken(r, resp, err)
		}
	}
	if n >= 0 {
		return d.copy(r, resp, body, n-d.done)
	}
	return d.copyAll(r, resp, body)
}

func (d *download) learn(r request, resp *http.Response, total int64) {
	d.total = total
	if d.kind == "" {
		d.kind = r.clean(resp.Header.Get("Content-Type"))
	}
	if d.name == "" {
		d.name = filename(r.mask(resp.Header.Get("Content-Disposition")))
	}
}

// copy writes the next n bytes.
func (d *download) copy(r request, resp *http.Response, body io.Reader, n int64) error {
	for n > 0 {
		got, err := body.Read(d.buf[:min(n, int64(len(d.buf)))])
		if werr := d.write(d.buf[:got]); werr != nil {
			return werr
		}
		if n -= int64(got); err != nil && n > 0 {
			return d.broken(r, resp, err)
		}
	}
	return nil
}

// copyAll writes what comes until the end, which tells the total.
func (d *download) copyAll(r request, resp *http.Response, body io.Reader) error {
	for {
		got, err := body.Read(d.buf)
		switch werr := d.write(d.buf[:got]); {
		case werr != nil:
			return werr
		case d.done > maxMedia:
			return r.bad(resp, hugeMedia)
		case err == io.EOF && d.done == 0:
			return r.bad(resp, empty)
		case err == io.EOF && d.total >= 0 && d.total != d.done:
			return r.bad(resp, otherMedia)
		case err == io.EOF:
			d.total = d.done
			return nil
		case err != nil:
			return d.broken(r, resp, err)
		}
	}
}

func (d *download) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := d.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return writeError(err)
	}
	d.sum.Write(b)
	d.done += int64(n)
	if d.o.Progress != nil {
		d.o.Progress(d.done, d.total)
	}
	return nil
}

// broken is the error of a body that broke off.
func (d *download) broken(r request, resp *http.Response, err error) error {
	var e *Error
	if errors.As(err, &e) { // the line knows that it was time that ran out
		return e
	}
	return r.bad(resp, cutOff)
}

func writeError(err error) error { return &Error{API: apiGet, Kind: KindWrite, Err: err} }
