// Package costest is a bucket of Tencent Cloud COS on loopback, as strict as
// what Tencent publishes and stricter where a lenient server would hide a
// mistake of ours. Nothing of Tencent's is known to behave exactly so; where
// the documentation is silent, the comment says what was assumed.
//
// Start with [New], open the driver on [Server.Link] with the same
// credentials, and switch on trouble with [Server.Set] and with the methods
// of the embedded Faults, which all fakes of buckets have.
package costest

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"wedrop/storage/storagetest"
)

// Options of a Server. The zero value is a private bucket, made after 2024,
// that takes object ACLs.
type Options struct {
	Bucket    string // "wedrop-1250000000" if empty
	Region    string // "ap-guangzhou" if empty
	SecretID  string // "AKIDcostest" if empty
	SecretKey string // "costest-secret-key" if empty
	Token     string // of temporary credentials: then every signed request must carry it

	// Policy lists the prefixes ("media/", or "" for all) that a bucket
	// policy opens for reading.
	Policy []string
	// PublicList is the bucket whose own ACL is public-read: everything can
	// be read and, which people overlook, listed by anybody.
	PublicList bool
	// Old is a bucket made before 2024, which serves without forcing a
	// download. CustomDomain does the same for a newer one.
	Old, CustomDomain bool
	// Versions are kept: forbid-overwrite is then without effect.
	Versions bool
	// ACLs that the account may have; 1,000 if zero. One more is
	// AttachmentFull.
	ACLs int
}

// Trouble is what only COS can have, none in the zero value. What any service
// can have is in the Server's Faults.
type Trouble struct {
	Refuse    *Error        // every PUT is answered so before its body is read, with time for the answer to arrive
	Deny      []string      // methods for which the credentials have no right
	DenyACL   bool          // they have no right to set ACLs
	NoACL     bool          // an ACL is refused with NotImplemented
	NoBucket  bool          // there is no such bucket
	ETag      string        // answered instead of the right one, without quotes
	Encrypted bool          // the bucket encrypts: its ETags are no MD5
	Skew      time.Duration // the server's clock against ours
}

// Error is an answer that is not a success.
type Error struct {
	Status        int
	Code, Message string
}

// Object is what is stored under a key.
type Object struct {
	Body   []byte
	MD5    string      // lower-case hex
	Header http.Header // Content-Type, Content-Disposition, x-cos-meta-*
	Public bool        // by its own ACL
	Stored time.Time
}

// A Server is one bucket. Its methods may be called at any time.
type Server struct {
	storagetest.Faults

	opt  Options
	url  string
	http *http.Server
	done chan struct{}

	mu      sync.Mutex
	trouble Trouble
	objects map[string]Object
	puts    map[string]int
	serial  int // of requests
}

// New starts a server on loopback; Close ends it.
func New(o Options) (*Server, error) {
	for _, d := range []struct {
		field *string
		value string
	}{{&o.Bucket, "wedrop-1250000000"}, {&o.Region, "ap-guangzhou"}, {&o.SecretID, "AKIDcostest"}, {&o.SecretKey, "costest-secret-key"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if o.ACLs == 0 {
		o.ACLs = 1000
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{opt: o, url: "http://" + l.Addr().String(), objects: map[string]Object{}, puts: map[string]int{}, done: make(chan struct{})}
	s.http = &http.Server{Handler: s.counted(s.Wrap(s)), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // ends with Close
	}()
	return s, nil
}

// Close ends the server and all its connections.
func (s *Server) Close() {
	_ = s.http.Close()
	<-s.done
}

// URL is the bucket's own host, "http://127.0.0.1:port".
func (s *Server) URL() string { return s.url }

// Link is the cos:// link of the bucket with a prefix.
func (s *Server) Link(prefix string) string {
	return "cos://" + s.opt.Bucket + "/" + prefix + "?region=" + s.opt.Region + "&endpoint=" + s.url
}

// Credentials are those that the server takes.
func (s *Server) Credentials() (id, key, token string) {
	return s.opt.SecretID, s.opt.SecretKey, s.opt.Token
}

// Set replaces the trouble.
func (s *Server) Set(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = t
}

// Open adds a prefix to the bucket's policy.
func (s *Server) Open(prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Policy = append(slices.Clone(s.opt.Policy), prefix)
}

// Puts counts the requests to store under key that arrived, whatever became
// of them.
func (s *Server) Puts(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts[key]
}

// Object returns what is stored under key.
func (s *Server) Object(key string) (Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	return o, ok
}

// Keys lists what is stored.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]string, 0, len(s.objects))
	for k := range s.objects {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Store puts an object there by another way than a request, so as to make a
// wrong one.
func (s *Server) Store(key string, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.Header == nil {
		o.Header = http.Header{}
	}
	if o.Stored.IsZero() {
		o.Stored = time.Now()
	}
	if o.MD5 == "" {
		o.MD5 = md5Hex(o.Body)
	}
	s.objects[key] = o
}

// public says whether anybody may read key.
func (s *Server) public(key string, o Object) bool {
	if s.opt.PublicList || o.Public && !s.IgnoresACL() {
		return true
	}
	return slices.ContainsFunc(s.opt.Policy, func(p string) bool { return strings.HasPrefix(key, p) })
}
