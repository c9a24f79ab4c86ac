package storagetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"wedrop/storage"
)

// big is more than what fits into the buffers of a connection.
const big = 3 << 20

func (c *check) busy() {
	c.openFaulty()
	s := newSample(300)
	before := c.Faults.Requests(http.MethodPut)
	c.Faults.Busy(1, 0)
	f := c.cause("Put", c.Driver.Put(c.Context(), s.request()), storage.CauseBusy)
	if f.Status != http.StatusServiceUnavailable || f.Code != "SlowDown" {
		c.broken("Fault: got status %d and code %q, want 503 and SlowDown", f.Status, f.Code)
	}
	if n := c.Faults.Requests(http.MethodPut) - before; n != 1 {
		c.broken("the driver sent %d requests for one Put", n)
	}
	c.Faults.Busy(2, 0)
	obj, err := c.bucketOf("").Put(c.Context(), s.blob())
	c.ok("Bucket.Put after two answers of 503", err)
	if !obj.Uploaded {
		c.broken("Object.Uploaded: got false, want true")
	}
	c.stored(s)
	c.Faults.Busy(1000, 0)
	defer c.Faults.Busy(0, 0)
	e := c.kind("Bucket.Put of a service that stays busy", putOnly(c, newSample(300)), storage.Unreachable)
	if !e.Temporary() || e.Config() {
		c.broken("Temporary is %v and Config %v, want true and false", e.Temporary(), e.Config())
	}
}

func putOnly(c *check, s sample) error {
	_, err := c.bucketOf("").Put(c.Context(), s.blob())
	return err
}

func (c *check) retryAfter() {
	c.openFaulty()
	s := newSample(300)
	c.Faults.Busy(1, 7*time.Second)
	f := c.cause("Put", c.Driver.Put(c.Context(), s.request()), storage.CauseBusy)
	if f.RetryAfter != 7*time.Second {
		c.broken("Fault.RetryAfter: got %v, want 7s", f.RetryAfter)
	}
}

func (c *check) reset() {
	c.openFaulty()
	s := newSample(big)
	before := c.Faults.Requests(http.MethodPut)
	c.Faults.Reset(1)
	c.cause("Put", c.Driver.Put(c.Context(), s.request()), storage.CauseUnreachable)
	if n := c.Faults.Requests(http.MethodPut) - before; n != 1 {
		c.broken("the driver sent %d requests for one Put", n)
	}
	c.absent(s.key)
	c.Faults.Reset(1)
	_, err := c.bucketOf("").Put(c.Context(), s.blob())
	c.ok("Bucket.Put after one reset", err)
	c.stored(s)
}

func (c *check) early() {
	c.openFaulty()
	c.Faults.RefuseEarly(true)
	s := newSample(big)
	before := c.Faults.Requests(http.MethodPut)
	_, err := c.bucketOf("").Put(c.Context(), s.blob())
	e := c.kind("Bucket.Put", err, storage.Denied)
	if e.Fault.Code != "AccessDenied" {
		c.broken("Fault.Code: got %q, want AccessDenied", e.Fault.Code)
	}
	if n := c.Faults.Requests(http.MethodPut) - before; n > 3 {
		c.broken("%d requests for a refusal that lasts, want at most 3: the file, the question why, the file without ACL", n)
	}
}

func (c *check) wrongETag() {
	c.openFaulty()
	s := newSample(300)
	c.Faults.WrongETag(1)
	c.cause("Put", c.Driver.Put(c.Context(), s.request()), storage.CauseBadDigest)
	c.absent(s.key)
}

func (c *check) many() {
	c.open(Open)
	var samples []sample
	for range 24 {
		samples = append(samples, newSample(20_000))
	}
	errs := make([]error, len(samples))
	var wg sync.WaitGroup
	for i, s := range samples {
		wg.Go(func() { errs[i] = c.Driver.Put(c.Context(), s.request()) })
	}
	wg.Wait()
	for i, s := range samples {
		c.ok("Put", errs[i])
		c.stored(s)
	}
}

func (c *check) sameKey() {
	c.open(Open)
	s := newSample(50_000)
	errs := make([]error, 12)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			r := s.request()
			r.IfAbsent = true
			errs[i] = c.Driver.Put(c.Context(), r)
		})
	}
	wg.Wait()
	if !slices.Contains(errs, nil) {
		c.broken("none of the Puts succeeded: %v", errs[0])
	}
	for _, err := range errs {
		if err != nil {
			c.cause("Put with IfAbsent", err, storage.CauseExists, storage.CauseBusy)
		}
	}
	c.stored(s)
}

// A trickle ends the context in the middle of the body, and goes on with a
// byte a millisecond for a while.
type trickle struct {
	*bytes.Reader
	cancel context.CancelFunc
	slow   int // bytes sent since
}

// patience is how long a driver may need to notice that its context ended.
const patience = 3 * time.Second

func (t *trickle) Read(p []byte) (int, error) {
	if t.Len() > int(t.Size()/2) {
		return t.Reader.Read(p[:min(len(p), 16<<10)])
	}
	t.cancel()
	if t.slow++; t.slow > int(patience/time.Millisecond)+500 {
		return 0, errors.New("nobody stopped reading")
	}
	time.Sleep(time.Millisecond)
	return t.Reader.Read(p[:min(len(p), 1)])
}

// WriteTo hides the Reader's.
func (t *trickle) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{t})
}

func (c *check) cancel() {
	c.open(Open)
	s := newSample(1 << 20)
	ctx, cancel := context.WithCancel(c.Context())
	r := s.request()
	r.Body = &trickle{Reader: bytes.NewReader(s.content), cancel: cancel}
	begin := time.Now()
	err := c.Driver.Put(ctx, r)
	if err == nil {
		c.broken("Put: got no error")
	}
	if d := time.Since(begin); d > patience {
		c.broken("Put went on for %v after the context had ended", d)
	}
	c.absent(s.key)

	ctx, cancel = context.WithCancel(c.Context())
	defer cancel()
	blob := s.blob()
	blob.Open = func() (io.ReadSeekCloser, error) {
		return struct {
			io.ReadSeeker
			io.Closer
		}{&trickle{Reader: bytes.NewReader(s.content), cancel: cancel}, io.NopCloser(nil)}, nil
	}
	if _, err := c.bucketOf("").Put(ctx, blob); !errors.Is(err, context.Canceled) {
		c.broken("Bucket.Put: got %v, want context.Canceled", err)
	}
	c.absent(s.key)
}

func (c *check) bucket() {
	c.open(Open)
	b := c.bucketOf("")
	s := newSample(40_000)
	starts := 0
	blob := s.blob()
	blob.Starting = func(context.Context, storage.Object) error { starts++; return nil }
	obj, err := b.Put(c.Context(), blob)
	c.ok("Put", err)
	if !obj.Uploaded || obj.Key != s.key || starts != 1 {
		c.broken("Put: got %+v after %d calls of Starting, want an uploaded %s after one", obj, starts, s.key)
	}
	c.ok("Prove", b.Prove(c.Context(), obj, blob))
	again, err := b.Put(c.Context(), blob)
	c.ok("second Put", err)
	if again.Uploaded || starts != 1 {
		c.broken("second Put: Uploaded is %v after %d calls of Starting, want false after one", again.Uploaded, starts)
	}
	c.ok("Remove", b.Remove(c.Context(), obj.Key))
	c.absent(obj.Key)
	c.kind("Prove of a removed object", b.Prove(c.Context(), obj, blob), storage.NotPublic)
}

func (c *check) poisoned() {
	c.open(Open)
	b := c.bucketOf("")
	for _, poison := range []sample{newSample(39_000), newSample(40_000)} {
		s := newSample(40_000)
		poison.key = s.key
		c.put(poison)
		a, err := c.Driver.Head(c.Context(), s.key)
		c.ok("Head", err)
		if a.Size == 40_000 && a.MD5 == "" {
			// Only the bytes tell: the proof does, and Replace mends it.
			obj := b.Where(s.blob())
			c.kind("Prove", b.Prove(c.Context(), obj, s.blob()), storage.Changed)
			continue
		}
		obj, err := b.Put(c.Context(), s.blob())
		c.ok("Put", err)
		c.ok("Prove", b.Prove(c.Context(), obj, s.blob()))
		c.stored(s)
	}
}
