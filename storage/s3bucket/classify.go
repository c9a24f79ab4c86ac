package s3bucket

import (
	"errors"
	"net/http"
	"strings"
	"unicode"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"wedrop/storage"
)

// Classify implements storage.Driver. Codes are those of
// docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and a few of
// other services where they differ.
func (d *Driver) Classify(err error) storage.Fault {
	f := answer(err)
	if cause, ok := causes[f.Code]; ok {
		f.Cause = cause
		return f
	}
	var sent *smithyhttp.RequestSendError
	switch {
	case errors.Is(err, errOther):
		f.Cause, f.Message = storage.CauseBadDigest, errOther.Error()
	case f.Status != 0:
		f.Cause = causeOf(f.Status)
	case errors.As(err, &sent):
		f.Cause = storage.CauseUnreachable
	}
	return f
}

// answer is what the service said, if it did.
func answer(err error) (f storage.Fault) {
	var api smithy.APIError
	if errors.As(err, &api) {
		f.Code, f.Message = api.ErrorCode(), line(api.ErrorMessage())
	}
	var resp *awshttp.ResponseError
	if errors.As(err, &resp) {
		f.RequestID = line(resp.ServiceRequestID())
		if resp.Response != nil && resp.Response.Response != nil {
			f.Status = resp.HTTPStatusCode()
			f.RetryAfter = storage.RetryAfter(resp.Response.Header)
		}
	}
	return f
}

// line makes a stranger's text fit into one of ours.
func line(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	const most = 300
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

var causes = map[string]storage.Cause{
	"AccessDenied":             storage.CauseDenied,
	"AllAccessDisabled":        storage.CauseDenied,
	"AccountProblem":           storage.CauseDenied,
	"ExpiredToken":             storage.CauseDenied,
	"Forbidden":                storage.CauseDenied, // HEAD: its answers have no body
	"InvalidAccessKeyId":       storage.CauseDenied,
	"InvalidToken":             storage.CauseDenied,
	"InvalidSecurity":          storage.CauseDenied,
	"NotSignedUp":              storage.CauseDenied,
	"SignatureDoesNotMatch":    storage.CauseDenied,
	"TokenRefreshRequired":     storage.CauseDenied,
	"UnauthorizedAccess":       storage.CauseDenied,
	"XAdminUserNotFound":       storage.CauseDenied, // versitygw: unknown access key, as 404
	"XMinioAdminNoSuchUser":    storage.CauseDenied,
	"KMS.DisabledException":    storage.CauseDenied,
	"KMSInvalidStateException": storage.CauseDenied,

	"AccessControlListNotSupported": storage.CauseNoACL, // Object Ownership is "bucket owner enforced"
	"NotImplemented":                storage.CauseNoACL, // all else that is optional was tried without

	"PublicEndpointForbidden":    storage.CauseBadRequest, // OSS
	"SecondLevelDomainForbidden": storage.CauseBadRequest, // OSS: path style
	"InvalidPathAccess":          storage.CauseBadRequest, // TOS: path style

	"NoSuchBucket":                       storage.CauseNoBucket,
	"InvalidBucketName":                  storage.CauseNoBucket,
	"AuthorizationHeaderMalformed":       storage.CauseNoBucket, // another region
	"IllegalLocationConstraintException": storage.CauseNoBucket,
	"PermanentRedirect":                  storage.CauseNoBucket,
	"TemporaryRedirect":                  storage.CauseNoBucket,
	"MovedPermanently":                   storage.CauseNoBucket,

	"NoSuchKey":          storage.CauseNotFound,
	"NotFound":           storage.CauseNotFound,
	"PreconditionFailed": storage.CauseExists,

	"RequestTimeTooSkewed": storage.CauseClock,
	"RequestExpired":       storage.CauseClock,

	"BadDigest":                   storage.CauseBadDigest,
	"XAmzContentChecksumMismatch": storage.CauseBadDigest,
	"XAmzContentSHA256Mismatch":   storage.CauseBadDigest,

	"ConditionalRequestConflict": storage.CauseBusy, // another PUT of the key is under way
	"OperationAborted":           storage.CauseBusy,
	"InternalError":              storage.CauseBusy,
	"RequestTimeout":             storage.CauseBusy, // as 400
	"IncompleteBody":             storage.CauseBusy, // as 400: the connection broke
	"ServiceUnavailable":         storage.CauseBusy,
	"SlowDown":                   storage.CauseBusy,
	"Throttling":                 storage.CauseBusy,
	"RequestLimitExceeded":       storage.CauseBusy,

	"QuotaExceeded":                  storage.CauseFull,
	"InsufficientStorage":            storage.CauseFull,
	"XMinioStorageFull":              storage.CauseFull,
	"XMinioAdminBucketQuotaExceeded": storage.CauseFull,
}

func causeOf(status int) storage.Cause {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return storage.CauseDenied
	case status == http.StatusNotFound:
		return storage.CauseNotFound
	case status == http.StatusPreconditionFailed:
		return storage.CauseExists
	case status == http.StatusNotImplemented:
		return storage.CauseNoACL
	case status == http.StatusInsufficientStorage:
		return storage.CauseFull
	case status == http.StatusRequestTimeout || status == http.StatusConflict ||
		status == http.StatusTooManyRequests || status >= 500:
		return storage.CauseBusy
	case status >= 400:
		return storage.CauseBadRequest
	case status >= 300:
		return storage.CauseNoBucket
	}
	return storage.CauseUnknown // an answer of 200 that could not be read
}

func notImplemented(err error) bool {
	if err == nil {
		return false
	}
	f := answer(err)
	return f.Code == "NotImplemented" || f.Status == http.StatusNotImplemented
}
