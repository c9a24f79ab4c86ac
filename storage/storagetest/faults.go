package storagetest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Faults tells an in-process server to fail. The zero value fails never. It
// may be used concurrently.
type Faults struct {
	mu         sync.Mutex
	busy       int
	retryAfter time.Duration
	resets     int
	refuses    bool
	etags      int
	noRange    bool
	ignoreACL  bool
	requests   map[string]int
}

// Busy answers the next n requests with 503 SlowDown, and with Retry-After if
// it is not 0.
func (f *Faults) Busy(n int, retryAfter time.Duration) {
	f.set(func() { f.busy, f.retryAfter = n, retryAfter })
}

// Reset cuts the connections of the next n PUTs in the middle of their bodies.
func (f *Faults) Reset(n int) { f.set(func() { f.resets = n }) }

// RefuseEarly answers every PUT with 403 AccessDenied without waiting for the
// body and closes the connection, so that the answer to a body that does not
// fit into the network's buffers is lost in a reset.
func (f *Faults) RefuseEarly(on bool) { f.set(func() { f.refuses = on }) }

// WrongETag answers the next n PUTs with the ETag of something else.
func (f *Faults) WrongETag(n int) { f.set(func() { f.etags = n }) }

// NoRange sends whole objects, whatever range is asked for.
func (f *Faults) NoRange(on bool) { f.set(func() { f.noRange = on }) }

// IgnoreACL accepts ACLs and makes nothing public. Servers ask IgnoresACL.
func (f *Faults) IgnoreACL(on bool) { f.set(func() { f.ignoreACL = on }) }

// IgnoresACL is for the server.
func (f *Faults) IgnoresACL() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ignoreACL
}

// Requests counts the requests of a method since the start, failed ones
// included.
func (f *Faults) Requests(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[method]
}

func (f *Faults) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// A plan is what one request is going to suffer.
type plan struct {
	busy, reset, refuse, etag, noRange bool
	retryAfter                         time.Duration
}

func (f *Faults) plan(r *http.Request) (p plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.requests == nil {
		f.requests = map[string]int{}
	}
	f.requests[r.Method]++
	put := r.Method == http.MethodPut
	take := func(n *int, may bool) bool {
		if !may || *n == 0 {
			return false
		}
		*n--
		return true
	}
	switch {
	case take(&f.busy, true):
		p.busy, p.retryAfter = true, f.retryAfter
	case take(&f.resets, put):
		p.reset = true
	case f.refuses && put:
		p.refuse = true
	case take(&f.etags, put):
		p.etag = true
	}
	p.noRange = f.noRange && r.Method == http.MethodGet
	return p
}

// Wrap is the server's outermost handler.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := f.plan(r)
		switch {
		case p.busy:
			if p.retryAfter > 0 {
				w.Header().Set("Retry-After", fmt.Sprint(int(p.retryAfter.Seconds())))
			}
			writeError(w, r, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
			return
		case p.reset:
			io.CopyN(io.Discard, r.Body, r.ContentLength/2)
			cut(w)
			return
		case p.refuse:
			refuseEarly(w, r)
			return
		case p.etag:
			w = &liar{ResponseWriter: w}
		}
		if p.noRange {
			r.Header.Del("Range")
		}
		next.ServeHTTP(w, r)
	})
}

// inBuffers is what surely fits into the buffers between client and server.
const inBuffers = 4 << 10

// refuseEarly makes the race of a closed connection against its answer come
// out always the same: small bodies get the answer, big ones a reset.
func refuseEarly(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > inBuffers {
		// Reading begins the body: a client that waits for "100 Continue"
		// sends it.
		io.CopyN(io.Discard, r.Body, inBuffers)
		cut(w)
		return
	}
	io.Copy(io.Discard, r.Body)
	writeError(w, r, http.StatusForbidden, "AccessDenied", "Access Denied.")
}

// cut ends the connection with a reset.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: the stream is reset
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// writeError is an error as S3 and COS write it.
func writeError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("x-amz-request-id", "TESTREQUEST")
	w.Header().Set("x-cos-request-id", "TESTREQUEST")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message><RequestId>TESTREQUEST</RequestId></Error>", code, message)
	}
}

// A liar says of every body that it was another one.
type liar struct {
	http.ResponseWriter
	told bool
}

func (l *liar) WriteHeader(status int) {
	if !l.told && status < 300 {
		l.Header().Set("ETag", `"00000000000000000000000000000000"`)
		l.Header().Del("x-cos-hash-crc64ecma")
	}
	l.told = true
	l.ResponseWriter.WriteHeader(status)
}

func (l *liar) Write(p []byte) (int, error) {
	if !l.told {
		l.WriteHeader(http.StatusOK)
	}
	return l.ResponseWriter.Write(p)
}
