package storage

import (
	"context"
	"io"
	"time"
)

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
	CRC32C      uint32 // of the same content; 0 if it is not known
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
	// Head returns the object's attributes. If there is none, it returns an
	// error that Classify reads as CauseNotFound.
	Head(ctx context.Context, key string) (Attrs, error)
	// Put stores the whole body under the key or nothing: a body that
	// differs from Size or MD5 never becomes visible, and what was there
	// before stays. If IfAbsent is set and an object is there, it returns
	// an error that Classify reads as CauseExists.
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
