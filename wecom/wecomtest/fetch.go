package wecomtest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Sizes that WeCom takes, in bytes. Its page says both "more than 5" and "5
// to 200M".
const (
	minSize = 5
	maxSize = 200 << 20
)

// fetches are the links that wait to be fetched, and what was asked for.
type fetches struct {
	queue  []*job
	active int
	made   tail[Fetch]
}

// fetchClient asks as a stranger does: no cookies, no proxy, the bytes as
// they are, and what it is told, not where it is sent.
func fetchClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Fetches returns the last requests for links, oldest first.
func (s *Server) Fetches() []Fetch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches.made.last(s.o.Keep)
}

// queueFetch sees to a job's fetch, now or when others have ended. It needs mu.
func (s *Server) queueFetch(j *job) {
	s.fetches.queue = append(s.fetches.queue, j)
	if s.fetches.active < s.o.Fetches && s.ctx.Err() == nil {
		s.fetches.active++
		s.work.Go(s.fetchQueued)
	}
}

// fetchQueued fetches until nothing is queued.
func (s *Server) fetchQueued() {
	for j := s.nextFetch(); j != nil; j = s.nextFetch() {
		f := download{s: s, job: j, sum: md5.New()}
		code := f.verdict(f.run())
		s.fetchEnded(j, f.total, f.body, code)
	}
}

func (s *Server) nextFetch() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fetches.queue) == 0 || s.ctx.Err() != nil {
		s.fetches.active--
		return nil
	}
	j := s.fetches.queue[0]
	s.fetches.queue[0] = nil
	s.fetches.queue = s.fetches.queue[1:]
	return j
}

// A download is the fetch of one job, chunk by chunk.
type download struct {
	s     *Server
	job   *job
	sum   hash.Hash
	total int64  // as the first chunk's head says
	head  []byte // the first bytes
	body  []byte // all of them, with KeepMedia
}

// A verdict is what is wrong with a link or its bytes.
type verdict int

func (v verdict) Error() string { return textOf(int(v)) }

// verdict is the detail.errcode of a download that ended with err.
func (d *download) verdict(err error) int {
	var v verdict
	switch {
	case errors.As(err, &v):
		return int(v)
	case err != nil:
		return codeDownloadFailed
	case hex.EncodeToString(d.sum.Sum(nil)) != d.job.MD5:
		return codeMD5Mismatch
	case d.job.Type == "video" && !isMP4(d.head):
		return d.s.o.NotMP4Code
	}
	return 0
}

func (d *download) run() error {
	for from := int64(0); from == 0 || from < d.total; from += d.s.o.Chunk {
		if err := d.chunk(from); err != nil {
			return err
		}
	}
	return nil
}

// chunk fetches the bytes from an offset on, Options.Chunk of them at most.
func (d *download) chunk(from int64) error {
	ctx, cancel := context.WithTimeout(d.s.ctx, d.s.o.FetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.job.URL, nil)
	if err != nil {
		return verdict(codeNoRange) // a malformed link: url非法
	}
	made := Fetch{URL: d.job.URL, Range: fmt.Sprintf("bytes=%d-%d", from, from+d.s.o.Chunk-1), At: d.s.now()}
	defer func() { d.s.recordFetch(made) }()
	req.Header.Set("Range", made.Range)
	req.Header.Set("User-Agent", "wecomtest")
	resp, err := d.s.o.Fetch.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	made.Status = resp.StatusCode
	if err := d.readHead(from, resp); err != nil {
		return err
	}
	want := min(d.s.o.Chunk, d.total-from)
	made.Bytes, err = io.Copy(d, io.LimitReader(resp.Body, want+1))
	if err == nil && made.Bytes != want {
		err = verdict(codeDownloadFailed)
	}
	return err
}

func (s *Server) recordFetch(f Fetch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetches.made.add(f, s.o.Keep)
}

// readHead judges a chunk by its status and Content-Range.
func (d *download) readHead(from int64, resp *http.Response) error {
	first, last, total, ok := contentRange(resp.Header.Get("Content-Range"))
	empty := resp.StatusCode == http.StatusOK && resp.ContentLength == 0 ||
		resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && ok && total == 0
	switch {
	case from == 0 && empty:
		return verdict(codeSize)
	case resp.StatusCode == http.StatusOK:
		return verdict(codeNoRange)
	case resp.StatusCode != http.StatusPartialContent:
		return verdict(codeDownloadFailed)
	case !ok:
		return verdict(codeNoRange)
	case from > 0 && total != d.total:
		return verdict(codeDownloadFailed)
	}
	d.total = total
	switch {
	case total < minSize || total > maxSize:
		return verdict(codeSize)
	case first != from || last != min(from+d.s.o.Chunk, total)-1:
		return verdict(codeNoRange)
	}
	return nil
}

// Write takes the bytes of the file in their order.
func (d *download) Write(p []byte) (int, error) {
	if room := sniffed - len(d.head); room > 0 {
		d.head = append(d.head, p[:min(room, len(p))]...)
	}
	if d.s.o.KeepMedia {
		d.body = append(d.body, p...)
	}
	return d.sum.Write(p)
}

// contentRange reads "bytes 0-99/1234", and "bytes */1234" with first and
// last 0 and -1.
func contentRange(v string) (first, last, total int64, ok bool) {
	v, ok = strings.CutPrefix(v, "bytes ")
	span, size, cut := strings.Cut(v, "/")
	total, err := strconv.ParseInt(size, 10, 64)
	if !ok || !cut || err != nil {
		return 0, 0, 0, false
	}
	if span == "*" {
		return 0, -1, total, true
	}
	from, to, _ := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	return first, last, total, err1 == nil && err2 == nil
}

// sniffed is how many bytes isMP4 is shown.
const sniffed = 4096

// isMP4 reports whether an ftyp box stands at the head, after nothing but
// padding, and names neither QuickTime nor a picture.
func isMP4(head []byte) bool {
	otherBrands := []string{"qt  ", "heic", "heix", "mif1", "msf1", "avif", "avis"}
	for len(head) >= 12 {
		size := int64(head[0])<<24 | int64(head[1])<<16 | int64(head[2])<<8 | int64(head[3])
		kind, brand := head[4:8], head[8:12]
		if bytes.Equal(kind, []byte("ftyp")) {
			return size >= 16 && !slices.Contains(otherBrands, string(brand))
		}
		padding := bytes.Equal(kind, []byte("free")) || bytes.Equal(kind, []byte("skip"))
		if !padding || size < 8 || size > int64(len(head)) {
			return false
		}
		head = head[size:]
	}
	return false
}
