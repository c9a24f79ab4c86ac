package wecomtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Server is a running WeCom. Its methods may be called by several
// goroutines at once.
type Server struct {
	URL string // what goes into wecom.Config.BaseURL

	o    Options
	now  func() time.Time
	apis map[string]api
	http *http.Server
	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup // everything that Close waits for

	mu       sync.Mutex
	changed  *sync.Cond // on mu: a call came in
	tokens   tokens
	limits   limits
	faults   map[string][]Fault
	shape    Shape
	jobTime  time.Duration
	trusted  map[string]bool // nil: every address
	allowed  bool            // 客户联系
	jobs     jobs
	fetches  fetches
	seen     seen
	told     told
	messages tail[Message]

	templates []Template
	notified  int // how many times members were told of one
}

// An api is one of the calls that a Server answers.
type api struct {
	method string
	open   bool // no token, no trusted address, no permission
	do     func(*Server, *request) answer
}

// Start returns a Server that listens. The caller closes it.
func Start(o Options) (*Server, error) {
	o = o.withDefaults()
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("wecomtest: %w", err)
	}
	s := newServer(o)
	if err := s.SetCallback(o.Callback); err != nil {
		l.Close()
		s.stop()
		return nil, err
	}
	s.URL = "http://" + l.Addr().String() + o.Prefix
	s.http = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)}
	s.work.Go(func() { s.http.Serve(l) })
	if o.Ended != nil {
		s.mu.Lock()
		s.startTelling()
		s.mu.Unlock()
	}
	return s, nil
}

func newServer(o Options) *Server {
	s := &Server{o: o, now: o.Now, faults: map[string][]Fault{}, shape: o.Shape, jobTime: o.JobTime, allowed: !o.NoPermission}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.changed = sync.NewCond(&s.mu)
	s.tokens = newTokens(o)
	s.limits.init()
	s.jobs.init()
	s.seen.init()
	s.told = newTold()
	if o.TrustedIPs != nil {
		s.SetTrustedIPs(o.TrustedIPs...)
	}
	s.apis = map[string]api{
		"gettoken":                       {method: http.MethodGet, open: true, do: (*Server).gettoken},
		"media/upload_by_url":            {method: http.MethodPost, do: (*Server).uploadByURL},
		"media/get_upload_by_url_result": {method: http.MethodPost, do: (*Server).uploadResult},
		"media/get":                      {method: http.MethodGet, do: (*Server).mediaGet},
		"webhook/send":                   {method: http.MethodPost, open: true, do: (*Server).robotSend},
	}
	maps.Copy(s.apis, templateAPIs())
	return s
}

// Close stops the Server, resets what is under way and waits for its fetches
// and callbacks to end.
func (s *Server) Close() {
	s.mu.Lock()
	s.stop() // under mu, so that no fetch starts behind our back
	s.mu.Unlock()
	s.http.Close()
	s.work.Wait()
	s.o.Fetch.CloseIdleConnections()
	s.told.client.CloseIdleConnections()
}

// SetShape changes the answers about jobs from now on.
func (s *Server) SetShape(shape Shape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shape = shape
}

// SetTrustedIPs replaces the trusted addresses; without any, every call but
// gettoken gets 60020.
func (s *Server) SetTrustedIPs(ips ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trusted = map[string]bool{}
	for _, ip := range ips {
		s.trusted[ip] = true
	}
}

// SetPermission gives the apps the permission 客户联系, or takes it away.
func (s *Server) SetPermission(allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = allowed
}

func (o Options) withDefaults() Options {
	if o.Clock != nil {
		o.Now = o.Clock.Now
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Prefix = strings.Trim(o.Prefix, "/"); o.Prefix != "" {
		o.Prefix = "/" + o.Prefix
	}
	if o.Fetch == nil {
		o.Fetch = fetchClient()
	}
	def(&o.Addr, "127.0.0.1:0")
	def(&o.CorpID, "wwtest")
	def(&o.Secret, "secret")
	def(&o.SeenFrom, "203.0.113.9")
	def(&o.TokenLife, 2*time.Hour)
	def(&o.WrongSecretLimit, 2000)
	def(&o.UnknownJobCode, 60136)
	def(&o.NotMP4Code, 40004)
	def(&o.FullLibraryCode, codeBadRequest)
	def(&o.FetchTimeout, 30*time.Second)
	def(&o.Chunk, 4<<20)
	def(&o.Fetches, 32)
	def(&o.Keep, 20_000)
	return o
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
