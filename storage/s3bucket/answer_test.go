package s3bucket_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage/s3bucket"
)

// Whatever an endpoint answers, little of it is read, and it ends.
func TestAnswersAreReadUnderALimit(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	for range 64 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	require.NoError(t, z.Close())
	var sent atomic.Int64 // bytes of bodies, requests of redirects
	piece := bytes.Repeat([]byte("<Error>"), 10_000)
	for name, h := range map[string]http.HandlerFunc{
		"a body without an end": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			for r.Method != http.MethodHead && r.Context().Err() == nil && sent.Load() < 64<<20 {
				n, err := w.Write(piece)
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		},
		"a gzip bomb": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(zipped.Bytes())
		},
		"a header without an end": func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				w.Header().Add("X-Amz-Meta", string(piece[:10_000]))
			}
			w.WriteHeader(http.StatusForbidden)
		},
		"redirects without an end": func(w http.ResponseWriter, r *http.Request) {
			if sent.Add(1 << 20); sent.Load() < 1<<30 {
				http.Redirect(w, r, "/bucket/again", http.StatusTemporaryRedirect)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			sent.Store(0)
			s := httptest.NewServer(h)
			defer s.Close()
			d, err := s3bucket.Open(t.Context(), "s3://bucket/media?region=eu-west-1&path_style=true&endpoint="+s.URL)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err = d.Head(ctx, "media/a.mp4")
			require.Error(t, err)
			err = d.Delete(ctx, "media/a.mp4")
			require.Error(t, err)
			require.NoError(t, ctx.Err(), "it ends by itself")
			require.Less(t, sent.Load(), int64(16<<20))
		})
	}
}
