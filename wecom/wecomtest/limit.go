package wecomtest

import "time"

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

// count counts one more, in a window of d, and returns how many there are.
func (w *window) count(d time.Duration, now time.Time) int {
	if now.Sub(w.opened) >= d {
		w.opened, w.n = now, 0
	}
	w.n++
	return w.n
}

// block refuses everything for d, and counts anew after that.
func (w *window) block(d time.Duration, now time.Time) {
	*w = window{blocked: now.Add(d)}
}

// over counts one more call and reports whether it is over the limit of a
// minute. From that call on, calls are refused for a minute.
func (w *window) over(limit int, now time.Time) bool {
	if now.Before(w.blocked) {
		return true
	}
	if w.count(time.Minute, now) <= limit {
		return false
	}
	w.block(time.Minute, now)
	return true
}

func (l *limits) init() {
	l.minutes, l.running = map[string]*window{}, map[string]int{}
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
// the call: limits, token, address, permission.
func (s *Server) admit(r *request, a api) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, query := s.now(), r.query
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
	case s.o.PerMinute > 0 && s.limits.window(key).over(s.o.PerMinute, now):
		return codeTooMany
	case query.Get("debug") == "1" && s.limits.window(key+" debug").over(debugLimit, now):
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
	r.inside = true
	return 0
}

// leave ends a call if it was admitted.
func (s *Server) leave(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.inside {
		s.limits.running[r.api+" "+r.corp]--
	}
}

// badSecret counts a wrong secret of r's address, which the last that is
// allowed in an hour gets banned.
func (s *Server) badSecret(r *request) {
	w := s.limits.window("wrong secret " + r.from)
	if w.count(time.Hour, s.now()) >= s.o.WrongSecretLimit {
		w.block(time.Hour, s.now())
	}
}

// banned reports whether r's address is kept from gettoken.
func (s *Server) banned(r *request) bool {
	return s.now().Before(s.limits.window("wrong secret " + r.from).blocked)
}
