package main

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
)

// asks sends a request to the daemon. It follows no redirect.
func (s *served) asks(method, path, kind string, body []byte, head ...string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", kind)
	for n := 0; n < len(head); n += 2 {
		req.Header.Set(head[n], head[n+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// A file comes by HTTP, and somebody who is signed in stays so through a
// reload.
func TestServeTakesUploads(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	j := o.journal()
	o.env = append(o.env, "WEDROP_PAGE_TOKEN=open-sesame")
	s := o.serve(j)

	signIn := s.asks(http.MethodPost, "/signin", "application/x-www-form-urlencoded", []byte(url.Values{"token": {"open-sesame"}}.Encode()))
	require.Equal(t, http.StatusSeeOther, signIn.StatusCode)
	cookie := signIn.Cookies()[0].Name + "=" + signIn.Cookies()[0].Value

	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", "开场.mp4")
	require.NoError(t, err)
	_, err = part.Write(inspecttest.MP4(5000, 77))
	require.NoError(t, err)
	require.NoError(t, m.Close())
	taken := s.asks(http.MethodPost, "/api/items", m.FormDataContentType(), form.Bytes(), "Authorization", "Bearer open-sesame")
	require.Equal(t, http.StatusAccepted, taken.StatusCode)
	var it struct{ Path string }
	require.NoError(t, json.NewDecoder(taken.Body).Decode(&it))
	require.Equal(t, j+".inbox", filepath.Dir(filepath.Dir(it.Path)), "uploads are beside the ledger")
	fi, err := os.Stat(j + ".inbox")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), fi.Mode().Perm())

	media := "/api/media?name=" + url.QueryEscape("开场.mp4")
	s.until("a media_id", func() bool { return s.asks(http.MethodGet, media, "", nil, "Cookie", cookie).StatusCode == 200 })
	before := strings.Count(s.log.String(), `"msg":"serving"`)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.until("a reload", func() bool { return strings.Count(s.log.String(), `"msg":"serving"`) > before })
	require.Equal(t, 200, s.asks(http.MethodGet, media, "", nil, "Cookie", cookie).StatusCode)
	require.Equal(t, 401, s.asks(http.MethodGet, media, "", nil).StatusCode)
	s.stop()
	require.NotContains(t, s.log.String(), "open-sesame")
}

// An upload that is under way when the configuration is read again is taken.
func TestServeTakesUploadsThroughAReload(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	j := o.journal()
	s := o.serve(j)
	body, sender := io.Pipe()
	m := multipart.NewWriter(sender)
	content := inspecttest.MP4(5000, 78)
	half := make(chan struct{})
	go func() {
		part, _ := m.CreateFormFile("file", "开场.mp4")
		_, _ = part.Write(content[:2500])
		<-half
		_, _ = part.Write(content[2500:])
		_ = m.Close()
		_ = sender.Close()
	}()
	status := make(chan int, 1)
	go func() {
		resp, err := http.Post(s.url+"/api/items", m.FormDataContentType(), body)
		if err != nil {
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	s.until("half of the file", func() bool {
		parts, _ := filepath.Glob(filepath.Join(j+".inbox", "*.part"))
		return len(parts) == 1
	})
	before := strings.Count(s.log.String(), `"msg":"serving"`)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.until("a reload", func() bool { return strings.Count(s.log.String(), `"msg":"serving"`) > before })
	close(half)
	require.Equal(t, http.StatusAccepted, <-status)
	s.stop()
}
