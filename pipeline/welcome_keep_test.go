package pipeline_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// meddled is a pipeline to which WeCom's answer to an edit comes after do.
func (w *world) meddled(p *pipeline.Pipeline, do func()) *pipeline.Pipeline {
	w.t.Helper()
	at, err := url.Parse(w.wecom.URL)
	require.NoError(w.t, err)
	proxy := httputil.NewSingleHostReverseProxy(at)
	proxy.ModifyResponse = func(r *http.Response) error {
		if strings.HasSuffix(r.Request.URL.Path, apiEditTemplate) {
			do()
		}
		return nil
	}
	s := httptest.NewServer(proxy)
	w.t.Cleanup(s.Close)
	other := w.pipeOn(p.Journal, "secret")
	other.WeCom, err = wecom.New(wecom.Config{BaseURL: s.URL, CorpID: "wwtest", Secret: "secret", Store: p.Journal, Now: w.clock.Now})
	require.NoError(w.t, err)
	return other
}

// due is a template whose media was renewed, and that has not got it yet.
func (w *world) due(p *pipeline.Pipeline) (pipeline.Template, pipeline.Item) {
	w.t.Helper()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(w.t, err)
	tpl := w.template(p, it)
	w.soon()
	it, err = p.Media(context.Background(), "a.mp4", 70*time.Hour)
	require.NoError(w.t, err)
	return tpl, it
}

// A person may be quicker than a round: what was forgotten meanwhile stays
// forgotten, whatever the round found out about it.
func TestForgottenTemplateStaysForgotten(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]bool{"edited": false, "failed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.pipe()
			tpl, _ := w.due(p)
			if fails {
				w.wecom.Inject(apiEditTemplate, wecomtest.Fault{Errcode: -1, Times: -1})
			}
			_, err := w.meddled(p, func() {
				if err := p.Journal.DropTemplate(context.Background(), tpl.Corp, tpl.ID); err != nil {
					t.Error(err)
				}
			}).RenewTemplates(context.Background())
			require.NoError(t, err)
			all, err := p.Templates(context.Background())
			require.NoError(t, err)
			require.Empty(t, all)
		})
	}
}

// What a person has put into a template while a round was at it is what the
// ledger remembers.
func TestRoundForgetsNoEdit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	tpl, _ := w.due(p)
	other, err := w.push(p, w.file("b.mp4", 2))
	require.NoError(t, err)
	_, err = w.meddled(p, func() {
		w.clock.Advance(time.Second)
		_, err := p.EditTemplate(context.Background(), tpl.ID, wecom.WelcomeTemplate{Text: "new", Video: &wecom.WelcomeMedia{MediaID: other.Media.ID}})
		if err != nil {
			t.Error(err)
		}
	}).RenewTemplates(context.Background())
	require.NoError(t, err)
	e := w.entry(p, tpl.ID)
	require.Equal(t, other.Media.ID, w.shows(tpl.ID))
	require.Equal(t, other.Media.ID, e.Media)
	require.Equal(t, other.ID, e.Item)
	require.Equal(t, pipeline.TemplateReady, e.State())
}

// A person who has mended the configuration runs sync again and is not told of
// what is mended.
func TestMendedConfigurationIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	tpl, it := w.due(p)
	w.wecom.SetTrustedIPs("198.51.100.1")
	_, err := p.RenewTemplates(context.Background())
	require.ErrorAs(t, err, new(*pipeline.StopError))
	w.wecom.SetTrustedIPs("203.0.113.9")
	w.clock.Advance(30 * time.Second) // for the next turn; a daemon's pause is a minute
	_, err = p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Equal(t, it.Media.ID, w.shows(tpl.ID))
	require.Equal(t, pipeline.TemplateReady, w.entry(p, tpl.ID).State())
}

// Where the reading back after an add got lost it is made good soon, so that
// later on it is known whether somebody else has put something in.
func TestTemplateThatWasNotReadBackIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	w.wecom.Inject(apiGetTemplate, wecomtest.Fault{Errcode: -1})
	tpl := w.template(p, it)
	require.Empty(t, w.entry(p, tpl.ID).Shown)
	edited, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Empty(t, edited)
	require.Equal(t, it.Media.ID, w.entry(p, tpl.ID).Shown)

	w.clock.Advance(30 * time.Hour)
	other, err := w.push(p, w.file("b.mp4", 2))
	require.NoError(t, err)
	theirs := tpl.Sent()
	theirs.Video = &wecom.WelcomeMedia{MediaID: other.Media.ID}
	require.NoError(t, p.WeCom.EditWelcomeTemplate(context.Background(), tpl.ID, theirs))
	w.clock.Advance(31 * time.Hour)
	_, err = p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Equal(t, other.Media.ID, w.shows(tpl.ID))
	require.Equal(t, pipeline.TemplateChanged, w.entry(p, tpl.ID).Problem().Code)
}

// A media_id that WeCom calls dead when a template is to follow it is made anew
// once, and the template follows the new one.
func TestTemplateFollowsPastADeadMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	tpl, it := w.due(p)
	require.True(t, w.wecom.Forget(it.Media.ID))
	out, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Len(t, out, 1)
	require.Equal(t, "wecom/40007", out[0].Fault.Code)
	items, err := p.Journal.Items(context.Background(), pipeline.Query{IDs: []int64{it.ID}})
	require.NoError(t, err)
	require.Nil(t, items[0].Media, "nobody is given it again")
	w.clock.Advance(2 * time.Minute)
	out, err = p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Len(t, out, 1)
	require.Nil(t, out[0].Fault)
	require.NotEqual(t, it.Media.ID, out[0].Media)
	shown, err := p.WeCom.WelcomeTemplate(context.Background(), tpl.ID)
	require.NoError(t, err)
	require.Equal(t, out[0].Media, shown.Video.MediaID)
}
