package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"wedrop/wecom"
)

// AddTemplate adds a group welcome template (入群欢迎语素材) at WeCom and
// remembers it, for WeCom has no call that lists them. What CheckTemplate
// refuses is not sent. With t.Notify nil WeCom tells the members of it: set it.
//
// An error together with a Template that has an ID says that the template is
// at WeCom, but the ledger could not take it in: keep the ID. Errors:
// *TemplateError, *wecom.Error, ctx's, the journal's.
func (p *Pipeline) AddTemplate(ctx context.Context, t wecom.WelcomeTemplate) (Template, error) {
	if err := p.CheckTemplate(ctx, t); err != nil {
		return Template{}, err
	}
	id, err := p.WeCom.AddWelcomeTemplate(politely(ctx, Submit), t)
	if err != nil {
		return Template{}, err
	}
	return p.remember(context.WithoutCancel(ctx), id, t)
}

// EditTemplate puts t in the place of what a template was, whole: what t does
// not have is gone (see Template for what it has now). Members are not told.
// What CheckTemplate refuses is not sent. The template may be one that the
// ledger did not know. Errors are as of AddTemplate.
func (p *Pipeline) EditTemplate(ctx context.Context, id string, t wecom.WelcomeTemplate) (Template, error) {
	t.Notify = nil
	if err := p.CheckTemplate(ctx, t); err != nil {
		return Template{}, err
	}
	if err := p.WeCom.EditWelcomeTemplate(politely(ctx, Submit), id, t); err != nil {
		return Template{}, err
	}
	return p.remember(context.WithoutCancel(ctx), id, t)
}

// DeleteTemplate deletes a template at WeCom and forgets it. agent is its
// AgentID; 0: the one that it was sent with. One that WeCom does not know (any
// more) is forgotten too, and gone is true then; if the ledger did not know it
// either, the error is WeCom's.
func (p *Pipeline) DeleteTemplate(ctx context.Context, id string, agent int) (gone bool, err error) {
	known, err := p.template(ctx, id)
	if err != nil {
		return false, err
	}
	if agent == 0 && known != nil {
		agent = known.Sent().AgentID
	}
	err = p.WeCom.DeleteWelcomeTemplate(politely(ctx, Submit), id, agent)
	if err != nil {
		if known == nil || !p.isGone(ctx, id, err) {
			return false, err
		}
		gone = true
	}
	return gone, p.Journal.DropTemplate(context.WithoutCancel(ctx), p.Corp, id)
}

// isGone reports whether a template is not there, after WeCom refused to
// delete it. The codes for an unknown one and for one of another app's are not
// told apart for sure: so WeCom is asked for it.
func (p *Pipeline) isGone(ctx context.Context, id string, refused error) bool {
	if !noSuchTemplate(refused) {
		return false
	}
	_, err := p.WeCom.WelcomeTemplate(ctx, id)
	return noSuchTemplate(err)
}

func noSuchTemplate(err error) bool {
	var e *wecom.Error
	return errors.As(err, &e) && e.Kind == wecom.KindAnswer && (e.Code == wecom.CodeBadTemplateID || e.Code == wecom.CodeForeignTemplate)
}

// Templates returns the templates that the ledger remembers, the oldest first,
// each with the Item whose media is in it. It makes no call.
func (p *Pipeline) Templates(ctx context.Context) ([]TemplateEntry, error) {
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.Journal.Templates(ctx, p.Corp)
	if err != nil {
		return nil, err
	}
	items, err := p.itemsOf(ctx, all)
	if err != nil {
		return nil, err
	}
	out := make([]TemplateEntry, len(all))
	for n, t := range all {
		out[n] = TemplateEntry{Template: t, At: now}
		if it, ok := items[t.Item]; ok {
			out[n].From = &it
		}
	}
	return out, nil
}

// itemsOf returns the Items that templates have their media from, by ID.
func (p *Pipeline) itemsOf(ctx context.Context, all []Template) (map[int64]Item, error) {
	var ids []int64
	for _, t := range all {
		if t.Item != 0 && !slices.Contains(ids, t.Item) {
			ids = append(ids, t.Item)
		}
	}
	items := map[int64]Item{}
	if len(ids) == 0 {
		return items, nil
	}
	found, err := p.Journal.Items(ctx, Query{Corp: p.Corp, IDs: ids})
	for _, it := range found {
		items[it.ID] = it
	}
	return items, err
}

// template is what the ledger remembers of one; nil: nothing.
func (p *Pipeline) template(ctx context.Context, id string) (*Template, error) {
	all, err := p.Journal.Templates(ctx, p.Corp)
	for _, t := range all {
		if t.ID == id {
			return &t, err
		}
	}
	return nil, err
}

// remember puts a template that WeCom has taken into the ledger, with the Item
// whose media_id is in it. It is remembered before it is read back: an id that
// is lost cannot be found again.
func (p *Pipeline) remember(ctx context.Context, id string, sent wecom.WelcomeTemplate) (Template, error) {
	t := Template{Corp: p.Corp, ID: id, Media: mediaIn(sent)}
	sent.Notify = nil
	var err error
	if t.Content, err = json.Marshal(sent); err != nil {
		return t, err
	}
	if t.Media != "" {
		items, err := p.Journal.Items(ctx, Query{Corp: p.Corp, Media: t.Media})
		if err != nil {
			return t, errors.Join(err, p.Journal.PutTemplate(ctx, t))
		}
		if len(items) > 0 {
			t.Item, t.MD5 = items[0].ID, items[0].MD5
		}
	}
	if err := p.Journal.PutTemplate(ctx, t); err != nil || t.Item == 0 {
		return t, err
	}
	shown, err := p.WeCom.WelcomeTemplate(ctx, id)
	if err != nil { // it is there all the same; the first renewal does without
		p.log().Debug("a template could not be read back", "template", id, "err", err)
		return t, nil
	}
	t.Shown = mediaIn(shown)
	return t, p.Journal.PutTemplate(ctx, t)
}

// Sent is the template as it was sent last.
func (t Template) Sent() wecom.WelcomeTemplate {
	var w wecom.WelcomeTemplate
	_ = json.Unmarshal(t.Content, &w) // PutTemplate's; unreadable is empty
	return w
}

// mediaIn is the media_id of a template's video or file; empty without one.
func mediaIn(t wecom.WelcomeTemplate) string {
	switch {
	case t.Video != nil:
		return t.Video.MediaID
	case t.File != nil:
		return t.File.MediaID
	}
	return ""
}

// withMedia is t with another media_id in its video or file.
func withMedia(t wecom.WelcomeTemplate, id string) wecom.WelcomeTemplate {
	switch {
	case t.Video != nil:
		t.Video = &wecom.WelcomeMedia{MediaID: id}
	case t.File != nil:
		t.File = &wecom.WelcomeMedia{MediaID: id}
	}
	return t
}
