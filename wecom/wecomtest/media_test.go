package wecomtest_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

// download asks for a media, or for a range of it.
func download(t testing.TB, s *wecomtest.Server, tok, id, span string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest("GET", s.URL+"/cgi-bin/media/get?"+pairs([]string{"access_token", tok, "media_id", id}), nil)
	require.NoError(t, err)
	if span != "" {
		req.Header.Set("Range", span)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, body
}

func TestDownload(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, KeepMedia: true, TokenLife: 1000 * time.Hour,
		Corps: map[string]string{"wwother": "theirs"}})
	tok, content := token(t, s), bytes.Repeat([]byte("0123456789"), 3<<20) // 30 MiB
	post(t, s, tok, "media/upload_by_url", upload(serve(t, content), content))
	post(t, s, tok, "media/upload_by_url", upload(serve(t, content[:9]), content[:9]))
	require.NoError(t, s.WaitJobs(t.Context(), 2))
	large, small := s.Jobs()[0].MediaID, s.Jobs()[1].MediaID

	for _, c := range []struct {
		name, id, span string
		status         int
		contentRange   string
		want           []byte
	}{
		{"whole", small, "", 200, "", content[:9]},
		{"a range", small, "bytes=2-4", 206, "bytes 2-4/9", content[2:5]},
		{"a range to beyond the end", small, "bytes=2-400", 206, "bytes 2-8/9", content[2:9]},
		{"an open range", small, "bytes=8-", 206, "bytes 8-8/9", content[8:9]},
		{"20 MiB", large, "bytes=0-20971519", 206, "bytes 0-20971519/31457280", content[:20<<20]},
		{"the rest", large, "bytes=20971520-", 206, "bytes 20971520-31457279/31457280", content[20<<20:]},
	} {
		resp, body := download(t, s, tok, c.id, c.span)
		require.Equal(t, c.status, resp.StatusCode, c.name)
		require.Equal(t, c.contentRange, resp.Header.Get("Content-Range"), c.name)
		require.True(t, bytes.Equal(c.want, body), c.name)
		require.Contains(t, resp.Header.Get("Content-Disposition"), "filename*=utf-8''%E8%A1%A8%E6%A0%BC.xlsx")
	}

	theirs := get(t, s, "gettoken", "corpid", "wwother", "corpsecret", "theirs").AccessToken
	refused := func(tok, id, span string) any {
		resp, body := download(t, s, tok, id, span)
		require.Equal(t, 200, resp.StatusCode, "an error of media/get is HTTP 200")
		return jsonOf(t, body)["errcode"]
	}
	require.EqualValues(t, 41006, refused(tok, "", ""))
	require.EqualValues(t, 40007, refused(tok, "3*1*none", ""))
	require.EqualValues(t, 40007, refused(theirs, small, ""))
	require.EqualValues(t, 830002, refused(tok, large, ""), "over 20 MiB without Range")
	require.EqualValues(t, 830002, refused(tok, large, "bytes=0-20971520"), "a range of over 20 MiB")
	require.EqualValues(t, 830002, refused(tok, large, "bytes 0-1023"), "the page's own sample lacks the =")
	resp, _ := download(t, s, tok, small, "bytes=9-")
	require.Equal(t, 416, resp.StatusCode)
	clock.Advance(72*time.Hour - time.Minute)
	resp, _ = download(t, s, tok, small, "bytes=0-0")
	require.Equal(t, 206, resp.StatusCode)
	clock.Advance(time.Minute)
	require.EqualValues(t, 40007, refused(tok, small, ""), "three days are over")
}

func TestDownloadThatIsCut(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{KeepMedia: true})
	tok, content := token(t, s), []byte("hello, world")
	post(t, s, tok, "media/upload_by_url", upload(serve(t, content), content))
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	s.Inject("media/get", wecomtest.Fault{Truncate: 5})
	resp, err := http.Get(s.URL + "/cgi-bin/media/get?" + pairs([]string{"access_token", tok, "media_id", s.Jobs()[0].MediaID}))
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "hello", string(body))
}

func TestDownloadNeedsKeepMedia(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	tok, content := token(t, s), []byte("hello, world")
	post(t, s, tok, "media/upload_by_url", upload(serve(t, content), content))
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	resp, body := download(t, s, tok, s.Jobs()[0].MediaID, "")
	require.Equal(t, 501, resp.StatusCode)
	require.Contains(t, string(body), "KeepMedia")
}
