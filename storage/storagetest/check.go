package storagetest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"wedrop/storage"
)

// A check is one run of a rule.
type check struct {
	*testing.T
	h   Harness
	why string
	Bucket
}

// open opens the bucket of the rule.
func (c *check) open(s Situation) {
	c.Helper()
	c.Bucket = c.h.Open(c.T, s)
}

// openFaulty opens a bucket whose server can be told to fail.
func (c *check) openFaulty() {
	c.Helper()
	c.open(Open)
	if c.Faults == nil {
		c.Fatal("Bucket.Faults is nil though Harness.NoFaults is not set")
	}
}

// broken ends the rule. The text says what was seen and what it should be.
func (c *check) broken(format string, args ...any) {
	c.Helper()
	c.Fatalf("%s\nwhy it matters: %s", fmt.Sprintf(format, args...), c.why)
}

func (c *check) ok(what string, err error) {
	c.Helper()
	if err != nil {
		c.broken("%s: got error %v, want none", what, err)
	}
}

// cause wants an error of the cause, and no secret in it.
func (c *check) cause(what string, err error, want ...storage.Cause) storage.Fault {
	c.Helper()
	if err == nil {
		c.broken("%s: got no error, want %q", what, want)
	}
	f := c.Driver.Classify(err)
	for _, secret := range c.Secrets {
		if strings.Contains(fmt.Sprint(err, f), secret) {
			c.broken("%s: a secret stands in the error", what)
		}
	}
	for _, w := range want {
		if f.Cause == w {
			return f
		}
	}
	c.broken("%s: got cause %q (%v), want %q", what, f.Cause, err, want)
	return f
}

// kind wants a *storage.Error of the kind which explains itself.
func (c *check) kind(what string, err error, want storage.Kind) *storage.Error {
	c.Helper()
	var e *storage.Error
	if !errors.As(err, &e) || e.Kind != want {
		c.broken("%s: got %v, want an error of kind %q", what, err, want)
	}
	for _, lang := range []string{"zh", "en"} {
		message, remedy := e.Explain(lang)
		if message == "" || remedy == "" {
			c.broken("%s: no message or no remedy in %q", what, lang)
		}
		for _, secret := range c.Secrets {
			if strings.Contains(message+remedy+e.Error(), secret) {
				c.broken("%s: a secret stands in the error", what)
			}
		}
	}
	return e
}

// bucketOf is a storage.Bucket over the driver that does not wait long.
func (c *check) bucketOf(access storage.Access) *storage.Bucket {
	c.Helper()
	b, err := storage.New(c.Driver, storage.Options{
		Prefix:    Prefix,
		PublicURL: c.PublicURL,
		Access:    access,
		Pause:     time.Millisecond,
	})
	c.ok("storage.New", err)
	return b
}

// A sample is content with its key.
type sample struct {
	content []byte
	md5     string
	key     string
}

func newSample(size int) sample {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return sampleOf(b)
}

func sampleOf(b []byte) sample {
	sum := md5.Sum(b)
	m := hex.EncodeToString(sum[:])
	return sample{b, m, Prefix + "/" + m + ".mp4"}
}

func (s sample) request() storage.PutRequest {
	return storage.PutRequest{
		Key:         s.key,
		Body:        bytes.NewReader(s.content),
		Size:        int64(len(s.content)),
		MD5:         s.md5,
		ContentType: "video/mp4",
	}
}

func (s sample) blob() storage.Blob {
	return storage.Blob{
		Open: func() (io.ReadSeekCloser, error) {
			return struct {
				io.ReadSeeker
				io.Closer
			}{bytes.NewReader(s.content), io.NopCloser(nil)}, nil
		},
		Size:        int64(len(s.content)),
		MD5:         s.md5,
		Ext:         ".mp4",
		ContentType: "video/mp4",
	}
}

func (c *check) put(s sample) {
	c.Helper()
	c.ok("Put", c.Driver.Put(c.Context(), s.request()))
}

// absent wants nothing under the key, for the driver and for everybody.
func (c *check) absent(key string) {
	c.Helper()
	_, err := c.Driver.Head(c.Context(), key)
	c.cause("Head afterwards", err, storage.CauseNotFound)
}

// stored wants exactly the sample's content under its key.
func (c *check) stored(s sample) {
	c.Helper()
	resp, body := c.get(s.key, "")
	if resp.StatusCode != http.StatusOK || !bytes.Equal(body, s.content) {
		c.broken("anonymous GET of %s: got %s and %d bytes, want 200 and the %d bytes that were stored", s.key, resp.Status, len(body), len(s.content))
	}
}

func (c *check) link(key string) string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/") + "/" + storage.EscapeKey(key)
	}
	return c.Driver.URL(key)
}

// get fetches the public link without credentials.
func (c *check) get(key, byteRange string) (*http.Response, []byte) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.link(key), nil)
	c.ok("link of "+key, err)
	if byteRange != "" {
		req.Header.Set("Range", byteRange)
	}
	resp, err := http.DefaultClient.Do(req)
	c.ok("anonymous GET", err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	c.ok("anonymous GET", err)
	return resp, body
}
