package wecomtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

// raw makes one call and decodes its answer, whatever it is.
func raw(t testing.TB, s *wecomtest.Server, tok, api, body string) members {
	t.Helper()
	resp, err := ask(s, tok, api, body)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return jsonOf(t, text)
}

func jsonOf(t testing.TB, body []byte) members {
	t.Helper()
	var m members
	require.NoError(t, json.Unmarshal(body, &m))
	return m
}

func ask(s *wecomtest.Server, tok, api, body string) (*http.Response, error) {
	return http.Post(s.URL+"/cgi-bin/"+api+"?access_token="+tok, "application/json", strings.NewReader(body))
}

const submit = `{"scene":1,"type":"file","filename":"a.txt","url":"http://x.invalid/a","md5":"5d41402abc4b2a76b9719d911017c592"}`

// faulty makes one submit that goes wrong as f says.
func faulty(t *testing.T, f wecomtest.Fault) (*wecomtest.Server, *http.Response, error) {
	t.Helper()
	s := start(t, wecomtest.Options{})
	tok := token(t, s)
	s.Inject("media/upload_by_url", f)
	resp, err := ask(s, tok, "media/upload_by_url", submit)
	if err == nil {
		t.Cleanup(func() { resp.Body.Close() })
	}
	return s, resp, err
}

func TestFaultErrcode(t *testing.T) {
	t.Parallel()
	s, resp, err := faulty(t, wecomtest.Fault{Errcode: 45009, Errmsg: "calm down", FromIP: "192.0.2.1"})
	require.NoError(t, err)
	a := decode(t, resp)
	require.Equal(t, 45009, a.Errcode)
	require.Regexp(t, `^calm down, hint: \[\d{25}\], from ip: 192\.0\.2\.1, more info at \S+e=45009$`, a.Errmsg)
	require.Empty(t, s.Jobs())
}

func TestFaultStatus(t *testing.T) {
	t.Parallel()
	s, resp, err := faulty(t, wecomtest.Fault{Status: 502, Header: http.Header{"Retry-After": {"7"}}})
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 502, resp.StatusCode)
	require.Equal(t, "7", resp.Header.Get("Retry-After"))
	require.Contains(t, string(body), "<html>")
	require.Equal(t, wecomtest.NoErrcode, s.Calls()[1].Errcode)
	require.Empty(t, s.Jobs())

	_, resp, err = faulty(t, wecomtest.Fault{Status: 200, Body: "portal"})
	require.NoError(t, err)
	body, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "portal", string(body))
}

func TestFaultReset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		f    wecomtest.Fault
		jobs int
	}{
		{"before the work", wecomtest.Fault{ResetBefore: true}, 0},
		{"after the work", wecomtest.Fault{ResetAfter: true}, 1},
	} {
		s, _, err := faulty(t, c.f)
		require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%s: %v", c.name, err)
		require.Len(t, s.Jobs(), c.jobs, c.name)
		require.Equal(t, wecomtest.NoErrcode, s.Calls()[1].Errcode)
	}
}

func TestFaultTruncate(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 10, 1 << 20} {
		s, resp, err := faulty(t, wecomtest.Fault{Truncate: n})
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Len(t, body, min(n, int(resp.ContentLength)-1))
		require.Len(t, s.Jobs(), 1)
	}
}

func TestFaultSlow(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	s, resp, err := faulty(t, wecomtest.Fault{Slow: 30 * time.Millisecond})
	require.NoError(t, err)
	require.Zero(t, decode(t, resp).Errcode)
	require.GreaterOrEqual(t, time.Since(begun), 30*time.Millisecond)
	require.Len(t, s.Jobs(), 1)
}

func TestFaultToken(t *testing.T) {
	t.Parallel()
	for f, want := range map[*wecomtest.Fault]int{{RevokeToken: true}: 40014, {ExpireToken: true}: 42001} {
		s := start(t, wecomtest.Options{})
		old := token(t, s)
		s.Inject("media/upload_by_url", *f)
		require.Equal(t, want, post(t, s, old, "media/upload_by_url", submit).Errcode)
		require.Equal(t, want, post(t, s, old, "media/upload_by_url", submit).Errcode, "it stays so")
		require.Zero(t, post(t, s, token(t, s), "media/upload_by_url", submit).Errcode)
	}
}

func TestFaultWarning(t *testing.T) {
	t.Parallel()
	s, resp, err := faulty(t, wecomtest.Fault{Warning: true})
	require.NoError(t, err)
	a := decode(t, resp)
	require.Zero(t, a.Errcode)
	require.Equal(t, "ok, Warning: wrong json format.", a.Errmsg)
	require.Len(t, s.Jobs(), 1)
}

func TestFaultsOfJobs(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	tok := token(t, s)
	s.Inject("media/upload_by_url", wecomtest.Fault{JobErrcode: 301019}, wecomtest.Fault{JobForever: true})
	failed := post(t, s, tok, "media/upload_by_url", submit).JobID
	forever := post(t, s, tok, "media/upload_by_url", submit).JobID
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	a := post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": failed})
	require.EqualValues(t, 3, a.Status)
	require.EqualValues(t, 301019, a.Detail["errcode"])
	require.EqualValues(t, 1, post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": forever}).Status)
	require.Empty(t, s.Fetches())

	s.Inject("media/get_upload_by_url_result", wecomtest.Fault{JobStatus: 9})
	require.EqualValues(t, 9, post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": failed}).Status)
	require.EqualValues(t, 3, post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": failed}).Status)
}

func TestFaultsAreAScript(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	tok := token(t, s)
	s.Inject("*", wecomtest.Fault{Errcode: -1, Times: -1})
	s.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 45009, Times: 2}, wecomtest.Fault{}, wecomtest.Fault{Errcode: 6000})
	var got []int
	for range 6 {
		got = append(got, post(t, s, tok, "media/upload_by_url", submit).Errcode)
	}
	require.Equal(t, []int{45009, 45009, 0, 6000, -1, -1}, got)
	s.ClearFaults()
	require.Zero(t, post(t, s, tok, "media/upload_by_url", submit).Errcode)
}

func TestFirstFieldOfAFaultDecides(t *testing.T) {
	t.Parallel()
	_, resp, err := faulty(t, wecomtest.Fault{Errcode: -1, Status: 502, ResetAfter: true, Slow: time.Hour})
	require.NoError(t, err)
	require.Equal(t, -1, decode(t, resp).Errcode)
}
