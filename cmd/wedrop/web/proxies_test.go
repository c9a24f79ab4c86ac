package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func proxies(t testing.TB, list string) Proxies {
	t.Helper()
	p, err := ParseProxies(list)
	require.NoError(t, err)
	return p
}

func from(remote string, forwarded ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
	r.RemoteAddr = remote
	for _, v := range forwarded {
		r.Header.Add("X-Forwarded-For", v)
	}
	return r
}

func TestWhoSentARequest(t *testing.T) {
	t.Parallel()
	p := proxies(t, "127.0.0.1, 10.0.0.0/8,2001:db8:1::/48 ::1")
	for _, c := range []struct {
		remote, forwarded, want string
	}{
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"}, // a stranger is not believed
		{"127.0.0.1:1", "", "127.0.0.1"},
		{"127.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"[::ffff:127.0.0.1]:1", "::ffff:198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:1", "6.6.6.6, 198.51.100.1", "198.51.100.1"}, // what the client made up stands before
		{"127.0.0.1:1", "6.6.6.6, 198.51.100.1, 10.1.2.3", "198.51.100.1"},
		{"127.0.0.1:1", "10.1.2.3,10.1.2.4", "10.1.2.3"},
		{"127.0.0.1:1", "198.51.100.1:4711", "198.51.100.1"},
		{"[::1]:1", "[2001:db8:2::1]:4711", "2001:db8:2::1"},
		{"[::1]:1", "2001:db8:2::1, 2001:db8:1::9", "2001:db8:2::1"},
		{"127.0.0.1:1", "198.51.100.1, unknown", "127.0.0.1"},
		{"127.0.0.1:1", "198.51.100.1, _hidden, 10.1.2.3", "10.1.2.3"},
		{"127.0.0.1:1", "198.51.100.1,", "127.0.0.1"},
		{"@", "198.51.100.1", "@"},
	} {
		require.Equal(t, c.want, p.Client(from(c.remote, c.forwarded)), "%s, %s", c.remote, c.forwarded)
	}
	require.Equal(t, "198.51.100.1", p.Client(from("127.0.0.1:1", "6.6.6.6", "198.51.100.1")), "two headers are one list")
	require.Equal(t, "127.0.0.1", Proxies(nil).Client(from("127.0.0.1:1", "198.51.100.1")), "by default nobody is believed")
	for _, wrong := range []string{"proxy.lan", "10.0.0.0/33", "10.0.0.1:80", "fe80::1%eth0", "::ffff:10.0.0.0/104"} {
		_, err := ParseProxies(wrong)
		require.ErrorContains(t, err, wrong)
	}
}

// Whatever a client writes, it is never taken for another than the proxy saw.
func FuzzClient(f *testing.F) {
	for _, s := range []string{"", "1.2.3.4", "1.2.3.4, ::1", "[::1]:80", ",", "a,b", "10.0.0.1,10.0.0.2", "fe80::1%eth0"} {
		f.Add(s)
	}
	p := proxies(f, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, made string) {
		require.Equal(t, "198.51.100.1", p.Client(from("10.0.0.1:1", made, "198.51.100.1")))
		require.Equal(t, "203.0.113.9", p.Client(from("203.0.113.9:1", made)))
		_, err := netip.ParseAddr(p.Client(from("10.0.0.1:1", made)))
		require.NoError(t, err)
	})
}

// The right token is let in though others guess, and each guesser is counted
// for himself behind a proxy.
func TestTheRightTokenIsLetInWhateverOthersDid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token, Proxies: proxies(t, "127.0.0.1")})
	try := func(token, who string) int {
		return w.get("/api/status", "Authorization", "Bearer "+token, "X-Forwarded-For", who).StatusCode
	}
	for range triesEach {
		require.Equal(t, 401, try("wrong", "198.51.100.1"))
	}
	require.Equal(t, 429, try("wrong", "198.51.100.1"))
	require.Equal(t, 401, try("wrong", "198.51.100.2"), "another client of the same proxy")
	for n := range triesAll {
		try("wrong", "203.0.113."+strconv.Itoa(n))
	}
	require.Equal(t, 200, try(token, "198.51.100.3"))
	require.Equal(t, 200, try(token, "198.51.100.1"))
	require.Equal(t, 303, w.signIn(token).StatusCode)
}

func TestTheCookieIsSecureBehindTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: token, Proxies: proxies(t, "127.0.0.1")})
	for proto, want := range map[string]bool{"https": true, "HTTPS": true, "http": false, "": false, "https, http": false, "http,https": true} {
		require.Equal(t, want, w.signIn(token, "X-Forwarded-Proto", proto).Cookies()[0].Secure, proto)
	}
	w = newWorld(t, Options{Token: token})
	require.False(t, w.signIn(token, "X-Forwarded-Proto", "https").Cookies()[0].Secure, "anybody may write that")
	require.NotContains(t, strings.ToLower(w.signIn(token, "X-Forwarded-Proto", "https").Header.Get("Set-Cookie")), "secure")
}
