package storage_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

// strange is a fake that strangers may ask for a list.
type strange struct {
	*fake
	list string
}

func (s strange) ListURL(prefix string) string {
	return s.list + "/?" + url.Values{"prefix": {prefix}}.Encode()
}

// site serves a fake; what is not a key goes to other.
func site(t *testing.T, f *fake, other http.HandlerFunc) *storage.Bucket {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		content, ok := f.objects[strings.TrimPrefix(r.URL.Path, "/")]
		f.mu.Unlock()
		if !ok {
			other(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(content)))
	}))
	t.Cleanup(srv.Close)
	f.url = srv.URL
	b, err := storage.New(strange{f, srv.URL}, storage.Options{Prefix: "media", Pause: time.Millisecond, Attempts: 2})
	require.NoError(t, err)
	return b
}

func TestATrialLeavesNothingAndReplacesWhatWasLeft(t *testing.T) {
	t.Parallel()
	f := &fake{objects: map[string][]byte{}}
	b := site(t, f, http.NotFound)
	killed := b.Try()
	require.NoError(t, killed.Write(t.Context()))

	next := b.Try()
	require.Equal(t, killed.Object(), next.Object(), "what a killed trial left is found again by its name alone")
	require.NoError(t, next.Write(t.Context()))
	fresh, err := next.Read(t.Context())
	require.NoError(t, err)
	require.True(t, fresh)
	require.NoError(t, next.Remove(t.Context()))
	require.Empty(t, f.objects)
}

// A cache before the bucket still has the object of an earlier trial.
func TestATrialKnowsAnOldCopy(t *testing.T) {
	t.Parallel()
	f := &fake{objects: map[string][]byte{}}
	b := site(t, f, http.NotFound)
	old, now := b.Try(), b.Try()
	require.NoError(t, old.Write(t.Context()))
	fresh, err := now.Read(t.Context())
	require.NoError(t, err)
	require.False(t, fresh)
}

// Somebody else's page is no copy of ours, however it is served.
func TestATrialKnowsAForeignPage(t *testing.T) {
	t.Parallel()
	f := &fake{objects: map[string][]byte{}}
	b := site(t, f, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("<html>", 100)))
	})
	_, err := b.Try().Read(t.Context())
	var e *storage.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, storage.Changed, e.Kind)
}

func TestATrialSeesWhatStrangersSee(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		listed bool
	}{
		"a refusal":         {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "AccessDenied", http.StatusForbidden) }, false},
		"nothing there":     {http.NotFound, false},
		"a list of S3":      {page(`<?xml version="1.0"?><ListBucketResult></ListBucketResult>`), true},
		"an index of nginx": {page(`<a href="wedrop-doctor.bin">wedrop-doctor.bin</a>`), true},
		"a page of its own": {page(`<html>welcome</html>`), false},
		"a redirect outside": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example/", http.StatusFound)
		}, false},
		"a page that says the question back": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "" {
				_, _ = w.Write([]byte("no hits for " + r.URL.RawQuery))
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial := site(t, &fake{objects: map[string][]byte{}}, c.answer).Try()
			require.NoError(t, trial.Write(t.Context()))
			listed, err := trial.Listed(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.listed, listed)
		})
	}
}

func page(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

func TestServerTimeIsTheServices(t *testing.T) {
	t.Parallel()
	then := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	b := site(t, &fake{objects: map[string][]byte{}}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", then.Format(http.TimeFormat))
		w.Header().Set("Age", "90")
		http.Error(w, "AccessDenied", http.StatusForbidden)
	})
	got, err := b.ServerTime(t.Context())
	require.NoError(t, err)
	require.WithinDuration(t, then.Add(90*time.Second), got, 0)

	b, err = storage.New(&fake{url: "http://127.0.0.1:1"}, storage.Options{})
	require.NoError(t, err)
	got, err = b.ServerTime(t.Context())
	require.NoError(t, err)
	require.Zero(t, got, "a folder has no clock of its own")
}
