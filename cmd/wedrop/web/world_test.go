package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/pipeline/journal"
	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

const patience = 60 * time.Second // longer than anything here takes

// world is a WeCom, a bucket, a ledger and a Site on them.
type world struct {
	t     *testing.T
	wecom *wecomtest.Server
	clock *wecomtest.Clock
	pipe  *pipeline.Pipeline
	site  *Site
	url   string
	inbox string
	http  *http.Client
}

// newWorld has nobody who works on the items: see serve.
func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := &world{t: t, clock: &wecomtest.Clock{}, http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	var err error
	w.wecom, err = wecomtest.Start(wecomtest.Options{Clock: w.clock})
	require.NoError(t, err)
	t.Cleanup(func() { w.wecom.Close() })
	d, err := dirbucket.Open("dir://" + t.TempDir())
	require.NoError(t, err)
	bucket := httptest.NewServer(d.Handler())
	t.Cleanup(bucket.Close)
	j, err := journal.Open(context.Background(), filepath.Join(t.TempDir(), "l.db"), journal.Options{Now: w.clock.Now})
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	b, err := storage.New(d, storage.Options{PublicURL: bucket.URL, Prefix: "media", Pause: time.Millisecond})
	require.NoError(t, err)
	c, err := wecom.New(wecom.Config{BaseURL: w.wecom.URL, CorpID: "wwtest", Secret: "secret", Store: j, Now: w.clock.Now})
	require.NoError(t, err)
	w.pipe = &pipeline.Pipeline{Corp: "wwtest", Journal: j, Bucket: b, WeCom: c, PollMin: 5 * time.Millisecond, PollMax: 20 * time.Millisecond}
	w.inbox = filepath.Join(t.TempDir(), "inbox")
	o.Pipeline, o.Inbox = w.pipe, w.inbox
	w.open(o)
	return w
}

// open puts a Site of these options in the place of the one before.
func (w *world) open(o Options) {
	var err error
	if o.Lang == "" {
		o.Lang = "en"
	}
	w.site, err = New(o)
	require.NoError(w.t, err)
	s := httptest.NewServer(w.site)
	w.t.Cleanup(s.Close)
	w.url = s.URL
}

// serve lets the pipeline work, as the daemon does.
func (w *world) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.pipe.Serve(ctx, pipeline.ServeOptions{Keep: -1}) })
	w.t.Cleanup(func() { cancel(); wg.Wait() })
}

// signedIn keeps cookies from now on.
func (w *world) jar() {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	w.http.Jar = jar
}

// reply is an answer that was read.
type reply struct {
	*http.Response
	body []byte
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(r.body, &v), string(r.body))
	return v
}

// do sends a request; head are pairs.
func (w *world) do(method, path string, body io.Reader, head ...string) reply {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+path, body)
	require.NoError(w.t, err)
	for n := 0; n < len(head); n += 2 {
		if head[n] == "Host" {
			req.Host = head[n+1]
		}
		req.Header.Set(head[n], head[n+1])
	}
	resp, err := w.http.Do(req)
	require.NoError(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return reply{resp, b}
}

func (w *world) get(path string, head ...string) reply {
	return w.do(http.MethodGet, path, nil, head...)
}

// form is a multipart body with a file, and fields as pairs.
func formOf(t *testing.T, filename string, content []byte, fields ...string) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="file"; filename="`+filename+`"`)
	p, err := m.CreatePart(h)
	require.NoError(t, err)
	_, err = p.Write(content)
	require.NoError(t, err)
	for n := 0; n < len(fields); n += 2 {
		require.NoError(t, m.WriteField(fields[n], fields[n+1]))
	}
	require.NoError(t, m.Close())
	return &b, m.FormDataContentType()
}

func (w *world) post(filename string, content []byte, fields ...string) reply {
	w.t.Helper()
	body, kind := formOf(w.t, filename, content, fields...)
	return w.do(http.MethodPost, "/api/items", body, "Content-Type", kind)
}

// posted is post of what has to be taken, and returns the item's number.
func (w *world) posted(filename string, content []byte, fields ...string) int64 {
	w.t.Helper()
	r := w.post(filename, content, fields...)
	require.Equal(w.t, http.StatusAccepted, r.StatusCode, string(r.body))
	return int64(r.json(w.t)["id"].(float64))
}

func (w *world) item(id int64) pipeline.Item {
	w.t.Helper()
	items, err := w.pipe.Journal.Items(context.Background(), pipeline.Query{IDs: []int64{id}})
	require.NoError(w.t, err)
	require.Len(w.t, items, 1, "item %d", id)
	return items[0]
}

// until waits for something.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("no %s", what)
		}
	}
}

func (w *world) done(id int64) pipeline.Item {
	w.t.Helper()
	w.until("media_id", func() bool { return w.item(id).Step == pipeline.Done })
	return w.item(id)
}

// left are the files in the inbox.
func (w *world) left() (files []string) {
	w.t.Helper()
	require.NoError(w.t, filepath.WalkDir(w.inbox, func(path string, d os.DirEntry, err error) error {
		if err == nil && path != w.inbox {
			files = append(files, path[len(w.inbox):])
		}
		return err
	}))
	return files
}

func clip(seed uint64) []byte { return inspecttest.MP4(4000, seed) }
