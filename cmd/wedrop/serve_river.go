package main

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// operatorsPolicy is for River's page alone: its scripts are files of its own,
// but its parts set styles.
const operatorsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// operators shows River's own page at /river/, to those whom the page lets in.
// It runs as a program of its own ("riverui -prefix /river"): linked, its
// reflection would keep every method of every type in our binary. Nobody is
// told there who asks: neither page_token nor the session reaches it.
func (c *Config) operators(log *slog.Logger) http.Handler {
	if c.RiverUI == "" || !isShared(c.Journal) {
		return nil
	}
	to, err := url.Parse(c.RiverUI)
	if err != nil {
		return nil // which checkLink took
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Del("Authorization")
			r.Out.Header.Del("Cookie")
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Del("Set-Cookie")
			r.Header.Set("Content-Security-Policy", operatorsPolicy)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Warn("river_ui does not answer", "address", c.RiverUI, "err", err)
			http.Error(w, "river_ui does not answer: "+c.RiverUI, http.StatusBadGateway)
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
