package pipeline

import (
	"encoding/json"
	"time"
)

// A TemplateEntry is a remembered template together with the Item whose media
// is in it.
type TemplateEntry struct {
	Template
	From *Item     // nil: its media, if it has one, is none of the ledger's
	At   time.Time // by the ledger's clock: when this was read
	Lang string    // what MarshalJSON speaks: "zh" or, if empty, "en"
}

// A TemplateState says how a template stands.
type TemplateState string

// The values of TemplateState. Whether a template goes on working after its
// media_id has died is not known.
const (
	TemplateReady   TemplateState = "ready"   // its media_id lives, or it has none
	TemplateStale   TemplateState = "stale"   // the media was renewed, and the template has not got it yet
	TemplateExpired TemplateState = "expired" // its media_id has died
	TemplateFailed  TemplateState = "failed"  // its renewal, or that of its media, failed: see Problem
	TemplateUnknown TemplateState = "unknown" // its media_id is none of the ledger's
)

// State is how the template stands.
func (e TemplateEntry) State() TemplateState {
	switch it := e.From; {
	case e.Problem() != nil:
		return TemplateFailed
	case e.Media == "":
		return TemplateReady
	case it == nil || it.Media == nil:
		return TemplateUnknown
	case it.Media.ID != e.Media:
		return TemplateStale
	case !it.Valid(e.At, 0):
		return TemplateExpired
	}
	return TemplateReady
}

// Problem is what a person has to know: why the template's renewal failed or,
// where its media could not be renewed, why that did not go. Nil: nothing.
func (e TemplateEntry) Problem() *Fault {
	if e.Fault == nil && e.From != nil && e.From.Held() {
		return e.From.Fault
	}
	return e.Fault
}

// Expires is when the template's media_id dies; zero if that is not known, or
// it has none.
func (e TemplateEntry) Expires() time.Time {
	if e.From == nil || e.From.Media == nil || e.From.Media.ID != e.Media {
		return time.Time{}
	}
	return e.From.Media.ExpiresAt
}

// In returns e as it is to be shown in lang.
func (e TemplateEntry) In(lang string) TemplateEntry {
	e.Lang = lang
	return e
}

// MarshalJSON is the form of --json and of the HTTP API. "template" is as
// WeCom's own calls have it.
func (e TemplateEntry) MarshalJSON() ([]byte, error) {
	v := struct {
		ID       string          `json:"template_id"`
		Template json.RawMessage `json:"template"`
		State    TemplateState   `json:"state"`
		Item     *int64          `json:"item"`
		Name     string          `json:"name"`
		Media    *mediaJSON      `json:"media"`
		Fault    *faultJSON      `json:"fault"`
		Created  *time.Time      `json:"created"`
		Updated  *time.Time      `json:"updated"`
	}{ID: e.ID, Template: e.Content, State: e.State(), Created: moment(e.Created), Updated: moment(e.Updated)}
	if len(v.Template) == 0 {
		v.Template = json.RawMessage("null")
	}
	if e.From != nil {
		v.Item, v.Name = &e.From.ID, e.From.Name
	}
	if e.Media != "" {
		v.Media = &mediaJSON{ID: e.Media, ExpiresAt: moment(e.Expires())}
	}
	if f := e.Problem(); f != nil {
		v.Fault = &faultJSON{f.Step, f.Code, f.Message.In(e.Lang), f.Remedy.In(e.Lang), f.Retry || f.Config, wire(f.At)}
	}
	return json.Marshal(v)
}

type mediaJSON struct {
	ID        string     `json:"id"`
	ExpiresAt *time.Time `json:"expires_at"` // null: not known
}

// moment is a time as it is shown; nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = wire(t)
	return &t
}
