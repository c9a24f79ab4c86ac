package web

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const token = "T0KEN-of-the-page"

// form signs in, or tries to.
func (w *world) signIn(token string, head ...string) reply {
	w.t.Helper()
	return w.do(http.MethodPost, "/signin", strings.NewReader(url.Values{"token": {token}}.Encode()),
		append([]string{"Content-Type", "application/x-www-form-urlencoded"}, head...)...)
}

// code is that of a problem, which the answer has to be.
func (w *world) code(r reply) string {
	w.t.Helper()
	require.Equal(w.t, "application/problem+json", r.Header.Get("Content-Type"), string(r.body))
	p := r.json(w.t)
	require.Equal(w.t, float64(r.StatusCode), p["status"])
	require.NotEmpty(w.t, p["detail"])
	require.NotEmpty(w.t, p["remedy"], "a problem says what to do")
	return p["code"].(string)
}

func TestHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, host := range []string{"localhost", "localhost:8765", "127.0.0.1", "127.8.8.8:1", "[::1]:8765", "[::1]", "LOCALHOST.:1"} {
		require.Equal(t, 200, w.get("/api/items", "Host", host).StatusCode, host)
	}
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example:8765", "192.168.1.5", "0.0.0.0:8765", "localhost.evil.example", "[fe80::1]"} {
		for _, path := range []string{"/", "/api/items", "/static/app.css", "/signin"} {
			r := w.get(path, "Host", host)
			require.Equal(t, 403, r.StatusCode, "%s of %s", path, host)
			require.Equal(t, "wedrop/wrong-host", w.code(r))
		}
	}
}

func TestHostsWithAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token, Listen: "desk.office:8765", Hosts: []string{"media.example"}})
	for _, host := range []string{"localhost", "192.168.1.5:8765", "[2001:db8::1]:1", "desk.office:8765", "media.example"} {
		require.Equal(t, 200, w.get("/api/items", "Host", host, "Authorization", "Bearer "+token).StatusCode, host)
	}
	require.Equal(t, 403, w.get("/api/items", "Host", "evil.example", "Authorization", "Bearer "+token).StatusCode)
}

func TestCrossOriginRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, tok := range []string{"", token} {
		w := newWorld(t, Options{Token: tok})
		w.jar()
		if tok != "" {
			require.Equal(t, 303, w.signIn(tok).StatusCode)
		}
		for name, head := range map[string][]string{
			"another origin":  {"Origin", "https://evil.example"},
			"another port":    {"Origin", "http://127.0.0.1:1"},
			"an opaque one":   {"Origin", "null"},
			"as browsers say": {"Sec-Fetch-Site", "cross-site"},
			"a sister's site": {"Sec-Fetch-Site", "same-site"},
		} {
			for _, path := range []string{"/api/items", "/api/items/1/retry", "/upload/", "/signin", "/signout"} {
				r := w.do(http.MethodPost, path, nil, head...)
				require.Equal(t, 403, r.StatusCode, "%s from %s", path, name)
				require.Equal(t, "wedrop/cross-origin", w.code(r))
			}
		}
		r := w.do(http.MethodPost, "/api/items/1/retry", nil, "Origin", w.url)
		require.Equal(t, 404, r.StatusCode, "our own page is let in")
		r = w.do(http.MethodPost, "/api/items/1/retry", nil, "Authorization", "Bearer "+tok)
		require.Equal(t, 404, r.StatusCode, "and so is a tool, which sends no Origin")
	}
}

// To ask for a media_id may begin a renewal, so it is a change.
func TestOtherSitesBeginNoRenewals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	id := w.posted("a.mp4", clip(1))
	rev := w.item(id).Rev
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r := w.do(method, "/api/media?name=a.mp4", nil, "Sec-Fetch-Site", "cross-site")
		require.Equal(t, 403, r.StatusCode)
		require.Equal(t, rev, w.item(id).Rev)
	}
	require.Equal(t, 202, w.get("/api/media?name=a.mp4", "Sec-Fetch-Site", "none").StatusCode, "somebody typed it")
	require.Equal(t, 202, w.get("/api/media?name=a.mp4").StatusCode, "a tool")
}

func TestNothingIsShownWithoutTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token})
	for _, path := range []string{"/api/items", "/api/items/1", "/api/items/1/content", "/api/media?name=a", "/api/status",
		"/openapi.json", "/upload/", "/upload/" + newID(), "/river/", "/nothing", "/index.html", "/API/items", "//api/items"} {
		r := w.get(path)
		require.Equal(t, 401, r.StatusCode, path)
		require.Equal(t, "wedrop/no-token", w.code(r))
		require.Contains(t, r.Header.Get("WWW-Authenticate"), "Bearer")
	}
	r := w.post("a.mp4", clip(1))
	require.Equal(t, 401, r.StatusCode)
	require.Empty(t, w.left())

	r = w.get("/")
	require.Equal(t, 200, r.StatusCode)
	require.Contains(t, string(r.body), `action="/signin"`)
	require.Equal(t, 200, w.get("/static/icon.svg").StatusCode)
	require.Equal(t, 404, w.get("/static/index.html").StatusCode)
	require.Equal(t, 200, w.get("/api/status", "Authorization", "Bearer "+token).StatusCode)
	require.Equal(t, 200, w.get("/api/status", "Authorization", "bearer "+token).StatusCode)
	for _, wrong := range []string{"Bearer " + token + "x", "Basic " + token, token} {
		require.Equal(t, 401, w.get("/api/status", "Authorization", wrong).StatusCode, wrong)
	}
}

// A stranger who announces a body and never sends it holds no connection.
func TestAStrangerIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: "open-sesame"})
	for _, request := range []string{
		"POST /api/items HTTP/1.1\r\nHost: localhost\r\n",
		"GET /api/items HTTP/1.1\r\nHost: localhost\r\n",
		"PATCH /upload/" + newID() + " HTTP/1.1\r\nHost: localhost\r\n",
		"POST /signin HTTP/1.1\r\nHost: evil.example\r\n",
		"POST /signin HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n",
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
			_, err = c.Write([]byte(request + "Content-Length: 1000\r\n\r\n"))
			require.NoError(t, err)
			all, err := io.ReadAll(c)
			require.NoError(t, err, request)
			require.Regexp(t, "^HTTP/1.1 40[13] ", string(all))
		})
	}
}

func TestGuardedParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token, Operators: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) })})
	metrics := w.site.Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(298) }))
	for given, want := range map[string]int{"": 401, "wrong": 401, token: 298} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/metrics", nil)
		if given != "" {
			r.Header.Set("Authorization", "Bearer "+given)
		}
		rec := httptest.NewRecorder()
		metrics.ServeHTTP(rec, r)
		require.Equal(t, want, rec.Code, given)
		require.Equal(t, want == 298, w.site.Admits(r))
	}
	require.Equal(t, 401, w.get("/river/").StatusCode)
	require.Equal(t, 299, w.get("/river/jobs", "Authorization", "Bearer "+token).StatusCode)
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token})
	w.jar()
	r := w.signIn(token)
	require.Equal(t, 303, r.StatusCode)
	require.Equal(t, "/", r.Header.Get("Location"))
	c := r.Cookies()[0]
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.False(t, c.Secure, "over plain HTTP it would not be sent back")
	require.NotContains(t, c.Value, token)
	require.Len(t, c.Value, 64)

	require.Equal(t, 200, w.get("/api/items").StatusCode)
	require.Contains(t, string(w.get("/").body), `data-page="desk"`)
	require.Equal(t, 303, w.do(http.MethodPost, "/signout", nil).StatusCode)
	require.Equal(t, 401, w.get("/api/items").StatusCode)
	require.Equal(t, 401, w.get("/api/items", "Cookie", cookieName+"="+c.Value).StatusCode, "the session has ended, not only the browser's cookie")
}

func TestTheCookieIsSecureOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token})
	s := httptest.NewTLSServer(w.site)
	defer s.Close()
	c := s.Client()
	c.CheckRedirect = w.http.CheckRedirect
	r, err := c.PostForm(s.URL+"/signin", url.Values{"token": {token}})
	require.NoError(t, err)
	require.True(t, r.Cookies()[0].Secure)
}

func TestSignInAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token})
	r := w.do(http.MethodPost, "/signin", strings.NewReader(`{"token":"`+token+`"}`), "Content-Type", "application/json")
	require.Equal(t, 303, r.StatusCode)
	require.Len(t, r.Cookies(), 1)
	r = w.do(http.MethodPost, "/signin", strings.NewReader(`{"token":"?"}`), "Content-Type", "application/json")
	require.Equal(t, "wedrop/wrong-token", w.code(r))
}

func TestWrongSignInIsToldOnThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token})
	r := w.signIn("<script>alert(1)</script>", "Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8")
	require.Equal(t, 401, r.StatusCode)
	require.Contains(t, string(r.body), "口令不对")
	require.Contains(t, string(r.body), `action="/signin"`)
	require.NotContains(t, string(r.body), "alert(1)")
	require.Empty(t, r.Cookies())
}

func TestFiveWrongTokensAMinute(t *testing.T) {
	t.Parallel()
	st := NewState()
	now := time.Now()
	st.now = func() time.Time { return now }
	w := newWorld(t, Options{Token: token, State: st})
	for range 20 {
		require.Equal(t, 303, w.signIn(token).StatusCode, "right ones do not count")
	}
	for n := range 5 {
		if n%2 == 0 {
			require.Equal(t, 401, w.signIn("wrong").StatusCode)
		} else {
			require.Equal(t, 401, w.get("/api/items", "Authorization", "Bearer wrong").StatusCode)
		}
		now = now.Add(time.Second)
	}
	r := w.signIn("wrong", "X-Forwarded-For", "203.0.113.9", "X-Real-IP", "203.0.113.9", "Forwarded", "for=203.0.113.9")
	require.Equal(t, 429, r.StatusCode)
	wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
	require.NoError(t, err)
	require.Equal(t, 55, wait)
	require.Equal(t, "wedrop/too-many-tries", w.code(w.get("/api/items", "Authorization", "Bearer wrong")))
	require.Equal(t, 303, w.signIn(token).StatusCode, "the right one is let in whatever came from there")
	require.Equal(t, 200, w.get("/api/items", "Authorization", "Bearer "+token).StatusCode)
	require.Equal(t, 401, w.get("/api/items").StatusCode, "no token is no try")
	now = now.Add(56 * time.Second)
	require.Equal(t, 303, w.signIn(token).StatusCode)
}

func TestTriesAreCountedByConnectionAndInAll(t *testing.T) {
	t.Parallel()
	st := NewState()
	for range triesEach {
		require.Zero(t, st.try("192.0.2.1:1000"))
	}
	require.Positive(t, st.try("192.0.2.1:2000"), "another port is the same address")
	for n := range triesEach {
		require.Zero(t, st.try("[2001:db8::"+strconv.Itoa(n)+"]:1"))
	}
	require.Positive(t, st.try("[2001:db8::ffff]:1"), "a network of IPv6 is one address")
	for n := 2 * triesEach; n < triesAll; n++ {
		require.Zero(t, st.try("198.51.100."+strconv.Itoa(n)+":1"))
	}
	require.Positive(t, st.try("203.0.113.1:1"), "all together have a limit, too")
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	st := NewState()
	now := time.Now()
	st.now = func() time.Time { return now }
	w := newWorld(t, Options{Token: token, State: st})
	w.jar()
	w.signIn(token)
	for range 13 {
		now = now.Add(11 * time.Hour)
		require.Equal(t, 200, w.get("/api/status").StatusCode, "each use prolongs it")
	}
	for now = now.Add(11 * time.Hour); w.get("/api/status").StatusCode == 200; now = now.Add(11 * time.Hour) {
	}
	require.LessOrEqual(t, time.Until(now), sessionLasts+12*time.Hour, "but not for ever")

	w.signIn(token)
	now = now.Add(12*time.Hour + time.Second)
	require.Equal(t, 401, w.get("/api/status").StatusCode, "nobody used it")
}

func TestSessionsLiveThroughAReloadAndEndWithTheToken(t *testing.T) {
	t.Parallel()
	st := NewState()
	w := newWorld(t, Options{Token: token, State: st})
	secret := w.signIn(token).Cookies()[0].Value
	again := Options{Token: token, State: st, Pipeline: w.pipe, Inbox: w.inbox}
	w.open(again)
	require.Equal(t, 200, w.get("/api/status", "Cookie", cookieName+"="+secret).StatusCode)
	again.Token = "another"
	w.open(again)
	require.Equal(t, 401, w.get("/api/status", "Cookie", cookieName+"="+secret).StatusCode)
	again.Token = token
	w.open(again)
	require.Equal(t, 401, w.get("/api/status", "Cookie", cookieName+"="+secret).StatusCode, "and does not come back")
	again.State = nil
	secret = w.signIn(token).Cookies()[0].Value
	w.open(again)
	require.Equal(t, 401, w.get("/api/status", "Cookie", cookieName+"="+secret).StatusCode, "a restart ends all")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, path := range []string{"/", "/api/items", "/static/icon.svg", "/nothing", "/upload/" + newID(), "/openapi.json"} {
		h := w.get(path).Header
		csp := h.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'self'", path)
		require.Contains(t, csp, "frame-ancestors 'none'", path)
		for _, loose := range []string{"unsafe", "data:", "*", "http"} {
			require.NotContains(t, csp, loose)
		}
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.NotEmpty(t, h.Get("Referrer-Policy"), path)
		require.Empty(t, h.Get("Access-Control-Allow-Origin"), path)
	}
	require.Equal(t, "no-store", w.get("/api/items").Header.Get("Cache-Control"))
	require.Equal(t, "no-store", w.get("/").Header.Get("Cache-Control"))
}

func TestAssetsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	page := string(w.get("/").body)
	at := strings.Index(page, "/static/icon.svg?v=")
	require.Positive(t, at, "the page asks for files by their content")
	link := page[at : at+strings.IndexByte(page[at:], '"')]
	r := w.get(link)
	require.Contains(t, r.Header.Get("Cache-Control"), "immutable")
	require.Equal(t, "image/svg+xml", r.Header.Get("Content-Type"))
	require.Equal(t, 304, w.get(link, "If-None-Match", r.Header.Get("ETag")).StatusCode)
	require.NotContains(t, w.get("/static/icon.svg?v=old").Header.Get("Cache-Control"), "immutable")
	require.Equal(t, 404, w.get("/static/%2e%2e/web.go").StatusCode)
	require.Equal(t, 404, w.get("/static/..%2fweb.go").StatusCode)
}
