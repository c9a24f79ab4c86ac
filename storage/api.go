package storage

import (
	"context"
	"io"
	"log/slog"
	"net/http"
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
	Log      *slog.Logger  // nowhere if nil
}

// A Blob is a local file that is to have a public copy.
type Blob struct {
	// Open opens the content anew for each try. It fails, or the reader
	// does, if the file is no longer what was inspected.
	Open func() (io.ReadSeekCloser, error)
	Size int64
	MD5  string // lower-case hex
	Ext  string // ".mp4"; lower-case ASCII with its dot, or empty
	// ContentType to serve it with. Anything but a video/mp4 is served as
	// application/octet-stream with Content-Disposition: attachment.
	ContentType string

	Sent *atomic.Int64 // bytes on their way so far, set back when a try begins; nil if nobody looks
	// Starting is called once before the first byte is sent, and not at all
	// if a copy is already there; Put fails with its error. Nil is allowed.
	Starting func(context.Context, Object) error
	// Replace uploads even if a copy is there, because somebody doubts it.
	Replace bool
}

// An Object is the public copy of a Blob.
type Object struct {
	Bucket   string // which bucket: "s3://name", "cos://name", "dir:///folder"; no credentials, no endpoint
	Key      string // with the prefix
	URL      string // public
	Uploaded bool   // false if a good copy was there already
}

// Attrs is what a Driver knows of a stored object.
type Attrs struct {
	Size int64
	// MD5 is lower-case hex if the service vouches for it (an ETag of a
	// plain single PUT, or what Put stored beside the object), else empty.
	MD5 string
}

// PutRequest is one try to store an object.
type PutRequest struct {
	Key         string
	Body        io.ReadSeeker // at its start; the driver does not close it
	Size        int64
	MD5         string // lower-case hex; the service must refuse any other body
	ContentType string
	Disposition string // Content-Disposition; may be empty
	ACL         bool   // make the object public-read by its own ACL
	IfAbsent    bool   // do not replace (If-None-Match: *), where the service has it
}

// A Driver is one kind of bucket. Bucket holds everything that is the same
// for all of them; storagetest holds every rule to which a Driver is bound.
// All methods may be called concurrently. A Driver makes exactly one try:
// Bucket tries again.
type Driver interface {
	// ID is Object.Bucket.
	ID() string
	// URL is the public link of a key when Options.PublicURL is empty; ""
	// if the driver cannot know one.
	URL(key string) string
	// Head returns the object's attributes; an error of ErrNotFound if there
	// is none.
	Head(ctx context.Context, key string) (Attrs, error)
	// Put stores the whole body under the key or nothing: a body that
	// differs from Size or MD5 never becomes visible. It returns ErrExists
	// if IfAbsent is set and an object is there.
	Put(ctx context.Context, r PutRequest) error
	// Delete removes the object; a missing one is no error.
	Delete(ctx context.Context, key string) error
	// Classify explains an error of the methods above.
	Classify(err error) Fault
	// Policy is the text that an administrator pastes into the console to
	// open prefix for reading (not for listing); "" if there is no such thing.
	Policy(prefix string) string
}

// A Cause is why an operation of a Driver failed.
type Cause string

const (
	CauseUnknown     Cause = ""
	CauseNotFound    Cause = "not-found"
	CauseExists      Cause = "exists"      // IfAbsent, and an object is there
	CauseDenied      Cause = "denied"      // credentials or rights
	CauseNoACL       Cause = "no-acl"      // the service or bucket takes no ACLs (AccessControlListNotSupported, NotImplemented, AttachmentFull, public ACLs blocked)
	CauseNoBucket    Cause = "no-bucket"   // wrong name, region or endpoint
	CauseClock       Cause = "clock"       // RequestTimeTooSkewed
	CauseBadDigest   Cause = "bad-digest"  // the body was not what MD5 says
	CauseBusy        Cause = "busy"        // 408, 429, 5xx, SlowDown: passes
	CauseUnreachable Cause = "unreachable" // DNS, TLS, reset, time-out
	CauseFull        Cause = "full"        // no space, quota
	CauseBadRequest  Cause = "bad-request" // anything else that lasts
)

// A Fault is a Driver's reading of an error.
type Fault struct {
	Cause      Cause
	Code       string        // the service's own word: "AccessDenied"
	Message    string        // the service's own text, without secrets
	RequestID  string        // for the service's support
	Status     int           // HTTP status; 0 if there was none
	RetryAfter time.Duration // as the service asked; 0 if it did not
}

// A Kind is what a person is told; one of the fault codes storage/*.
type Kind string

const (
	Denied      Kind = "denied"
	Unreachable Kind = "unreachable"
	NotPublic   Kind = "not-public"
	NoRange     Kind = "no-range"
	Changed     Kind = "changed"    // the local file, or the stored copy, is not what it was
	BadConfig   Kind = "bad-config" // bucket, region, endpoint, clock, link
)

// An Error is a failed operation of a Bucket, for a person.
type Error struct {
	Op     string // "put", "head", "prove", "delete"
	Kind   Kind
	Bucket string // Object.Bucket
	Key    string
	URL    string // "prove": the public link that was tried
	Fault  Fault  // what the service said; zero for "prove"
	Detail string // what the proof saw: "HTTP 403 AccessDenied", "200 instead of 206"
	Policy string // a policy ready to paste, where one would help
	Err    error  // cause; may be nil
}
