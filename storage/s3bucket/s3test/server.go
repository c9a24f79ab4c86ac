// Package s3test is a strict S3 with one bucket on loopback, for tests.
//
// Start with [New]. It checks every signature, keeps ACLs of objects, and
// knows what an administrator can switch on and off in the console
// ([Settings]); none of the S3 servers that can be had for tests does. It
// fails on demand by [storagetest.Faults]. Everything is kept in memory.
package s3test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"time"

	"wedrop/storage/storagetest"
)

// The one account of a Server.
const (
	AccessKey = "AKTESTTESTTESTTEST01"
	SecretKey = "SK+test/test+test/test+test/test+test/01"
	Region    = "ap-test-1"
)

// Settings are what an administrator chose. The zero value is a bucket that
// keeps ACLs and is not public.
type Settings struct {
	OwnerEnforced    bool   // Object Ownership: ACLs disabled, as every new bucket of AWS
	BlockPublicACLs  bool   // a PUT with a public ACL is refused
	IgnorePublicACLs bool   // accepted, and nothing is public by it
	NoPublicEndpoint bool   // Aliyun's refusal of every call by the default domain
	RestrictPolicy   bool   // the policy opens nothing to strangers
	Policy           string // JSON; only what Driver.Policy writes is understood

	ReadOnly     bool          // the credentials may not write
	NoList       bool          // nor list: HEAD of a missing key is 403
	PublicList   bool          // everybody may list the bucket, as its own ACL public-read has it
	NoConditions bool          // If-None-Match is answered by 501
	NoChecksums  bool          // x-amz-checksum-* is not known and ignored
	KMS          bool          // encrypted: ETags are no MD5s
	Ahead        time.Duration // the server's clock before ours
	Token        string        // session token that requests must carry
	Secret       string        // what the account's secret is now; SecretKey if empty
}

// A Server is running from New until Close.
type Server struct {
	Bucket string
	Faults *storagetest.Faults

	http *httptest.Server

	mu       sync.Mutex
	settings Settings
	objects  map[string]object
	puts     map[string]int
}

type object struct {
	content     []byte
	md5         string // of the content
	contentType string
	disposition string
	meta        http.Header
	asked       http.Header // of its PUT
	public      bool
	kms         bool
	at          time.Time
}

// New starts a Server with an empty bucket of that name.
func New(bucket string, s Settings) *Server {
	srv := &Server{
		Bucket:   bucket,
		Faults:   &storagetest.Faults{},
		settings: s,
		objects:  map[string]object{},
		puts:     map[string]int{},
	}
	srv.http = httptest.NewServer(srv.Faults.Wrap(http.HandlerFunc(srv.serve)))
	return srv
}

// Close stops the Server.
func (s *Server) Close() { s.http.Close() }

// Endpoint is "http://127.0.0.1:port".
func (s *Server) Endpoint() string { return s.http.URL }

// URL is the storage URL of a prefix in the bucket.
func (s *Server) URL(prefix string) string {
	return fmt.Sprintf("s3://%s/%s?region=%s&endpoint=%s&path_style=true", s.Bucket, prefix, Region, url.QueryEscape(s.http.URL))
}

// Env is the environment by which the AWS SDK finds the credentials, and
// nothing of the machine's own.
func (s *Server) Env() map[string]string { return s.read().Env() }

// Env is Server.Env.
func (s Settings) Env() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":           AccessKey,
		"AWS_SECRET_ACCESS_KEY":       SecretKey,
		"AWS_SESSION_TOKEN":           s.Token,
		"AWS_PROFILE":                 "",
		"AWS_REGION":                  "",
		"AWS_DEFAULT_REGION":          "",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ENDPOINT_URL":            "",
		"AWS_ENDPOINT_URL_S3":         "",
		"AWS_EC2_METADATA_DISABLED":   "true",
	}
}

// Set changes the settings while the Server runs.
func (s *Server) Set(change func(*Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.settings)
}

func (s *Server) read() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Puts is how often an object was stored under key.
func (s *Server) Puts(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts[key]
}

// PutHeader is the header with which the object under key was stored.
func (s *Server) PutHeader(key string) http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key].asked
}

// Object returns the content under key.
func (s *Server) Object(key string) (content []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	return bytes.Clone(o.content), ok
}

// Keys returns the keys of all objects, in no order.
func (s *Server) Keys() (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.objects {
		keys = append(keys, k)
	}
	return keys
}

// Poison replaces the content under key as somebody with other tools would;
// its ACL stays.
func (s *Server) Poison(key string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[key]
	o.content, o.md5, o.at = bytes.Clone(content), hexMD5(content), time.Now()
	o.meta = nil
	s.objects[key] = o
}

// Remove takes the object under key away as somebody in the console would.
func (s *Server) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
}
