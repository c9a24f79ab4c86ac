package costest_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage/cosbucket/costest"
)

func serve(t *testing.T, o costest.Options) *costest.Server {
	t.Helper()
	s, err := costest.New(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, s *costest.Server, path string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(s.URL() + path)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(b)
}

// What is told apart here is what costs people hours: see "Service facts" of
// the vendor, cloud.tencent.com/document/product/436/57456 and 7730.
func TestWhoMayReadWhat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options costest.Options
		path    string
		public  bool // by the object's own ACL
		status  int
		forced  string
	}{
		{"a private object", costest.Options{}, "/media/a.mp4", false, 403, ""},
		{"a public object", costest.Options{}, "/media/a.mp4", true, 200, "true"},
		{"an object under a policy", costest.Options{Policy: []string{"media/"}}, "/media/a.mp4", false, 200, "true"},
		{"an object beside the policy", costest.Options{Policy: []string{"med/"}}, "/media/a.mp4", false, 403, ""},
		{"a missing one under a policy", costest.Options{Policy: []string{"media/"}}, "/media/none", false, 404, ""},
		{"a missing one elsewhere tells nothing", costest.Options{}, "/media/none", false, 403, ""},
		{"an object of an old bucket", costest.Options{Old: true}, "/media/a.mp4", true, 200, ""},
		{"an object at a custom domain", costest.Options{CustomDomain: true}, "/media/a.mp4", true, 200, ""},
		{"an app at the default domain", costest.Options{}, "/media/a.apk", true, 403, ""},
		{"an app at a custom domain", costest.Options{CustomDomain: true}, "/media/a.apk", true, 200, ""},
		{"the list", costest.Options{Policy: []string{""}}, "/", true, 403, ""},
		{"the list of a public bucket", costest.Options{PublicList: true}, "/", false, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.options)
			for _, key := range []string{"media/a.mp4", "media/a.apk"} {
				s.Store(key, costest.Object{Body: []byte("content"), Public: c.public})
			}
			resp, _ := get(t, s, c.path)
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, c.forced, resp.Header.Get("x-cos-force-download"))
			require.NotEmpty(t, resp.Header.Get("x-cos-request-id"))
		})
	}
}

func TestAnErrorIsWrittenAsCOSWritesIt(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	resp, body := get(t, s, "/secret.mp4")
	var e struct {
		XMLName                                     xml.Name `xml:"Error"`
		Code, Message, Resource, RequestId, TraceId string
	}
	require.NoError(t, xml.Unmarshal([]byte(body), &e), body)
	require.Equal(t, "AccessDenied", e.Code)
	require.Equal(t, resp.Header.Get("x-cos-request-id"), e.RequestId)
	require.NotEmpty(t, e.Message)
	require.NotEmpty(t, e.TraceId)
	require.Contains(t, e.Resource, "/secret.mp4")
}

func TestNobodyWritesWithoutASignature(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{PublicList: true, Policy: []string{""}})
	s.Store("k", costest.Object{Body: []byte("content")})
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		r, err := http.NewRequest(method, s.URL()+"/k", nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, 403, resp.StatusCode, method)
	}
	require.Equal(t, []string{"k"}, s.Keys())
	require.Equal(t, 1, s.Puts("k"), "refused requests count, too")
}

func ExampleNew() {
	s, err := costest.New(costest.Options{Policy: []string{"media/"}})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	s.Store("media/a.mp4", costest.Object{Body: []byte("content")})
	resp, err := http.Get(s.URL() + "/media/a.mp4")
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}
