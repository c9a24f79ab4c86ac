package cosbucket

import (
	"net"
	"net/http"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"wedrop/storage"
)

const (
	maxIdle = 32 // connections kept; fewer means a TLS handshake for many small files
	// askFirst is the size from which a body waits for "100 Continue". COS
	// then can refuse before the bytes travel, and its answer is not lost in
	// a connection that it resets while we still send (golang/go#67555).
	// Whether it answers 100 was not seen live; if it does not, the body
	// follows after ExpectContinueTimeout, which at this size is little.
	askFirst = 8 << 20
)

// client signs what it sends, waits for no answer for ever, and never follows
// a redirect with a signed request.
func client(c credentials, base http.RoundTripper) *http.Client {
	if base == nil {
		base = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			MaxIdleConns:          maxIdle,
			MaxIdleConnsPerHost:   maxIdle,
			IdleConnTimeout:       60 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
			ResponseHeaderTimeout: time.Minute, // counted from the last byte sent
			DisableCompression:    true,

			MaxResponseHeaderBytes: storage.MaxAnswerHeader,
		}
	}
	return &http.Client{
		Transport: &cos.AuthorizationTransport{SecretID: c.id, SecretKey: c.key, SessionToken: c.token,
			Transport: wire{storage.LimitAnswers(base)}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// wire is below the signature: what it adds is not signed, so that a proxy
// that drops "Expect" does not make the signature wrong.
type wire struct{ base http.RoundTripper }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength >= askFirst {
		r = r.Clone(r.Context())
		r.Header.Set("Expect", "100-continue")
	}
	return w.base.RoundTrip(r)
}
