package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
)

// meta is an Upload-Metadata of pairs.
func meta(pairs ...string) string {
	var out []string
	for n := 0; n < len(pairs); n += 2 {
		out = append(out, pairs[n]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[n+1])))
	}
	return strings.Join(out, ",")
}

// create begins an upload.
func (w *world) create(size int64, metadata string, head ...string) reply {
	w.t.Helper()
	return w.do(http.MethodPost, "/upload/", nil, append([]string{"Tus-Resumable", "1.0.0",
		"Upload-Length", strconv.FormatInt(size, 10), "Upload-Metadata", metadata}, head...)...)
}

// begun is create of what has to be taken, and returns its path.
func (w *world) begun(name string, size int64) string {
	w.t.Helper()
	r := w.create(size, meta("filename", name, "filetype", "video/mp4", "type", "auto"))
	require.Equal(w.t, 201, r.StatusCode, string(r.body))
	return r.Header.Get("Location")
}

func (w *world) patch(path string, offset int, body []byte, head ...string) reply {
	w.t.Helper()
	return w.do(http.MethodPatch, path, bytes.NewReader(body), append([]string{"Tus-Resumable", "1.0.0",
		"Upload-Offset", strconv.Itoa(offset), "Content-Type", "application/offset+octet-stream"}, head...)...)
}

func (w *world) head(path string) reply {
	w.t.Helper()
	return w.do(http.MethodHead, path, nil, "Tus-Resumable", "1.0.0")
}

func TestResumableUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	path := w.begun("开场.mp4", 4000)
	require.Regexp(t, `^/upload/[0-9a-f]{32}$`, path, "without a host, which a proxy may have changed")
	r := w.patch(path, 0, clip(1)[:1500])
	require.Equal(t, 204, r.StatusCode, string(r.body))
	require.Equal(t, "1500", r.Header.Get("Upload-Offset"))
	require.Empty(t, r.Header.Get(itemHeader))
	r = w.head(path)
	require.Equal(t, "1500", r.Header.Get("Upload-Offset"))
	require.Equal(t, "4000", r.Header.Get("Upload-Length"))
	require.Equal(t, "upload/busy", w.code(w.patch(path, 1000, clip(1)[1000:])), "that is not where it stands")

	r = w.patch(path, 1500, clip(1)[1500:])
	require.Equal(t, 204, r.StatusCode, string(r.body))
	id, err := strconv.ParseInt(r.Header.Get(itemHeader), 10, 64)
	require.NoError(t, err)
	it := w.done(id)
	require.Equal(t, "开场.mp4", it.Name)
	require.Equal(t, filepath.Join(w.inbox, strings.TrimPrefix(path, "/upload/"), "开场.mp4"), it.Path)

	r = w.head(path)
	require.Equal(t, "4000", r.Header.Get("Upload-Offset"))
	require.Equal(t, strconv.FormatInt(id, 10), r.Header.Get(itemHeader), "who lost the answer asks again")
	require.Equal(t, 405, w.get(path).StatusCode, "nothing is downloaded here")
	require.Equal(t, id, w.posted("开场.mp4", clip(1)))
}

// Two who send the same at once get the same.
func TestEqualUploadsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	ids := make([]string, 6)
	var wg sync.WaitGroup
	for n := range ids {
		path := w.begun("a.mp4", 4000)
		wg.Go(func() { ids[n] = w.patch(path, 0, clip(1)).Header.Get(itemHeader) })
	}
	wg.Wait()
	for _, id := range ids {
		require.NotEmpty(t, id)
		require.Equal(t, ids[0], id)
	}
}

// The connection breaks in the midst of a PATCH.
func TestABrokenConnectionCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	content := inspecttest.MP4(3_000_000, 1)
	path := w.begun("a.mp4", int64(len(content)))
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	require.NoError(t, err)
	fmt.Fprintf(c, "PATCH %s HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: %d\r\n\r\n", path, len(content))
	_, err = c.Write(content[:1_200_000])
	require.NoError(t, err)
	w.until("1 MB on the disk", func() bool {
		fi, err := os.Stat(filepath.Join(w.inbox, strings.TrimPrefix(path, "/upload/")+".part"))
		return err == nil && fi.Size() >= 1_000_000
	})
	require.NoError(t, c.Close())
	at, err := strconv.Atoi(w.head(path).Header.Get("Upload-Offset"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, at, 1_000_000, "what had arrived is not sent again")
	r := w.patch(path, at, content[at:])
	require.Equal(t, 204, r.StatusCode, string(r.body))
	require.NotEmpty(t, r.Header.Get(itemHeader))
}

// What was whole when the program ended becomes an item when somebody comes
// back to it.
func TestAWholeUploadIsEnteredLater(t *testing.T) {
	t.Parallel()
	for name, crash := range map[string]func(w *world, id string){
		"before it had its name": func(w *world, id string) {
			require.NoError(t, os.WriteFile(filepath.Join(w.inbox, id+".part"), clip(1), 0o600))
		},
		"after": func(w *world, id string) {
			require.NoError(t, os.Remove(filepath.Join(w.inbox, id+".part")))
			require.NoError(t, os.Mkdir(filepath.Join(w.inbox, id), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(w.inbox, id, "a.mp4"), clip(1), 0o600))
		},
	} {
		w := newWorld(t, Options{})
		path := w.begun("a.mp4", 4000)
		crash(w, strings.TrimPrefix(path, "/upload/"))
		r := w.head(path)
		require.Equal(t, 200, r.StatusCode, name)
		require.Equal(t, "4000", r.Header.Get("Upload-Offset"), name)
		id, err := strconv.ParseInt(r.Header.Get(itemHeader), 10, 64)
		require.NoError(t, err, name)
		require.Equal(t, pipeline.Inspect, w.item(id).Step)
	}
}

// What the program wrote last was the ledger: whoever comes back gets the item
// that is there, and its file is still there.
func TestAnUploadThatWasEnteredIsNotEnteredAgain(t *testing.T) {
	t.Parallel()
	for name, serves := range map[string]bool{"and not read yet": false, "and carried": true} {
		w := newWorld(t, Options{})
		path := w.begun("a.mp4", 4000)
		note := filepath.Join(w.inbox, strings.TrimPrefix(path, "/upload/")+".json")
		before, err := os.ReadFile(note)
		require.NoError(t, err)
		id, err := strconv.ParseInt(w.patch(path, 0, clip(1)).Header.Get(itemHeader), 10, 64)
		require.NoError(t, err)
		if serves {
			w.serve()
			w.done(id)
		}
		require.NoError(t, os.WriteFile(note, before, 0o600)) // killed before this was written
		w.open(Options{Pipeline: w.pipe, Inbox: w.inbox})

		r := w.head(path)
		require.Equal(t, 200, r.StatusCode, name)
		require.Equal(t, strconv.FormatInt(id, 10), r.Header.Get(itemHeader), name)
		require.FileExists(t, w.item(id).Path, name)

		require.NoError(t, os.WriteFile(note, before, 0o600))
		require.Equal(t, 204, w.do(http.MethodDelete, path, nil, "Tus-Resumable", "1.0.0").StatusCode)
		require.FileExists(t, w.item(id).Path, "%s: an item's file is the ledger's", name)
	}
}

// What the ledger took is answered, whether that can be noted or not.
func TestANoteThatCannotBeWrittenRefusesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	path := w.begun("a.mp4", 4000)
	require.NoError(t, os.Mkdir(filepath.Join(w.inbox, strings.TrimPrefix(path, "/upload/")+".json.new"), 0o700))
	r := w.patch(path, 0, clip(1))
	require.Equal(t, 204, r.StatusCode, string(r.body))
	id := r.Header.Get(itemHeader)
	require.NotEmpty(t, id)
	require.Equal(t, id, w.head(path).Header.Get(itemHeader))
}

func TestUploadsAreRefusedEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Free: func(string) (int64, bool) { return spare + 1_000_000, true }})
	for _, c := range []struct {
		size   int64
		meta   string
		status int
		code   string
	}{
		{inspect.MaxSize + 1, meta("filename", "a.mp4"), 413, "inspect/too-large"},
		{1 << 62, meta("filename", "a.mp4"), 413, "inspect/too-large"},
		{4, meta("filename", "a.mp4"), 422, "inspect/too-small"},
		{0, meta("filename", "a.mp4"), 422, "inspect/too-small"},
		{4000, meta("filename", "..."), 422, "inspect/bad-name"},
		{4000, "", 422, "inspect/bad-name"},
		{4000, meta("filename", "a.mp4", "type", "picture"), 422, "wedrop/bad-request"},
		{2_000_000, meta("filename", "a.mp4"), 507, "wedrop/disk-full"},
	} {
		r := w.create(c.size, c.meta, "Accept-Language", "zh")
		require.Equal(t, c.status, r.StatusCode, "%d %s", c.size, r.body)
		require.Equal(t, c.code, w.code(r))
		require.Equal(t, c.code, r.Header.Get(codeHeader))
	}
	require.Equal(t, 400, w.do(http.MethodPost, "/upload/", nil, "Tus-Resumable", "1.0.0", "Upload-Length", "-1").StatusCode)
	require.Empty(t, w.left())
	require.Equal(t, "upload/not-found", w.code(w.patch("/upload/"+newID(), 0, []byte("x"))))
	for _, id := range []string{"x", "..", "%2e%2e%2fl.db", strings.Repeat("A", 32)} {
		require.Contains(t, []int{404, 307}, w.patch("/upload/"+id, 0, []byte("x")).StatusCode, id)
	}
}

func TestAnUploadThatIsNoVideo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	mov := inspecttest.MOV(4000, 1)
	for lang, word := range map[string]string{"zh": "导出为 MP4", "en": "export"} {
		path := w.begun("clip.mp4", 4000)
		r := w.patch(path, 0, mov, "Accept-Language", lang)
		require.Equal(t, 422, r.StatusCode)
		require.Equal(t, "inspect/not-mp4", w.code(r))
		require.Equal(t, "inspect/not-mp4", r.Header.Get(codeHeader))
		require.Contains(t, strings.ToLower(r.json(t)["remedy"].(string)), strings.ToLower(word))
		require.Empty(t, w.left())
		require.Equal(t, 404, w.head(path).StatusCode)
	}
}

func TestAnUploadIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	path := w.begun("a.mp4", 4000)
	w.patch(path, 0, clip(1)[:100])
	require.Equal(t, 204, w.do(http.MethodDelete, path, nil, "Tus-Resumable", "1.0.0").StatusCode)
	require.Empty(t, w.left())

	path = w.begun("a.mp4", 4000)
	id, _ := strconv.ParseInt(w.patch(path, 0, clip(1)).Header.Get(itemHeader), 10, 64)
	require.Equal(t, 204, w.do(http.MethodDelete, path, nil, "Tus-Resumable", "1.0.0").StatusCode)
	require.FileExists(t, w.item(id).Path, "an item's file is the ledger's")
}

// zeroes are as many bytes as one wants.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A body that says how long it is, and is too long, is refused before it is
// sent; one that does not say is cut off.
func TestTooLargeIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprintf(c, "POST /api/items HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", 300<<20)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	require.Equal(t, 413, resp.StatusCode, "no byte of the body was wanted")

	head := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\r\n"
	sent := &counter{r: io.MultiReader(strings.NewReader(head), io.LimitReader(zeroes{}, 400<<20))}
	req, err := http.NewRequest(http.MethodPost, w.url+"/api/items", io.NopCloser(sent)) // no length
	require.NoError(t, err)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	resp, err = w.http.Do(req)
	if err == nil { // else the connection was closed under the sender's hands
		require.Equal(t, 413, resp.StatusCode)
		resp.Body.Close()
	}
	require.Less(t, sent.n.Load(), int64(230<<20))
	w.until("clean inbox", func() bool { return len(w.left()) == 0 })
}

// counter is read by the transport for a while after the answer came.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// tight is a disk with room for some bytes.
type tight struct {
	w    io.Writer
	left int
}

func (d *tight) Write(p []byte) (int, error) {
	if len(p) > d.left {
		return 0, &os.PathError{Op: "write", Path: "a.mp4", Err: syscall.ENOSPC}
	}
	d.left -= len(p)
	return d.w.Write(p)
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.site.inbox.writing = func(f io.Writer) io.Writer { return &tight{f, 70_000} }
	content := inspecttest.MP4(200_000, 1)
	r := w.post("a.mp4", content)
	require.Equal(t, 507, r.StatusCode)
	require.Equal(t, "wedrop/disk-full", w.code(r))
	require.Empty(t, w.left())

	path := w.begun("a.mp4", int64(len(content)))
	r = w.patch(path, 0, content)
	require.Equal(t, 507, r.StatusCode)
	require.Equal(t, "wedrop/disk-full", w.code(r))
	require.Empty(t, w.left())
	require.NotContains(t, string(r.body), w.inbox)
}

// Each of several uploads would have room, and all of them have not: what the
// ledger needs of the disk stays free, also where nobody said how much comes.
func TestUploadsTogetherLeaveRoomForTheLedger(t *testing.T) {
	t.Parallel()
	const each = 6 << 20
	w := newWorld(t, Options{})
	w.site.inbox.free = func(dir string) (int64, bool) {
		free := int64(spare + 2*each)
		files, _ := filepath.Glob(filepath.Join(dir, "*.part"))
		for _, f := range files {
			if fi, err := os.Stat(f); err == nil {
				free -= fi.Size()
			}
		}
		return free, true
	}
	first, second, third := w.begun("a.bin", each), w.begun("b.bin", each), w.begun("c.bin", each)
	for _, path := range []string{first, second} {
		require.Equal(t, 204, w.patch(path, 0, make([]byte, each-1)).StatusCode)
	}
	r := w.patch(third, 0, make([]byte, each-1))
	require.Equal(t, 507, r.StatusCode)
	require.Equal(t, "wedrop/disk-full", w.code(r))
	require.Equal(t, 404, w.head(third).StatusCode)

	body, kind := formOf(t, "d.bin", make([]byte, each))
	r = w.do(http.MethodPost, "/api/items", struct{ io.Reader }{body}, "Content-Type", kind) // no length
	require.Equal(t, 507, r.StatusCode)
	require.Equal(t, "wedrop/disk-full", w.code(r))
	require.Len(t, w.left(), 4, "two uploads and their notes")
}

func TestABrokenFormLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	body, kind := formOf(t, "a.mp4", clip(1))
	whole, err := io.ReadAll(body)
	require.NoError(t, err)
	r := w.do(http.MethodPost, "/api/items", bytes.NewReader(whole[:3000]), "Content-Type", kind)
	require.Equal(t, "wedrop/incomplete", w.code(r))
	require.Empty(t, w.left())
}

// age makes everything in the inbox look old.
func (w *world) age(d time.Duration) {
	w.t.Helper()
	at := time.Now().Add(-d)
	require.NoError(w.t, filepath.WalkDir(w.inbox, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, at, at)
	}))
}

func (w *world) sweep() {
	w.t.Helper()
	require.NoError(w.t, w.site.inbox.sweep(context.Background(), time.Now()))
}

func TestSweepOfUnfinishedUploads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	path := w.begun("a.mp4", 4000)
	w.patch(path, 0, clip(1)[:100])
	w.age(23 * time.Hour)
	w.sweep()
	require.Equal(t, "100", w.head(path).Header.Get("Upload-Offset"))
	w.age(25 * time.Hour)
	w.patch(path, 100, clip(1)[100:200])
	w.sweep()
	require.Equal(t, "200", w.head(path).Header.Get("Upload-Offset"), "somebody goes on with it")
	require.NoError(t, os.WriteFile(filepath.Join(w.inbox, "notes.txt"), nil, 0o600))
	w.age(25 * time.Hour)
	w.sweep()
	require.Equal(t, []string{"/notes.txt"}, w.left(), "what is not ours stays")
}

func TestSweepKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	id := w.posted("a.mp4", clip(1))
	w.age(100 * 24 * time.Hour)
	w.sweep()
	require.FileExists(t, w.item(id).Path, "it is on its way")
	w.serve()
	w.done(id)
	w.clock.Advance(100 * time.Hour)
	w.age(100 * time.Hour)
	w.sweep()
	require.FileExists(t, w.item(id).Path, "its media_id died a day ago")
	w.clock.Advance(50 * time.Hour)
	w.sweep()
	require.NoFileExists(t, w.item(id).Path)
	require.Empty(t, w.left())
}

func TestSweepOfHeldItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	id := w.posted("a.mp4", clip(1))
	path := w.item(id).Path
	w.done(id)
	_, err := w.pipe.Journal.Amend(context.Background(), []int64{id}, func(it *pipeline.Item) bool {
		it.Fault = &pipeline.Fault{Step: pipeline.Submit, Code: "wecom/40058", At: w.clock.Now()}
		it.Step = pipeline.Submit
		return true
	})
	require.NoError(t, err)
	w.clock.Advance(6 * 24 * time.Hour)
	w.sweep()
	require.FileExists(t, path)
	w.clock.Advance(25 * time.Hour)
	w.sweep()
	require.NoFileExists(t, path)
}

// Files in a folder have the same content by now, and are the newer ones.
func TestSweepOfDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	var sent, others []string
	for n, name := range []string{"a.mp4", "b.mp4"} {
		id := w.posted(name, clip(uint64(n+1)))
		sent = append(sent, w.done(id).Path)
		other := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(other, clip(uint64(n+1)), 0o600))
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, err := w.pipe.PushFile(ctx, pipeline.File{Path: other})
		require.NoError(t, err)
		require.Equal(t, other, w.item(id).Path)
		others = append(others, other)
	}
	w.sweep()
	require.FileExists(t, sent[0], "it was just sent")
	require.NoError(t, os.Remove(others[1]))
	w.age(2 * time.Hour)
	w.sweep()
	require.NoFileExists(t, sent[0])
	require.FileExists(t, sent[1], "the other one is gone")
}

func TestNotesOutliveTheProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	path := w.begun("a.mp4", 4000)
	w.patch(path, 0, clip(1)[:1000])
	w.open(Options{Pipeline: w.pipe, Inbox: w.inbox})
	r := w.patch(path, 1000, clip(1)[1000:])
	require.NotEmpty(t, r.Header.Get(itemHeader), string(r.body))
	data, err := os.ReadFile(filepath.Join(w.inbox, strings.TrimPrefix(path, "/upload/")+".json"))
	require.NoError(t, err)
	var n note
	require.NoError(t, json.Unmarshal(data, &n))
	require.Equal(t, "a.mp4", n.Meta["filename"])
}

// 2,000 unfinished uploads were accepted, 400 GB together.
func TestUnfinishedUploadsAreBounded(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		size int64
		most int
	}{
		{"by their number", 5, maxUnfinished},
		{"by what they would take up", inspect.MaxSize, maxReserved / inspect.MaxSize},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			var last string
			for range row.most {
				last = w.begun("a.mp4", row.size)
			}
			r := w.create(row.size, meta("filename", "b.mp4", "type", "auto"))
			require.Equal(t, 503, r.StatusCode, string(r.body))
			require.Equal(t, "upload/too-many", r.Header.Get(codeHeader))
			require.NotEmpty(t, r.Header.Get("Retry-After"))
			require.Equal(t, 204, w.do(http.MethodDelete, last, nil, "Tus-Resumable", "1.0.0").StatusCode)
			w.begun("b.mp4", row.size)
		})
	}
}
