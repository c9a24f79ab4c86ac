package cosbucket

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"wedrop/storage"
)

// maxSkew is how far our clock may be from the service's before a refusal is
// laid to it. A signature is good for an hour from our now.
const maxSkew = 15 * time.Minute

// A failure is an operation that did not succeed, as the driver reads it.
type failure struct {
	op, key string
	fault   storage.Fault
	err     error // cause; its text may hold secrets if fault.Message is not empty
}

func (f *failure) Error() string {
	text := "cos " + f.op + " " + f.key + ":"
	if f.fault.Status != 0 {
		text += " HTTP " + strconv.Itoa(f.fault.Status)
	}
	for _, s := range []string{f.fault.Code, f.fault.Message} {
		if s != "" {
			text += " " + s
		}
	}
	if f.fault.RequestID != "" {
		text += " (request " + f.fault.RequestID + ")"
	}
	return text
}

func (f *failure) Unwrap() error { return f.err }

// wrongETag: COS took a body and then named another MD5 for it.
type wrongETag struct {
	sum  string
	left bool // it could not be removed
}

func (e *wrongETag) Error() string {
	text := "the stored object has the MD5 " + e.sum
	if e.left {
		text += ", and it could not be removed"
	}
	return text
}

// Classify explains an error of Head, Put or Delete; of any other it says
// CauseUnknown.
func (d *Driver) Classify(err error) storage.Fault {
	var f *failure
	if errors.As(err, &f) {
		return f.fault
	}
	return storage.Fault{}
}

// failed makes the error of an operation; acl says that its request had one.
func (d *Driver) failed(op, key string, acl bool, err error) error {
	f := &failure{op: op, key: key, err: unwrapped(err)}
	var answer *cos.ErrorResponse
	if errors.As(f.err, &answer) && answer.Response != nil {
		f.fault = d.read(answer, acl)
		f.err = nil // its text is made of the whole request
		return f
	}
	f.fault.Cause = withoutAnswer(f.err)
	f.fault.Message = d.scrub(f.err.Error())
	return f
}

// unwrapped takes off what only repeats the URL. The SDK's RetryError has no
// Unwrap of its own; with one try it holds one error.
func unwrapped(err error) error {
	var tries *cos.RetryError
	if errors.As(err, &tries) && len(tries.Errs) > 0 {
		err = tries.Errs[len(tries.Errs)-1]
	}
	var sent *url.Error
	if errors.As(err, &sent) {
		return &sendError{sent.Err}
	}
	return err
}

// sendError: no answer came.
type sendError struct{ err error }

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.err }

func withoutAnswer(err error) storage.Cause {
	var sent *sendError
	var wrong *wrongETag
	switch {
	case errors.Is(err, context.Canceled):
		return storage.CauseUnknown
	case errors.Is(err, errLength), errors.As(err, &wrong):
		return storage.CauseBadDigest
	case errors.As(err, &sent), errors.Is(err, context.DeadlineExceeded):
		return storage.CauseUnreachable
	}
	return storage.CauseUnknown
}

// read reads an answer that is not a success.
func (d *Driver) read(e *cos.ErrorResponse, acl bool) storage.Fault {
	h := e.Response.Header
	f := storage.Fault{
		Code:       e.Code,
		Message:    d.scrub(e.Message),
		RequestID:  e.RequestID,
		Status:     e.Response.StatusCode,
		RetryAfter: retryAfter(h.Get("Retry-After"), d.now()),
	}
	if f.RequestID == "" {
		f.RequestID = h.Get("X-Cos-Request-Id")
	}
	f.Cause = causeOf(f.Status, f.Code, acl)
	if f.Cause == storage.CauseDenied && skewed(h.Get("Date"), d.now()) {
		// An expired signature is "AccessDenied: Request has expired" to
		// COS, and to HEAD it is a bare 403.
		f.Cause = storage.CauseClock
	}
	return f
}

// causeOf is the table of COS's codes (cloud.tencent.com/document/product/436/7730).
// Those marked (mem) are not confirmed for COS; they mean the same wherever
// they occur.
func causeOf(status int, code string, acl bool) storage.Cause {
	switch code {
	case "NoSuchKey":
		return storage.CauseNotFound
	case "FileAlreadyExists", "PreconditionFailed":
		return storage.CauseExists
	case "NoSuchBucket", "InvalidBucketName", "PathStyleDomainForbidden", "PermanentRedirect": // last: (mem)
		return storage.CauseNoBucket
	case "BadDigest", "EntitySizeNotMatch":
		return storage.CauseBadDigest
	case "AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken",
		"InvalidToken", "UnavailableForLegalReasons": // (mem); the last is an account in arrears
		return storage.CauseDenied
	case "RequestTimeTooSkewed":
		return storage.CauseClock
	case "AttachmentFull", "NotImplemented", "AccessControlListNotSupported":
		if acl {
			return storage.CauseNoACL
		}
		return storage.CauseBadRequest
	case "IncompleteBody": // the connection broke on the way
		return storage.CauseUnreachable
	case "SlowDown", "ServiceUnavailable", "RequestTimeout", "InternalError", "TooManyRequests":
		return storage.CauseBusy
	case "DownloadForbidden", "BadRequest", "InvalidArgument", "InvalidDigest", "InvalidRequest", "KeyTooLong",
		"EntityTooLarge", "MissingContentLength", "MethodNotAllowed":
		return storage.CauseBadRequest
	}
	return causeOfStatus(status)
}

// causeOfStatus is for answers without a code: those to HEAD, and those of
// something between us and COS.
func causeOfStatus(status int) storage.Cause {
	switch {
	case status < 400: // a redirect: another region or host
		return storage.CauseNoBucket
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return storage.CauseDenied
	case status == http.StatusNotFound:
		return storage.CauseNotFound
	case status == http.StatusPreconditionFailed:
		return storage.CauseExists
	case status == http.StatusInsufficientStorage:
		return storage.CauseFull
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return storage.CauseBusy
	}
	return storage.CauseBadRequest
}

func skewed(date string, now time.Time) bool {
	t, err := http.ParseTime(date)
	return err == nil && now.Sub(t).Abs() > maxSkew
}

// retryAfter reads both forms of the header; 0 if there is none.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(v); err == nil {
		return max(0, time.Duration(s)*time.Second)
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// scrub takes the credentials out of a text that somebody else wrote.
func (d *Driver) scrub(text string) string {
	for _, secret := range []string{d.creds.key, d.creds.token, d.creds.id} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

var _ storage.Driver = (*Driver)(nil)
