package wecom_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// What must never be shown, whatever goes wrong.
const (
	secretText = "S3CRET-app-Zq9w8e7r6t5y4u3i2o1p"
	tokenText  = "T0KEN-app-Aq1w2e3r4t5y6u7i8o9p0"
)

var upload = wecom.Upload{Type: wecom.TypeVideo, Filename: "产品介绍.mp4",
	URL: "https://media.example.com/a.mp4?x=1&y=2", MD5: "0cc175b9c0f1b6a831c399e269772661"}

// simulator is a WeCom whose app has secretText for a secret.
func simulator(t testing.TB, o wecomtest.Options) *wecomtest.Server {
	t.Helper()
	if o.Secret == "" {
		o.Secret = secretText
	}
	s, err := wecomtest.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func client(t testing.TB, c wecom.Config) *wecom.Client {
	t.Helper()
	if c.CorpID == "" {
		c.CorpID, c.Secret = "wwtest", secretText
	}
	cl, err := wecom.New(c)
	require.NoError(t, err)
	return cl
}

// answering is a server that gives every call but gettoken to f; gettoken
// hands out tokenText.
func answering(t testing.TB, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/cgi-bin/gettoken") {
			io.WriteString(w, `{"errcode":0,"errmsg":"ok","access_token":"`+tokenText+`","expires_in":7200}`)
			return
		}
		f(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func saying(body string) http.HandlerFunc { return status(200, body) }

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

// submit calls UploadByURL against a server that answers with f.
func submit(t *testing.T, f http.HandlerFunc) (string, error) {
	t.Helper()
	return client(t, wecom.Config{BaseURL: answering(t, f).URL}).UploadByURL(context.Background(), upload)
}

// result calls UploadResult against a server that answers with body.
func result(t *testing.T, body string) (wecom.Result, error) {
	t.Helper()
	return client(t, wecom.Config{BaseURL: answering(t, saying(body)).URL}).UploadResult(context.Background(), "jobid")
}

// asError is err as an *Error that is fit to be shown.
func asError(t *testing.T, err error) *wecom.Error {
	t.Helper()
	var e *wecom.Error
	require.ErrorAs(t, err, &e)
	presentable(t, e)
	return e
}

// A record is a log that may be written to and read at once.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *record) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *record) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *record) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
