package storage

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnAnswerIsReadUnderALimit(t *testing.T) {
	t.Parallel()
	size := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	}))
	defer s.Close()
	c := &http.Client{Transport: LimitAnswers(&http.Transport{})}
	for _, size = range []int{0, 1, MaxAnswer, MaxAnswer + 1, 3 * MaxAnswer} {
		resp, err := c.Get(s.URL)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.Len(t, got, min(size, MaxAnswer))
		if size > MaxAnswer {
			require.ErrorIs(t, err, errLong)
			n, err := resp.Body.Read(make([]byte, 8))
			require.Zero(t, n)
			require.ErrorIs(t, err, errLong, "who asks again is told the same")
		} else {
			require.NoError(t, err)
		}
		require.NoError(t, resp.Body.Close())
	}
}

func TestAnAnswerThatDripsIsGivenUp(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("x"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	c := &http.Client{Transport: limitedAnswers{&http.Transport{}, 50 * time.Millisecond}}
	resp, err := c.Get(s.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, errSlow)
}
