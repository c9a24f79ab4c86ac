package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"wedrop/cmd/wedrop/web"
	"wedrop/pipeline"
)

// parts are what the daemon answers with, under one configuration.
type parts struct {
	say      *messages
	site     *web.Site    // the page and the API, and who may see them
	callback http.Handler // nil: callbacks are not configured
	ready    func(context.Context) readiness
	metrics  http.Handler
	journal  string // what tells this journal from others; may be empty
}

// journalHeader of /healthz has the journal's mark, so that doctor knows
// whether the wedrop at a port works with the same one.
const journalHeader = "Wedrop-Journal"

// journalMark is made of the journal's random id alone: it tells strangers
// nothing. It is empty where a journal has no id.
func journalMark(ctx context.Context, j pipeline.Journal) string {
	known, ok := j.(interface {
		ID(context.Context) (string, error)
	})
	if !ok {
		return ""
	}
	id, err := known.ID(ctx)
	if err != nil || id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("wedrop journal " + id))
	return hex.EncodeToString(sum[:8])
}

// handler puts the parts into their places. What is not for WeCom or a health
// check is the site's to let in; paths that nobody knows too, so that a
// stranger learns nothing from them.
func (p parts) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/callback", safe(p.callbacks()))
	mux.Handle("/healthz", safe(brief(http.HandlerFunc(p.healthz))))
	mux.Handle("/readyz", safe(brief(http.HandlerFunc(p.readyz))))
	mux.Handle("/metrics", p.site.Guard(brief(p.metrics)))
	mux.Handle("/", p.site)
	return mux
}

func (p parts) callbacks() http.Handler {
	if p.callback != nil {
		return p.callback
	}
	return brief(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusNotFound, p.say.Serve.NoCallback)
	}))
}

func (p parts) healthz(w http.ResponseWriter, _ *http.Request) {
	if p.journal != "" {
		w.Header().Set(journalHeader, p.journal)
	}
	plain(w, http.StatusOK, "ok")
}

// readyz tells what keeps the daemon from its work. Paths and addresses are
// for those alone who have the token.
func (p parts) readyz(w http.ResponseWriter, r *http.Request) {
	ready := p.ready(r.Context())
	if !p.site.Admits(r) {
		for n := range ready.Checks {
			ready.Checks[n].Message, ready.Checks[n].Remedy = "", ""
		}
	}
	status := http.StatusOK
	if !ready.Ready {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(ready)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// safe are the headers of what is not the site's.
func safe(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// brief is for what needs no body and answers at once: whoever is slow about
// it is cut off.
func brief(h http.Handler) http.Handler {
	const enough = 10 * time.Second
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.SetReadDeadline(time.Now().Add(enough)) // no connection, no deadline: in tests
		_ = c.SetWriteDeadline(time.Now().Add(enough))
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		h.ServeHTTP(w, r)
		_ = c.SetWriteDeadline(time.Time{})
	})
}

// A door is where the daemon can be reached. What is behind it changes with
// the configuration.
type door struct {
	listen  string // as configured
	address string // as it is: http://127.0.0.1:8765
	http    *http.Server
	inside  atomic.Pointer[http.Handler]
	failed  chan error // that nobody can come in any more
}

// openDoor listens. Nobody is answered before lead is called.
func openDoor(cfg *Config, log *slog.Logger) (*door, error) {
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, cfg.bad("listen", text{"不能监听 " + cfg.Listen + "：" + rootCause(err), "cannot listen on " + cfg.Listen + ": " + rootCause(err)},
			text{"可能有别的程序占用了这个端口：换一个端口，或停掉那个程序", "another program may have the port: use another one, or stop that program"})
	}
	d := &door{listen: cfg.Listen, address: "http://" + l.Addr().String(), failed: make(chan error, 1)}
	d.http = &http.Server{
		Handler:           d,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() { d.failed <- d.http.Serve(limitConns(l, cfg.Proxies.Trust)) }()
	return d, nil
}

func (d *door) lead(h http.Handler) { d.inside.Store(&h) }

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := d.inside.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	http.Error(w, "starting", http.StatusServiceUnavailable)
}

// close lets answers under way end, for a little while.
func (d *door) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if d.http.Shutdown(ctx) != nil {
		_ = d.http.Close()
	}
}
