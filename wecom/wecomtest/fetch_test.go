package wecomtest_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

// mp4 begins like an MP4 of that brand; the rest does not matter to WeCom's
// back end as it is known.
func mp4(brand string) []byte {
	return []byte("\x00\x00\x00\x18ftyp" + brand + "\x00\x00\x02\x00isommp41\x00\x00\x00\x08mdat")
}

func ranged(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// head answers any request with a status, a Content-Range and a body.
func head(status int, contentRange, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentRange != "" {
			w.Header().Set("Content-Range", contentRange)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	hello := []byte("hello, world")
	grown := bytes.Repeat([]byte("0123456789"), 3)
	for _, c := range []struct {
		name    string
		kind    string
		content []byte // whose MD5 is submitted
		web     http.HandlerFunc
		want    int
	}{
		{"a file", "file", hello, ranged(hello), 0},
		{"a file in several chunks", "file", grown, ranged(grown), 0},
		{"exactly 5 bytes", "file", hello[:5], ranged(hello[:5]), 0},
		{"4 bytes", "file", hello[:4], ranged(hello[:4]), 45001},
		{"empty", "file", nil, ranged(nil), 45001},
		{"empty by 416", "file", nil, head(416, "bytes */0", ""), 45001},
		{"over 200 MiB", "file", hello, head(206, "bytes 0-15/209715201", "0123456789abcdef"), 45001},
		{"other bytes", "file", hello, ranged([]byte("hello, WORLD")), 301019},
		{"no Range", "file", hello, head(200, "", "hello, world"), 830001},
		{"206 without Content-Range", "file", hello, head(206, "", "hello, world"), 830001},
		{"unknown total", "file", hello, head(206, "bytes 0-11/*", "hello, world"), 830001},
		{"another range than asked for", "file", hello, head(206, "bytes 0-10/12", "hello, worl"), 830001},
		{"a range that begins later", "file", hello, head(206, "bytes 1-11/12", "ello, world"), 830001},
		{"missing", "file", hello, http.NotFound, 830003},
		{"private", "file", hello, head(403, "", "AccessDenied"), 830003},
		{"broken server", "file", hello, head(503, "", ""), 830003},
		{"redirected", "file", hello, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				ranged(hello)(w, r)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}, 830003},
		{"reset", "file", hello, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 830003},
		{"cut short", "file", hello, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "12")
			head(206, "bytes 0-11/12", "hello")(w, nil)
		}, 830003},
		{"less than it says", "file", hello, head(206, "bytes 0-11/12", "hello"), 830003},
		{"more than it says", "file", hello, head(206, "bytes 0-11/12", "hello, world!"), 830003},
		{"replaced on the way", "file", grown, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "bytes=0-15" {
				ranged(grown)(w, r)
				return
			}
			ranged(grown[:20])(w, r)
		}, 830003},
		{"too slow", "file", hello, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 830003},
		{"an MP4", "video", mp4("isom"), ranged(mp4("isom")), 0},
		{"an MP4 behind padding", "video", append([]byte("\x00\x00\x00\x10free01234567"), mp4("mp42")...),
			ranged(append([]byte("\x00\x00\x00\x10free01234567"), mp4("mp42")...)), 0},
		{"QuickTime as a video", "video", mp4("qt  "), ranged(mp4("qt  ")), 40004},
		{"a picture as a video", "video", mp4("heic"), ranged(mp4("heic")), 40004},
		{"text as a video", "video", hello, ranged(hello), 40004},
		{"QuickTime as a file", "file", mp4("qt  "), ranged(mp4("qt  ")), 0},
		{"wrong twice", "video", hello, ranged([]byte("other, world")), 301019},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, wecomtest.Options{Chunk: 16, FetchTimeout: 300 * time.Millisecond})
			web := httptest.NewServer(c.web)
			defer web.Close()
			tok := token(t, s)
			m := upload(web.URL, c.content)
			m["type"] = c.kind
			id := post(t, s, tok, "media/upload_by_url", m).JobID
			require.NoError(t, s.WaitJobs(t.Context(), 1))
			a := post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": id})
			require.Zero(t, a.Errcode)
			require.EqualValues(t, c.want, a.Detail["errcode"])
			require.EqualValues(t, map[bool]int{true: 2, false: 3}[c.want == 0], a.Status)
			require.Equal(t, c.want == 0, a.Detail["media_id"] != nil)
		})
	}
}

func TestLinksThatLeadNowhere(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	s := start(t, wecomtest.Options{})
	tok := token(t, s)
	post(t, s, tok, "media/upload_by_url", upload(closed.URL, nil))
	post(t, s, tok, "media/upload_by_url", upload("http://%zz", nil))
	require.NoError(t, s.WaitJobs(t.Context(), 2))
	require.Equal(t, 830003, s.Jobs()[0].Errcode)
	require.Equal(t, 830001, s.Jobs()[1].Errcode)
}

// WeCom knows no credentials of ours, and asks for parts.
func TestFetchIsAStrangers(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("x"), 40)
	var mu sync.Mutex
	var headers []http.Header
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		headers = append(headers, r.Header)
		mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "1"})
		ranged(content)(w, r)
	}))
	defer web.Close()
	s := start(t, wecomtest.Options{Chunk: 16})
	post(t, s, token(t, s), "media/upload_by_url", upload(web.URL, content))
	require.NoError(t, s.WaitJobs(t.Context(), 1))

	for _, h := range headers {
		for _, name := range []string{"Authorization", "Cookie", "Accept-Encoding", "Referer"} {
			require.Empty(t, h.Get(name), name)
		}
	}
	var asked []string
	for _, f := range s.Fetches() {
		require.Equal(t, 206, f.Status)
		asked = append(asked, fmt.Sprint(f.Range, " ", f.Bytes))
	}
	require.Equal(t, []string{"bytes=0-15 16", "bytes=16-31 16", "bytes=32-47 8"}, asked)
}

// zeros is a file of nothing but zeros.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

func TestLargestFile(t *testing.T) {
	t.Parallel()
	const size = 200 << 20
	sum := md5.New()
	io.Copy(sum, io.NewSectionReader(zeros{}, 0, size))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(zeros{}, 0, size))
	}))
	defer web.Close()
	s := start(t, wecomtest.Options{})
	post(t, s, token(t, s), "media/upload_by_url", members{"scene": 1, "type": "file", "filename": "a", "url": web.URL,
		"md5": hex.EncodeToString(sum.Sum(nil))})
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	require.Zero(t, s.Jobs()[0].Errcode)
	require.EqualValues(t, size, s.Jobs()[0].Size)
	require.Len(t, s.Fetches(), 50)
}

func TestFetchesAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	submitted := make(chan bool)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		<-submitted
		ranged([]byte("hello"))(w, r)
	}))
	defer web.Close()
	s := start(t, wecomtest.Options{Fetches: 3})
	tok := token(t, s)
	for range 100 {
		post(t, s, tok, "media/upload_by_url", upload(web.URL, []byte("hello")))
	}
	close(submitted)
	require.NoError(t, s.WaitJobs(t.Context(), 100))
	require.LessOrEqual(t, most.Load(), int64(3))
	ids := map[string]bool{}
	for _, j := range s.Jobs() {
		ids[j.MediaID] = true
	}
	require.Len(t, ids, 100, "a media_id for each job")
}

func TestJobTimeFollowsTheClock(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, JobTime: 10 * time.Minute})
	tok := token(t, s)
	id := post(t, s, tok, "media/upload_by_url", upload(serve(t, []byte("hello")), []byte("hello"))).JobID
	status := func() any {
		return post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": id}).Status
	}
	require.EqualValues(t, 1, status())
	clock.Advance(9 * time.Minute)
	require.EqualValues(t, 1, status())
	clock.Advance(2 * time.Minute)
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	require.EqualValues(t, 2, status())
	job, _ := s.Job(id)
	require.WithinDuration(t, job.At.Add(10*time.Minute), job.Ended, 5*time.Second)

	s.SetJobTime(time.Hour)
	require.EqualValues(t, 2, status(), "what has ended does not run again")
	id = post(t, s, tok, "media/upload_by_url", upload(serve(t, []byte("hello")), []byte("hello"))).JobID
	require.EqualValues(t, 1, status())
	s.SetJobTime(0)
	require.NoError(t, s.WaitJobs(t.Context(), 2))
	require.EqualValues(t, 2, status())
}

// A clock that stands still must not keep jobs waiting for its next tick.
func TestClockThatStandsStill(t *testing.T) {
	t.Parallel()
	still := time.Unix(1_380_000_000, 0)
	s := start(t, wecomtest.Options{Now: func() time.Time { return still }})
	post(t, s, token(t, s), "media/upload_by_url", upload(serve(t, []byte("hello")), []byte("hello")))
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	require.Equal(t, still, s.Jobs()[0].Ended)
}

func TestEndedIsToldOnce(t *testing.T) {
	t.Parallel()
	clock, told := &wecomtest.Clock{}, make(chan wecomtest.Job, 10)
	s := start(t, wecomtest.Options{Clock: clock, JobTime: time.Minute, Ended: func(j wecomtest.Job) { told <- j }})
	tok := token(t, s)
	post(t, s, tok, "media/upload_by_url", upload(serve(t, []byte("hello")), []byte("hello")))
	s.Inject("media/upload_by_url", wecomtest.Fault{JobErrcode: 830003})
	post(t, s, tok, "media/upload_by_url", upload("http://x.invalid", nil))
	clock.Advance(time.Hour)
	first, second := <-told, <-told
	require.ElementsMatch(t, s.Jobs(), []wecomtest.Job{first, second})
	s.SetJobTime(0)
	third := post(t, s, tok, "media/upload_by_url", upload(serve(t, []byte("hello")), []byte("hello"))).JobID
	require.Equal(t, third, (<-told).ID)
}
