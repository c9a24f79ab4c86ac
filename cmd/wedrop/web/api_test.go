package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/wecom/wecomtest"
)

func TestFileToMediaID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	r := w.post("开场.mp4", clip(1))
	require.Equal(t, 202, r.StatusCode, string(r.body))
	sent := r.json(t)
	require.Equal(t, "开场.mp4", sent["name"])
	require.Equal(t, "video", sent["type"])
	require.Len(t, sent["md5"], 32)
	require.Equal(t, 4000.0, sent["size"])
	id := int64(sent["id"].(float64))
	w.done(id)

	got := w.get(fmt.Sprintf("/api/items/%d", id)).json(t)
	require.Equal(t, "done", got["step"])
	require.Equal(t, sent["md5"], got["md5"])
	require.NotEmpty(t, got["media"].(map[string]any)["id"])
	require.Nil(t, got["due"])
	require.Nil(t, got["waiting_since"])
	require.Equal(t, true, got["preview"])

	media := w.get("/api/media?name=" + "%E5%BC%80%E5%9C%BA.mp4")
	require.Equal(t, 200, media.StatusCode)
	require.Equal(t, got["media"], media.json(t)["media"])
	require.Equal(t, true, media.json(t)["reused"])

	events := w.get(fmt.Sprintf("/api/items/%d/history?lang=zh", id)).json(t)["events"].([]any)
	first, last := events[0].(map[string]any), events[len(events)-1].(map[string]any)
	require.Equal(t, "entered", first["what"])
	require.Equal(t, "moved_on", last["what"])
	require.Equal(t, "done", last["step"])
	require.Equal(t, "拿到 media_id", last["message"])

	fi, err := os.Stat(w.inbox)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), fi.Mode().Perm())
}

func TestTheSameFileIsTheSameItem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	first := w.posted("a.mp4", clip(1))
	require.Equal(t, first, w.posted("a.mp4", clip(1)), "also before anybody has read it")
	w.serve()
	w.done(first)
	require.Equal(t, first, w.posted("a.mp4", clip(1)))
	require.Equal(t, first, w.posted("other.mp4", clip(1), "name", "a.mp4"))
	require.Len(t, w.left(), 2, "one folder with one file")
	require.NotEqual(t, first, w.posted("b.mp4", clip(1)), "another name")
	require.NotEqual(t, first, w.posted("a.mp4", clip(2)), "another content")
	require.NotEqual(t, first, w.posted("a.mp4", clip(1), "type", "file"), "another type")
}

// The Item's own file is gone: what was sent takes its place.
func TestAFileThatIsSentAgainTakesThePlaceOfOneThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	id := w.posted("a.mp4", clip(1))
	old := w.done(id).Path
	require.NoError(t, os.RemoveAll(filepath.Dir(old)))
	require.Equal(t, id, w.posted("a.mp4", clip(1)))
	w.until("new path", func() bool { return w.item(id).Path != old })
	w.until("preview", func() bool {
		return w.get(fmt.Sprintf("/api/items/%d/content", id)).StatusCode == 200
	})
	require.Equal(t, 1, w.wecom.Count("media/upload_by_url"))
}

func TestRefusedFilesLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for name, c := range map[string]struct {
		content []byte
		fields  []string
		status  int
		code    string
	}{
		"clip.mp4":  {inspecttest.MOV(4000, 1), nil, 422, "inspect/not-mp4"},
		"clip.mov":  {inspecttest.MOV(4000, 1), nil, 422, "inspect/unsupported-video"},
		"cut.mp4":   {inspecttest.Truncated(4000, 1000, 1), nil, 422, "inspect/truncated-mp4"},
		"tiny.txt":  {[]byte("four"), nil, 422, "inspect/too-small"},
		"empty.txt": {nil, nil, 422, "inspect/too-small"},
		"..":        {clip(1), nil, 422, "inspect/bad-name"},
		"odd.mp4":   {clip(1), []string{"type", "picture"}, 422, "wedrop/bad-request"},
	} {
		r := w.post(name, c.content, c.fields...)
		require.Equal(t, c.status, r.StatusCode, "%s: %s", name, r.body)
		require.Equal(t, c.code, w.code(r), name)
		require.Empty(t, w.left(), name)
	}
	body, kind := formOf(t, "clip.mp4", inspecttest.MOV(4000, 1))
	r := w.do(http.MethodPost, "/api/items?lang=zh", body, "Content-Type", kind)
	require.Contains(t, r.json(t)["detail"], "QuickTime")
	require.Contains(t, r.json(t)["remedy"], "导出为 MP4")

	require.Equal(t, 422, w.do(http.MethodPost, "/api/items", strings.NewReader("{}"), "Content-Type", "application/json").StatusCode)
	require.Empty(t, w.get("/api/items").json(t)["items"])
}

func TestFiveBytesAreEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.posted("five.txt", []byte("five!"))
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	for n, c := range []struct{ given, want string }{
		{"../../etc/passwd.mp4", "passwd.mp4"},
		{`C:\\Users\\me\\clip.mp4`, "clip.mp4"},
		{`<img src=x onerror=alert(1)>.mp4`, "_img src=x onerror=alert(1)_.mp4"},
		{"a\u202e4pm.exe.mp4", "a4pm.exe.mp4"},
		{strings.Repeat("长", 200) + ".mp4", ""},
		{"con.mp4", "_con.mp4"},
	} {
		r := w.post(c.given, clip(uint64(n+1)))
		require.Equal(t, 202, r.StatusCode, "%q: %s", c.given, r.body)
		it := w.done(int64(r.json(t)["id"].(float64)))
		if c.want != "" {
			require.Equal(t, c.want, it.Name)
		} else {
			require.LessOrEqual(t, len(it.Name), 128)
			require.NotEmpty(t, it.Warnings, "people are told of a name that was shortened")
		}
		require.Equal(t, w.inbox, filepath.Dir(filepath.Dir(it.Path)), "the file stays in its folder")
	}
}

func TestABadNameInAField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	id := w.posted("a.mp4", clip(1), "name", "x\x00/../../b.mp4")
	require.Equal(t, w.inbox, filepath.Dir(filepath.Dir(w.item(id).Path)))
	require.NotContains(t, w.item(id).WantName, "\x00", "PostgreSQL would refuse it")
	require.Equal(t, 404, w.get("/api/media?name=%00%ff").StatusCode)
	require.Empty(t, w.get("/api/items?q=%00%ff").json(t)["items"])
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	st := NewState()
	now := time.Now()
	st.now = func() time.Time { return now }
	w := newWorld(t, Options{State: st})
	send := func(key, name string, content []byte) reply {
		body, kind := formOf(t, name, content)
		return w.do(http.MethodPost, "/api/items", body, "Content-Type", kind, "Idempotency-Key", key)
	}
	first := send("k1", "a.mp4", clip(1))
	require.Equal(t, 202, first.StatusCode, string(first.body))
	w.serve()
	w.done(int64(first.json(t)["id"].(float64)))
	second := send("k1", "a.mp4", clip(1))
	require.Equal(t, 202, second.StatusCode)
	require.Equal(t, string(first.body), string(second.body), "the same answer, though the item is done by now")
	require.Equal(t, "wedrop/key-reused", w.code(send("k1", "a.mp4", clip(2))))
	require.Equal(t, "wedrop/key-reused", w.code(send("k1", "b.mp4", clip(1))))
	require.Equal(t, "done", send("k2", "a.mp4", clip(1)).json(t)["step"])
	require.Equal(t, "inspect/too-small", w.code(send("k3", "c.txt", []byte("x"))))
	require.Equal(t, "inspect/too-small", w.code(send("k3", "c.txt", []byte("x"))))
	require.Equal(t, "wedrop/key-reused", w.code(send("k3", "c.txt", []byte("xxxxxxx"))))
	now = now.Add(25 * time.Hour)
	require.Equal(t, 202, send("k1", "a.mp4", clip(2)).StatusCode)
	require.Len(t, w.left(), 4, "two files in two folders")
}

func TestMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	require.Equal(t, "wedrop/not-found", w.code(w.get("/api/media?name=a.mp4")))
	require.Equal(t, "wedrop/bad-request", w.code(w.get("/api/media?name=a.mp4&min_ttl=soon")))
	require.Equal(t, "wedrop/bad-request", w.code(w.get("/api/media?name=a.mp4&min_ttl=72h")))
	require.Equal(t, "wedrop/bad-request", w.code(w.get("/api/media?name=a.mp4&min_ttl=71h59m59s")), "no media_id is so young when it is asked for")
	require.Equal(t, "wedrop/bad-request", w.code(w.get("/api/media")))

	id := w.posted("a.mp4", clip(1))
	r := w.get(fmt.Sprintf("/api/media?name=id:%d", id))
	require.Equal(t, 202, r.StatusCode, "it is being made")
	require.Equal(t, "2", r.Header.Get("Retry-After"))
	w.serve()
	old := w.done(id).Media.ID
	require.Equal(t, 200, w.get("/api/media?name=a.mp4").StatusCode)

	w.clock.Advance(70 * time.Hour)
	require.Equal(t, 200, w.get("/api/media?name=a.mp4&min_ttl=1h").StatusCode)
	r = w.get("/api/media?name=a.mp4&min_ttl=3h")
	require.Equal(t, 202, r.StatusCode, "it is renewed by who serves")
	w.until("another media_id", func() bool { return w.get("/api/media?name=a.mp4&min_ttl=3h").StatusCode == 200 })
	require.NotEqual(t, old, w.item(id).Media.ID)

	other := w.posted("a.mp4", clip(2))
	w.done(other)
	r = w.get("/api/media?name=a.mp4")
	require.Equal(t, 409, r.StatusCode)
	require.Equal(t, "wedrop/ambiguous", w.code(r))
	require.Len(t, r.json(t)["candidates"], 2)
	require.Equal(t, 200, w.get("/api/media?name="+w.item(other).MD5).StatusCode)
}

func TestHeldItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	w.wecom.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 40058})
	id := w.posted("a.mp4", clip(1))
	w.until("fault", func() bool { return w.item(id).Held() })
	r := w.get("/api/media?name=a.mp4")
	require.Equal(t, 409, r.StatusCode)
	require.Equal(t, w.item(id).Fault.Code, w.code(r))
	require.Equal(t, float64(id), r.json(t)["item"].(map[string]any)["id"])
	require.Equal(t, 409, w.do(http.MethodPost, fmt.Sprintf("/api/items/%d/renew", id), nil).StatusCode)
	held := w.get("/api/items?state=held&lang=zh").json(t)["items"].([]any)
	require.Len(t, held, 1)
	require.Equal(t, w.item(id).Fault.Remedy.ZH, held[0].(map[string]any)["fault"].(map[string]any)["remedy"])

	r = w.do(http.MethodPost, fmt.Sprintf("/api/items/%d/retry", id), nil)
	require.Equal(t, 200, r.StatusCode, string(r.body))
	w.done(id)
	require.Equal(t, "wedrop/not-held", w.code(w.do(http.MethodPost, fmt.Sprintf("/api/items/%d/retry", id), nil)))
	require.Equal(t, "wedrop/not-found", w.code(w.do(http.MethodPost, "/api/items/999/retry", nil)))
	require.Equal(t, 404, w.get("/api/items/999").StatusCode)
	require.Equal(t, 404, w.get("/api/items/999/history").StatusCode)
}

// A tool that asks every two seconds hurries nothing: what WeCom wants left
// alone for a while is, and what a person has to mend is told.
func TestAskingForMediaHurriesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		errcode, status int
		code            string
	}{{45009, 202, ""}, {60020, 409, "wecom/60020"}} {
		w := newWorld(t, Options{})
		w.serve()
		w.wecom.Inject("media/upload_by_url", wecomtest.Fault{Errcode: c.errcode})
		id := w.posted("a.mp4", clip(1))
		w.until("fault", func() bool { return w.item(id).Fault != nil })
		rev := w.item(id).Rev
		r := w.get("/api/media?name=a.mp4")
		require.Equal(t, c.status, r.StatusCode)
		require.Equal(t, rev, w.item(id).Rev, "%d", c.errcode)
		after, err := strconv.Atoi(r.Header.Get("Retry-After"))
		require.NoError(t, err)
		require.Greater(t, after, 2, "it will not be there sooner")
		require.LessOrEqual(t, after, 60)
		if c.code != "" {
			require.Equal(t, c.code, w.code(r))
		}
	}
}

// Whoever sends a file again that stopped wants it to go on.
func TestSendingAHeldFileAgainReleasesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	w.wecom.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 40058})
	id := w.posted("a.mp4", clip(1))
	w.until("fault", func() bool { return w.item(id).Held() })
	require.Equal(t, id, w.posted("a.mp4", clip(1)))
	w.done(id)
}

func TestRenew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	id := w.posted("a.mp4", clip(1))
	old := w.done(id).Media.ID
	r := w.do(http.MethodPost, fmt.Sprintf("/api/items/%d/renew", id), nil)
	require.Equal(t, 202, r.StatusCode, string(r.body))
	w.until("another media_id", func() bool { return w.item(id).Media.ID != old })
	w.done(id)
	require.Equal(t, 404, w.do(http.MethodPost, "/api/items/999/renew", nil).StatusCode)
}

func TestListPagesAndFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{RenewBefore: 12 * time.Hour})
	w.serve()
	var ids []int64
	for n := range 5 {
		ids = append(ids, w.posted(fmt.Sprintf("f%d.mp4", n), clip(uint64(n+1))))
	}
	for _, id := range ids {
		w.done(id)
	}
	list := func(query string) (out []int64, all map[string]any) {
		r := w.get("/api/items" + query)
		require.Equal(t, 200, r.StatusCode, string(r.body))
		all = r.json(t)
		for _, it := range all["items"].([]any) {
			out = append(out, int64(it.(map[string]any)["id"].(float64)))
		}
		return out, all
	}
	newest := slices.Clone(ids)
	slices.Reverse(newest)
	got, all := list("")
	require.Equal(t, newest, got)
	require.Nil(t, all["next"])
	require.Equal(t, map[string]any{"working": 0.0, "done": 5.0, "held": 0.0, "expiring": 0.0}, all["counts"])
	require.Empty(t, all["flights"])

	got, all = list("?limit=2")
	require.Equal(t, newest[:2], got)
	require.Equal(t, float64(newest[1]), all["next"])
	got, all = list(fmt.Sprintf("?limit=3&before=%d", newest[1]))
	require.Equal(t, newest[2:], got)
	require.Nil(t, all["next"])
	got, _ = list(fmt.Sprintf("?order=old&after=%d", ids[1]))
	require.Equal(t, ids[2:], got)

	got, _ = list("?state=done")
	require.Len(t, got, 5)
	for _, query := range []string{"?state=working", "?state=held", "?state=expiring", "?q=nothing"} {
		got, _ = list(query)
		require.Empty(t, got, query)
	}
	it := w.item(ids[3])
	for _, q := range []string{"f3.m", "F3.mp4", it.MD5, strings.ToUpper(it.MD5), it.Media.ID} {
		got, _ = list("?q=" + strings.ReplaceAll(q, "*", "%2A"))
		require.Equal(t, []int64{ids[3]}, got, q)
	}
	for _, bad := range []string{"?state=lost", "?limit=1001", "?limit=0", "?before=x", "?order=up", "?lang=fr"} {
		require.Equal(t, "wedrop/bad-request", w.code(w.get("/api/items"+bad)), bad)
	}
	w.clock.Advance(61 * time.Hour)
	got, all = list("?state=expiring")
	require.Len(t, got, 5)
	require.Equal(t, 5.0, all["counts"].(map[string]any)["expiring"])
	w.clock.Advance(20 * time.Hour)
	got, _ = list("?state=expiring")
	require.Empty(t, got, "what has died is not about to")
}

func TestListIsNotSentTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.posted("a.mp4", clip(1))
	w.until("304", func() bool { // the minute may end in between
		tag := w.get("/api/items").Header.Get("ETag")
		r := w.get("/api/items", "If-None-Match", tag)
		return r.StatusCode == 304 && len(r.body) == 0 && r.Header.Get("ETag") == tag
	})
	tag := w.get("/api/items").Header.Get("ETag")
	require.Equal(t, 200, w.get("/api/items?lang=zh", "If-None-Match", tag).StatusCode)
	require.Equal(t, 200, w.get("/api/items?state=held", "If-None-Match", tag).StatusCode)
	w.posted("b.mp4", clip(2))
	require.Equal(t, 200, w.get("/api/items", "If-None-Match", tag).StatusCode)
	tag = w.get("/api/items").Header.Get("ETag")
	w.clock.Advance(2 * time.Minute)
	require.Equal(t, 200, w.get("/api/items", "If-None-Match", tag).StatusCode, "media_ids get older")
}

// Two ledgers may be alike in everything but their items; a browser that knew
// one of them is told about the other.
func TestListOfAnotherLedgerIsSent(t *testing.T) {
	t.Parallel()
	one, other := newWorld(t, Options{}), newWorld(t, Options{})
	one.posted("a.mp4", clip(1))
	other.posted("b.mp4", clip(1))
	tag := one.get("/api/items").Header.Get("ETag")
	require.Equal(t, 304, one.get("/api/items", "If-None-Match", tag).StatusCode)
	require.Equal(t, 200, other.get("/api/items", "If-None-Match", tag).StatusCode)
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Lang: "zh"})
	for _, c := range []struct{ query, accept, want string }{
		{"", "", "没有编号"}, {"", "fr", "没有编号"}, {"", "fr,en-GB;q=0.8", "there is no item"},
		{"?lang=en", "zh", "there is no item"}, {"?lang=zh", "en", "没有编号"},
	} {
		require.Contains(t, w.get("/api/items/7"+c.query, "Accept-Language", c.accept).json(t)["detail"], c.want)
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	id := w.posted("a.mp4", clip(1))
	path := fmt.Sprintf("/api/items/%d/content", id)
	w.done(id)
	r := w.get(path)
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, clip(1), r.body)
	require.Equal(t, "video/mp4", r.Header.Get("Content-Type"))
	require.Contains(t, r.Header.Get("Content-Security-Policy"), "sandbox")
	r = w.get(path, "Range", "bytes=10-19")
	require.Equal(t, 206, r.StatusCode)
	require.Equal(t, clip(1)[10:20], r.body)

	page := w.posted("page.html", inspecttest.HTML())
	svg := w.posted("drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`))
	pdf := w.posted("paper.pdf", inspecttest.PDF())
	for _, id := range []int64{page, svg, pdf} {
		w.done(id)
		r := w.get(fmt.Sprintf("/api/items/%d/content", id))
		require.Equal(t, 404, r.StatusCode)
		require.Equal(t, "wedrop/no-preview", w.code(r))
		require.Equal(t, false, w.get(fmt.Sprintf("/api/items/%d", id)).json(t)["preview"])
	}
	require.NoError(t, os.WriteFile(w.item(id).Path, inspecttest.HTML(), 0o600))
	require.Equal(t, 404, w.get(path).StatusCode, "it is another file now")
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Version: "1.2.3", RenewBefore: time.Hour})
	require.Equal(t, map[string]any{"version": "1.2.3", "lang": "en", "min_size": 5.0, "max_size": 209715200.0,
		"renew_before_seconds": 3600.0, "token": false, "types": []any{"auto", "video", "file"}}, w.get("/api/status").json(t))
}

// The document tells of each route, and of items what they are.
// Whatever is refused is refused as a problem, with the status that HTTP has
// for it.
func TestWhatIsNotForeseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	long := `{"text":{"content":"` + strings.Repeat("x", 100_000) + `"}}`
	for _, c := range []struct {
		method, path, body string
		status             int
		code, allow        string
	}{
		{"DELETE", "/api/items", "", 405, "wedrop/wrong-method", "GET, HEAD, POST"},
		{"PUT", "/api/items/1", "", 405, "wedrop/wrong-method", "GET, HEAD"},
		{"GET", "/api/items/1/retry", "", 405, "wedrop/wrong-method", "POST"},
		{"POST", "/", "", 405, "wedrop/wrong-method", "GET, HEAD"},
		{"GET", "/signin", "", 405, "wedrop/wrong-method", "POST"},
		{"POST", "/static/app.js", "", 405, "wedrop/wrong-method", "GET, HEAD"},
		{"GET", "/upload/" + newID(), "", 405, "wedrop/wrong-method", "HEAD, PATCH, DELETE"},
		{"GET", "/upload/", "", 405, "wedrop/wrong-method", "POST"},
		{"GET", "/static/nothing.js", "", 404, "wedrop/not-found", ""},
		{"GET", "/api/nothing", "", 404, "wedrop/not-found", ""},
		{"BREW", "/api/nothing", "", 404, "wedrop/not-found", ""},
		{"POST", "/api/templates", long, 413, "wedrop/bad-request", ""},
		{"POST", "/upload/", "", 412, "upload/bad-request", ""},
	} {
		for _, lang := range []string{"zh", "en"} {
			r := w.do(c.method, c.path, strings.NewReader(c.body), "Content-Type", "application/json", "Accept-Language", lang)
			require.Equal(t, c.status, r.StatusCode, "%s %s", c.method, c.path)
			require.Equal(t, c.code, w.code(r), "%s %s", c.method, c.path)
			require.Equal(t, c.allow, r.Header.Get("Allow"), "%s %s", c.method, c.path)
			require.Equal(t, lang == "zh", strings.ContainsAny(string(r.body), "，这请"), string(r.body))
		}
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	doc := w.get("/openapi.json").json(t)
	require.Equal(t, "3.1.0", doc["openapi"])
	require.ElementsMatch(t, []string{"/api/items", "/api/items/{id}", "/api/items/{id}/history", "/api/items/{id}/retry",
		"/api/items/{id}/renew", "/api/items/{id}/content", "/api/media", "/api/status", "/api/templates", "/api/templates/{id}"}, slices.Collect(maps.Keys(doc["paths"].(map[string]any))))
	for path, ops := range doc["paths"].(map[string]any) {
		for method, op := range ops.(map[string]any) {
			require.Contains(t, op.(map[string]any)["responses"].(map[string]any)["default"].(map[string]any)["content"],
				"application/problem+json", "%s %s", method, path)
		}
	}
	post := doc["paths"].(map[string]any)["/api/items"].(map[string]any)["post"].(map[string]any)
	require.Contains(t, post["requestBody"].(map[string]any)["content"], "multipart/form-data")
	require.Contains(t, post["responses"], "202")
	require.NotContains(t, post["responses"], "200")

	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	verified := true
	full := pipeline.Item{ID: 1, Object: &pipeline.Object{}, Job: &pipeline.Job{}, Media: &pipeline.Media{}, Verified: &verified,
		Fault: &pipeline.Fault{}, Warnings: []pipeline.Warning{{}}}
	b, err := json.Marshal(itemView{Item: full, now: time.Now()})
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(b, &got))
	for name, in := range map[string]any{"Item": got, "Fault": got["fault"], "Object": got["object"], "Job": got["job"], "Media": got["media"], "Warning": got["warnings"].([]any)[0]} {
		want := slices.Sorted(maps.Keys(schemas[name].(map[string]any)["properties"].(map[string]any)))
		require.Equal(t, want, slices.Sorted(maps.Keys(in.(map[string]any))), "%s is as the document says", name)
	}
	require.NotContains(t, schemas, "ErrorModel")
	require.Equal(t, 404, w.get("/docs").StatusCode)
}

func TestWhatIsOnItsWayIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	id := w.posted("a.mp4", clip(1))
	all := w.get("/api/items?state=working").json(t)
	require.Len(t, all["items"], 1)
	require.Equal(t, 1.0, all["counts"].(map[string]any)["working"])
	require.NotNil(t, w.get(fmt.Sprintf("/api/items/%d", id)).json(t)["waiting_since"])
}
