package costest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The two examples of cloud.tencent.com/document/product/436/7778, with the
// key that is printed there.
func TestSignKeepsToThePublishedExamples(t *testing.T) {
	t.Parallel()
	const key = "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz"
	const host = "http://examplebucket-1250000000.cos.ap-beijing.myqcloud.com"

	put := httptest.NewRequest(http.MethodPut, host+"/exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)", strings.NewReader("ObjectContent"))
	for k, v := range map[string]string{"Date": "Thu, 16 May 2019 06:45:51 GMT", "Content-Type": "text/plain",
		"Content-MD5": "mQ/fVh815F3k6TAUm8m0eg==", "x-cos-acl": "private", "x-cos-grant-read": `uin="100000000011"`} {
		put.Header.Set(k, v)
	}
	require.Equal(t, "3b8851a11a569213c17ba8fa7dcf2abec6935172", Sign(put, key, "1557989151;1557996351",
		strings.Split("content-length;content-md5;content-type;date;host;x-cos-acl;x-cos-grant-read", ";"), nil))

	get := httptest.NewRequest(http.MethodGet, host+"/exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)?response-content-type=application%2Foctet-stream&response-cache-control=max-age%3D600", nil)
	get.Header.Set("Date", "Thu, 16 May 2019 06:55:53 GMT")
	require.Equal(t, "01681b8c9d798a678e43b685a9f1bba0f6c0e012", Sign(get, key, "1557989753;1557996953",
		[]string{"date", "host"}, []string{"response-cache-control", "response-content-type"}))
}

func TestWhatIsNotSignedIsRefused(t *testing.T) {
	t.Parallel()
	s, err := New(Options{})
	require.NoError(t, err)
	defer s.Close()
	now := time.Unix(1_800_000_000, 0)
	const span, key = "1799999990;1800003600", "costest-secret-key"
	for _, c := range []struct {
		name    string
		change  func(*http.Request) // after it was signed
		headers string
		params  string
		span    string
		code    string
	}{
		{"a good one", nil, "host;x-cos-acl", "versionid", span, ""},
		{"the host is not signed", nil, "x-cos-acl", "versionid", span, "SignatureDoesNotMatch"},
		{"an x-cos header is not signed", nil, "host", "versionid", span, "SignatureDoesNotMatch"},
		{"a parameter is not signed", nil, "host;x-cos-acl", "", span, "SignatureDoesNotMatch"},
		{"a header was put in", func(r *http.Request) { r.Header.Set("x-cos-meta-a", "b") }, "host;x-cos-acl", "versionid", span, "SignatureDoesNotMatch"},
		{"a header was taken out", func(r *http.Request) { r.Header.Del("x-cos-acl") }, "host;x-cos-acl", "versionid", span, "SignatureDoesNotMatch"},
		{"a header was changed", func(r *http.Request) { r.Header.Set("x-cos-acl", "private") }, "host;x-cos-acl", "versionid", span, "SignatureDoesNotMatch"},
		{"the key was changed", func(r *http.Request) { r.URL.Path = "/other" }, "host;x-cos-acl", "versionid", span, "SignatureDoesNotMatch"},
		{"the method was changed", func(r *http.Request) { r.Method = "DELETE" }, "host;x-cos-acl", "versionid", span, "SignatureDoesNotMatch"},
		{"the parameter was changed", func(r *http.Request) { r.URL.RawQuery = "versionId=2" }, "host;x-cos-acl", "versionid", span, "SignatureDoesNotMatch"},
		{"it is over", nil, "host;x-cos-acl", "versionid", "1799990000;1799999999", "AccessDenied"},
		{"it has not begun", nil, "host;x-cos-acl", "versionid", "1800001000;1800009999", "RequestTimeTooSkewed"},
		{"its span is backwards", nil, "host;x-cos-acl", "versionid", "1800000010;1800000000", "InvalidArgument"},
	} {
		r := httptest.NewRequest(http.MethodPut, "http://b/a/%E7%B4%A0%E6%9D%90%20+.mp4?versionId=1", nil)
		r.Header.Set("x-cos-acl", "public-read")
		sig := Sign(r, key, c.span, strings.Split(c.headers, ";"), list(c.params))
		r.Header.Set("Authorization", "q-sign-algorithm=sha1&q-ak=AKIDcostest&q-sign-time="+c.span+"&q-key-time="+c.span+
			"&q-header-list="+c.headers+"&q-url-param-list="+c.params+"&q-signature="+sig)
		if c.change != nil {
			c.change(r)
		}
		got := s.verify(r, now)
		if c.code == "" {
			require.Nil(t, got, c.name)
			continue
		}
		require.NotNil(t, got, c.name)
		require.Equal(t, c.code, got.Code, "%s: %s", c.name, got.Message)
	}
}
