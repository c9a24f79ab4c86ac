package wecomtest

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A request is a call on its way through the Server.
type request struct {
	*http.Request
	api    string
	query  url.Values
	body   []byte
	from   string // the address that it seems to come from
	fault  Fault
	token  *token // nil where the API needs none
	inside bool   // admitted, and counted among the calls under way
	corp   string
	note   string // for the log: what it was about
}

// maxBody is more than any documented call needs.
const maxBody = 1 << 20

// ServeHTTP answers one call: with the fault that was injected for it, or
// after the work.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, api: s.apiOf(hr.URL.Path), query: hr.URL.Query(), from: s.seenFrom(hr.RemoteAddr)}
	body, err := io.ReadAll(io.LimitReader(hr.Body, maxBody))
	if err != nil {
		return // the caller went away
	}
	r.body = body
	r.fault = s.nextFault(r.api)
	switch f := r.fault; {
	case f.Errcode != 0:
		s.send(w, r, s.refuseAs(r, f))
	case f.Status != 0:
		s.send(w, r, page{f.Status, f.Header, f.Body})
	case f.ResetBefore:
		s.send(w, r, noAnswer{})
	default:
		s.serve(w, r)
	}
}

// serve does the work, unless limits or checks stand against it, and answers.
func (s *Server) serve(w http.ResponseWriter, r *request) {
	a, known := s.apis[r.api]
	if !known {
		s.send(w, r, page{status: http.StatusNotFound})
		return
	}
	if code := s.admit(r, a); code != 0 {
		s.send(w, r, s.refuse(r, code))
		return
	}
	switch {
	case r.Method == a.method:
		s.send(w, r, a.do(s, r))
	case a.method == http.MethodGet:
		s.send(w, r, s.refuse(r, codeNeedsGet))
	default:
		s.send(w, r, s.refuse(r, codeNeedsPost))
	}
}

// send answers r, in the way that its fault wants.
func (s *Server) send(w http.ResponseWriter, r *request, a answer) {
	f := r.fault
	if j, ok := a.(reply); ok && f.Warning && j["errmsg"] == "ok" {
		j["errmsg"] = "ok, Warning: wrong json format."
	}
	if f.ResetAfter {
		a = noAnswer{}
	}
	if f.Truncate > 0 {
		a = cut{a, f.Truncate, false}
	}
	if f.ResetAt > 0 {
		a = cut{a, f.ResetAt, true}
	}
	s.record(r, a.code())
	if f.Slow > 0 {
		s.sleep(r, f.Slow)
	}
	s.leave(r) // before the caller has the answer and makes its next call
	a.send(w)
}

// sleep waits in real time, but not longer than the caller or the Server.
func (s *Server) sleep(r *request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
}

// apiOf names the API behind a path, or gives back the path if it is none.
func (s *Server) apiOf(path string) string {
	rest, ok := strings.CutPrefix(path, s.o.Prefix+"/cgi-bin/")
	if !ok {
		return path
	}
	return rest
}

func (s *Server) seenFrom(remote string) string {
	host, _, _ := net.SplitHostPort(remote)
	if host == "127.0.0.1" || host == "::1" {
		return s.o.SeenFrom
	}
	return host
}
