package storage

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Access says how a staged object becomes readable by everybody.
type Access string

const (
	AccessAuto   Access = "auto"          // the zero value "" means the same
	AccessACL    Access = "object-acl"    // each object is made public-read
	AccessPolicy Access = "bucket-policy" // no ACL is sent; the bucket's policy opens the prefix
)

// Options of a Bucket.
type Options struct {
	Prefix    string // before every key, without slashes at its ends; may be empty
	PublicURL string // base of the public links, joined with the key; the driver's own if empty
	Access    Access // AccessAuto if empty

	Probe    *http.Client  // for the anonymous proof; if nil, one without cookies, credentials or proxy of its own
	Attempts int           // tries of one operation when trouble passes; 4 if zero
	Pause    time.Duration // before the second try, doubled (with jitter) for each further one; 500 ms if zero
	Stall    time.Duration // a try that moves no byte for so long is given up; 2 minutes if zero
	Log      *slog.Logger  // nowhere if nil
}

// A Bucket keeps public copies of local files. It may be used concurrently.
type Bucket struct {
	driver   Driver
	prefix   string // "" or with a slash at its end
	public   string // base of the links, without a slash at its end; "" if the driver makes them
	access   Access
	probe    *http.Client
	attempts int
	pause    time.Duration
	stall    time.Duration
	log      *slog.Logger

	noACL atomic.Bool // the service takes none (AccessAuto): remembered, not asked for each file
	habit habit

	mu      sync.Mutex
	flights map[string]*flight // by key: uploads under way
}

// maxLink is WeCom's limit for the url of upload_by_url, in bytes.
const maxLink = 1024

// New returns a Bucket over d. Its error is an *Error of Kind BadConfig: the
// prefix is not plain ASCII, there is no usable base for public links, or
// links would be longer than the 1024 bytes that WeCom takes. It makes no
// call.
func New(d Driver, o Options) (*Bucket, error) {
	b := &Bucket{
		driver:   d,
		public:   base(o.PublicURL),
		access:   o.Access,
		probe:    anonymous(o.Probe),
		attempts: o.Attempts,
		pause:    o.Pause,
		stall:    o.Stall,
		log:      o.Log,
		flights:  map[string]*flight{},
	}
	if b.attempts <= 0 {
		b.attempts = 4
	}
	if b.pause <= 0 {
		b.pause = 500 * time.Millisecond
	}
	if b.stall <= 0 {
		b.stall = 2 * time.Minute
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.access == "" {
		b.access = AccessAuto
	}
	if p := strings.Trim(o.Prefix, "/"); p != "" {
		b.prefix = p + "/"
	}
	return b, b.check()
}

// base is the base of links with what is not ASCII escaped.
func base(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		raw = u.String()
	}
	return strings.TrimRight(raw, "/")
}

func (b *Bucket) check() error {
	switch b.access {
	case AccessAuto, AccessACL, AccessPolicy:
	default:
		return b.misconfigured(ReasonAccess, fmt.Sprintf("access %q", b.access))
	}
	if why := badPrefix(b.prefix); why != "" {
		return b.misconfigured(ReasonPrefix, why)
	}
	longest := b.longest()
	if longest == "" {
		return b.misconfigured(ReasonPublicURL, "it is missing")
	}
	base := b.public
	if base == "" {
		base = longest
	}
	if _, why := CheckEndpoint(base); why != "" {
		return b.misconfigured(ReasonPublicURL, why)
	}
	if len(longest) > maxLink {
		return b.misconfigured(ReasonLinkLength, fmt.Sprintf("%d bytes", len(longest)))
	}
	return nil
}

func (b *Bucket) misconfigured(r Reason, detail string) error {
	return &Error{Op: "open", Kind: BadConfig, Reason: r, Bucket: b.driver.ID(), Detail: detail}
}

// badPrefix says why a prefix cannot stand in a link: Chinese triples under
// escaping against WeCom's limit of 1024 bytes, and what "+" or "%" mean in
// a path is read differently by servers.
func badPrefix(p string) string {
	for _, c := range p {
		if c > 0x7e || !isUnreserved(byte(c)) && !strings.ContainsRune("/=,@!", c) {
			return fmt.Sprintf("the character %q", c)
		}
	}
	for _, part := range strings.Split(strings.TrimSuffix(p, "/"), "/") {
		if p != "" && (part == "" || part == "." || part == "..") {
			return fmt.Sprintf("the part %q", part)
		}
	}
	return ""
}

// ID says which bucket it is, as Object.Bucket does.
func (b *Bucket) ID() string { return b.driver.ID() }

// Policy is the text that an administrator pastes into the console to open
// the prefix for reading, not for listing; "" if the bucket has no such thing.
func (b *Bucket) Policy() string {
	return b.driver.Policy(strings.TrimSuffix(b.prefix, "/"))
}

// Where returns the public copy that Put would make of blob. It makes no call,
// so it does not know whether the copy is there.
func (b *Bucket) Where(blob Blob) Object {
	key := b.prefix + blob.name()
	return Object{Bucket: b.driver.ID(), Key: key, URL: b.link(key)}
}

func (b *Bucket) link(key string) string {
	if b.public == "" {
		return b.driver.URL(key)
	}
	return b.public + "/" + EscapeKey(key)
}

// Remove deletes the object under key; a missing one is no error. A key
// outside the Bucket's prefix is refused: it is not ours.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	obj := Object{Bucket: b.driver.ID(), Key: key}
	if rest, ok := strings.CutPrefix(key, b.prefix); !ok || rest == "" || badPrefix(rest) != "" {
		e := b.failure("delete", obj, BadConfig)
		e.Reason, e.Detail = ReasonKey, "prefix "+fmt.Sprintf("%q", b.prefix)
		return e
	}
	return b.again(ctx, func(ctx context.Context) (error, bool) {
		ctx, cancel := context.WithTimeout(ctx, b.stall)
		defer cancel()
		err := b.driver.Delete(ctx, key)
		if err == nil {
			return nil, false
		}
		f := b.driver.Classify(err)
		if f.Cause == CauseNotFound {
			return nil, false
		}
		return b.fault("delete", obj, f, err), f.passes()
	})
}
