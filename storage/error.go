package storage

import (
	"errors"
	"strings"
)

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

// A Reason says more than the Kind where the cure is another one.
type Reason string

const (
	ReasonNone        Reason = ""
	ReasonURL         Reason = "url"         // the storage URL does not parse
	ReasonEndpoint    Reason = "endpoint"    // the endpoint is no address to use
	ReasonRegion      Reason = "region"      // no region is set
	ReasonCredentials Reason = "credentials" // none are set
	ReasonFolder      Reason = "folder"      // dir: there is no such folder
	ReasonPrefix      Reason = "prefix"      // not plain ASCII
	ReasonPublicURL   Reason = "public-url"  // no usable base for links
	ReasonAccess      Reason = "access"      // an unknown storage.access
	ReasonLinkLength  Reason = "link-length" // over the 1024 bytes that WeCom takes
	ReasonExecutable  Reason = "executable"  // .apk and .ipa on a default domain of COS or OBS
	ReasonRedirect    Reason = "redirect"    // the link leads to another server
	ReasonEncoded     Reason = "encoded"     // the server compresses or rewrites what it sends
	ReasonKey         Reason = "key"         // a key outside the prefix
	ReasonSource      Reason = "source"      // the local file could not be read to its end
)

// An Error is a failed operation of a Bucket, for a person.
type Error struct {
	Op     string // "open", "put", "head", "prove", "visit", "delete"
	Kind   Kind
	Reason Reason // may be empty
	Bucket string // Object.Bucket
	Key    string
	URL    string  // "prove": the public link that was tried
	Fault  Fault   // what the service said; zero for "prove"
	Detail string  // what the proof saw: "HTTP 403 AccessDenied", "200 instead of 206"
	Policy string  // a policy ready to paste, where one would help
	Advice *Advice // of the driver, in place of the general texts; may be nil
	Err    error   // cause; may be nil
}

// Error is one line without the policy and without secrets.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("storage: " + e.Op)
	if e.Bucket != "" {
		b.WriteString(" " + e.Bucket)
		if e.Key != "" {
			b.WriteString(" " + e.Key)
		}
	}
	b.WriteString(": " + string(e.Kind))
	if e.Reason != "" {
		b.WriteString(" (" + string(e.Reason) + ")")
	}
	for _, s := range []string{e.Detail, e.Fault.said()} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if e.Fault.said() == "" && e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// FaultCode is the fault's code for people and programs: "storage/denied".
func (e *Error) FaultCode() string { return "storage/" + string(e.Kind) }

// Temporary reports whether the trouble passes by itself.
func (e *Error) Temporary() bool { return e.Kind == Unreachable }

// Config reports whether nothing can succeed until a person mends the bucket
// or the configuration. It is false for what concerns one file alone.
func (e *Error) Config() bool {
	switch e.Reason {
	case ReasonExecutable, ReasonKey:
		return false
	}
	switch e.Kind {
	case Denied, NotPublic, NoRange, BadConfig:
		return true
	}
	return false
}

// said is the service's answer in one line.
func (f Fault) said() string {
	s := f.Code
	if f.Message != "" {
		if s != "" {
			s += ": "
		}
		s += f.Message
	}
	if s != "" && f.RequestID != "" {
		s += " (request " + f.RequestID + ")"
	}
	return s
}

func (b *Bucket) failure(op string, obj Object, k Kind) *Error {
	return &Error{Op: op, Kind: k, Bucket: obj.Bucket, Key: obj.Key}
}

// fault is the Error of a Driver's error.
func (b *Bucket) fault(op string, obj Object, f Fault, err error) *Error {
	e := b.failure(op, obj, f.Cause.kind())
	e.Fault, e.Err = f, err
	if f.Cause == CauseNoACL {
		e.Policy = b.Policy()
	}
	return b.advised(e)
}

// sourceError is the Error of the local file's own error. One that can explain
// itself is left alone.
func (b *Bucket) sourceError(op string, obj Object, err error) error {
	var explained interface{ FaultCode() string }
	if errors.As(err, &explained) {
		return err
	}
	e := b.failure(op, obj, Changed)
	e.Reason, e.Err = ReasonSource, err
	return e
}
