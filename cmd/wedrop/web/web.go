package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"wedrop/pipeline"
)

// Options of New. Pipeline and Inbox are required.
type Options struct {
	Pipeline *pipeline.Pipeline
	// Inbox is the folder for uploads, made with mode 0700 if it is not
	// there. Nobody else may put anything into it: what is there is swept.
	Inbox string

	Token  string   // empty: no sign-in, and loopback alone
	Listen string   // host:port; its host may be called by name
	Hosts  []string // further names of this machine, with a Token
	// Proxies are believed about who sent a request, and how.
	Proxies Proxies
	Lang    string // "zh" or "en", for who does not say; zh if empty
	Version string

	RenewBefore time.Duration // when a media_id counts as about to expire; 12 hours if zero
	// Free tells how many bytes may still be written where the folder is;
	// nil: nobody knows, and only the disk itself says no.
	Free func(dir string) (int64, bool)
	// Waiting are the files in folders that are not finished; nil: there are
	// no folders.
	Waiting func() []Waiting
	// Operators is a page for operators at /river/; nil: there is none.
	Operators http.Handler
	// State outlives a Site, where a changed configuration makes a new one;
	// nil: a new State.
	State *State
	Log   *slog.Logger // nowhere if nil; never sees a token
}

// Waiting is a file in a folder that is not written to its end.
type Waiting struct {
	Path            string
	Size            int64     // bytes, as last seen
	Since           time.Time // when it was first seen as it is
	Message, Remedy pipeline.Text
}

// A Site is the page and the API under one configuration.
type Site struct {
	o       Options
	pipe    *pipeline.Pipeline
	state   *State
	assets  *assets
	inbox   *inbox
	sights  *sights
	name    string // which no other has
	counted counted
	cross   *http.CrossOriginProtection
	mux     *http.ServeMux
	log     *slog.Logger
}

// New makes the Inbox, and a Site which answers at once.
func New(o Options) (*Site, error) {
	if o.Lang == "" {
		o.Lang = "zh"
	}
	if o.RenewBefore <= 0 {
		o.RenewBefore = 12 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.State == nil {
		o.State = NewState()
	}
	s := &Site{o: o, pipe: o.Pipeline, state: o.State, log: o.Log, sights: &sights{}, name: newID(), cross: http.NewCrossOriginProtection()}
	var err error
	if s.assets, err = newAssets(); err != nil {
		return nil, err
	}
	if s.inbox, err = newInbox(o.Inbox, o.Pipeline, o.State, o.Free); err != nil {
		return nil, err
	}
	if err := s.route(); err != nil {
		return nil, err
	}
	s.state.inherit(s)
	return s, nil
}

// route puts everything into its place.
func (s *Site) route() error {
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("GET /static/", func(w http.ResponseWriter, r *http.Request) {
		if !s.assets.serve(w, r) {
			s.refuse(w, r, nothingHere())
		}
	})
	s.mux.HandleFunc("POST /signin", s.signIn)
	s.mux.HandleFunc("POST /signout", s.signOut)
	s.api()
	uploads, err := s.uploads()
	if err != nil {
		return err
	}
	s.mux.Handle("/upload/", uploads)
	if s.o.Operators != nil {
		s.mux.Handle("/river/", s.plainPath(s.o.Operators))
	}
	s.mux.HandleFunc("/", s.unknown)
	return nil
}

// plainPath refuses paths that another program may read as something else than
// we do: with encoded dots, slashes or percent signs, or backslashes.
func (s *Site) plainPath(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw := strings.ToLower(r.URL.EscapedPath())
		for _, odd := range []string{"%2e", "%2f", "%5c", "%25", "%00", `\`} {
			if strings.Contains(raw, odd) {
				s.refuse(w, r, nothingHere())
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// unknown refuses what has no place. The mux says no by itself to methods that
// a path has not, but for the place of everything else.
func (s *Site) unknown(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if _, pattern := s.mux.Handler(&http.Request{Method: m, URL: r.URL, Host: r.Host}); pattern != "/" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		s.refuse(w, r, nothingHere())
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.refuse(w, r, wrongMethod())
}

// Run sweeps the inbox until ctx ends.
func (s *Site) Run(ctx context.Context) {
	for {
		if err := s.inbox.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("uploads that nobody needs are still there", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery):
		}
	}
}

// ServeHTTP answers everything that Guard lets in.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	own := func(w http.ResponseWriter, r *http.Request) {
		limit(w, r)
		s.mux.ServeHTTP(w, r)
	}
	s.guard(http.HandlerFunc(own), open(r)).ServeHTTP(w, r)
}

// open are the paths that everybody may have: they show nothing of the ledger
// without a session, or they are how one is had and ended.
func open(r *http.Request) bool {
	switch r.URL.Path {
	case "/", "/signin", "/signout":
		return true
	}
	return strings.HasPrefix(r.URL.Path, "/static/")
}

// streams are the requests that take as long as their bytes do.
func streams(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/upload/") || strings.HasPrefix(r.URL.Path, "/river/") ||
		r.Method == http.MethodPost && r.URL.Path == "/api/items" ||
		strings.HasPrefix(r.URL.Path, "/api/items/") && strings.HasSuffix(r.URL.Path, "/content")
}

// maxSmall is how long the body of a request may be that is not a file.
const maxSmall = 64 << 10

// limit cuts off whoever is slow about a small request. What streams takes its
// time, and sees itself to what stands still. An earlier request of the same
// connection may have left deadlines of its own.
func limit(w http.ResponseWriter, r *http.Request) {
	const enough = 20 * time.Second
	c := http.NewResponseController(w) // without a connection there are no deadlines, and none are needed
	if streams(r) {
		_ = c.SetReadDeadline(time.Now().Add(stall))
		_ = c.SetWriteDeadline(time.Time{})
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(enough))
	_ = c.SetWriteDeadline(time.Now().Add(2 * enough))
	r.Body = http.MaxBytesReader(w, r.Body, maxSmall)
}

// page is the page, or the way in.
func (s *Site) page(w http.ResponseWriter, r *http.Request) {
	if s.known(r) {
		s.assets.page(w, r, "index.html")
		return
	}
	s.signInPage(w, r, http.StatusOK, "")
}

// newFolder makes a folder for this user alone.
func newFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	fi, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return errors.New(dir + " is no folder")
	}
	return os.Chmod(dir, 0o700)
}
