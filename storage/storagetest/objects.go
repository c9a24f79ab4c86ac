package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"

	"wedrop/storage"
)

func (c *check) putAndRead() {
	c.open(Open)
	s := newSample(70_000)
	c.put(s)
	for _, r := range []struct{ from, to int }{{0, 1023}, {0, 0}, {69_999, 69_999}, {68_976, 69_999}, {100, 40_000}} {
		c.served(s, r.from, r.to)
	}
	c.stored(s)
}

// served wants a range of the sample as WeCom must get it.
func (c *check) served(s sample, from, to int) {
	c.Helper()
	resp, body := c.get(s.key, fmt.Sprintf("bytes=%d-%d", from, to))
	if resp.StatusCode != http.StatusPartialContent {
		c.broken("anonymous GET of bytes %d-%d: got %s, want 206", from, to, resp.Status)
	}
	want := fmt.Sprintf("bytes %d-%d/%d", from, to, len(s.content))
	if got := resp.Header.Get("Content-Range"); got != want {
		c.broken("Content-Range: got %q, want %q", got, want)
	}
	if !bytes.Equal(body, s.content[from:to+1]) {
		c.broken("bytes %d-%d differ from what was stored", from, to)
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		c.broken("Content-Encoding: got %q, want none", enc)
	}
}

func (c *check) tiny() {
	c.open(Open)
	for _, size := range []int{1, 5} {
		s := newSample(size)
		c.put(s)
		c.served(s, 0, size-1)
		c.served(s, size-1, size-1)
		c.stored(s)
	}
}

func (c *check) wrongMD5() {
	c.open(Open)
	s := newSample(50_000)
	r := s.request()
	r.Body = bytes.NewReader(changed(s.content))
	c.cause("Put of another body", c.Driver.Put(c.Context(), r), storage.CauseBadDigest)
	c.absent(s.key)
}

func (c *check) wrongMD5Over() {
	c.open(Open)
	s := newSample(50_000)
	c.put(s)
	r := s.request()
	r.Body = bytes.NewReader(changed(s.content))
	c.cause("Put of another body over a good object", c.Driver.Put(c.Context(), r), storage.CauseBadDigest)
	c.stored(s)
}

// wrongLarge is for drivers which have another way for large bodies, if they
// know their CRC32C.
func (c *check) wrongLarge() {
	c.open(Open)
	s := newSample(9 << 20)
	r := s.request()
	r.CRC32C = crc32.Checksum(s.content, crc32.MakeTable(crc32.Castagnoli))
	for range 2 {
		r.Body = bytes.NewReader(changed(s.content))
		c.cause("Put of another body", c.Driver.Put(c.Context(), r), storage.CauseBadDigest)
		c.absent(s.key)
	}
	r.Body = bytes.NewReader(s.content)
	c.ok("Put", c.Driver.Put(c.Context(), r))
	c.stored(s)
	r.Body = bytes.NewReader(changed(s.content))
	c.cause("Put of another body over a good object", c.Driver.Put(c.Context(), r), storage.CauseBadDigest)
	c.stored(s)
}

func changed(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

func (c *check) shortBody() {
	c.open(Open)
	s := newSample(50_000)
	r := s.request()
	r.Body = bytes.NewReader(s.content[:49_000])
	c.fails("Put of 49,000 of 50,000 bytes", r)
	c.absent(s.key)
}

func (c *check) longBody() {
	c.open(Open)
	s := newSample(50_000)
	r := s.request()
	r.Body = bytes.NewReader(append(bytes.Clone(s.content), "more"...))
	// The first 50,000 bytes have the MD5, so an object of exactly those is
	// good, whatever the driver says of the rest.
	putErr := c.Driver.Put(c.Context(), r)
	if _, err := c.Driver.Head(c.Context(), s.key); err == nil || putErr == nil {
		c.stored(s)
	}
}

func (c *check) brokenBody() {
	c.open(Open)
	s := newSample(200_000)
	r := s.request()
	r.Body = &breaking{Reader: bytes.NewReader(s.content), at: 150_000}
	c.fails("Put of a body that breaks", r)
	c.absent(s.key)
}

func (c *check) fails(what string, r storage.PutRequest) {
	c.Helper()
	if err := c.Driver.Put(c.Context(), r); err == nil {
		c.broken("%s: got no error", what)
	}
}

// A breaking body can be read up to a place.
type breaking struct {
	*bytes.Reader
	at int64
}

func (b *breaking) Read(p []byte) (int, error) {
	left := b.at - (b.Size() - int64(b.Len()))
	if left <= 0 {
		return 0, errors.New("the disk is gone")
	}
	return b.Reader.Read(p[:min(int64(len(p)), left)])
}

// WriteTo hides the Reader's.
func (b *breaking) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{b})
}

func (c *check) leftOpen() {
	c.open(Open)
	s := newSample(5_000)
	r := s.request()
	body := &closing{ReadSeeker: r.Body}
	r.Body = body
	c.ok("Put", c.Driver.Put(c.Context(), r))
	if body.closed {
		c.broken("the driver closed the body")
	}
}

type closing struct {
	io.ReadSeeker
	closed bool
}

func (b *closing) Close() error { b.closed = true; return nil }

func (c *check) ifAbsent() {
	c.open(Open)
	old, s := newSample(5_000), newSample(6_000)
	s.key = old.key
	first := old.request()
	first.IfAbsent = true
	c.ok("Put with IfAbsent", c.Driver.Put(c.Context(), first))
	second := s.request()
	second.IfAbsent = true
	c.cause("second Put with IfAbsent", c.Driver.Put(c.Context(), second), storage.CauseExists)
	c.stored(old)
}

func (c *check) replace() {
	c.open(Open)
	old, s := newSample(5_000), newSample(6_000)
	s.key = old.key
	c.put(old)
	c.put(s)
	c.stored(s)
}

func (c *check) headMissing() {
	c.open(Open)
	s := newSample(10)
	c.absent(s.key)
	c.put(s)
	c.absent(strings.TrimSuffix(s.key, ".mp4"))
	c.absent(Prefix)
}

func (c *check) head() {
	c.open(Open)
	s := newSample(5_000)
	c.put(s)
	a, err := c.Driver.Head(c.Context(), s.key)
	c.ok("Head", err)
	if a.Size != 5_000 {
		c.broken("Head's size: got %d, want 5000", a.Size)
	}
	if a.MD5 != "" && a.MD5 != s.md5 {
		c.broken("Head's MD5: got %q, want %q or none", a.MD5, s.md5)
	}
}

func (c *check) remove() {
	c.open(Open)
	s := newSample(5_000)
	c.put(s)
	c.ok("Delete", c.Driver.Delete(c.Context(), s.key))
	c.absent(s.key)
}

func (c *check) removeMissing() {
	c.open(Open)
	s := newSample(5_000)
	c.ok("Delete of a missing object", c.Driver.Delete(c.Context(), s.key))
	c.put(s)
	c.ok("Delete", c.Driver.Delete(c.Context(), s.key))
	c.ok("second Delete", c.Driver.Delete(c.Context(), s.key))
}

func (c *check) strangeKeys() {
	c.open(Open)
	for _, dir := range []string{"入群 欢迎语", "a+b&c=d", "50%20off", "~'()!", "x#y", "，。Ω", "e\u0301"} {
		s := newSample(300)
		s.key = Prefix + "/" + dir + "/" + s.md5 + ".mp4"
		c.put(s)
		c.served(s, 0, 299)
		a, err := c.Driver.Head(c.Context(), s.key)
		c.ok("Head of "+s.key, err)
		if a.Size != 300 {
			c.broken("Head of %s: got size %d, want 300", s.key, a.Size)
		}
		c.ok("Delete of "+s.key, c.Driver.Delete(c.Context(), s.key))
		c.absent(s.key)
	}
}

func (c *check) contentType() {
	c.open(Open)
	video := newSample(100)
	c.put(video)
	resp, _ := c.get(video.key, "bytes=0-9")
	if got := resp.Header.Get("Content-Type"); got != "video/mp4" {
		c.broken("Content-Type of a video: got %q, want video/mp4", got)
	}
	page := sampleOf([]byte("<html><script>alert(1)</script>"))
	page.key = strings.TrimSuffix(page.key, ".mp4") + ".html"
	r := page.request()
	r.ContentType, r.Disposition = "application/octet-stream", "attachment"
	c.ok("Put", c.Driver.Put(c.Context(), r))
	resp, _ = c.get(page.key, "bytes=0-9")
	if got := resp.Header.Get("Content-Type"); got != "application/octet-stream" {
		c.broken("Content-Type of a page: got %q, want application/octet-stream", got)
	}
	if got := resp.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment") {
		c.broken("Content-Disposition of a page: got %q, want attachment", got)
	}
}

func (c *check) id() {
	c.open(Open)
	id := c.Driver.ID()
	if !strings.Contains(id, "://") || strings.ContainsAny(id, "?@") {
		c.broken("ID: got %q, want scheme://name alone", id)
	}
	for _, secret := range c.Secrets {
		if strings.Contains(id, secret) {
			c.broken("ID holds a secret")
		}
	}
	if c.Driver.ID() != id {
		c.broken("ID changes")
	}
}
