package wecomtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

func TestSubmitRules(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	tok, link := token(t, s), serve(t, []byte("hello"))
	change := func(name string, value any) members {
		m := upload(link, []byte("hello"))
		if m[name] = value; value == nil {
			delete(m, name)
		}
		return m
	}
	for _, c := range []struct {
		name string
		body any
		want int
	}{
		{"as documented", change("scene", 1), 0},
		{"a video", change("type", "video"), 0},
		{"a member that nobody knows", change("more", 1), 0},
		{"no JSON", "scene=1", 40035},
		{"nothing", "", 40035},
		{"null", "null", 40035},
		{"an array", "[]", 40035},
		{"more after it", "{}{}", 40035},
		{"no scene", change("scene", nil), 40058},
		{"scene 0", change("scene", 0), 40035},
		{"scene 2", change("scene", 2), 40035},
		{"scene as text", change("scene", "1"), 40035},
		{"no type", change("type", nil), 40004},
		{"image", change("type", "image"), 40004},
		{"voice", change("type", "voice"), 40004},
		{"no filename", change("filename", nil), 40058},
		{"filename of 128 bytes", change("filename", strings.Repeat("片", 42)+"ab"), 0},
		{"filename of 129 bytes", change("filename", strings.Repeat("片", 43)), 40058},
		{"no url", change("url", nil), 40058},
		{"url of 1024 bytes", change("url", link+"?"+strings.Repeat("x", 1023-len(link))), 0},
		{"url of 1025 bytes", change("url", link+"?"+strings.Repeat("x", 1024-len(link))), 40039},
		{"url without http", change("url", "ftp://example.com/a"), 40094},
		{"no md5", change("md5", nil), 40058},
		{"md5 of 31 bytes", change("md5", strings.Repeat("a", 31)), 40058},
		{"md5 of 33 bytes", change("md5", strings.Repeat("a", 33)), 40058},
		{"names in upper case", `{"SCENE":1,"TYPE":"file"}`, 40058},
	} {
		before := len(s.Jobs())
		a := post(t, s, tok, "media/upload_by_url", c.body)
		require.Equal(t, c.want, a.Errcode, c.name)
		require.Equal(t, c.want == 0, a.JobID != "", c.name)
		require.Equal(t, c.want == 0, len(s.Jobs()) > before, c.name)
	}
}

func TestResultRules(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, Corps: map[string]string{"wwother": "theirs"}, TokenLife: 3 * time.Hour})
	tok := token(t, s)
	theirs := get(t, s, "gettoken", "corpid", "wwother", "corpsecret", "theirs").AccessToken
	id := post(t, s, tok, "media/upload_by_url", upload(serve(t, []byte("hello")), []byte("hello"))).JobID
	for _, c := range []struct {
		name, token string
		body        any
		want        int
	}{
		{"its own corp", tok, members{"jobid": id}, 0},
		{"another corp", theirs, members{"jobid": id}, 60136},
		{"unknown", tok, members{"jobid": "jobid_x"}, 60136},
		{"of 128 bytes", tok, members{"jobid": strings.Repeat("j", 128)}, 60136},
		{"of 129 bytes", tok, members{"jobid": strings.Repeat("j", 129)}, 40058},
		{"missing", tok, members{}, 40058},
		{"a number", tok, members{"jobid": 1}, 40035},
		{"no JSON", tok, "jobid", 40035},
	} {
		require.Equal(t, c.want, post(t, s, c.token, "media/get_upload_by_url_result", c.body).Errcode, c.name)
	}
	clock.Advance(59 * time.Minute)
	require.Zero(t, post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": id}).Errcode)
	clock.Advance(time.Minute)
	require.Equal(t, 60136, post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": id}).Errcode, "60 minutes are over")
}

func TestShapes(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{CreatedSkew: time.Hour})
	tok, content := token(t, s), []byte("hello")
	id := post(t, s, tok, "media/upload_by_url", upload(serve(t, content), content)).JobID
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	s.Inject("media/upload_by_url", wecomtest.Fault{JobForever: true})
	running := post(t, s, tok, "media/upload_by_url", upload("http://never.invalid", content)).JobID
	job, _ := s.Job(id)
	created := job.Ended.Add(time.Hour).Unix()

	ask := func(shape wecomtest.Shape, id string) members {
		s.SetShape(shape)
		return raw(t, s, tok, "media/get_upload_by_url_result", `{"jobid":"`+id+`"}`)
	}
	detail := func(shape wecomtest.Shape) members { return ask(shape, id)["detail"].(members) }

	plain := ask(wecomtest.Shape{}, id)
	require.Equal(t, members{"errcode": 0., "errmsg": "ok", "status": 2., "detail": plain["detail"]}, plain)
	require.Equal(t, "2", ask(wecomtest.Shape{StatusString: true}, id)["status"])
	require.EqualValues(t, created, detail(wecomtest.Shape{CreatedNumber: true})["created_at"])
	require.Equal(t, members{"media_id": job.MediaID}, detail(wecomtest.Shape{NoDetailCode: true, NoCreatedAt: true}))
	require.Equal(t, members{"status": 2., "detail": plain["detail"]}, ask(wecomtest.Shape{NoErrcode: true}, id))
	require.Equal(t, members{"errcode": 0., "errmsg": "ok"}, ask(wecomtest.Shape{}, running)["detail"])
	require.Equal(t, members{"errcode": 0., "errmsg": "ok", "status": 1.}, ask(wecomtest.Shape{NoDetail: true}, running))
	require.Greater(t, len(ask(wecomtest.Shape{Extra: true}, id)), len(plain))
	require.Greater(t, len(detail(wecomtest.Shape{Extra: true})), len(plain["detail"].(members)))

	s.SetShape(wecomtest.Shape{NoErrcode: true})
	submitted := raw(t, s, tok, "media/upload_by_url", `{"scene":1,"type":"file","filename":"a","url":"http://x.invalid","md5":"`+job.MD5+`"}`)
	require.NotContains(t, submitted, "errcode")
	require.Contains(t, submitted, "jobid")
	refused := raw(t, s, tok, "media/upload_by_url", `{}`)
	require.EqualValues(t, 40058, refused["errcode"], "an error always has its errcode")
}
