package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// River's page learns nothing about who asks, and cannot loosen what browsers
// do with the rest of ours.
func TestOperatorsPageIsAPlaceOfItsOwn(t *testing.T) {
	t.Parallel()
	var got *http.Request
	ui := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Set-Cookie", "session=theirs; Path=/")
		w.Header().Set("Content-Security-Policy", "script-src *")
		_, _ = io.WriteString(w, "jobs")
	}))
	defer ui.Close()
	log := slog.New(slog.DiscardHandler)
	c := &Config{Journal: "postgres://db/wedrop", RiverUI: ui.URL}
	r := httptest.NewRequest("GET", "/river/jobs?state=running", nil)
	r.Header.Set("Authorization", "Bearer HUSH")
	r.Header.Set("Cookie", "wedrop=HUSH")
	w := httptest.NewRecorder()
	c.operators(log).ServeHTTP(w, r)
	require.Equal(t, "jobs", w.Body.String())
	require.Equal(t, "/river/jobs?state=running", got.URL.String())
	require.Empty(t, got.Header.Get("Authorization"))
	require.Empty(t, got.Header.Get("Cookie"))
	require.Empty(t, w.Header().Get("Set-Cookie"))
	require.Equal(t, []string{operatorsPolicy}, w.Header().Values("Content-Security-Policy"))

	require.Nil(t, (&Config{Journal: "wedrop.db", RiverUI: ui.URL}).operators(log), "there are no jobs")
	require.Nil(t, (&Config{Journal: "postgres://db/wedrop"}).operators(log))
	ui.Close()
	w = httptest.NewRecorder()
	c.operators(log).ServeHTTP(w, r)
	require.Equal(t, http.StatusBadGateway, w.Code)
}
