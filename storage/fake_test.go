package storage_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

// A fault is an error of fake that says itself how it is to be read.
type fault storage.Fault

func (f *fault) Error() string { return "service: " + f.Code }

func failing(c storage.Cause, code string, status int) error {
	return &fault{Cause: c, Code: code, Status: status}
}

// fake is a bucket in memory that serves itself, and whose answers a test can
// choose. It keeps the rules of storagetest as far as the tests need them.
type fake struct {
	mu      sync.Mutex
	objects map[string][]byte
	puts    []storage.PutRequest
	heads   int

	// before is asked before a PUT is stored; nil stores it.
	before func(n int, r storage.PutRequest) error
	head   func() (storage.Attrs, error) // instead of the truth, if not nil
	hide   bool                          // Head knows no MD5
	url    string
}

func (f *fake) ID() string { return "s3://fake" }
func (f *fake) URL(key string) string {
	if f.url == "" {
		return ""
	}
	return f.url + "/" + storage.EscapeKey(key)
}
func (f *fake) Policy(prefix string) string { return "POLICY " + prefix + "/*" }

func (f *fake) Classify(err error) storage.Fault {
	var known *fault
	if errors.As(err, &known) {
		return storage.Fault(*known)
	}
	return storage.Fault{Cause: storage.CauseUnreachable}
}

func (f *fake) Head(_ context.Context, key string) (storage.Attrs, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heads++
	if f.head != nil {
		return f.head()
	}
	o, ok := f.objects[key]
	if !ok {
		return storage.Attrs{}, failing(storage.CauseNotFound, "NotFound", 404)
	}
	a := storage.Attrs{Size: int64(len(o)), MD5: sumOf(o)}
	if f.hide {
		a.MD5 = ""
	}
	return a, nil
}

func (f *fake) Put(ctx context.Context, r storage.PutRequest) error {
	f.mu.Lock()
	f.puts = append(f.puts, r)
	n, before := len(f.puts), f.before
	f.mu.Unlock()
	if before != nil {
		if err := before(n, r); err != nil {
			return err
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if int64(len(body)) != r.Size || sumOf(body) != r.MD5 {
		return failing(storage.CauseBadDigest, "BadDigest", 400)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.objects[r.Key]; ok && r.IfAbsent {
		return failing(storage.CauseExists, "PreconditionFailed", 412)
	}
	f.objects[r.Key] = body
	return nil
}

func (f *fake) Delete(_ context.Context, key string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.objects, key)
	return nil
}

func (f *fake) requests() []storage.PutRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.puts
}

func sumOf(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// serve starts the fake's public side. A handler of nil serves what is stored.
func serve(t *testing.T, h http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{objects: map[string][]byte{}}
	if h == nil {
		h = func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			o, ok := f.objects[strings.TrimPrefix(r.URL.Path, "/")]
			f.mu.Unlock()
			if !ok {
				http.NotFound(w, r)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(o))
		}
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	f.url = srv.URL
	return f
}

func bucketOver(t *testing.T, f storage.Driver, change ...func(*storage.Options)) *storage.Bucket {
	t.Helper()
	o := storage.Options{Prefix: "m", Pause: time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	b, err := storage.New(f, o)
	require.NoError(t, err)
	return b
}

// file is a reader that can be closed.
type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func blobOf(content string) storage.Blob {
	return storage.Blob{
		Open:        func() (io.ReadSeekCloser, error) { return file{bytes.NewReader([]byte(content))}, nil },
		Size:        int64(len(content)),
		MD5:         sumOf([]byte(content)),
		Ext:         ".mp4",
		ContentType: "video/mp4",
	}
}

func kindOf(t *testing.T, err error) *storage.Error {
	t.Helper()
	var e *storage.Error
	require.ErrorAs(t, err, &e)
	return e
}
