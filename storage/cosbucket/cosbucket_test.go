package cosbucket_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/cosbucket"
	"wedrop/storage/cosbucket/costest"
)

func serve(t *testing.T, o costest.Options) *costest.Server {
	t.Helper()
	s, err := costest.New(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, s *costest.Server) *cosbucket.Driver {
	t.Helper()
	id, key, token := s.Credentials()
	d, err := cosbucket.Open(s.Link("media"), cosbucket.Options{SecretID: id, SecretKey: key, Token: token})
	require.NoError(t, err)
	return d
}

func request(key string, body []byte) storage.PutRequest {
	sum := md5.Sum(body)
	return storage.PutRequest{Key: key, Body: bytes.NewReader(body), Size: int64(len(body)),
		MD5: hex.EncodeToString(sum[:]), ContentType: "video/mp4"}
}

// anonymous fetches a link as everybody can.
func anonymous(t *testing.T, link string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, link, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(b)
}

// The keys are those of a server that signs the decoded path; a wrong escape
// anywhere shows as SignatureDoesNotMatch or as an object under another key.
func TestEveryKeyIsStoredSignedAndLinked(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "temporary-token+/="} {
		s := serve(t, costest.Options{Token: token, Policy: []string{""}})
		d := open(t, s)
		for _, key := range []string{
			"media/0cc175b9c0f1b6a831c399e269772661.mp4",
			"素材/入群 欢迎.mp4",
			"a b+c&d=e#f%g~h'i(j)k*l!m",
			"q?versionId=1;x:y@z,$[]^`{|}\"<>\\",
			"%2F%41",
			"plus+plus",
		} {
			body := []byte("content of " + key)
			require.NoError(t, d.Put(t.Context(), request(key, body)), key)
			stored, ok := s.Object(key)
			require.True(t, ok, "want it under %q, have %q", key, s.Keys())
			require.Equal(t, body, stored.Body)
			attrs, err := d.Head(t.Context(), key)
			require.NoError(t, err, key)
			require.Equal(t, storage.Attrs{Size: int64(len(body)), MD5: request(key, body).MD5}, attrs)
			_, got := anonymous(t, d.URL(key))
			require.Equal(t, string(body), got, "the link of %q leads elsewhere", key)
			require.NoError(t, d.Delete(t.Context(), key), key)
			require.NotContains(t, s.Keys(), key)
		}
	}
}

func TestPutSendsWhatTheServiceNeedsToKnow(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	r := request("k", []byte("hello"))
	r.ContentType, r.Disposition, r.ACL = "application/octet-stream", "attachment", true
	require.NoError(t, d.Put(t.Context(), r))
	o, _ := s.Object("k")
	require.True(t, o.Public)
	require.Equal(t, "application/octet-stream", o.Header.Get("Content-Type"))
	require.Equal(t, "attachment", o.Header.Get("Content-Disposition"))
	require.Equal(t, r.MD5, o.Header.Get("X-Cos-Meta-Md5"))
	require.Equal(t, 1, s.Puts("k"))

	require.NoError(t, d.Put(t.Context(), request("private", []byte("hello"))))
	o, _ = s.Object("private")
	require.False(t, o.Public, "an ACL was sent that nobody asked for")
}

// A reader of the same file is lent, not given: the SDK would close it.
func TestPutNeitherClosesNorKeepsTheBody(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	body := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // more than the buffers between us hold
	name := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(name, body, 0o600))
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()

	r := request("k", body)
	r.Body = f
	refuse := costest.Trouble{Refuse: &costest.Error{Status: 403, Code: "AccessDenied", Message: "Access Denied"}}
	for i, trouble := range []func(){
		func() { s.Reset(1) },
		func() { s.Busy(1, 0) },
		func() { s.RefuseEarly(true) },
		func() { s.RefuseEarly(false); s.Set(refuse) },
		func() { s.Set(costest.Trouble{}) },
	} {
		trouble()
		_, err := f.Seek(0, io.SeekStart)
		require.NoError(t, err, "the driver closed the file")
		err = d.Put(t.Context(), r)
		require.Equal(t, i == 4, err == nil, "trouble %d: %v", i, err)
	}
	require.Equal(t, 5, s.Puts("k"), "one call is one request")
	o, _ := s.Object("k")
	require.True(t, bytes.Equal(body, o.Body))
}

// Of 200 MB that are refused only the question should travel.
func TestARefusalComesBeforeALargeBody(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	s.Set(costest.Trouble{Refuse: &costest.Error{Status: 403, Code: "AccessDenied", Message: "Access Denied"}})
	for range 5 {
		counted := &counter{r: bytes.NewReader(make([]byte, 8<<20))}
		r := request("k", make([]byte, 8<<20))
		r.Body = counted
		err := d.Put(t.Context(), r)
		require.Equal(t, "AccessDenied", d.Classify(err).Code, "the code was lost: %v", err)
		require.Zero(t, counted.n, "bytes were sent that nobody wanted")
	}
}

type counter struct {
	r *bytes.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
func (c *counter) Seek(o int64, w int) (int64, error) { return c.r.Seek(o, w) }

func TestABodyThatIsNotWhatWasSaidIsNeverStored(t *testing.T) {
	t.Parallel()
	good := request("k", []byte("the right content"))
	boom := errors.New("file changed under us")
	for _, c := range []struct {
		name  string
		body  io.ReadSeeker
		cause storage.Cause
		is    error
	}{
		{"other bytes", strings.NewReader("the wrong content"), storage.CauseBadDigest, nil},
		{"shorter", strings.NewReader("the right"), storage.CauseBadDigest, nil},
		{"longer, with the right beginning", strings.NewReader("the right content and more"), storage.CauseBadDigest, nil},
		{"empty", strings.NewReader(""), storage.CauseBadDigest, nil},
		{"a reader that fails", &failing{strings.NewReader("the right"), boom}, storage.CauseUnknown, boom},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, costest.Options{})
			d := open(t, s)
			r := good
			r.Body = c.body
			err := d.Put(t.Context(), r)
			require.Error(t, err)
			require.Equal(t, c.cause, d.Classify(err).Cause, "%v", err)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			require.Empty(t, s.Keys(), "wrong bytes stay under a key that is trusted")

			s.Store("k", costest.Object{Body: []byte("before")})
			_, _ = c.body.Seek(0, io.SeekStart)
			require.Error(t, d.Put(t.Context(), r))
			o, _ := s.Object("k")
			require.Equal(t, "before", string(o.Body), "what was there before is lost")
		})
	}
}

type failing struct {
	*strings.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

func TestIfAbsentLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	r := request("k", []byte("first"))
	r.IfAbsent = true
	require.NoError(t, d.Put(t.Context(), r))
	r = request("k", []byte("second"))
	r.IfAbsent = true
	err := d.Put(t.Context(), r)
	require.Equal(t, storage.CauseExists, d.Classify(err).Cause, "%v", err)
	o, _ := s.Object("k")
	require.Equal(t, "first", string(o.Body))
	require.NoError(t, d.Put(t.Context(), request("k", []byte("third"))), "without IfAbsent it replaces")
}

func TestTheETagIsComparedWhereItIsAnMD5(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	r := request("k", []byte("content"))

	s.Set(costest.Trouble{ETag: strings.Repeat("ab", 16)})
	err := d.Put(t.Context(), r)
	require.Equal(t, storage.CauseBadDigest, d.Classify(err).Cause, "%v", err)
	require.Empty(t, s.Keys(), "an object that COS knows by another MD5 stays")

	for name, f := range map[string]costest.Trouble{
		"of several parts":       {ETag: strings.Repeat("ab", 16) + "-3"},
		"of an encrypted bucket": {Encrypted: true},
		"of no known form":       {ETag: "opaque"},
	} {
		s.Set(f)
		r := request("k "+name, []byte("content"))
		require.NoError(t, d.Put(t.Context(), r), name)
		attrs, err := d.Head(t.Context(), r.Key)
		require.NoError(t, err)
		require.Equal(t, r.MD5, attrs.MD5, "what Put stored beside it is believed: %s", name)
		s.Store(r.Key, costest.Object{Body: []byte("foreign")})
		attrs, err = d.Head(t.Context(), r.Key)
		require.NoError(t, err)
		require.Empty(t, attrs.MD5, "nobody vouches for an object that somebody else put there: %s", name)
	}
}

func TestAMissingObjectIsNotFoundAndNotAFaultToDelete(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	_, err := d.Head(t.Context(), "none")
	require.Equal(t, storage.CauseNotFound, d.Classify(err).Cause, "%v", err)
	require.NoError(t, d.Delete(t.Context(), "none"))
	s.Set(costest.Trouble{NoBucket: true})
	err = d.Delete(t.Context(), "none")
	require.Equal(t, storage.CauseNoBucket, d.Classify(err).Cause, "%v", err)
}

func TestATroubleIsNamed(t *testing.T) {
	t.Parallel()
	trouble := func(tr costest.Trouble) func(*costest.Server) {
		return func(s *costest.Server) { s.Set(tr) }
	}
	none := trouble(costest.Trouble{})
	for _, c := range []struct {
		name    string
		options costest.Options
		trouble func(*costest.Server)
		creds   cosbucket.Options // the server's if empty
		acl     bool
		cause   storage.Cause
		code    string
		status  int
	}{
		{"another secret key", costest.Options{}, none, cosbucket.Options{SecretID: "AKIDcostest", SecretKey: "other"}, false,
			storage.CauseDenied, "SignatureDoesNotMatch", 403},
		{"another secret id", costest.Options{}, none, cosbucket.Options{SecretID: "AKIDother", SecretKey: "costest-secret-key"}, false,
			storage.CauseDenied, "InvalidAccessKeyId", 403},
		{"a missing token", costest.Options{Token: "tok"}, none, cosbucket.Options{SecretID: "AKIDcostest", SecretKey: "costest-secret-key"}, false,
			storage.CauseDenied, "InvalidAccessKeyId", 403},
		{"a clock that is behind", costest.Options{}, trouble(costest.Trouble{Skew: 2 * time.Hour}), cosbucket.Options{}, false,
			storage.CauseClock, "AccessDenied", 403},
		{"a clock that is ahead", costest.Options{}, trouble(costest.Trouble{Skew: -2 * time.Hour}), cosbucket.Options{}, false,
			storage.CauseClock, "RequestTimeTooSkewed", 403},
		{"no right to write", costest.Options{}, trouble(costest.Trouble{Deny: []string{"PUT"}}), cosbucket.Options{}, false,
			storage.CauseDenied, "AccessDenied", 403},
		{"no right to set ACLs", costest.Options{}, trouble(costest.Trouble{DenyACL: true}), cosbucket.Options{}, true,
			storage.CauseDenied, "AccessDenied", 403},
		{"no such bucket", costest.Options{}, trouble(costest.Trouble{NoBucket: true}), cosbucket.Options{}, false,
			storage.CauseNoBucket, "NoSuchBucket", 404},
		{"an account that has all its ACLs", costest.Options{ACLs: -1}, none, cosbucket.Options{}, true,
			storage.CauseNoACL, "AttachmentFull", 400},
		{"a service without ACLs", costest.Options{}, trouble(costest.Trouble{NoACL: true}), cosbucket.Options{}, true,
			storage.CauseNoACL, "NotImplemented", 501},
		{"a connection that breaks", costest.Options{}, func(s *costest.Server) { s.Reset(1) }, cosbucket.Options{}, false,
			storage.CauseUnreachable, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.options)
			c.trouble(s)
			if c.creds.SecretID == "" {
				c.creds.SecretID, c.creds.SecretKey, c.creds.Token = s.Credentials()
			}
			d, err := cosbucket.Open(s.Link(""), c.creds)
			require.NoError(t, err)
			r := request("k", []byte("some content"))
			r.ACL = c.acl
			err = d.Put(t.Context(), r)
			require.Error(t, err)
			got := d.Classify(err)
			require.Equal(t, []any{c.cause, c.code, c.status}, []any{got.Cause, got.Code, got.Status}, "%v", err)
			if c.status != 0 {
				require.NotEmpty(t, got.RequestID, "Tencent's support asks for it")
			}
			require.Empty(t, s.Keys())
			require.Equal(t, 1, s.Puts("k"), "one call is one request")
		})
	}
}

// HEAD has no body: only status and Date tell.
func TestHeadOfAnExpiredSignatureIsTheClock(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	s.Set(costest.Trouble{Skew: 3 * time.Hour})
	_, err := d.Head(t.Context(), "k")
	require.Equal(t, storage.CauseClock, d.Classify(err).Cause, "%v", err)
}

func TestNobodyAnswersIsUnreachable(t *testing.T) {
	t.Parallel()
	d, err := cosbucket.Open("cos://b-1/?region=r&endpoint=http://127.0.0.1:1", cosbucket.Options{SecretID: "i", SecretKey: "S3CRET"})
	require.NoError(t, err)
	_, err = d.Head(t.Context(), "k")
	require.Equal(t, storage.CauseUnreachable, d.Classify(err).Cause, "%v", err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, d.Put(ctx, request("k", []byte("x"))), context.Canceled)
}

// A server which repeats the credentials: theirs are all texts that we print.
func TestNothingOfTheSecretsIsInAnyError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>key K3Y id AK1D token T0KEN</Message></Error>")
	})}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	d, err := cosbucket.Open("cos://b-1/?region=r&endpoint=http://"+l.Addr().String(),
		cosbucket.Options{SecretID: "AK1D", SecretKey: "K3Y", Token: "T0KEN"})
	require.NoError(t, err)
	put := d.Put(t.Context(), request("k", []byte("x")))
	_, head := d.Head(t.Context(), "k")
	for _, err := range []error{put, head, d.Delete(t.Context(), "k")} {
		require.Error(t, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			for _, text := range []string{e.Error(), d.Classify(e).Message} {
				require.NotRegexp(t, "K3Y|AK1D|T0KEN", text)
			}
		}
	}
}

func TestThePolicyOpensThePrefixForReadingAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, costest.Options{})
	d := open(t, s)
	require.Equal(t, "media", d.Prefix())
	require.Equal(t, "cos://wedrop-1250000000", d.ID())
	var p struct {
		Version   string `json:"version"`
		Statement []struct {
			Principal map[string][]string
			Effect    string
			Action    []string
			Resource  []string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(d.Policy("media")), &p))
	require.Equal(t, "2.0", p.Version)
	require.Len(t, p.Statement, 1)
	st := p.Statement[0]
	require.Equal(t, []string{"qcs::cam::anyone:anyone"}, st.Principal["qcs"])
	require.Equal(t, "allow", st.Effect)
	require.Equal(t, []string{"name/cos:GetObject", "name/cos:HeadObject"}, st.Action)
	require.Equal(t, []string{"qcs::cos:ap-guangzhou:uid/1250000000:wedrop-1250000000/media/*"}, st.Resource)
	require.Contains(t, d.Policy(""), `"qcs::cos:ap-guangzhou:uid/1250000000:wedrop-1250000000/*"`)
}
