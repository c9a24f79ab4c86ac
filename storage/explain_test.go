package storage_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

var (
	kinds  = []storage.Kind{storage.Denied, storage.Unreachable, storage.NotPublic, storage.NoRange, storage.Changed, storage.BadConfig}
	causes = []storage.Cause{
		storage.CauseUnknown, storage.CauseNotFound, storage.CauseExists, storage.CauseDenied, storage.CauseNoACL, storage.CauseNoBucket,
		storage.CauseClock, storage.CauseBadDigest, storage.CauseBusy, storage.CauseUnreachable, storage.CauseFull, storage.CauseBadRequest,
	}
	reasons = []storage.Reason{
		storage.ReasonNone, storage.ReasonURL, storage.ReasonEndpoint, storage.ReasonRegion, storage.ReasonCredentials, storage.ReasonFolder,
		storage.ReasonPrefix, storage.ReasonPublicURL, storage.ReasonAccess, storage.ReasonLinkLength, storage.ReasonExecutable,
		storage.ReasonRedirect, storage.ReasonEncoded, storage.ReasonKey, storage.ReasonSource,
	}
)

// Whatever goes wrong, a person gets a sentence and a cure in both languages.
func TestEveryErrorExplainsItself(t *testing.T) {
	t.Parallel()
	for n, scheme := range []string{"s3://b", "cos://b-1", "dir:///f", "new://x", ""} {
		op := []string{"put", "prove"}[n%2]
		for _, kind := range kinds {
			for _, cause := range causes {
				for _, reason := range reasons {
					for _, detail := range []string{"", "HTTP 403"} {
						e := &storage.Error{Op: op, Kind: kind, Reason: reason, Bucket: scheme, Key: "m/a.mp4", Detail: detail, Fault: storage.Fault{Cause: cause}}
						if detail != "" {
							e.URL = "https://c.example.com/m/a.mp4"
						}
						zh, zhRemedy := e.Explain("zh")
						en, enRemedy := e.Explain("en")
						for _, s := range []string{zh, zhRemedy, en, enRemedy} {
							require.NotEmpty(t, s, "%+v", e)
							require.NotRegexp(t, regexp.MustCompile(`[{}]|（）|\(\)`), s, "%+v", e)
						}
						require.True(t, hasHan(zh) && hasHan(zhRemedy), "%s %s", zh, zhRemedy)
						require.False(t, e.Config() && e.Temporary(), "%+v", e)
						require.True(t, strings.HasPrefix(e.Error(), "storage: "))
						require.NotContains(t, e.Error(), "\n")
					}
				}
			}
		}
	}
}

func hasHan(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
}

func TestRemediesNameTheSwitch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    storage.Error
		want []string
	}{
		{storage.Error{Kind: storage.NotPublic, Bucket: "s3://b", Policy: `{"P": 1}`}, []string{"阻止公有访问", "对象所有权", "ACL 已启用", "存储桶策略", `{"P": 1}`}},
		{storage.Error{Kind: storage.NotPublic, Bucket: "cos://b"}, []string{"权限管理", "Policy", "公有读"}},
		{storage.Error{Kind: storage.NotPublic, Bucket: "dir:///f"}, []string{"dir:///f", "storage.public_url"}},
		{storage.Error{Kind: storage.BadConfig, Bucket: "s3://b", Fault: storage.Fault{Cause: storage.CauseNoACL}}, []string{"bucket-policy", "对象所有权"}},
		{storage.Error{Kind: storage.Denied, Bucket: "s3://b", Reason: storage.ReasonCredentials}, []string{"AWS_ACCESS_KEY_ID"}},
		{storage.Error{Kind: storage.Denied, Bucket: "cos://b", Reason: storage.ReasonCredentials}, []string{"TENCENTCLOUD_SECRET_ID"}},
		{storage.Error{Kind: storage.NoRange, Bucket: "s3://b"}, []string{"Range"}},
		{storage.Error{Op: "prove", Kind: storage.Unreachable, Bucket: "dir:///f"}, []string{"storage.public_url"}},
		{storage.Error{Op: "put", Kind: storage.Unreachable, Bucket: "s3://b"}, []string{"storage.url"}},
		{storage.Error{Kind: storage.BadConfig, Bucket: "s3://b", Fault: storage.Fault{Cause: storage.CauseClock}}, []string{"时间"}},
	} {
		_, remedy := c.e.Explain("zh")
		for _, w := range c.want {
			require.Contains(t, remedy, w)
		}
	}
}

func TestErrorReadsAsOneLine(t *testing.T) {
	t.Parallel()
	e := &storage.Error{Op: "put", Kind: storage.Denied, Bucket: "s3://b", Key: "m/a.mp4", Policy: "{\n}",
		Fault: storage.Fault{Code: "AccessDenied", Message: "Access Denied", RequestID: "R1", Status: 403}}
	require.Equal(t, "storage: put s3://b m/a.mp4: denied: AccessDenied: Access Denied (request R1)", e.Error())
	e = &storage.Error{Op: "prove", Kind: storage.NoRange, Bucket: "s3://b", Key: "m/a.mp4", Detail: "200 instead of 206"}
	require.Equal(t, "storage: prove s3://b m/a.mp4: no-range: 200 instead of 206", e.Error())
	message, _ := (&storage.Error{Kind: storage.Denied, Bucket: "s3://b", Key: "k", Fault: storage.Fault{Code: "AccessDenied", RequestID: "R1"}}).Explain("zh")
	require.Contains(t, message, "AccessDenied (request R1)")
}
