package wecomtest

import (
	"net/http"
	"time"
)

// limits counts calls by minute and calls under way. A key is an API with a
// corp, or with an address.
type limits struct {
	minutes map[string]*window
	running map[string]int
}

// A window counts what happened since it opened.
type window struct {
	opened  time.Time
	n       int
	blocked time.Time // until then everything is refused
}

func (l *limits) init() {
	l.minutes, l.running = map[string]*window{}, map[string]int{}
}

// over counts one more and reports whether it is over limit in a span of d.
// What is over is refused for d.
func (w *window) over(limit int, d time.Duration, now time.Time) bool {
	if now.Before(w.blocked) {
		return true
	}
	if now.Sub(w.opened) >= d {
		w.opened, w.n = now, 0
	}
	if w.n++; w.n > limit {
		w.blocked, w.opened = now.Add(d), time.Time{}
		return true
	}
	return false
}

func (l *limits) window(key string) *window {
	if l.minutes[key] == nil {
		l.minutes[key] = &window{}
	}
	return l.minutes[key]
}

// debugLimit is how many calls with debug=1 an API takes in a minute (global
// table of errors, 45009).
const debugLimit = 5

// admit says who is calling and returns 0, or the code that stands against
// the call: limits, token, address, permission. After 0 comes leave.
func (s *Server) admit(r *request, a api) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, query := s.now(), r.URL.Query()
	value := query.Get("access_token")
	s.tokens.spoil(value, r.fault)
	t, code := s.tokens.check(value, now)
	switch {
	case a.open:
		r.corp, code = query.Get("corpid"), 0
	case t != nil:
		r.token, r.corp = t, t.corp
	}
	key := r.api + " " + r.corp
	switch {
	case s.o.PerMinute > 0 && s.limits.window(key).over(s.o.PerMinute, time.Minute, now):
		return codeTooMany
	case query.Get("debug") == "1" && s.limits.window(key+" debug").over(debugLimit, time.Minute, now):
		return codeTooMany
	case code != 0:
		return code
	case !a.open && s.trusted != nil && !s.trusted[r.from]:
		return codeUntrustedIP
	case !a.open && !s.allowed:
		return codeNoPermission
	case s.o.MaxConcurrent > 0 && s.limits.running[key] >= s.o.MaxConcurrent:
		return codeTooManyAtOnce
	}
	s.limits.running[key]++
	return 0
}

// leave ends a call that was admitted.
func (s *Server) leave(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.running[r.api+" "+r.corp]--
}

// badSecret counts a wrong secret of r's address and returns code, or 45009
// if it was one too many.
func (s *Server) badSecret(r *request, code int) int {
	w := s.limits.window("wrong secret " + r.from)
	if w.over(s.o.WrongSecretLimit, time.Hour, s.now()) {
		return codeTooMany
	}
	return code
}

// banned reports whether r's address is kept from gettoken.
func (s *Server) banned(r *http.Request) bool {
	return s.now().Before(s.limits.window("wrong secret " + s.seenFrom(r.RemoteAddr)).blocked)
}
