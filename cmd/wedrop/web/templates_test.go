package web

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

func (w *world) send(method, path, body string) reply {
	w.t.Helper()
	return w.do(method, path, strings.NewReader(body), "Content-Type", "application/json")
}

// A template is added with a media_id of the ledger, listed, replaced and
// deleted; members are told only where that is asked for.
func TestTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	it := w.done(w.posted("clip.mp4", clip(1)))
	r := w.send(http.MethodPost, "/api/templates", `{"text":{"content":"欢迎"},"video":{"media_id":"`+it.Media.ID+`"}}`)
	require.Equal(t, http.StatusCreated, r.StatusCode, string(r.body))
	added := r.json(t)
	id := added["template_id"].(string)
	require.Equal(t, "clip.mp4", added["name"])
	require.Equal(t, "ready", added["state"])
	require.Zero(t, w.wecom.Notified())
	there, ok := w.wecom.Template(id)
	require.True(t, ok)
	require.Equal(t, "欢迎", there.Text)

	all := w.get("/api/templates").json(t)["templates"].([]any)
	require.Len(t, all, 1)
	require.Equal(t, id, all[0].(map[string]any)["template_id"])

	r = w.send(http.MethodPut, "/api/templates/"+id, `{"link":{"title":"t","url":"https://example.com"}}`)
	require.Equal(t, http.StatusOK, r.StatusCode, string(r.body))
	there, _ = w.wecom.Template(id)
	require.Equal(t, "link", there.Shown)
	require.Empty(t, there.Text, "an edit replaces the whole")

	require.Equal(t, http.StatusNoContent, w.do(http.MethodDelete, "/api/templates/"+id, nil).StatusCode)
	require.Empty(t, w.wecom.Templates())
	require.Equal(t, http.StatusNotFound, w.do(http.MethodDelete, "/api/templates/"+id, nil).StatusCode)
	require.JSONEq(t, `{"templates":[]}`, string(w.get("/api/templates").body))

	r = w.send(http.MethodPost, "/api/templates", `{"text":{"content":"hi"},"notify":1}`)
	require.Equal(t, http.StatusCreated, r.StatusCode)
	require.Equal(t, 1, w.wecom.Notified())
}

// A media_id that WeCom calls dead is made anew, and the template goes with the
// new one.
func TestTemplateWithADeadMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	it := w.done(w.posted("clip.mp4", clip(1)))
	require.True(t, w.wecom.Forget(it.Media.ID))
	r := w.send(http.MethodPost, "/api/templates", `{"video":{"media_id":"`+it.Media.ID+`"}}`)
	require.Equal(t, http.StatusCreated, r.StatusCode, string(r.body))
	there, ok := w.wecom.Template(r.json(t)["template_id"].(string))
	require.True(t, ok)
	require.NotEqual(t, it.Media.ID, there.Members["video"]["media_id"])
}

// What is wrong with a template is a problem with a remedy, in the language of
// the request, and mostly before WeCom is asked.
func TestTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.serve()
	it := w.done(w.posted("clip.mp4", clip(1)))
	w.clock.Advance(80 * time.Hour)
	before := len(w.wecom.Calls())
	for body, code := range map[string]string{
		`{}`: "wecom/bad-request",
		`{"text":{"content":"` + strings.Repeat("x", 3001) + `"}}`:                                "wecom/bad-request",
		`{"video":{"media_id":"a"},"image":{"pic_url":"https://x"}}`:                              "wecom/bad-request",
		`{"video":{"media_id":"` + it.Media.ID + `"}}`:                                            pipeline.MediaExpired,
		`{"file":{"media_id":"` + it.Media.ID + `"}}`:                                             pipeline.MediaKind,
		`{"vidoe":{"media_id":"a"}}`:                                                              "wedrop/bad-request",
		`{"text":{"content":"x"},"notify":2}`:                                                     "wedrop/bad-request",
		`{"link":{"title":"` + strings.Repeat("x", 129) + `","url":"https://example.com"}}`:       "wecom/bad-request",
		`{"text":{"content":"x"},"link":{"title":"","url":"https://example.com","desc":"words"}}`: "wecom/bad-request",
	} {
		r := w.send(http.MethodPost, "/api/templates?lang=zh", body)
		require.Equal(t, http.StatusUnprocessableEntity, r.StatusCode, "%s\n%s", body, r.body)
		p := r.json(t)
		require.Equal(t, code, p["code"], body)
		require.NotEmpty(t, p["remedy"])
		require.Regexp(t, `\p{Han}`, p["detail"])
	}
	require.Len(t, w.wecom.Calls(), before)

	r := w.send(http.MethodPut, "/api/templates/nowhere", `{"text":{"content":"x"}}`)
	require.Equal(t, http.StatusNotFound, r.StatusCode, string(r.body))
	w.wecom.SetTrustedIPs("198.51.100.1")
	r = w.send(http.MethodPost, "/api/templates", `{"text":{"content":"x"}}`)
	require.Equal(t, http.StatusBadGateway, r.StatusCode)
	require.Equal(t, "wecom/60020", r.json(t)["code"])
	require.NotContains(t, string(r.body), "access_token")
}

// The document tells of every member that a template has.
func TestTemplatesAreDocumented(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(pipeline.TemplateEntry{Template: pipeline.Template{ID: "a", Media: "m"}, From: &pipeline.Item{}})
	require.NoError(t, err)
	var have map[string]any
	require.NoError(t, json.Unmarshal(b, &have))
	told := map[string]bool{}
	for i := range reflect.TypeFor[templateJSON]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[templateJSON]().Field(i).Tag.Get("json"), ",")
		told[name] = true
	}
	require.Len(t, told, len(have))
	for name := range have {
		require.True(t, told[name], name)
	}
}

// Templates are as guarded as the rest.
func TestTemplatesNeedTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Token: "a token of the page"})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		require.Equal(t, http.StatusUnauthorized, w.do(method, "/api/templates", nil).StatusCode)
	}
	require.Equal(t, http.StatusUnauthorized, w.do(http.MethodDelete, "/api/templates/x", nil).StatusCode)
	require.Empty(t, w.wecom.Calls())
}
