package wecom_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// What New refuses, and under which name of the configuration.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	const password = "pr0xy-passw0rd"
	for _, c := range []struct {
		name   string
		config wecom.Config
		field  string // "" if it is well
	}{
		{"the default", wecom.Config{}, ""},
		{"a path prefix", wecom.Config{BaseURL: "https://proxy.example.com/wecom/"}, ""},
		{"http to another machine", wecom.Config{BaseURL: "http://qyapi.weixin.qq.com"}, "base_url"},
		{"http to loopback", wecom.Config{BaseURL: "http://127.0.0.1:8080"}, ""},
		{"http to loopback by name", wecom.Config{BaseURL: "HTTP://LocalHost:8080"}, ""},
		{"http to loopback over IPv6", wecom.Config{BaseURL: "http://[::1]:8080"}, ""},
		{"http to a name that begins like loopback", wecom.Config{BaseURL: "http://127.0.0.1.example.com"}, "base_url"},
		{"no scheme", wecom.Config{BaseURL: "qyapi.weixin.qq.com"}, "base_url"},
		{"no host", wecom.Config{BaseURL: "https://:443"}, "base_url"},
		{"a query", wecom.Config{BaseURL: "https://qyapi.weixin.qq.com?debug=1"}, "base_url"},
		{"a user", wecom.Config{BaseURL: "https://u:" + password + "@qyapi.weixin.qq.com"}, "base_url"},
		{"another scheme", wecom.Config{BaseURL: "file:///etc"}, "base_url"},
		{"no parse", wecom.Config{BaseURL: "https://a b\x7f"}, "base_url"},
		{"a proxy", wecom.Config{Proxy: "http://u:" + password + "@10.0.0.8:3128"}, ""},
		{"a SOCKS proxy", wecom.Config{Proxy: "socks5://10.0.0.8:1080"}, ""},
		{"a proxy without scheme", wecom.Config{Proxy: "10.0.0.8:3128"}, "proxy"},
		{"a proxy that does not parse", wecom.Config{Proxy: "http://u:" + password + "@10.0.0.8:x"}, "proxy"},
		{"a proxy of another kind", wecom.Config{Proxy: "ftp://u:" + password + "@10.0.0.8"}, "proxy"},
		{"a proxy and a client", wecom.Config{Proxy: "http://10.0.0.8:3128", HTTP: http.DefaultClient}, "proxy"},
		{"no corp", wecom.Config{CorpID: " ", Secret: "x"}, "corp_id"},
		{"no secret", wecom.Config{CorpID: "wwtest", Secret: "\n"}, "secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.config.CorpID == "" {
				c.config.CorpID, c.config.Secret = "wwtest", secretText
			}
			_, err := wecom.New(c.config)
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			e := asError(t, err)
			require.Equal(t, c.field, e.Field)
			require.Equal(t, wecom.ClassConfig, e.Class())
			require.Equal(t, "wecom/bad-config", e.FaultCode())
			zh, _ := e.Explain("zh")
			require.NotContains(t, err.Error()+zh, password)
		})
	}
	_, err := wecom.New(wecom.Config{Tokens: wecom.StaticToken(tokenText)})
	require.NoError(t, err, "who brings tokens needs no secret")
}

// From xen0n/go-workwx, which overwrites the base's path: reverse proxies
// mount WeCom below one.
func TestPathPrefixIsKept(t *testing.T) {
	t.Parallel()
	for _, slash := range []string{"", "/"} {
		s := simulator(t, wecomtest.Options{Prefix: "/proxy/wecom"})
		require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL + slash})))
		require.Equal(t, 1, s.Count(submitAPI))
	}
}

// The secret with a newline from its file is the secret.
func TestSecretFromAFile(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, CorpID: "wwtest\n", Secret: secretText + "\r\n"})))
}

// A proxy of the configuration carries WeCom's calls and nobody else's.
func TestProxyIsForWeComAlone(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	var carried atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		carried.Add(1)
		resp, err := http.DefaultTransport.RoundTrip(&http.Request{Method: r.Method, URL: r.URL, Body: r.Body,
			ContentLength: r.ContentLength, Header: r.Header})
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer resp.Body.Close()
		io.Copy(w, resp.Body)
	}))
	defer proxy.Close()
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, Proxy: proxy.URL})))
	require.EqualValues(t, 2, carried.Load())
	resp, err := http.Get(s.URL)
	require.NoError(t, err)
	resp.Body.Close()
	require.EqualValues(t, 2, carried.Load())

	proxy.Close()
	e := asError(t, send(client(t, wecom.Config{BaseURL: s.URL, Proxy: proxy.URL})))
	require.Equal(t, wecom.KindUnreachable, e.Kind)
	zh, _ := e.Explain("zh")
	require.Contains(t, zh, "代理")
}

// A redirect would carry the token to another server; the default client of
// Go follows it.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var visits atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		io.WriteString(w, `{"jobid":"stolen"}`)
	}))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := answering(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/login?"+r.URL.RawQuery, code)
		})
		for _, own := range []*http.Client{nil, {}} {
			e := asError(t, send(client(t, wecom.Config{BaseURL: s.URL, HTTP: own})))
			require.Equal(t, wecom.KindBadResponse, e.Kind)
			require.Equal(t, code, e.Status)
			zh, _ := e.Explain("zh")
			require.Contains(t, zh, strings.TrimPrefix(other.URL, "http://"))
		}
	}
	require.Zero(t, visits.Load())
}

// No answer, in all its ways: a retry may help, and whether WeCom did the work
// is not known. One call each: nothing is repeated here.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	for _, c := range []struct {
		name string
		make func(t *testing.T) wecom.Config
		says string
	}{
		{"nobody listens", func(*testing.T) wecom.Config { return wecom.Config{BaseURL: closed.URL} }, "连不上"},
		{"a certificate that nobody signed", func(*testing.T) wecom.Config { return wecom.Config{BaseURL: untrusted.URL} }, "证书"},
		{"a name that does not exist", func(*testing.T) wecom.Config {
			return wecom.Config{HTTP: &http.Client{Transport: failing{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "qyapi.weixin.qq.com", IsNotFound: true}}}}}
		}, "域名"},
		{"a dial that times out", func(*testing.T) wecom.Config {
			return wecom.Config{HTTP: &http.Client{Transport: failing{&net.OpError{Op: "dial", Err: timeout{}}}}}
		}, "超时"},
		{"a transport that shows the address", func(*testing.T) wecom.Config {
			return wecom.Config{HTTP: &http.Client{Transport: failing{}}}
		}, "连不上"},
		{"a transport that says canceled by itself", func(*testing.T) wecom.Config {
			return wecom.Config{HTTP: &http.Client{Transport: failing{context.Canceled}}}
		}, "连不上"},
		{"the client's own time-out", func(t *testing.T) wecom.Config {
			s := simulator(t, wecomtest.Options{})
			s.Inject("*", wecomtest.Fault{Slow: time.Minute})
			return wecom.Config{BaseURL: s.URL, HTTP: &http.Client{Timeout: 50 * time.Millisecond}}
		}, "超时"},
		{"a reset before the work", func(t *testing.T) wecom.Config {
			s := simulator(t, wecomtest.Options{})
			s.Inject(submitAPI, wecomtest.Fault{ResetBefore: true})
			return wecom.Config{BaseURL: s.URL}
		}, "连不上"},
		{"a reset after the work", func(t *testing.T) wecom.Config {
			s := simulator(t, wecomtest.Options{})
			s.Inject(submitAPI, wecomtest.Fault{ResetAfter: true})
			return wecom.Config{BaseURL: s.URL}
		}, "连不上"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := asError(t, send(client(t, c.make(t))))
			require.Equal(t, wecom.KindUnreachable, e.Kind)
			require.Equal(t, "wecom/unreachable", e.FaultCode())
			require.Equal(t, wecom.ClassRetry, e.Class())
			require.NotErrorIs(t, e, context.DeadlineExceeded, "only the caller's own end is one")
			require.NotErrorIs(t, e, context.Canceled)
			zh, _ := e.Explain("zh")
			require.Contains(t, zh, c.says)
		})
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.err == nil {
		return nil, &url.Error{Op: "Dump", URL: r.URL.String(), Err: errors.New("GET " + r.URL.String() + " went wrong")}
	}
	return nil, f.err
}

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }
func (timeout) Is(e error) bool { return e == context.DeadlineExceeded } // as std's does

// A call that was submitted once was submitted once: WeCom has no idempotency
// key, so nothing below may repeat it.
func TestSubmitIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	cl := client(t, wecom.Config{BaseURL: s.URL})
	require.NoError(t, send(cl)) // a connection is in the pool
	for _, f := range []wecomtest.Fault{{ResetAfter: true}, {Truncate: 10}, {Status: 503}, {Errcode: -1}} {
		before := s.Count(submitAPI)
		s.Inject(submitAPI, f)
		require.Equal(t, wecom.ClassRetry, asError(t, send(cl)).Class())
		require.Equal(t, before+1, s.Count(submitAPI))
	}
}

// The caller's context ends the call, and is told apart from a slow network.
func TestCallersContextEndsTheCall(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	cl := client(t, wecom.Config{BaseURL: s.URL})
	require.NoError(t, send(cl))
	s.Inject(submitAPI, wecomtest.Fault{Slow: time.Minute, Times: -1})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := cl.UploadByURL(ctx, upload)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, wecom.ClassCancelled, asError(t, err).Class())

	cancelled, stop := context.WithCancel(context.Background())
	stop()
	_, err = client(t, wecom.Config{BaseURL: s.URL}).UploadByURL(cancelled, upload)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, wecom.ClassCancelled, asError(t, err).Class())
}
