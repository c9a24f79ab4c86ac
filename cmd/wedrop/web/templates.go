package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// The API of group welcome templates. It is what "wedrop welcome" does, for
// tools that do not run the program; these calls alone ask WeCom.

// templateBody is a template as WeCom's own calls have it.
type templateBody struct {
	Text        *templateText        `json:"text,omitempty"`
	Image       *templateImage       `json:"image,omitempty"`
	Link        *templateLink        `json:"link,omitempty"`
	MiniProgram *templateMiniProgram `json:"miniprogram,omitempty"`
	File        *templateMedia       `json:"file,omitempty"`
	Video       *templateMedia       `json:"video,omitempty"`
	AgentID     int                  `json:"agentid,omitempty" minimum:"0"`
	Notify      int                  `json:"notify,omitempty" enum:"0,1" doc:"Of a new template alone: whether members are told. Other than in WeCom's call, they are not if it is left out."`
}

type templateText struct {
	Content string `json:"content" doc:"At most 3,000 bytes; %NICKNAME% is the new member's name."`
}

type templateImage struct {
	MediaID string `json:"media_id,omitempty"`
	PicURL  string `json:"pic_url,omitempty" doc:"Of media/uploadimg."`
}

type templateLink struct {
	Title  string `json:"title"`
	PicURL string `json:"picurl,omitempty"`
	Desc   string `json:"desc,omitempty"`
	URL    string `json:"url"`
}

type templateMiniProgram struct {
	Title      string `json:"title"`
	PicMediaID string `json:"pic_media_id"`
	AppID      string `json:"appid"`
	Page       string `json:"page"`
}

type templateMedia struct {
	MediaID string `json:"media_id" doc:"That /api/media answered."`
}

// template is the body for the pipeline. Whether members are told is always
// said.
func (b templateBody) template() (t wecom.WelcomeTemplate, err error) {
	raw, err := json.Marshal(b)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	notify := b.Notify == 1
	t.Notify = &notify
	return t, err
}

// A templateView is a template in the API: what welcome list --json prints.
type templateView struct{ pipeline.TemplateEntry }

// Schema is for huma, which cannot see through MarshalJSON.
func (templateView) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[templateJSON](), true, "")
}

// templateJSON documents what a TemplateEntry is as JSON; a test compares them.
type templateJSON struct {
	ID       string          `json:"template_id"`
	Template templateBody    `json:"template" doc:"As it was sent last."`
	State    string          `json:"state" enum:"ready,stale,expired,failed,unknown" doc:"stale: its media was renewed, and it has not got it yet; unknown: its media_id is none of the ledger's."`
	Item     *int64          `json:"item" doc:"Whose media is in it."`
	Name     string          `json:"name" doc:"Of that item."`
	Media    *shownMediaJSON `json:"media"`
	Fault    *faultJSON      `json:"fault" doc:"Why its media could not be renewed."`
	Created  *time.Time      `json:"created"`
	Updated  *time.Time      `json:"updated"`
}

type shownMediaJSON struct {
	ID        string     `json:"id"`
	ExpiresAt *time.Time `json:"expires_at" doc:"Null where it is not known."`
}

type templateInput struct {
	Spoken
	Body templateBody
}

type templateChange struct {
	Spoken
	ID   string `path:"id" maxLength:"256" doc:"The template_id."`
	Body templateBody
}

type templateByID struct {
	Spoken
	ID    string `path:"id" maxLength:"256" doc:"The template_id."`
	Agent int    `query:"agentid" minimum:"0" doc:"Where it was added with one, and the ledger does not know it."`
}

type oneTemplate struct{ Body templateView }

type allTemplates struct {
	Body struct {
		Templates []templateView `json:"templates" nullable:"false" doc:"The oldest first."`
	}
}

func (s *Site) templateOperations(api huma.API, r huma.Registry) {
	huma.Register(api, operation(r, "list-templates", http.MethodGet, "/api/templates", "The welcome templates that the ledger remembers; WeCom has no list of them"), s.listTemplates)
	add := operation(r, "add-template", http.MethodPost, "/api/templates", "Adds a welcome template at WeCom")
	add.DefaultStatus = http.StatusCreated
	huma.Register(api, add, s.addTemplate)
	huma.Register(api, operation(r, "edit-template", http.MethodPut, "/api/templates/{id}", "Replaces a welcome template at WeCom, whole; nobody is told"), s.editTemplate)
	huma.Register(api, operation(r, "delete-template", http.MethodDelete, "/api/templates/{id}", "Deletes a welcome template at WeCom, and forgets it"), s.deleteTemplate)
}

func (s *Site) listTemplates(ctx context.Context, in *Spoken) (*allTemplates, error) {
	all, err := s.pipe.Templates(ctx)
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	out := &allTemplates{}
	out.Body.Templates = []templateView{}
	for _, e := range all {
		out.Body.Templates = append(out.Body.Templates, templateView{e.In(s.lang(in.Lang, in.Accept))})
	}
	return out, nil
}

func (s *Site) addTemplate(ctx context.Context, in *templateInput) (*oneTemplate, error) {
	t, err := in.Body.template()
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	added, err := s.pipe.AddTemplate(ctx, t)
	if added.ID == "" && s.revived(ctx, t, err) {
		added, err = s.pipe.AddTemplate(ctx, t)
	}
	return s.template(ctx, added, in.Spoken, err)
}

func (s *Site) editTemplate(ctx context.Context, in *templateChange) (*oneTemplate, error) {
	t, err := in.Body.template()
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	edited, err := s.pipe.EditTemplate(ctx, in.ID, t)
	if edited.ID == "" && s.revived(ctx, t, err) {
		edited, err = s.pipe.EditTemplate(ctx, in.ID, t)
	}
	return s.template(ctx, edited, in.Spoken, err)
}

// revivalTime is how long a request waits for a media_id in the place of a dead
// one; after it whoever asked is told that it is dead, and may ask again.
const (
	revivalTime = 20 * time.Second
	revivalLook = 200 * time.Millisecond
)

// revived reports whether t has another media_id now, because err says that
// WeCom calls the one in it dead and whoever serves the ledger has made another.
func (s *Site) revived(ctx context.Context, t wecom.WelcomeTemplate, err error) bool {
	m := t.Video
	if m == nil {
		m = t.File
	}
	if m == nil || !pipeline.DeadMedia(err) {
		return false
	}
	items, err := s.pipe.Discard(ctx, m.MediaID, false)
	for end := time.Now().Add(revivalTime); err == nil && len(items) > 0 && time.Now().Before(end); {
		it := items[0]
		now, _ := s.pipe.Journal.Now(ctx)
		switch {
		case it.Valid(now, 0):
			m.MediaID = it.Media.ID
			return true
		case it.Held():
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(revivalLook):
		}
		items, err = s.pipe.Journal.Items(ctx, pipeline.Query{Corp: s.pipe.Corp, IDs: []int64{it.ID}})
	}
	return false
}

// template answers with a template as the ledger has it. One that is at WeCom
// and could not be remembered is answered all the same: its id must not be
// lost.
func (s *Site) template(ctx context.Context, t pipeline.Template, sp Spoken, err error) (*oneTemplate, error) {
	if err != nil && t.ID == "" {
		return nil, s.refusalOfTemplate(ctx, err)
	}
	if err != nil {
		s.log.Error("a template is not in the ledger", "template", t.ID, "err", err)
	}
	entry := pipeline.TemplateEntry{Template: t}
	all, err := s.pipe.Templates(ctx)
	for _, e := range all {
		if err == nil && e.ID == t.ID {
			entry = e
		}
	}
	return &oneTemplate{templateView{entry.In(s.lang(sp.Lang, sp.Accept))}}, nil
}

func (s *Site) deleteTemplate(ctx context.Context, in *templateByID) (*struct{}, error) {
	if _, err := s.pipe.DeleteTemplate(ctx, in.ID, in.Agent); err != nil {
		return nil, s.refusalOfTemplate(ctx, err)
	}
	return nil, nil
}

// refusalOfTemplate is why WeCom, or the check before it, would not have a
// template.
func (s *Site) refusalOfTemplate(ctx context.Context, err error) *refusal {
	var own *pipeline.TemplateError
	var we *wecom.Error
	no := &refusal{status: http.StatusUnprocessableEntity}
	var words interface {
		FaultCode() string
		Explain(lang string) (message, remedy string)
	}
	switch {
	case errors.As(err, &own):
		words = own
	case errors.As(err, &we):
		words = we
		no.status, no.after = statusOf(we)
	default:
		return s.refusalOf(ctx, err)
	}
	no.code = words.FaultCode()
	no.message.ZH, no.remedy.ZH = words.Explain("zh")
	no.message.EN, no.remedy.EN = words.Explain("en")
	return no
}

// statusOf is what a call of WeCom's that failed is to who asked for it.
func statusOf(e *wecom.Error) (status int, after time.Duration) {
	switch e.Class() {
	case wecom.ClassRetry, wecom.ClassCancelled:
		return http.StatusServiceUnavailable, 10 * time.Second
	case wecom.ClassBackOff:
		return http.StatusServiceUnavailable, max(time.Minute, e.RetryAfter)
	case wecom.ClassConfig, wecom.ClassToken, wecom.ClassUnknown:
		return http.StatusBadGateway, 0
	}
	if e.Kind == wecom.KindAnswer && (e.Code == wecom.CodeBadTemplateID || e.Code == wecom.CodeForeignTemplate) {
		return http.StatusNotFound, 0
	}
	return http.StatusUnprocessableEntity, 0
}
