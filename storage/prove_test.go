package storage_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

// content serves b in ranges.
func content(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

func prove(t *testing.T, h http.HandlerFunc, blob storage.Blob, change ...func(*storage.Options)) error {
	t.Helper()
	f := serve(t, h)
	b := bucketOver(t, f, change...)
	return b.Prove(t.Context(), b.Where(blob), blob)
}

func TestProveOfGoodCopies(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 5, 1023, 1024, 1025, 2048, 5000} {
		b := []byte(strings.Repeat("0123456789abcdefg", 300))[:size]
		var ranges []string
		err := prove(t, func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range"))
			content(b)(w, r)
		}, blobOf(string(b)))
		require.NoError(t, err, size)
		require.Len(t, ranges, 2, size)
		require.True(t, strings.HasPrefix(ranges[0], "bytes=0-"), ranges[0])
		require.True(t, strings.HasSuffix(ranges[1], fmt.Sprint("-", size-1)), ranges[1])
	}
}

func TestProveIsAnonymous(t *testing.T) {
	t.Parallel()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	var seen http.Header
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		content([]byte("hello"))(w, r)
	})
	u, err := url.Parse(f.url)
	require.NoError(t, err)
	jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "mine"}})
	b := bucketOver(t, f, func(o *storage.Options) { o.Probe = &http.Client{Jar: jar} })
	require.NoError(t, b.Prove(t.Context(), b.Where(blobOf("hello")), blobOf("hello")))
	require.Empty(t, seen.Get("Cookie"))
	require.Empty(t, seen.Get("Authorization"))
	require.Equal(t, "identity", seen.Get("Accept-Encoding"))
}

func TestProveFindsWhatWeComWouldStumbleOver(t *testing.T) {
	t.Parallel()
	const file = "the content of the file"
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	header := func(name, value string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(name, value)
			content([]byte(file))(w, r)
		}
	}
	other := strings.ToUpper(file)
	for name, c := range map[string]struct {
		h      http.HandlerFunc
		kind   storage.Kind
		reason storage.Reason
		detail string
		calls  int32
	}{
		"403": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
		}, storage.NotPublic, "", "HTTP 403 AccessDenied", 1},
		"401":                       {status(401), storage.NotPublic, "", "HTTP 401", 1},
		"404, tried some more":      {status(404), storage.NotPublic, "", "HTTP 404", 4},
		"500, tried some more":      {status(500), storage.Unreachable, "", "HTTP 500", 4},
		"429, tried some more":      {status(429), storage.Unreachable, "", "HTTP 429", 4},
		"416":                       {status(416), storage.Changed, "", "HTTP 416 for bytes 0-22 of 23", 1},
		"204":                       {status(204), storage.NoRange, "", "204 instead of 206", 1},
		"304 without anything":      {status(304), storage.BadConfig, storage.ReasonRedirect, "HTTP 304", 1},
		"the whole file":            {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, file) }, storage.NoRange, "", "200 instead of 206", 1},
		"another total":             {content([]byte(file + "more")), storage.Changed, "", `Content-Range "bytes 0-22/27" instead of "bytes 0-22/23"`, 1},
		"other bytes":               {content([]byte(other)), storage.Changed, "", "bytes 0-22 differ from the file's", 1},
		"other bytes at the end":    {content([]byte(file[:22] + "X")), storage.Changed, "", "bytes 0-22 differ from the file's", 1},
		"compressed":                {header("Content-Encoding", "gzip"), storage.BadConfig, storage.ReasonEncoded, `Content-Encoding "gzip"`, 1},
		"206 without Content-Range": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206); io.WriteString(w, file) }, storage.NoRange, "", `Content-Range "" instead of "bytes 0-22/23"`, 1},
		"another range": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Range", "bytes=1-3")
			content([]byte(file))(w, r)
		}, storage.NoRange, "", `Content-Range "bytes 1-3/23" instead of "bytes 0-22/23"`, 1},
		"a sign-in page elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example.com/?secret=1", http.StatusFound)
		}, storage.BadConfig, storage.ReasonRedirect, "redirect to https://login.example.com", 1},
		"a redirect in a circle": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, storage.BadConfig, storage.ReasonRedirect, "", 4},
		"an answer that breaks off, tried some more": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-22/23")
			w.Header().Set("Content-Length", "23")
			w.WriteHeader(206)
			io.WriteString(w, "the")
		}, storage.Unreachable, "", "the answer broke off", 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			err := prove(t, func(w http.ResponseWriter, r *http.Request) { calls.Add(1); c.h(w, r) }, blobOf(file))
			e := kindOf(t, err)
			require.Equal(t, c.kind, e.Kind, err)
			require.Equal(t, c.reason, e.Reason)
			if c.detail != "" {
				require.Equal(t, c.detail, e.Detail)
			}
			require.Equal(t, c.calls, calls.Load())
			require.NotContains(t, err.Error(), "secret")
			if c.kind == storage.NotPublic {
				require.Equal(t, "POLICY m/*", e.Policy)
			}
		})
	}
}

func TestProveLooksAtTheLastBytesToo(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("x", 5000)
	err := prove(t, content([]byte(good[:4999]+"y")), blobOf(good))
	require.Equal(t, "bytes 3976-4999 differ from the file's", kindOf(t, err).Detail)
}

// A copy may be young, or a gateway in bad mood.
func TestProveTriesAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	require.NoError(t, prove(t, func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			http.NotFound(w, r)
		case 2:
			w.WriteHeader(502)
		default:
			content([]byte("hello"))(w, r)
		}
	}, blobOf("hello")))
}

func TestProveFollowsARedirectOnTheSameServer(t *testing.T) {
	t.Parallel()
	require.NoError(t, prove(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/moved/") {
			http.Redirect(w, r, "/moved"+r.URL.Path, http.StatusMovedPermanently)
			return
		}
		content([]byte("hello"))(w, r)
	}, blobOf("hello")))
}

func TestProveOfAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	strange := httptest.NewTLSServer(content([]byte("hello"))) // nobody trusts its certificate
	strange.Config.ErrorLog = nil
	defer strange.Close()
	for _, base := range []string{gone.URL, strange.URL, "https://no-such-host.invalid"} {
		b := bucketOver(t, serve(t, nil), func(o *storage.Options) { o.PublicURL = base })
		e := kindOf(t, b.Prove(t.Context(), b.Where(blobOf("hello")), blobOf("hello")))
		require.Equal(t, storage.Unreachable, e.Kind, base)
		require.True(t, e.Temporary())
	}
	b := bucketOver(t, serve(t, nil), func(o *storage.Options) {
		o.PublicURL = strange.URL
		o.Probe = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	})
	require.NoError(t, b.Prove(t.Context(), b.Where(blobOf("hello")), blobOf("hello")), "Options.Probe's transport is used")
}

func TestLinksThatWeComCannotFetchAreRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	cos := func(o *storage.Options) { o.PublicURL = "https://b-125.cos.ap-guangzhou.myqcloud.com" }
	for _, ext := range []string{".apk", ".ipa"} {
		f := serve(t, nil)
		blob := blobOf("PK")
		blob.Ext = ext
		_, err := bucketOver(t, f, cos).Put(t.Context(), blob)
		e := kindOf(t, err)
		require.Equal(t, storage.ReasonExecutable, e.Reason)
		require.False(t, e.Config(), "other files go")
		require.Zero(t, f.heads)
		_, err = bucketOver(t, f).Put(t.Context(), blob)
		require.NoError(t, err)
	}
	for _, at := range []string{"https://b-125.cos-website.ap-guangzhou.myqcloud.com", "https://b-125.cos.accelerate.myqcloud.com",
		"https://b-125.cos.ap-guangzhou.tencentcos.cn", "https://b.obs.cn-north-4.myhuaweicloud.com"} {
		f := serve(t, nil)
		blob := blobOf("PK")
		blob.Ext = ".apk"
		_, err := bucketOver(t, f, func(o *storage.Options) { o.PublicURL = at }).Put(t.Context(), blob)
		require.Equal(t, storage.ReasonExecutable, kindOf(t, err).Reason, at)
		message, _ := err.(*storage.Error).Explain("zh")
		require.Contains(t, message, strings.TrimPrefix(at, "https://"))
		require.Empty(t, f.requests())
	}
	f := serve(t, nil)
	b := bucketOver(t, f)
	obj := b.Where(blobOf("x"))
	obj.URL += "?" + strings.Repeat("x", 1024)
	require.Equal(t, storage.ReasonLinkLength, kindOf(t, b.Prove(t.Context(), obj, blobOf("x"))).Reason)
}

func TestProveReadsTheLocalFile(t *testing.T) {
	t.Parallel()
	blob := blobOf("hello")
	blob.Size = 6 // the file was cut meanwhile
	e := kindOf(t, prove(t, content([]byte("hello!")), blob))
	require.Equal(t, storage.Changed, e.Kind)
	require.Equal(t, storage.ReasonSource, e.Reason)
}

// COS says it with 400 by one page of its manual, with 403 by another; of other
// hosts than its default ones nobody knows it before.
func TestDownloadForbiddenIsAboutTheFile(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusForbidden} {
		e := kindOf(t, prove(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<Error><Code>DownloadForbidden</Code></Error>")
		}, blobOf("hello")))
		require.Equal(t, storage.ReasonExecutable, e.Reason, status)
		require.False(t, e.Config(), "other files go")
	}
}
