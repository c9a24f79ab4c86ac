package cosbucket

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	cos "github.com/tencentyun/cos-go-sdk-v5"

	"wedrop/storage"
)

func TestEveryCodeHasItsCause(t *testing.T) {
	t.Parallel()
	const acl = true
	for _, c := range []struct {
		status int
		code   string
		acl    bool
		want   storage.Cause
	}{
		{400, "AttachmentFull", acl, storage.CauseNoACL},
		{400, "AttachmentFull", !acl, storage.CauseBadRequest},
		{501, "NotImplemented", acl, storage.CauseNoACL},
		{501, "NotImplemented", !acl, storage.CauseBadRequest},
		{400, "AccessControlListNotSupported", acl, storage.CauseNoACL},
		{400, "BadDigest", acl, storage.CauseBadDigest},
		{400, "InvalidDigest", !acl, storage.CauseBadRequest},
		{400, "EntitySizeNotMatch", !acl, storage.CauseBadDigest},
		{400, "IncompleteBody", !acl, storage.CauseUnreachable},
		{400, "BadRequest", !acl, storage.CauseBadRequest},
		{400, "DownloadForbidden", !acl, storage.CauseBadRequest},
		{403, "DownloadForbidden", !acl, storage.CauseBadRequest},
		{400, "ExpiredToken", !acl, storage.CauseDenied},
		{400, "RequestTimeout", !acl, storage.CauseBusy},
		{403, "AccessDenied", acl, storage.CauseDenied},
		{403, "SignatureDoesNotMatch", !acl, storage.CauseDenied},
		{403, "InvalidAccessKeyId", !acl, storage.CauseDenied},
		{451, "UnavailableForLegalReasons", !acl, storage.CauseDenied},
		{403, "RequestTimeTooSkewed", !acl, storage.CauseClock},
		{403, "PathStyleDomainForbidden", !acl, storage.CauseNoBucket},
		{404, "NoSuchBucket", !acl, storage.CauseNoBucket},
		{301, "PermanentRedirect", !acl, storage.CauseNoBucket},
		{404, "NoSuchKey", !acl, storage.CauseNotFound},
		{409, "FileAlreadyExists", !acl, storage.CauseExists},
		{412, "PreconditionFailed", !acl, storage.CauseExists},
		{411, "MissingContentLength", !acl, storage.CauseBadRequest},
		{503, "SlowDown", !acl, storage.CauseBusy},
		{503, "ServiceUnavailable", !acl, storage.CauseBusy},
		{500, "InternalError", !acl, storage.CauseBusy},
		// What HEAD says, and gateways that know no codes.
		{301, "", !acl, storage.CauseNoBucket},
		{401, "", !acl, storage.CauseDenied},
		{403, "", !acl, storage.CauseDenied},
		{404, "", !acl, storage.CauseNotFound},
		{408, "", !acl, storage.CauseBusy},
		{412, "", !acl, storage.CauseExists},
		{429, "", !acl, storage.CauseBusy},
		{502, "", !acl, storage.CauseBusy},
		{507, "", !acl, storage.CauseFull},
		// Codes that nobody has told us of.
		{400, "SomethingNew", acl, storage.CauseBadRequest},
		{409, "SomethingNew", acl, storage.CauseBadRequest},
		{503, "SomethingNew", acl, storage.CauseBusy},
	} {
		require.Equal(t, c.want, causeOf(c.status, c.code, c.acl), "HTTP %d %s, ACL sent: %v", c.status, c.code, c.acl)
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-3": 0, "5": 5 * time.Second,
		now.Add(time.Minute).Format(http.TimeFormat):  time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		require.Equal(t, want, retryAfter(v, now), "%q", v)
	}
}

func TestClassifyOfOtherErrorsIsUnknown(t *testing.T) {
	t.Parallel()
	d := &Driver{now: time.Now}
	require.Zero(t, d.Classify(nil))
	require.Zero(t, d.Classify(errors.New("another's")))
	// The SDK hides what was wrong behind an error without Unwrap.
	tries := &cos.RetryError{}
	tries.Add(context.DeadlineExceeded)
	err := d.failed("put", "k", false, tries)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, storage.CauseUnreachable, d.Classify(err).Cause)
}
