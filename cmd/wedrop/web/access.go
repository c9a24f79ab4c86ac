package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"html"
	"mime"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const cookieName = "wedrop_session"

// policy allows what comes from here and nothing else.
const policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"

// Guard lets those alone in who may see the page. It is for what is not the
// Site's own, such as /metrics.
func (s *Site) Guard(h http.Handler) http.Handler { return s.guard(h, false) }

// guard checks in this order: the host that was called, the origin of what
// changes something, and, unless the path is open, who it is.
func (s *Site) guard(h http.Handler, open bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: browsers would call the origin of our own forms
		// "null" then, and over plain HTTP there is nothing else to go by.
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		if no := s.outsider(r, open); no != nil {
			leave(w, r)
			s.refuse(w, r, no)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (s *Site) outsider(r *http.Request, open bool) *refusal {
	switch {
	case !s.hostIsOurs(r.Host):
		return wrongHost(r.Host)
	case s.crosses(r):
		return wrongOrigin()
	case open:
		return nil
	}
	return s.admit(r)
}

// crosses reports whether another site would change something. To ask for a
// media_id is a GET, and begins a renewal where there is no valid one.
func (s *Site) crosses(r *http.Request) bool {
	if r.URL.Path == "/api/media" {
		change := *r
		change.Method = http.MethodPost
		r = &change
	}
	return s.cross.Check(r) != nil
}

// leave lets the answer go out without the body that was announced, which may
// never come, and ends the connection then.
func leave(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second)) // no connection, no deadline: in tests
	}
}

// Admits reports whether the request may see what the page shows. A wrong
// token counts as a try.
func (s *Site) Admits(r *http.Request) bool {
	return s.hostIsOurs(r.Host) && s.admit(r) == nil
}

// admit is nil for who has the token or a session.
func (s *Site) admit(r *http.Request) *refusal {
	if s.o.Token == "" || s.known(r) {
		return nil
	}
	given, ok := bearer(r)
	if !ok {
		return noToken()
	}
	return s.judge(r, given)
}

// judge takes as long for a token that is nearly right as for any other.
func (s *Site) judge(r *http.Request, given string) *refusal {
	want, got := sha256.Sum256([]byte(s.o.Token)), sha256.Sum256([]byte(given))
	right := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	if right {
		return nil // whatever others did: nobody can lock out who has it
	}
	if wait := s.state.try(s.o.Proxies.Client(r)); wait > 0 {
		return tooManyTries(wait)
	}
	return wrongToken()
}

func bearer(r *http.Request) (string, bool) {
	scheme, given, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(given), ok && strings.EqualFold(scheme, "Bearer")
}

// known reports whether nobody has to sign in, or this one has.
func (s *Site) known(r *http.Request) bool {
	if s.o.Token == "" {
		return true
	}
	c, err := r.Cookie(cookieName)
	return err == nil && s.state.alive(c.Value, s.o.Token)
}

// hostIsOurs is the check against DNS rebinding: see the package's comment.
func (s *Site) hostIsOurs(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() {
		return true
	}
	if s.o.Token == "" {
		return false
	}
	if ip != nil {
		return true
	}
	machine, _ := os.Hostname()
	listen, _, _ := net.SplitHostPort(s.o.Listen)
	for _, ours := range append([]string{machine, listen}, s.o.Hosts...) {
		if ours != "" && strings.EqualFold(ours, host) {
			return true
		}
	}
	return false
}

// signIn gives a session to who has the token.
func (s *Site) signIn(w http.ResponseWriter, r *http.Request) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var given struct{ Token string }
	asJSON := kind == "application/json"
	if asJSON {
		_ = json.NewDecoder(r.Body).Decode(&given) // what cannot be read is no token
	} else {
		given.Token = r.PostFormValue("token")
	}
	if s.o.Token != "" {
		if no := s.judge(r, strings.TrimSpace(given.Token)); no != nil && asJSON {
			s.refuse(w, r, no)
			return
		} else if no != nil {
			no.headers(w.Header())
			s.signInPage(w, r, no.status, no.message.In(s.langOf(r)))
			return
		}
		s.setCookie(w, r, s.state.begin(s.o.Token), sessionLasts)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signOut ends the session for good, not only in this browser.
func (s *Site) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		s.state.end(c.Value)
	}
	s.setCookie(w, r, "", -time.Second)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Site) setCookie(w http.ResponseWriter, r *http.Request, secret string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: secret, Path: "/", MaxAge: int(lasts.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.o.Proxies.Secure(r)})
}

// signInPage is the page with what was wrong, which is nobody's input.
func (s *Site) signInPage(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	body := strings.Replace(string(s.assets.html["signin.html"]), "<!--wrong-->", html.EscapeString(wrong), 1)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(body))
	}
}
