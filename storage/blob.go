package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// A Blob is a local file that is to have a public copy.
type Blob struct {
	// Open opens the content anew for each try. It fails, or the reader
	// does, if the file is no longer what was inspected.
	Open func() (io.ReadSeekCloser, error)
	Size int64  // bytes; at least 1
	MD5  string // lower-case hex
	// CRC32C (Castagnoli) is of the same reading as the MD5; 0 if it is not
	// known. Some services compare it with what they get at less cost.
	CRC32C uint32
	// Ext is ".mp4": lower-case ASCII letters and digits with a dot before
	// them, or empty. Anything else is left out of the key.
	Ext string
	// ContentType to serve it with. Anything but a video/mp4 is served as
	// application/octet-stream with Content-Disposition: attachment.
	ContentType string

	Sent *atomic.Int64 // bytes on their way so far, set back when a try begins; nil if nobody looks
	// Starting is called once before the first byte is sent, and not at all
	// if Put saw that a copy is already there; Put fails with its error. Nil
	// is allowed.
	Starting func(context.Context, Object) error
	// Replace uploads even if a copy is there, because somebody doubts it.
	Replace bool

	reopen bool // a copy that is there is private: send it with an ACL or not at all
}

// An Object is the public copy of a Blob.
type Object struct {
	Bucket   string // which bucket: "s3://name", "cos://name", "dir:///folder"; no credentials, no endpoint
	Key      string // with the prefix
	URL      string // public
	Uploaded bool   // false if a good copy was there already
}

// check finds mistakes of the caller's; they never reach a person.
func (b Blob) check() error {
	switch {
	case b.Open == nil:
		return errors.New("storage: blob without Open")
	case b.Size < 1:
		return fmt.Errorf("storage: blob of %d bytes", b.Size)
	case !isMD5(b.MD5):
		return fmt.Errorf("storage: blob whose MD5 %q is not 32 lower-case hex digits", b.MD5)
	}
	return nil
}

// name is the last part of the key.
func (b Blob) name() string {
	if !isExt(b.Ext) {
		return b.MD5
	}
	return b.MD5 + b.Ext
}

// served returns the headers to store the object with. A staged page must
// never render under the bucket's domain, whatever it was sniffed as.
func (b Blob) served() (contentType, disposition string) {
	if b.ContentType == "video/mp4" {
		return b.ContentType, ""
	}
	return "application/octet-stream", "attachment"
}

const maxExt = 16 // bytes, dot included; longer ones are no extensions

func isExt(s string) bool {
	if len(s) < 2 || len(s) > maxExt || s[0] != '.' {
		return false
	}
	for _, c := range s[1:] {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isMD5(s string) bool {
	if len(s) != 32 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'f') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
