package wecomtest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A request is a call on its way through the Server.
type request struct {
	*http.Request
	api   string
	body  []byte
	from  string // the address that it seems to come from
	fault Fault
	token *token // nil where the API needs none
	corp  string
	note  string // for the log: what it was about
}

// maxBody is more than any documented call needs.
const maxBody = 1 << 20

// ServeHTTP answers one call: the fault that was injected for it, or the work.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, api: s.apiOf(hr.URL.Path), from: s.seenFrom(hr.RemoteAddr)}
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
		s.record(r, NoErrcode)
		sendPage(w, f)
	case f.ResetBefore:
		s.record(r, NoErrcode)
		reset(w)
	default:
		s.serve(w, r)
	}
}

// serve does the work, unless limits or checks stand against it, and answers.
func (s *Server) serve(w http.ResponseWriter, r *request) {
	a, known := s.apis[r.api]
	if !known {
		s.record(r, NoErrcode)
		sendPage(w, Fault{Status: http.StatusNotFound})
		return
	}
	code := s.admit(r, a)
	if code == 0 {
		defer s.leave(r)
	}
	var answer reply
	switch {
	case code != 0:
		answer = s.refuse(r, code)
	case r.Method != a.method && a.method == http.MethodGet:
		answer = s.refuse(r, codeNeedsGet)
	case r.Method != a.method:
		answer = s.refuse(r, codeNeedsPost)
	default:
		answer = a.do(s, r)
	}
	s.send(w, r, answer)
}

// send answers r, in the way that its fault wants.
func (s *Server) send(w http.ResponseWriter, r *request, a reply) {
	f := r.fault
	if f.Warning && a["errmsg"] == "ok" {
		a["errmsg"] = "ok, Warning: wrong json format."
	}
	if f.ResetAfter || f.Truncate > 0 {
		s.record(r, NoErrcode)
	} else {
		s.record(r, a.code())
	}
	switch {
	case f.ResetAfter:
		reset(w)
		return
	case f.Truncate > 0:
		truncate(w, a.json(), f.Truncate)
		return
	case f.Slow > 0:
		s.sleep(r, f.Slow)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Write(a.json())
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

// sendPage sends what a proxy would: an HTTP status and a page.
func sendPage(w http.ResponseWriter, f Fault) {
	if f.Body == "" {
		f.Body = "<html><head><title>" + http.StatusText(f.Status) + "</title></head><body><h1>" + http.StatusText(f.Status) + "</h1></body></html>\n"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	for name, values := range f.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(f.Status)
	io.WriteString(w, f.Body)
}

// reset closes the connection so that the caller gets an RST.
func reset(w http.ResponseWriter) {
	conn, err := hijack(w)
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// truncate promises the whole body and sends its first n bytes, never all.
func truncate(w http.ResponseWriter, body []byte, n int) {
	conn, err := hijack(w)
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: "+itoa(len(body))+"\r\n\r\n")
	conn.Write(body[:min(n, len(body)-1)])
}

func hijack(w http.ResponseWriter) (net.Conn, error) {
	h, ok := w.(http.Hijacker)
	if !ok {
		return nil, errors.New("wecomtest: the connection cannot be taken over")
	}
	conn, _, err := h.Hijack()
	return conn, err
}
