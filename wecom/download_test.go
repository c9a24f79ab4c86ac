package wecom_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// quick are options with which tests do not wait.
var quick = wecom.DownloadOptions{Chunk: 1000, Pause: time.Millisecond}

// content is n bytes that differ from place to place, and are the same each time.
func content(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

func md5Of(b []byte) string {
	s := md5.Sum(b)
	return hex.EncodeToString(s[:])
}

// mediaOf brings b to a media_id of the simulator.
func mediaOf(t testing.TB, s *wecomtest.Server, cl *wecom.Client, name string, b []byte) string {
	t.Helper()
	web := answering(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	})
	id, err := cl.UploadByURL(t.Context(), wecom.Upload{Type: wecom.TypeFile, Filename: name, URL: web.URL + "/x", MD5: md5Of(b)})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.WaitJobs(ctx, len(s.Jobs())))
	job, _ := s.Job(id)
	require.NotEmpty(t, job.MediaID)
	return job.MediaID
}

// holding is a simulator with one media, and a client of it.
func holding(t testing.TB, b []byte) (*wecomtest.Server, *wecom.Client, string) {
	t.Helper()
	s := simulator(t, wecomtest.Options{KeepMedia: true})
	cl := client(t, wecom.Config{BaseURL: s.URL})
	return s, cl, mediaOf(t, s, cl, "产品 介绍.xlsx", b)
}

// From document/path/96486 and the community (WxJava #3146): ranges from the
// first request on, the name from filename*, and what was written is told.
func TestDownload(t *testing.T) {
	t.Parallel()
	b := content(25<<20 + 3)
	s, cl, id := holding(t, b)
	var out bytes.Buffer
	var told []int64
	res, err := cl.Download(t.Context(), " "+id+"\n", &out, wecom.DownloadOptions{Progress: func(done, total int64) {
		require.EqualValues(t, len(b), total)
		told = append(told, done)
	}})
	require.NoError(t, err)
	require.True(t, bytes.Equal(b, out.Bytes()))
	require.Equal(t, wecom.DownloadResult{Size: int64(len(b)), Name: "产品 介绍.xlsx", ContentType: "application/octet-stream", MD5: md5Of(b)}, res)
	require.Equal(t, 3, s.Count("media/get"), "10 MiB at once")
	require.IsIncreasing(t, told)
	require.EqualValues(t, len(b), told[len(told)-1])
	for _, c := range s.Calls() {
		require.NotEqual(t, 830002, c.Errcode)
	}
}

// 830002 is never provoked, however large a chunk is wished for.
func TestDownloadNeverAsksForMoreThanWeComGives(t *testing.T) {
	t.Parallel()
	b := content(21 << 20)
	s, cl, id := holding(t, b)
	res, err := cl.Download(t.Context(), id, io.Discard, wecom.DownloadOptions{Chunk: 1 << 40})
	require.NoError(t, err)
	require.Equal(t, md5Of(b), res.MD5)
	require.Equal(t, 2, s.Count("media/get"))
}

// A media of a single chunk, and sizes about the chunk's.
func TestDownloadSizes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{5, 999, 1000, 1001, 1999, 2000, 2001} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			b := content(n)
			s, cl, id := holding(t, b)
			var out bytes.Buffer
			res, err := cl.Download(t.Context(), id, &out, quick)
			require.NoError(t, err)
			require.Equal(t, b, out.Bytes())
			require.EqualValues(t, n, res.Size)
			require.Equal(t, (n+999)/1000, s.Count("media/get"))
		})
	}
}

// Whatever passes is mended within the call, and each byte is written once.
func TestDownloadMends(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults []wecomtest.Fault
		calls  int // of media/get; 5 without trouble
	}{
		{"a reset before the answer", []wecomtest.Fault{{ResetBefore: true}}, 6},
		{"a reset in mid-body", []wecomtest.Fault{{}, {ResetAt: 300}}, 6},
		{"a body that is cut", []wecomtest.Fault{{Truncate: 999}}, 5},
		{"a body that is cut before its first byte", []wecomtest.Fault{{}, {}, {ResetAfter: true}}, 6},
		{"resets in every second answer", []wecomtest.Fault{{ResetAt: 10}, {}, {ResetAt: 10}, {}, {ResetAt: 10}, {}}, 8},
		{"three in a row", []wecomtest.Fault{{ResetBefore: true}, {ResetAt: 1}, {Truncate: 1}}, 8},
		{"HTTP 502", []wecomtest.Fault{{}, {Status: 502}}, 6},
		{"a page with HTTP 200", []wecomtest.Fault{{}, {Status: 200, Body: "<html><title>sign in</title>"}}, 6},
		{"WeCom is busy", []wecomtest.Fault{{}, {Errcode: -1}}, 6},
		{"a token that expired", []wecomtest.Fault{{}, {}, {ExpireToken: true}}, 6},
		{"a token that was revoked", []wecomtest.Fault{{RevokeToken: true}}, 6},
		{"a server that ignores Range", []wecomtest.Fault{{IgnoreRange: true}}, 1},
		{"a server that ignores Range half-way", []wecomtest.Fault{{}, {}, {IgnoreRange: true}}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := content(4321)
			s, cl, id := holding(t, b)
			s.Inject("media/get", c.faults...)
			var out bytes.Buffer
			res, err := cl.Download(t.Context(), id, &out, quick)
			require.NoError(t, err)
			require.Equal(t, b, out.Bytes())
			require.Equal(t, md5Of(b), res.MD5)
			require.GreaterOrEqual(t, s.Count("media/get"), c.calls)
			require.LessOrEqual(t, s.Count("media/get"), c.calls+1)
		})
	}
}

// What does not pass ends, after a bounded number of calls, with what it was.
func TestDownloadEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults []wecomtest.Fault
		fault  string
		class  wecom.Class
		calls  int // at most
		says   string
	}{
		{"resets for ever", []wecomtest.Fault{{ResetBefore: true, Times: -1}}, "wecom/unreachable", wecom.ClassRetry, 4, ""},
		{"a byte and a reset for ever", []wecomtest.Fault{{ResetAt: 1, Times: -1}}, "wecom/bad-response", wecom.ClassRetry, 4, "断"},
		{"short bodies for ever", []wecomtest.Fault{{Truncate: 900, Times: -1}}, "wecom/bad-response", wecom.ClassRetry, 4, "断"},
		{"HTTP 500 for ever", []wecomtest.Fault{{Status: 500, Times: -1}}, "wecom/bad-response", wecom.ClassRetry, 4, "HTTP 500"},
		{"busy for ever", []wecomtest.Fault{{Errcode: -1, Times: -1}}, "wecom/-1", wecom.ClassRetry, 4, "繁忙"},
		{"a media_id that expired", []wecomtest.Fault{{Errcode: 40007}}, "wecom/40007", wecom.ClassInput, 1, "过期"},
		{"an address that is not trusted", []wecomtest.Fault{{Errcode: 60020}}, "wecom/60020", wecom.ClassConfig, 1, "可信IP"},
		{"the limit", []wecomtest.Fault{{Errcode: 45033}}, "wecom/45033", wecom.ClassBackOff, 1, "调用"},
		{"a total that changes", []wecomtest.Fault{{}, {WrongTotal: 9999}}, "wecom/bad-response", wecom.ClassRetry, 2, "大小变了"},
		{"an end that comes early", []wecomtest.Fault{{}, {Status: 416}}, "wecom/bad-response", wecom.ClassRetry, 2, "大小变了"},
		{"a total under the range", []wecomtest.Fault{{WrongTotal: 10, Times: -1}}, "wecom/bad-response", wecom.ClassRetry, 4, "那一段"},
		{"a total of a tebibyte", []wecomtest.Fault{{WrongTotal: 1 << 40}}, "wecom/bad-response", wecom.ClassRetry, 1, "1 GiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := content(4321)
			s, cl, id := holding(t, b)
			s.Inject("media/get", c.faults...)
			var out bytes.Buffer
			res, err := cl.Download(t.Context(), id, &out, quick)
			e := asError(t, err)
			require.Equal(t, c.fault, e.FaultCode())
			require.Equal(t, c.class, e.Class())
			require.LessOrEqual(t, s.Count("media/get"), c.calls+1) // net/http repeats a GET on a connection that was closed
			require.True(t, bytes.HasPrefix(b, out.Bytes()), "what was written is the media's beginning")
			require.EqualValues(t, out.Len(), res.Size)
			zh, cure := e.Explain("zh")
			require.Contains(t, zh+cure, c.says)
		})
	}
}

// From document/path/96486: errors come with HTTP 200, as JSON or, as others
// found, as text/plain. But a media may be JSON or a page itself.
func TestDownloadTellsErrorsFromMedia(t *testing.T) {
	t.Parallel()
	const refusal = `{"errcode":40007,"errmsg":"invalid media_id, hint: [7]"}`
	for _, c := range []struct {
		name   string
		header []string
		status int
		body   string
		fault  string // "" for a media
	}{
		{"JSON", []string{"Content-Type", "application/json; charset=UTF-8"}, 200, refusal, "wecom/40007"},
		{"JSON as text", []string{"Content-Type", "text/plain"}, 200, refusal, "wecom/40007"},
		{"JSON without a type", []string{"Content-Type", ""}, 200, " \n" + refusal, "wecom/40007"},
		{"a code in the header", []string{"Content-Type", "image/jpeg", "Error-Code", "40007", "Error-Msg", "invalid media_id"}, 200, "", "wecom/40007"},
		{"a code in the header of a part", []string{"Error-Code", "40007", "Content-Disposition", "attachment"}, 206, refusal, "wecom/40007"},
		{"a success that is no media", []string{"Content-Type", "application/json"}, 200, `{"errcode":0,"errmsg":"ok"}`, "wecom/bad-response"},
		{"a page", []string{"Content-Type", "text/html"}, 200, "<title>sign in</title>", "wecom/bad-response"},
		{"nothing", []string{"Content-Type", "application/octet-stream"}, 200, "", "wecom/bad-response"},
		{"a range that was not asked for", []string{"Content-Range", "bytes 3-7/8"}, 206, "abcde", "wecom/bad-response"},
		{"a range without a total", []string{"Content-Range", "bytes 0-4/*"}, 206, "abcde", "wecom/bad-response"},
		{"a range without its length", nil, 206, "abcde", "wecom/bad-response"},
		{"a range that is not the body's", []string{"Content-Range", "bytes 0-3/4"}, 206, "abcde", "wecom/bad-response"},
		{"a range behind the end", nil, 416, "", "wecom/bad-response"},
		{"a redirect", []string{"Location", "https://example.com/"}, 302, "", "wecom/bad-response"},

		{"a media that is such JSON", []string{"Content-Type", "application/json", "Content-Disposition", `attachment; filename="a.json"`}, 200, refusal, ""},
		{"a part of such JSON", []string{"Content-Type", "application/json", "Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(refusal)-1, len(refusal))}, 206, refusal, ""},
		{"a media that is a page", []string{"Content-Type", "text/html", "Content-Disposition", "attachment"}, 200, "<html>", ""},
		{"a text without a name", []string{"Content-Type", "text/plain"}, 200, "hello", ""},
		{"a type that is nobody's JSON", []string{"Content-Type", "video/mp4"}, 200, "{}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := answering(t, func(w http.ResponseWriter, r *http.Request) {
				for i := 0; i < len(c.header); i += 2 {
					w.Header()[c.header[i]] = []string{c.header[i+1]}
					if c.header[i+1] == "" {
						w.Header()[c.header[i]] = nil
					}
				}
				w.Header().Set("Content-Length", strconv.Itoa(len(c.body)))
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			var out bytes.Buffer
			res, err := client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), "3*1*x", &out, quick)
			if c.fault == "" {
				require.NoError(t, err)
				require.Equal(t, c.body, out.String())
				require.EqualValues(t, len(c.body), res.Size)
				return
			}
			e := asError(t, err)
			require.Equal(t, c.fault, e.FaultCode())
			require.Empty(t, out.String())
			if e.Code == wecom.CodeBadMediaID && e.Hint != "" {
				require.Equal(t, "invalid media_id", e.Message)
			}
		})
	}
}

// The simulator's two shapes of an error, over a token that is refreshed.
func TestDownloadOfAnUnknownMediaID(t *testing.T) {
	t.Parallel()
	for _, shape := range []wecomtest.Shape{{}, {TextErrors: true}} {
		s := simulator(t, wecomtest.Options{Shape: shape, KeepMedia: true})
		_, err := client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), "3*1*none", io.Discard, quick)
		require.Equal(t, wecom.CodeBadMediaID, asError(t, err).Code)
		require.Equal(t, 1, s.Count("media/get"))
		_, err = client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), " ", io.Discard, quick)
		require.Equal(t, "media_id", asError(t, err).Field)
		require.Equal(t, 1, s.Count("media/get"), "without a media_id there is no call")
	}
}

// The media_id has characters that a query must not have as they are.
func TestDownloadEscapesTheMediaID(t *testing.T) {
	t.Parallel()
	const id = "3*1*a&b=c+d/e%2F_-"
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, id, r.URL.Query().Get("media_id"))
		require.Equal(t, "bytes=0-999", r.Header.Get("Range"))
		w.Header().Set("Content-Disposition", "attachment")
		io.WriteString(w, "hello")
	})
	_, err := client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), id, io.Discard, quick)
	require.NoError(t, err)
}

// A body whose end is not told apart from a reset is not taken for whole.
func TestDownloadWithoutALength(t *testing.T) {
	t.Parallel()
	hijacked := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				io.WriteString(c, text)
				c.Close()
			}
		}
	}
	const head = "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n"
	get := func(text string) (string, wecom.DownloadResult, error) {
		var out bytes.Buffer
		s := answering(t, hijacked(text))
		res, err := client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), "3*1*x", &out, quick)
		return out.String(), res, err
	}
	_, _, err := get(head + "\r\nhello")
	zh, _ := asError(t, err).Explain("zh")
	require.Contains(t, zh, "有多长")
	body, res, err := get(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	require.NoError(t, err)
	require.Equal(t, "hello", body)
	require.EqualValues(t, 5, res.Size)
	_, _, err = get(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
	require.Equal(t, wecom.KindBadResponse, asError(t, err).Kind, "the last chunk is missing")
}

// A server that ignores Range and breaks off: the beginning is read again and
// dropped, and no byte is written twice.
func TestDownloadFromAServerThatIgnoresRangeAndBreaksOff(t *testing.T) {
	t.Parallel()
	b := content(300_000)
	var n atomic.Int32
	broken := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", "attachment")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		if n.Add(1) == 1 {
			w.Write(b[:200_001])
			panic(http.ErrAbortHandler)
		}
		w.Write(b)
	})
	cl := client(t, wecom.Config{BaseURL: broken.URL})
	var out bytes.Buffer
	res, err := cl.Download(t.Context(), "3*1*x", &out, quick)
	require.NoError(t, err)
	require.Equal(t, md5Of(b), md5Of(out.Bytes()))
	require.Equal(t, md5Of(b), res.MD5)
	require.EqualValues(t, 2, n.Load())
}

// A server may give less than was asked for; one that gives next to nothing
// does not keep us for ever.
func TestDownloadInSmallerParts(t *testing.T) {
	t.Parallel()
	b := content(500_000)
	for part, fine := range map[int]bool{100_000: true, 1: false} {
		var calls atomic.Int32
		s := answering(t, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			var from int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			to := min(from+part, len(b))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(b)))
			w.WriteHeader(206)
			w.Write(b[from:to])
		})
		var out bytes.Buffer
		_, err := client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), "3*1*x", &out, wecom.DownloadOptions{Pause: time.Millisecond})
		if fine {
			require.NoError(t, err)
			require.Equal(t, b, out.Bytes())
			continue
		}
		require.Equal(t, wecom.KindBadResponse, asError(t, err).Kind)
		require.EqualValues(t, 4, calls.Load())
	}
}

// A line that stands still is given up, and the rest asked for anew; one that
// is slow is not.
func TestDownloadOverASlowLine(t *testing.T) {
	t.Parallel()
	b := content(40)
	var calls atomic.Int32
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", "attachment")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		if calls.Add(1) == 1 {
			w.Write(b[:10])
			w.(http.Flusher).Flush()
			<-r.Context().Done() // stands still until the client has enough of it
			return
		}
		w.Write(b)
	})
	var out bytes.Buffer
	o := quick
	o.Stall = time.Second
	start := time.Now()
	_, err := client(t, wecom.Config{BaseURL: s.URL}).Download(t.Context(), "3*1*x", &out, o)
	require.NoError(t, err)
	require.Less(t, time.Since(start), 15*time.Second, "a request as a whole may take twenty")
	require.Equal(t, b, out.Bytes())
	require.EqualValues(t, 2, calls.Load())

	still := answering(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	o.Stall, o.Tries = 20*time.Millisecond, 2
	_, err = client(t, wecom.Config{BaseURL: still.URL}).Download(t.Context(), "3*1*x", io.Discard, o)
	e := asError(t, err)
	require.Equal(t, wecom.KindUnreachable, e.Kind)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, context.Canceled)
	zh, _ := e.Explain("zh")
	require.Contains(t, zh, "超时")
}

// The caller's end is an end: at once, and said as such.
func TestDownloadIsStopped(t *testing.T) {
	t.Parallel()
	b := content(5000)
	s, cl, id := holding(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := cl.Download(ctx, id, writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }), quick)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, wecom.ClassCancelled, asError(t, err).Class())

	ctx, cancel = context.WithCancel(t.Context())
	s.Inject("media/get", wecomtest.Fault{Status: 500, Times: -1})
	o := quick
	o.Pause = time.Hour
	go func() {
		s.WaitCalls(ctx, "media/get", 2)
		cancel()
	}()
	_, err = cl.Download(ctx, id, io.Discard, o)
	require.ErrorIs(t, err, context.Canceled, "the pause ends, too")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A writer that fails is asked once.
func TestDownloadToAWriterThatFails(t *testing.T) {
	t.Parallel()
	s, cl, id := holding(t, content(5000))
	full := errors.New("no room")
	_, err := cl.Download(t.Context(), id, writerFunc(func([]byte) (int, error) { return 0, full }), quick)
	require.ErrorIs(t, err, full)
	e := asError(t, err)
	require.Equal(t, "wecom/cannot-write", e.FaultCode())
	require.Equal(t, wecom.ClassInput, e.Class())
	require.Equal(t, 1, s.Count("media/get"))
	_, err = cl.Download(t.Context(), id, writerFunc(func(p []byte) (int, error) { return len(p) - 1, nil }), quick)
	require.ErrorIs(t, err, io.ErrShortWrite)
}

// Memory does not grow with the media.
func TestDownloadHoldsLittle(t *testing.T) {
	b := content(30 << 20)
	_, cl, id := holding(t, b)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := cl.Download(t.Context(), id, io.Discard, wecom.DownloadOptions{})
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "bytes allocated for a media of %d", len(b))
}

func onlyFile(t *testing.T, dir, name string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, all, 1, "%v", all)
	require.Equal(t, name, all[0].Name())
}

func TestDownloadFile(t *testing.T) {
	t.Parallel()
	b := content(4321)
	s, cl, id := holding(t, b)
	dir := t.TempDir()
	path := filepath.Join(dir, "表格.xlsx")
	require.NoError(t, os.WriteFile(path, []byte("an older one, longer or not"), 0o644))
	o := quick
	o.Progress = func(done, total int64) {
		old, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "an older one, longer or not", string(old), "the name is the old file's until the new one is whole")
	}
	s.Inject("media/get", wecomtest.Fault{}, wecomtest.Fault{ResetAt: 500})
	res, err := cl.DownloadFile(t.Context(), id, path, o)
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, b, got)
	require.Equal(t, wecom.DownloadResult{Size: 4321, Name: "产品 介绍.xlsx", ContentType: "application/octet-stream", MD5: md5Of(b)}, res)
	onlyFile(t, dir, "表格.xlsx")
}

// What stood there stays, and nothing else is left, where nothing comes.
func TestDownloadFileThatIsRefused(t *testing.T) {
	t.Parallel()
	_, cl, id := holding(t, content(4321))
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	_, err := cl.DownloadFile(t.Context(), "3*1*none", path, quick)
	require.Equal(t, wecom.CodeBadMediaID, asError(t, err).Code)
	onlyFile(t, dir, "a")
	old, _ := os.ReadFile(path)
	require.Equal(t, "old", string(old))

	// In the place of a device: one of the machine's own would be lost to
	// everybody if this test, run as root, ever found the rule broken.
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer l.Close()
	for name, at := range map[string]string{
		"a folder": dir, "a folder that is not there": filepath.Join(dir, "none", "a"), "a socket": socket,
		"a file for a folder": filepath.Join(path, "b"),
	} {
		_, err := cl.DownloadFile(t.Context(), id, at, quick)
		e := asError(t, err)
		require.Equal(t, wecom.KindWrite, e.Kind, name)
		zh, cure := e.Explain("zh")
		require.Contains(t, zh, at, name)
		require.NotEmpty(t, cure)
	}
	onlyFile(t, dir, "a")
}
