package pipeline_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

const (
	apiAddTemplate  = "externalcontact/group_welcome_template/add"
	apiEditTemplate = "externalcontact/group_welcome_template/edit"
	apiGetTemplate  = "externalcontact/group_welcome_template/get"
)

// silent is how a template is added without telling members.
func silent() *bool { return new(bool) }

// template adds one with that Item's video in it.
func (w *world) template(p *pipeline.Pipeline, it pipeline.Item) pipeline.Template {
	w.t.Helper()
	t, err := p.AddTemplate(context.Background(), wecom.WelcomeTemplate{
		Text: "欢迎 %NICKNAME%", Video: &wecom.WelcomeMedia{MediaID: it.Media.ID}, Notify: silent()})
	require.NoError(w.t, err)
	return t
}

// entry is how a template stands in the ledger.
func (w *world) entry(p *pipeline.Pipeline, id string) pipeline.TemplateEntry {
	w.t.Helper()
	all, err := p.Templates(context.Background())
	require.NoError(w.t, err)
	for _, e := range all {
		if e.ID == id {
			return e
		}
	}
	w.t.Fatalf("no template %s", id)
	return pipeline.TemplateEntry{}
}

// shows is the media_id that WeCom has in a template.
func (w *world) shows(id string) string {
	t, _ := w.wecom.Template(id)
	return t.Members["video"]["media_id"]
}

// soon goes on to shortly before the media_ids die.
func (w *world) soon() { w.clock.Advance(61 * time.Hour) }

func TestTemplateIsRememberedWithItsMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	tpl := w.template(p, it)
	require.Zero(t, w.wecom.Notified(), "members were told")

	e := w.entry(w.pipe(), tpl.ID)
	require.Equal(t, pipeline.TemplateReady, e.State())
	require.Equal(t, it.ID, e.From.ID)
	require.Equal(t, it.MD5, e.MD5)
	require.Equal(t, it.Media.ID, e.Shown)
	require.Equal(t, it.Media.ExpiresAt.UnixMilli(), e.Expires().UnixMilli())
	b, err := json.Marshal(e)
	require.NoError(t, err)
	require.Contains(t, string(b), `"template_id":"`+tpl.ID+`","template":{"text":{"content":"欢迎 %NICKNAME%"},"video":{"media_id":"`)
	require.Contains(t, string(b), `"state":"ready","item":1,"name":"a.mp4"`)

	gone, err := p.DeleteTemplate(context.Background(), tpl.ID, 0)
	require.NoError(t, err)
	require.False(t, gone)
	all, err := p.Templates(context.Background())
	require.NoError(t, err)
	require.Empty(t, all)
}

// One that somebody deleted elsewhere is forgotten here too; one that nobody
// knows is an error.
func TestDeletedTemplateIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	tpl, err := p.AddTemplate(context.Background(), wecom.WelcomeTemplate{Text: "hi", Notify: silent()})
	require.NoError(t, err)
	require.NoError(t, p.WeCom.DeleteWelcomeTemplate(context.Background(), tpl.ID, 0))
	gone, err := p.DeleteTemplate(context.Background(), tpl.ID, 0)
	require.NoError(t, err)
	require.True(t, gone)
	_, err = p.DeleteTemplate(context.Background(), tpl.ID, 0)
	require.ErrorAs(t, err, new(*wecom.Error))
}

// What WeCom would refuse or hide is refused before any call, with a remedy in
// both languages.
func TestTemplateIsCheckedBeforeTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	fresh, err := w.push(p, w.file("fresh.mp4", 1))
	require.NoError(t, err)
	doc := filepath.Join(w.dir, "a.pdf")
	require.NoError(t, os.WriteFile(doc, inspecttest.PDF(), 0o644))
	file, err := w.push(p, doc)
	require.NoError(t, err)
	other := w.pipe()
	other.Corp = "another"
	foreign, err := w.push(other, w.file("foreign.mp4", 3))
	require.NoError(t, err)
	video := func(id string) *wecom.WelcomeMedia { return &wecom.WelcomeMedia{MediaID: id} }
	w.clock.Advance(80 * time.Hour)
	alive, err := w.push(p, w.file("alive.mp4", 4))
	require.NoError(t, err)
	before := len(w.wecom.Calls())

	for name, c := range map[string]struct {
		t    wecom.WelcomeTemplate
		code string
	}{
		"nothing":      {wecom.WelcomeTemplate{}, "wecom/bad-request"},
		"long text":    {wecom.WelcomeTemplate{Text: strings.Repeat("欢", 1001)}, "wecom/bad-request"},
		"two":          {wecom.WelcomeTemplate{Video: video(alive.Media.ID), Image: &wecom.WelcomeImage{PicURL: "https://x"}}, "wecom/bad-request"},
		"expired":      {wecom.WelcomeTemplate{Video: video(fresh.Media.ID)}, pipeline.MediaExpired},
		"another corp": {wecom.WelcomeTemplate{Video: video(foreign.Media.ID)}, pipeline.MediaForeign},
		"a file":       {wecom.WelcomeTemplate{Video: video(file.Media.ID)}, pipeline.MediaKind},
		"a picture":    {wecom.WelcomeTemplate{Image: &wecom.WelcomeImage{MediaID: alive.Media.ID}}, pipeline.MediaKind},
	} {
		_, err := p.AddTemplate(context.Background(), c.t)
		var e interface {
			FaultCode() string
			Explain(string) (string, string)
		}
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, c.code, e.FaultCode(), name)
		for _, lang := range []string{"zh", "en"} {
			what, cure := e.Explain(lang)
			require.NotEmpty(t, what, name)
			require.NotEmpty(t, cure, name)
		}
	}
	require.Len(t, w.wecom.Calls(), before, "WeCom was asked")
}

// A renewal reaches the template with one edit, and text that somebody changed
// at WeCom meanwhile stays.
func TestRenewalReachesTheTemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	path := w.file("a.mp4", 1)
	it, err := w.push(p, path)
	require.NoError(t, err)
	tpl := w.template(p, it)
	changed := tpl.Sent()
	changed.Text = "改过的"
	require.NoError(t, p.WeCom.EditWelcomeTemplate(context.Background(), tpl.ID, changed))
	require.NoError(t, os.Remove(path), "it left the folder; the public copy is enough")

	nothing, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Empty(t, nothing)
	require.Equal(t, 1, w.submits())

	w.soon()
	edited, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Len(t, edited, 1)
	require.Equal(t, pipeline.TemplateReady, edited[0].State())
	require.Equal(t, 2, w.submits())
	require.NotEqual(t, it.Media.ID, edited[0].Media)
	require.Equal(t, edited[0].Media, w.shows(tpl.ID))
	there, _ := w.wecom.Template(tpl.ID)
	require.Equal(t, "改过的", there.Text)
	require.Zero(t, w.wecom.Notified())

	again, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Empty(t, again)
	require.Equal(t, 2, w.wecom.Count(apiEditTemplate), "one by hand, one by the renewal")
}

// The daemon does it by itself, though its Renew wants nothing renewed; a
// second daemon beside it makes no second edit.
func TestDaemonsKeepTheTemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.pipe(), w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	tpl := w.template(p, it)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, p := range []*pipeline.Pipeline{p, other} {
		w.serve(p, pipeline.ServeOptions{Keep: -1, Renew: func(pipeline.Item) bool { return false }})
		go p.KeepTemplates(ctx, 5*time.Millisecond)
	}
	for round := range 2 {
		w.soon()
		// Nothing changes in the ledger by a clock alone: this is the minute's look.
		require.NoError(t, w.touch(p))
		require.Eventually(t, func() bool {
			e := w.entry(p, tpl.ID)
			return e.From.Valid(w.clock.Now(), 70*time.Hour) && e.State() == pipeline.TemplateReady
		}, 20*time.Second, 5*time.Millisecond, "round %d", round)
		require.Equal(t, w.entry(p, tpl.ID).Media, w.shows(tpl.ID))
	}
	require.Equal(t, 2, w.wecom.Count(apiEditTemplate))
	require.Equal(t, 3, w.submits())
}

// touch changes something in the ledger.
func (w *world) touch(p *pipeline.Pipeline) error {
	f, err := os.CreateTemp(w.dir, "*.txt")
	if err == nil {
		_, err = f.WriteString(f.Name())
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		_, err = p.Enter(context.Background(), []pipeline.File{{Path: f.Name()}}, pipeline.EnterOptions{})
	}
	os.Remove(f.Name()) // held: nothing is submitted for it
	return err
}

// A crash between the renewal and the edit, an edit whose answer was lost, and
// an edit that was not recorded are all made good, with no edit too many.
func TestTemplateIsHealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	tpl := w.template(p, it)
	w.soon()
	it, err = p.Media(context.Background(), "a.mp4", 70*time.Hour) // and then it died
	require.NoError(t, err)
	require.Equal(t, pipeline.TemplateStale, w.entry(p, tpl.ID).State())

	w.wecom.Inject(apiEditTemplate, wecomtest.Fault{ResetAfter: true})
	failed, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Len(t, failed, 1)
	require.Equal(t, pipeline.TemplateFailed, failed[0].State())
	require.Equal(t, "wecom/unreachable", failed[0].Problem().Code)
	require.True(t, failed[0].Problem().Retry)
	require.NotEmpty(t, failed[0].Problem().Remedy.ZH)

	_, err = p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Equal(t, pipeline.TemplateFailed, w.entry(p, tpl.ID).State(), "not before its pause is over")
	w.clock.Advance(2 * time.Minute)
	_, err = p.RenewTemplates(context.Background())
	require.NoError(t, err)
	e := w.entry(p, tpl.ID)
	require.Equal(t, pipeline.TemplateReady, e.State())
	require.Nil(t, e.Fault)
	require.Equal(t, it.Media.ID, e.Media)
	require.Equal(t, 1, w.wecom.Count(apiEditTemplate), "the lost answer was a success: reading shows it")
}

// Of several processes that would edit a template at once, one does.
func TestOneProcessEditsATemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	tpl := w.template(p, it)
	w.soon()
	_, err = p.Media(context.Background(), "a.mp4", 70*time.Hour)
	require.NoError(t, err)
	w.wecom.Inject(apiGetTemplate, wecomtest.Fault{Slow: 500 * time.Millisecond, Times: -1}) // all look before one has edited
	var runs sync.WaitGroup
	for range 4 {
		other := w.pipe()
		runs.Go(func() {
			_, err := other.RenewTemplates(context.Background())
			if err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	require.Equal(t, 1, w.wecom.Count(apiEditTemplate))
	require.Equal(t, pipeline.TemplateReady, w.entry(p, tpl.ID).State())
}

// An edit whose answer was lost is known as our own, too, when the media has
// been renewed once more before anybody looked.
func TestTemplateIsHealedLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	tpl := w.template(p, it)
	w.soon()
	w.wecom.Inject(apiEditTemplate, wecomtest.Fault{ResetAfter: true})
	failed, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Equal(t, pipeline.TemplateFailed, failed[0].State())
	w.soon()
	edited, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Len(t, edited, 1)
	require.Equal(t, pipeline.TemplateReady, edited[0].State())
	require.Equal(t, edited[0].Media, w.shows(tpl.ID))
	require.Equal(t, 2, w.wecom.Count(apiEditTemplate))
}

// A batch run does not wait for a file that only another machine can read:
// that one is set going, and the other templates are kept.
func TestFilesOfOtherMachinesAreLeftToThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.pipe(), w.pipe()
	other.Host = "another-machine"
	theirs, err := w.push(other, w.file("theirs.mp4", 1))
	require.NoError(t, err)
	w.template(p, theirs)
	_, err = p.Clean(context.Background(), 0) // so that its file is needed again
	require.NoError(t, err)
	ours, err := w.push(p, w.file("ours.mp4", 2))
	require.NoError(t, err)
	tpl := w.template(p, ours)
	w.soon()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	edited, err := p.RenewTemplates(ctx)
	require.NoError(t, err)
	require.Len(t, edited, 1)
	require.Equal(t, tpl.ID, edited[0].ID)
	it := w.until(p, theirs.ID, func(it pipeline.Item) bool { return it.Step == pipeline.Stage })
	require.False(t, it.Held())
}

// The tries at a template that cannot be renewed are bounded.
func TestTriesAtATemplateAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	w.template(p, it)
	w.soon()
	_, err = p.Media(context.Background(), "a.mp4", 70*time.Hour)
	require.NoError(t, err)
	w.wecom.Inject(apiEditTemplate, wecomtest.Fault{Errcode: -1, Times: -1})
	for range 12 * 60 {
		w.clock.Advance(time.Minute)
		_, err := p.RenewTemplates(context.Background())
		require.NoError(t, err)
	}
	require.LessOrEqual(t, w.wecom.Count(apiEditTemplate), 24, "in twelve hours")
	require.GreaterOrEqual(t, w.wecom.Count(apiEditTemplate), 10)
}

// A fault of the configuration is met once, not once for each template.
func TestConfigurationStopsTheTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	for range 3 {
		w.template(p, it)
	}
	w.soon()
	_, err = p.Media(context.Background(), "a.mp4", 70*time.Hour)
	require.NoError(t, err)
	gets := w.wecom.Count(apiGetTemplate)
	w.wecom.SetTrustedIPs("198.51.100.1")
	_, err = p.RenewTemplates(context.Background())
	require.ErrorAs(t, err, new(*pipeline.StopError))
	require.Equal(t, gets+1, w.wecom.Count(apiGetTemplate))
	w.wecom.SetTrustedIPs("203.0.113.9")
	w.clock.Advance(2 * time.Minute)
	edited, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Len(t, edited, 3)
}

// What somebody else put into a template stays, and content that was replaced
// does not slip into it.
func TestTemplateIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	elsewhere := w.template(p, it)
	other, err := w.push(p, w.file("b.mp4", 2))
	require.NoError(t, err)
	w.clock.Advance(30 * time.Hour)
	theirs := elsewhere.Sent()
	theirs.Video = &wecom.WelcomeMedia{MediaID: other.Media.ID}
	require.NoError(t, p.WeCom.EditWelcomeTemplate(context.Background(), elsewhere.ID, theirs))
	path := w.file("c.mp4", 3)
	it, err = w.push(p, path)
	require.NoError(t, err)
	replaced := w.template(p, it)
	edits := w.wecom.Count(apiEditTemplate)

	w.soon()
	require.NoError(t, os.WriteFile(path, inspecttest.MP4(4000, 4), 0o644))
	_, err = p.Clean(context.Background(), 0) // so that it has to be staged again
	require.NoError(t, err)
	out, err := p.RenewTemplates(context.Background())
	require.NoError(t, err)
	require.Len(t, out, 2)
	require.Equal(t, pipeline.TemplateChanged, w.entry(p, elsewhere.ID).Problem().Code)
	require.Equal(t, other.Media.ID, w.shows(elsewhere.ID))
	_, err = p.RenewTemplates(context.Background())
	require.NoError(t, err)
	e := w.entry(p, replaced.ID)
	require.Equal(t, pipeline.TemplateFailed, e.State())
	require.Equal(t, pipeline.TemplateContent, e.Problem().Code)
	require.Equal(t, edits, w.wecom.Count(apiEditTemplate))
}
