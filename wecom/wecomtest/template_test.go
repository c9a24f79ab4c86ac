package wecomtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

const templates = "externalcontact/group_welcome_template/"

// mediaID brings content to a media_id of that type.
func mediaID(t testing.TB, s *wecomtest.Server, tok, kind string, content []byte) string {
	t.Helper()
	m := upload(serve(t, content), content)
	m["type"] = kind
	post(t, s, tok, "media/upload_by_url", m)
	require.NoError(t, s.WaitJobs(t.Context(), len(s.Jobs())))
	jobs := s.Jobs()
	require.NotEmpty(t, jobs[len(jobs)-1].MediaID)
	return jobs[len(jobs)-1].MediaID
}

func text(s string) members { return members{"content": s} }

// about makes a call about a template and returns what came.
func about(t testing.TB, s *wecomtest.Server, tok, verb string, body any) (code int, answer members) {
	t.Helper()
	b, ok := body.(string)
	if !ok {
		text, err := json.Marshal(body)
		require.NoError(t, err)
		b = string(text)
	}
	answer = raw(t, s, tok, templates+verb, b)
	n, _ := answer["errcode"].(float64)
	return int(n), answer
}

func TestTemplateRules(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, TokenLife: 1000 * time.Hour,
		Apps: map[int]string{7: "seven"}, Corps: map[string]string{"wwother": "theirs"}})
	tok := token(t, s)
	theirs := get(t, s, "gettoken", "corpid", "wwother", "corpsecret", "theirs").AccessToken
	video, file := mediaID(t, s, tok, "video", mp4("isom")), mediaID(t, s, tok, "file", []byte("hello"))
	foreign := mediaID(t, s, theirs, "file", []byte("hello"))
	link := func(name, value string) members {
		l := members{"title": "t", "url": "https://example.com/"}
		l[name] = value
		return members{"link": l}
	}
	program := func(name, value string) members {
		p := members{"title": "t", "pic_media_id": "pic", "appid": "wx1", "page": "p"}
		p[name] = value
		return members{"miniprogram": p}
	}
	for _, c := range []struct {
		name string
		body any
		want int
	}{
		{"a text", members{"text": text("hi")}, 0},
		{"a text and a video", members{"text": text("hi"), "video": members{"media_id": video}}, 0},
		{"a file", members{"file": members{"media_id": file}}, 0},
		{"an image by its id", members{"image": members{"media_id": "pic"}}, 0},
		{"an image by its address", members{"image": members{"pic_url": "https://example.com/p"}}, 0},
		{"a link", link("desc", "d"), 0},
		{"a mini program", program("title", "t"), 0},
		{"null for what is not set", `{"text":{"content":"hi"},"image":null,"video":null}`, 0},
		{"its own agentid", members{"text": text("hi"), "agentid": 1000002}, 0},
		{"no JSON", "text=hi", 40035},
		{"a text that is no object", `{"text":"hi"}`, 40035},
		{"nothing", members{}, 40063},
		{"a notify alone", members{"notify": 0}, 40063},
		{"an empty text", members{"text": members{}}, 40063},
		{"an empty content", members{"text": text("")}, 40063},
		{"an empty image beside a text", members{"text": text("hi"), "image": members{}}, 40063},
		{"an empty video beside a text", members{"text": text("hi"), "video": members{}}, 40063},
		{"all that is not set as empty objects", members{"text": text("hi"), "image": members{}, "link": members{}, "miniprogram": members{}, "file": members{}, "video": members{}}, 40063},
		{"a link without a title", link("title", ""), 40063},
		{"a link without an address", link("url", ""), 40063},
		{"a mini program without a cover", program("pic_media_id", ""), 40063},
		{"a mini program without an appid", program("appid", ""), 40063},
		{"a mini program without a page", program("page", ""), 40063},
		{"a text of 3000 bytes", members{"text": text(strings.Repeat("欢", 1000))}, 0},
		{"a text of 3001 bytes", members{"text": text(strings.Repeat("欢", 1000) + "a")}, 45002},
		{"a title of 128 bytes", link("title", strings.Repeat("a", 128)), 0},
		{"a title of 129 bytes", link("title", strings.Repeat("a", 129)), 40058},
		{"a description of 513 bytes", link("desc", strings.Repeat("a", 513)), 40058},
		{"a mini program's title of 64 bytes", program("title", strings.Repeat("a", 64)), 0},
		{"a mini program's title of 65 bytes", program("title", strings.Repeat("a", 65)), 40058},
		{"an unknown media_id", members{"file": members{"media_id": "3*1*none"}}, 40007},
		{"a media_id of another corp", members{"file": members{"media_id": foreign}}, 40007},
		{"a file for a video", members{"video": members{"media_id": file}}, 40007},
		{"a video for a file", members{"file": members{"media_id": video}}, 40007},
		{"a video for an image", members{"image": members{"media_id": video}}, 40007},
		{"a video for a cover", program("pic_media_id", video), 40007},
		{"another app's agentid", members{"text": text("hi"), "agentid": 7}, 301002},
		{"nobody's agentid", members{"text": text("hi"), "agentid": 8}, 40056},
		{"an agentid that is a text", members{"text": text("hi"), "agentid": "7"}, 40035},
		{"notify 2", members{"text": text("hi"), "notify": 2}, 40058},
		{"notify true", members{"text": text("hi"), "notify": true}, 40035},
	} {
		before := len(s.Templates())
		code, a := about(t, s, tok, "add", c.body)
		require.Equal(t, c.want, code, c.name)
		require.Equal(t, c.want == 0, a["template_id"] != nil, c.name)
		require.Equal(t, c.want == 0, len(s.Templates()) > before, c.name)
	}
	clock.Advance(72*time.Hour - time.Minute)
	code, _ := about(t, s, tok, "add", members{"file": members{"media_id": file}})
	require.Zero(t, code)
	clock.Advance(2 * time.Minute)
	code, _ = about(t, s, tok, "add", members{"file": members{"media_id": file}})
	require.Equal(t, 40007, code, "three days are over")
}

func TestOnlyOneAttachmentIsShown(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	tok := token(t, s)
	all := members{
		"image":       members{"media_id": "pic"},
		"link":        members{"title": "t", "url": "https://example.com/"},
		"miniprogram": members{"title": "t", "pic_media_id": "pic", "appid": "wx1", "page": "p"},
		"file":        members{"media_id": mediaID(t, s, tok, "file", []byte("hello"))},
		"video":       members{"media_id": mediaID(t, s, tok, "video", mp4("isom"))},
	}
	for _, shown := range []string{"image", "link", "miniprogram", "file", "video"} {
		_, a := about(t, s, tok, "add", all)
		kept, found := s.Template(a["template_id"].(string))
		require.True(t, found)
		require.Equal(t, shown, kept.Shown)
		require.Len(t, kept.Members, len(all))
		_, got := about(t, s, tok, "get", members{"template_id": kept.ID})
		require.Len(t, got, 3, "errcode, errmsg and %s", shown)
		require.Contains(t, got, shown)
		if shown == "image" {
			require.NotContains(t, got["image"], "media_id", "of an image one gets the address")
		} else {
			require.Equal(t, all[shown], got[shown])
		}
		delete(all, shown)
	}
}

// Members are told unless notify is 0: the trap of a tool that leaves it out.
func TestNotify(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	tok := token(t, s)
	_, a := about(t, s, tok, "add", members{"text": text("quiet"), "notify": 0})
	require.Zero(t, s.Notified())
	quiet, _ := s.Template(a["template_id"].(string))
	require.False(t, quiet.Notified)
	code, _ := about(t, s, tok, "edit", members{"template_id": quiet.ID, "text": text("edited")})
	require.Zero(t, code)
	require.Zero(t, s.Notified(), "an edit tells nobody")
	about(t, s, tok, "add", members{"text": text("loud"), "notify": 1})
	about(t, s, tok, "add", members{"text": text("absent")})
	about(t, s, tok, "add", members{"text": text("refused"), "notify": 2})
	require.Equal(t, 2, s.Notified())
}

func TestTemplatesBelongToTheirApp(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, Apps: map[int]string{7: "seven"}, Corps: map[string]string{"wwother": "theirs"}})
	tok := token(t, s)
	seven := get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "seven").AccessToken
	theirs := get(t, s, "gettoken", "corpid", "wwother", "corpsecret", "theirs").AccessToken
	_, a := about(t, s, seven, "add", members{"text": text("hi"), "agentid": 7})
	id := a["template_id"].(string)
	edit, only := members{"template_id": id, "text": text("new")}, members{"template_id": id}
	for _, c := range []struct {
		name, tok, verb string
		body            any
		want            int
	}{
		{"edit by another app", tok, "edit", edit, 40037},
		{"delete by another app", tok, "del", only, 40037},
		{"get by another app", tok, "get", only, 0},
		{"edit by another corp", theirs, "edit", edit, 40036},
		{"delete by another corp", theirs, "del", only, 40036},
		{"get by another corp", theirs, "get", only, 40036},
		{"get of none", seven, "get", members{"template_id": "none"}, 40036},
		{"get without an id", seven, "get", members{}, 40063},
		{"get by a number", seven, "get", members{"template_id": 1}, 40035},
		{"edit without an id", seven, "edit", members{"text": text("new")}, 40063},
		{"edit to nothing", seven, "edit", only, 40063},
		{"edit with another app's agentid", seven, "edit", members{"template_id": id, "text": text("new"), "agentid": 1000002}, 301002},
		{"delete with another app's agentid", seven, "del", members{"template_id": id, "agentid": 1000002}, 301002},
		{"edit", seven, "edit", edit, 0},
		{"delete", seven, "del", members{"template_id": id, "agentid": 7}, 0},
		{"delete again", seven, "del", only, 40036},
	} {
		clock.Advance(time.Second)
		code, _ := about(t, s, c.tok, c.verb, c.body)
		require.Equal(t, c.want, code, c.name)
		if now, found := s.Template(id); found {
			require.Equal(t, c.name == "edit", now.Text == "new", c.name)
			require.Equal(t, c.name == "edit", now.Updated.After(now.Created), c.name)
		}
	}
	require.Empty(t, s.Templates())
	require.Equal(t, 41001, post(t, s, "", templates+"add", members{"text": text("hi")}).Errcode)
	s.SetPermission(false)
	require.Equal(t, 48002, post(t, s, tok, templates+"add", members{"text": text("hi")}).Errcode)
}

func TestTheLibraryHoldsAHundred(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{FullLibraryCode: 45028, Corps: map[string]string{"wwother": "theirs"}})
	tok := token(t, s)
	for range 100 {
		code, _ := about(t, s, tok, "add", members{"text": text("hi"), "notify": 0})
		require.Zero(t, code)
	}
	code, _ := about(t, s, tok, "add", members{"text": text("hi"), "notify": 0})
	require.Equal(t, 45028, code)
	theirs := get(t, s, "gettoken", "corpid", "wwother", "corpsecret", "theirs").AccessToken
	code, _ = about(t, s, theirs, "add", members{"text": text("hi"), "notify": 0})
	require.Zero(t, code, "another corp has a library of its own")
	about(t, s, tok, "del", members{"template_id": s.Templates()[0].ID})
	code, _ = about(t, s, tok, "add", members{"text": text("hi"), "notify": 0})
	require.Zero(t, code)
}

func TestTemplatesWithEmptyMembers(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{Shape: wecomtest.Shape{EmptyMembers: true}})
	tok := token(t, s)
	_, a := about(t, s, tok, "add", members{"text": text("hi"), "notify": 0})
	_, got := about(t, s, tok, "get", members{"template_id": a["template_id"]})
	require.Equal(t, members{"errcode": 0., "errmsg": "ok", "text": text("hi"), "image": members{}, "link": members{},
		"miniprogram": members{}, "file": members{}, "video": members{}}, got)
}

// The ways in which a media's answer goes wrong.
func TestFaultsOfMedia(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{KeepMedia: true, Shape: wecomtest.Shape{TextErrors: true}})
	tok, content := token(t, s), []byte("hello, world")
	id := mediaID(t, s, tok, "file", content)
	s.Inject("media/get", wecomtest.Fault{IgnoreRange: true}, wecomtest.Fault{WrongTotal: 99}, wecomtest.Fault{ResetAt: 5})

	resp, body := download(t, s, tok, id, "bytes=0-4")
	require.Equal(t, []any{200, "", content}, []any{resp.StatusCode, resp.Header.Get("Content-Range"), body})
	resp, body = download(t, s, tok, id, "bytes=0-4")
	require.Equal(t, []any{206, "bytes 0-4/99", content[:5]}, []any{resp.StatusCode, resp.Header.Get("Content-Range"), body})
	resp, err := http.Get(s.URL + "/cgi-bin/media/get?" + pairs([]string{"access_token", tok, "media_id", id}))
	if err == nil { // the reset may be quicker than the header
		body, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		require.LessOrEqual(t, len(body), 5)
	}
	require.Error(t, err)

	resp, body = download(t, s, tok, "3*1*none", "")
	require.Equal(t, []string{"text/plain", "40007"}, []string{resp.Header.Get("Content-Type"), resp.Header.Get("Error-Code")})
	require.EqualValues(t, 40007, jsonOf(t, body)["errcode"])
}
