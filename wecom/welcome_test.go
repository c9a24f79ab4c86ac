package wecom_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

var yes, no = true, false

const welcomeAPI = "externalcontact/group_welcome_template/"

// whole is a template of each kind with everything that it can have.
func whole() map[string]wecom.WelcomeTemplate {
	return map[string]wecom.WelcomeTemplate{
		"a text":         {Text: "欢迎 %NICKNAME% <a&b>"},
		"an image":       {Text: "hi", Image: &wecom.WelcomeImage{MediaID: "im", PicURL: "https://e.com/p?a=1&b=2"}},
		"a picture":      {Image: &wecom.WelcomeImage{PicURL: "https://e.com/p"}},
		"a link":         {Link: &wecom.WelcomeLink{Title: "题", PicURL: "https://e.com/p", Desc: "描述", URL: "https://e.com/?a=1&b=2"}},
		"a bare link":    {Link: &wecom.WelcomeLink{Title: "题", URL: "https://e.com/"}},
		"a mini program": {MiniProgram: &wecom.WelcomeMiniProgram{Title: "题", PicMediaID: "pm", AppID: "wx1", Page: "/index"}},
		"a file":         {File: &wecom.WelcomeMedia{MediaID: "3*1*f"}},
		"a video":        {Text: "看", Video: &wecom.WelcomeMedia{MediaID: "3*1*v"}, AgentID: 7, Notify: &no},
		"a loud one":     {Text: "hi", Notify: &yes},
	}
}

// From document/path/92366 and silenceper/wechat #744: what is not set is
// absent, for an empty object is 40063; and notify is 0, 1 or absent, where
// silenceper could never send 0 and PowerWeChat always did.
func TestTemplateOnTheWire(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"a text":         `{"text":{"content":"欢迎 %NICKNAME% <a&b>"}}`,
		"an image":       `{"text":{"content":"hi"},"image":{"media_id":"im","pic_url":"https://e.com/p?a=1&b=2"}}`,
		"a picture":      `{"image":{"pic_url":"https://e.com/p"}}`,
		"a link":         `{"link":{"title":"题","picurl":"https://e.com/p","desc":"描述","url":"https://e.com/?a=1&b=2"}}`,
		"a bare link":    `{"link":{"title":"题","url":"https://e.com/"}}`,
		"a mini program": `{"miniprogram":{"title":"题","pic_media_id":"pm","appid":"wx1","page":"/index"}}`,
		"a file":         `{"file":{"media_id":"3*1*f"}}`,
		"a video":        `{"text":{"content":"看"},"video":{"media_id":"3*1*v"},"agentid":7,"notify":0}`,
		"a loud one":     `{"text":{"content":"hi"},"notify":1}`,
	}
	var path, body string
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		path, body = r.URL.Path, string(b)
		io.WriteString(w, `{"errcode":0,"errmsg":"ok","template_id":"t1"}`)
	})
	cl := client(t, wecom.Config{BaseURL: s.URL})
	for name, template := range whole() {
		id, err := cl.AddWelcomeTemplate(t.Context(), template)
		require.NoError(t, err, name)
		require.Equal(t, "t1", id)
		require.Equal(t, "/cgi-bin/"+welcomeAPI+"add", path)
		require.Equal(t, want[name], body, name)

		require.NoError(t, cl.EditWelcomeTemplate(t.Context(), "t1", template), name)
		require.Equal(t, "/cgi-bin/"+welcomeAPI+"edit", path)
		edit := strings.NewReplacer(`,"notify":0`, "", `,"notify":1`, "").Replace(want[name])
		require.Equal(t, `{"template_id":"t1",`+edit[1:], body, "%s: an edit has no notify", name)
		require.NotContains(t, body, "{}")
		require.NotContains(t, body, "null")
	}
	require.NoError(t, cl.DeleteWelcomeTemplate(t.Context(), "t1", 0))
	require.Equal(t, []string{"/cgi-bin/" + welcomeAPI + "del", `{"template_id":"t1"}`}, []string{path, body})
	require.NoError(t, cl.DeleteWelcomeTemplate(t.Context(), "t1", 7))
	require.Equal(t, `{"template_id":"t1","agentid":7}`, body)
	_, err := cl.WelcomeTemplate(t.Context(), "t1")
	require.NoError(t, err)
	require.Equal(t, []string{"/cgi-bin/" + welcomeAPI + "get", `{"template_id":"t1"}`}, []string{path, body})
}

// A template that is kept as JSON comes back as it was.
func TestTemplateAsJSON(t *testing.T) {
	t.Parallel()
	for name, template := range whole() {
		b, err := json.Marshal(template)
		require.NoError(t, err)
		var back wecom.WelcomeTemplate
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, template, back, name)
	}
	require.Error(t, json.Unmarshal([]byte(`"a"`), new(wecom.WelcomeTemplate)))
}

// From document/path/92366: the limits are bytes, one attachment is shown and
// the others hidden without a word. What breaks a rule is known before a call.
func TestTemplateRules(t *testing.T) {
	t.Parallel()
	han := func(n int) string { return strings.Repeat("欢", n/3) + strings.Repeat("x", n%3) }
	link := func(change func(*wecom.WelcomeLink)) wecom.WelcomeTemplate {
		l := wecom.WelcomeLink{Title: "题", URL: "https://e.com/"}
		change(&l)
		return wecom.WelcomeTemplate{Link: &l}
	}
	program := func(change func(*wecom.WelcomeMiniProgram)) wecom.WelcomeTemplate {
		m := wecom.WelcomeMiniProgram{Title: "题", PicMediaID: "pm", AppID: "wx1", Page: "/index"}
		change(&m)
		return wecom.WelcomeTemplate{MiniProgram: &m}
	}
	media := &wecom.WelcomeMedia{MediaID: "3*1*x"}
	image := &wecom.WelcomeImage{MediaID: "im"}
	s := simulator(t, wecomtest.Options{})
	cl := client(t, wecom.Config{BaseURL: s.URL})
	for _, c := range []struct {
		name     string
		template wecom.WelcomeTemplate
		field    string // "" if it may go
		says     string // in the Chinese message or remedy
	}{
		{"nothing", wecom.WelcomeTemplate{}, "text", "空"},
		{"nothing but a notify", wecom.WelcomeTemplate{Notify: &no, AgentID: 7}, "text", "空"},
		{"a text of 3000 bytes", wecom.WelcomeTemplate{Text: han(3000)}, "", ""},
		{"a text of 3001 bytes and 1001 characters", wecom.WelcomeTemplate{Text: han(2999) + "ab"}, "text.content", "3001 字节"},
		{"a text that is no UTF-8", wecom.WelcomeTemplate{Text: "\xbb\xb6"}, "text.content", "UTF-8"},
		{"a text and a video", wecom.WelcomeTemplate{Text: "hi", Video: media}, "", ""},
		{"a file and a video", wecom.WelcomeTemplate{File: media, Video: media}, "video", "只会看到文件"},
		{"an old image before a video", wecom.WelcomeTemplate{Text: "hi", Image: image, Video: media}, "video", "图片、视频"},
		{"an empty image before a video", wecom.WelcomeTemplate{Image: &wecom.WelcomeImage{}, Video: media}, "video", "图片、视频"},
		{"all five", wecom.WelcomeTemplate{Image: image, Link: &wecom.WelcomeLink{}, MiniProgram: &wecom.WelcomeMiniProgram{}, File: media, Video: media}, "link", "5 个"},
		{"an empty image", wecom.WelcomeTemplate{Image: &wecom.WelcomeImage{}}, "image.media_id", "空"},
		{"an empty file", wecom.WelcomeTemplate{Text: "hi", File: &wecom.WelcomeMedia{}}, "file.media_id", "空"},
		{"an empty video", wecom.WelcomeTemplate{Text: "hi", Video: &wecom.WelcomeMedia{MediaID: " "}}, "video.media_id", "空"},
		{"a link", link(func(*wecom.WelcomeLink) {}), "", ""},
		{"a link without a title", link(func(l *wecom.WelcomeLink) { l.Title = "" }), "link.title", "空"},
		{"a link without an address", link(func(l *wecom.WelcomeLink) { l.URL = "" }), "link.url", "空"},
		{"a title of 128 bytes", link(func(l *wecom.WelcomeLink) { l.Title = han(128) }), "", ""},
		{"a title of 129 bytes", link(func(l *wecom.WelcomeLink) { l.Title = han(129) }), "link.title", "128 字节"},
		{"a description of 512 bytes", link(func(l *wecom.WelcomeLink) { l.Desc = han(512) }), "", ""},
		{"a description of 513 bytes", link(func(l *wecom.WelcomeLink) { l.Desc = han(513) }), "link.desc", "512 字节"},
		{"a mini program", program(func(*wecom.WelcomeMiniProgram) {}), "", ""},
		{"a mini program's title of 64 bytes", program(func(m *wecom.WelcomeMiniProgram) { m.Title = han(64) }), "", ""},
		{"a mini program's title of 65 bytes", program(func(m *wecom.WelcomeMiniProgram) { m.Title = han(65) }), "miniprogram.title", "64 字节"},
		{"a mini program without a cover", program(func(m *wecom.WelcomeMiniProgram) { m.PicMediaID = "" }), "miniprogram.pic_media_id", "空"},
		{"a mini program without an appid", program(func(m *wecom.WelcomeMiniProgram) { m.AppID = "" }), "miniprogram.appid", "空"},
		{"a mini program without a page", program(func(m *wecom.WelcomeMiniProgram) { m.Page = "" }), "miniprogram.page", "空"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := s.Count("*")
			err := c.template.Check()
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			_, added := cl.AddWelcomeTemplate(t.Context(), c.template)
			for _, err := range []error{err, added, cl.EditWelcomeTemplate(t.Context(), "t1", c.template)} {
				e := asError(t, err)
				require.Equal(t, wecom.KindInput, e.Kind)
				require.Equal(t, c.field, e.Field)
				require.Equal(t, wecom.ClassInput, e.Class())
				zh, cure := e.Explain("zh")
				require.Contains(t, zh+cure, c.says)
			}
			require.Equal(t, before, s.Count("*"), "a call was made")
		})
	}
	good := wecom.WelcomeTemplate{Text: "hi"}
	_, get := cl.WelcomeTemplate(t.Context(), "")
	for _, err := range []error{get, cl.EditWelcomeTemplate(t.Context(), " ", good), cl.DeleteWelcomeTemplate(t.Context(), "", 0)} {
		require.Equal(t, "template_id", asError(t, err).Field)
	}
	require.Zero(t, s.Count("*"))
}

// From add to delete against the simulator, without a member being told.
func TestTemplateAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]wecomtest.Shape{"absent": {}, "empty objects": {EmptyMembers: true}, "bare": {NoErrcode: true, Extra: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := simulator(t, wecomtest.Options{Shape: shape})
			cl := client(t, wecom.Config{BaseURL: s.URL})
			first, second := mediaOf(t, s, cl, "a.txt", []byte("hello")), mediaOf(t, s, cl, "b.txt", []byte("world"))
			template := wecom.WelcomeTemplate{Text: "欢迎", File: &wecom.WelcomeMedia{MediaID: first}, Notify: &no}
			id, err := cl.AddWelcomeTemplate(t.Context(), template)
			require.NoError(t, err)
			template.File = &wecom.WelcomeMedia{MediaID: second}
			template.Notify = nil
			require.NoError(t, cl.EditWelcomeTemplate(t.Context(), id, template))
			got, err := cl.WelcomeTemplate(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, template, got)
			require.Zero(t, s.Notified(), "members were told")
			require.NoError(t, cl.DeleteWelcomeTemplate(t.Context(), id, 0))
			require.Empty(t, s.Templates())
			_, err = cl.WelcomeTemplate(t.Context(), id)
			require.Equal(t, wecom.CodeBadTemplateID, asError(t, err).Code)
			_, err = cl.AddWelcomeTemplate(t.Context(), wecom.WelcomeTemplate{Video: &wecom.WelcomeMedia{MediaID: first}})
			require.Equal(t, wecom.CodeBadMediaID, asError(t, err).Code)
			_, err = cl.AddWelcomeTemplate(t.Context(), wecom.WelcomeTemplate{Text: "hi"})
			require.NoError(t, err)
			require.Equal(t, 1, s.Notified(), "an absent notify tells members")
		})
	}
}

// What get may answer: members absent, empty, null or of another form.
func TestTemplateShapes(t *testing.T) {
	t.Parallel()
	video := wecom.WelcomeTemplate{Text: "hi", Video: &wecom.WelcomeMedia{MediaID: "3*1*v"}}
	for _, c := range []struct {
		name, body string
		want       wecom.WelcomeTemplate
	}{
		{"absent", `{"errcode":0,"errmsg":"ok","text":{"content":"hi"},"video":{"media_id":"3*1*v"}}`, video},
		{"empty objects", `{"text":{"content":"hi"},"image":{},"link":{},"miniprogram":{},"file":{},"video":{"media_id":"3*1*v"}}`, video},
		{"empty texts", `{"text":{"content":"hi"},"image":{"pic_url":""},"link":{"title":"","url":""},"miniprogram":{"title":""},"file":{"media_id":""},"video":{"media_id":"3*1*v"}}`, video},
		{"null", `{"text":{"content":"hi"},"image":null,"link":null,"miniprogram":null,"file":null,"video":{"media_id":"3*1*v"}}`, video},
		{"lists for objects", `{"text":{"content":"hi"},"image":[],"file":[],"video":{"media_id":"3*1*v","x":1}}`, video},
		{"the text as it is", `{"text":"hi","video":{"media_id":"3*1*v"}}`, video},
		{"an agent and a notify that nobody documented", `{"text":{"content":"hi"},"video":{"media_id":"3*1*v"},"agentid":"7","notify":1}`, video},
		{"no text", `{"text":{},"image":{"pic_url":"https://e.com/p"}}`, wecom.WelcomeTemplate{Image: &wecom.WelcomeImage{PicURL: "https://e.com/p"}}},
		{"nothing", `{"errcode":0}`, wecom.WelcomeTemplate{}},
		{"a number for a text", `{"text":{"content":7}}`, wecom.WelcomeTemplate{Text: "7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := client(t, wecom.Config{BaseURL: answering(t, saying(c.body)).URL}).WelcomeTemplate(t.Context(), "t1")
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for name, template := range whole() {
		template.AgentID, template.Notify = 0, nil
		b, err := json.Marshal(template)
		require.NoError(t, err)
		got, err := client(t, wecom.Config{BaseURL: answering(t, saying(string(b))).URL}).WelcomeTemplate(t.Context(), "t1")
		require.NoError(t, err)
		require.True(t, reflect.DeepEqual(template, got), name)
	}
}

// A success without an id is none; and WeCom's words about a template are not
// those about a file's name.
func TestTemplateAnswersThatAreTrouble(t *testing.T) {
	t.Parallel()
	add := func(body string) *wecom.Error {
		_, err := client(t, wecom.Config{BaseURL: answering(t, saying(body)).URL}).AddWelcomeTemplate(t.Context(), wecom.WelcomeTemplate{Text: "hi"})
		return asError(t, err)
	}
	e := add(`{"errcode":0,"errmsg":"ok"}`)
	require.Equal(t, wecom.KindBadResponse, e.Kind)
	_, cure := e.Explain("zh")
	require.Contains(t, cure, "请勿马上重试")
	for code, says := range map[string]string{"40063": "补全内容", "40058": "100 条", "40035": "100 条", "40037": "welcome list",
		"40007": "重新上传", "45002": "3000", "84074": "客户联系", "301002": "agent_id", "48002": "可调用应用"} {
		e := add(`{"errcode":` + code + `,"errmsg":"x, hint: [1]"}`)
		zh, cure := e.Explain("zh")
		require.Contains(t, zh+cure, says, code)
	}
}

// A lost answer to an add is no reason to add again: nobody could list the two,
// and members would be told twice.
func TestAddThatMayHaveArrivedIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault wecomtest.Fault
		class wecom.Class
		cure  string
	}{
		"the answer is lost":    {wecomtest.Fault{ResetAfter: true}, wecom.ClassUnknown, "admin console"},
		"the answer is cut off": {wecomtest.Fault{Truncate: 10}, wecom.ClassUnknown, "admin console"},
		"WeCom is busy":         {wecomtest.Fault{Errcode: -1}, wecom.ClassRetry, "try again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := simulator(t, wecomtest.Options{})
			cl := client(t, wecom.Config{BaseURL: s.URL})
			s.Inject(welcomeAPI+"add", row.fault)
			_, err := cl.AddWelcomeTemplate(t.Context(), wecom.WelcomeTemplate{Text: "hi", Notify: &no})
			e := asError(t, err)
			require.Equal(t, row.class, e.Class(), e)
			_, remedy := e.Explain("en")
			require.Contains(t, remedy, row.cure)
			require.Equal(t, 1, s.Count(welcomeAPI+"add"))
		})
	}
	nobody := client(t, wecom.Config{BaseURL: "http://127.0.0.1:1", Tokens: wecom.StaticToken("a-token-of-its-own")})
	_, err := nobody.AddWelcomeTemplate(t.Context(), wecom.WelcomeTemplate{Text: "hi", Notify: &no})
	require.Equal(t, wecom.ClassRetry, asError(t, err).Class(), "nothing has left this machine")
}
