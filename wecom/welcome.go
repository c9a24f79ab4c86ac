package wecom

import (
	"context"
	"encoding/json"
)

const apiWelcome = "externalcontact/group_welcome_template/"

// A WelcomeTemplate is a group welcome template (入群欢迎语素材): a text, one
// attachment, or both. WeCom keeps up to 100 of them for a corp and has no
// call that lists them: who adds one remembers its id.
//
// As JSON it has the form of WeCom's own calls; a member that is not set is
// absent, for an empty object is refused (40063).
type WelcomeTemplate struct {
	Text string // at most 3,000 bytes; %NICKNAME% stands for the new member's name

	// At most one of these: of several WeCom shows one and hides the others
	// without a word. In its order of preference:
	Image       *WelcomeImage
	Link        *WelcomeLink
	MiniProgram *WelcomeMiniProgram
	File        *WelcomeMedia
	Video       *WelcomeMedia

	AgentID int // 0 but for suites of several apps, which are third parties'

	// Notify says whether WeCom tells the groups' owners and members of a new
	// template. Nil leaves the member out, and then it does tell them.
	Notify *bool
}

// A WelcomeImage is a picture. Of the two WeCom takes MediaID if both are
// given.
type WelcomeImage struct {
	MediaID string `json:"media_id,omitempty"`
	PicURL  string `json:"pic_url,omitempty"` // from media/uploadimg only
}

// A WelcomeLink is a link with a card. Title and URL are required.
type WelcomeLink struct {
	Title  string `json:"title"` // at most 128 bytes
	PicURL string `json:"picurl,omitempty"`
	Desc   string `json:"desc,omitempty"` // at most 512 bytes
	URL    string `json:"url"`
}

// A WelcomeMiniProgram is a mini program's card. Everything is required.
type WelcomeMiniProgram struct {
	Title      string `json:"title"`        // at most 64 bytes
	PicMediaID string `json:"pic_media_id"` // the cover, 520 by 416 pixels
	AppID      string `json:"appid"`        // linked to the corp
	Page       string `json:"page"`
}

// A WelcomeMedia is a file or a video, by the media_id that UploadByURL's job
// gave. A media_id of media/upload is another kind.
type WelcomeMedia struct {
	MediaID string `json:"media_id"`
}

// AddWelcomeTemplate adds t and returns its template_id. What Check refuses is
// not sent. With t.Notify nil WeCom tells members of it.
//
// https://developer.work.weixin.qq.com/document/path/92366
func (c *Client) AddWelcomeTemplate(ctx context.Context, t WelcomeTemplate) (id string, err error) {
	const api = apiWelcome + "add"
	if err := t.check(api); err != nil {
		return "", err
	}
	var out struct {
		ID word `json:"template_id"`
	}
	if _, err := c.call(ctx, api, t, &out); err != nil {
		return "", err
	}
	if out.ID == "" {
		return "", &Error{API: api, Kind: KindBadResponse, Status: 200, Err: noTemplateID}
	}
	return string(out.ID), nil
}

// EditWelcomeTemplate puts t in the place of what the template was, whole:
// what t does not have is gone. Members are not told, whatever t.Notify says,
// for the call has no such member. Only the app that added a template may
// edit it (40036, 40037).
//
// https://developer.work.weixin.qq.com/document/path/92366
func (c *Client) EditWelcomeTemplate(ctx context.Context, id string, t WelcomeTemplate) error {
	const api = apiWelcome + "edit"
	if err := t.check(api); err != nil {
		return err
	}
	if err := checkTemplateID(api, id); err != nil {
		return err
	}
	t.Notify = nil
	_, err := c.call(ctx, api, struct {
		ID string `json:"template_id"`
		welcomeJSON
	}{id, t.json()}, &struct{}{})
	return err
}

// WelcomeTemplate returns the template as WeCom has it. Its AgentID and Notify
// are never set, and of an image WeCom tells the PicURL alone.
//
// https://developer.work.weixin.qq.com/document/path/92366
func (c *Client) WelcomeTemplate(ctx context.Context, id string) (WelcomeTemplate, error) {
	const api = apiWelcome + "get"
	if err := checkTemplateID(api, id); err != nil {
		return WelcomeTemplate{}, err
	}
	var t WelcomeTemplate
	_, err := c.call(ctx, api, struct {
		ID string `json:"template_id"`
	}{id}, &t)
	if err != nil {
		return WelcomeTemplate{}, err
	}
	t.AgentID, t.Notify = 0, nil
	return t, nil
}

// DeleteWelcomeTemplate deletes a template that this app has added. agent is
// the template's AgentID, 0 for none.
//
// https://developer.work.weixin.qq.com/document/path/92366
func (c *Client) DeleteWelcomeTemplate(ctx context.Context, id string, agent int) error {
	const api = apiWelcome + "del"
	if err := checkTemplateID(api, id); err != nil {
		return err
	}
	_, err := c.call(ctx, api, struct {
		ID    string `json:"template_id"`
		Agent int    `json:"agentid,omitempty"`
	}{id, agent}, &struct{}{})
	return err
}

// welcomeJSON is a template in the form of WeCom's calls.
type welcomeJSON struct {
	Text        *welcomeText        `json:"text,omitempty"`
	Image       *WelcomeImage       `json:"image,omitempty"`
	Link        *WelcomeLink        `json:"link,omitempty"`
	MiniProgram *WelcomeMiniProgram `json:"miniprogram,omitempty"`
	File        *WelcomeMedia       `json:"file,omitempty"`
	Video       *WelcomeMedia       `json:"video,omitempty"`
	AgentID     int                 `json:"agentid,omitempty"`
	Notify      *int                `json:"notify,omitempty"` // 0 or 1
}

type welcomeText struct {
	Content string `json:"content"`
}

func (t WelcomeTemplate) json() welcomeJSON {
	j := welcomeJSON{Image: t.Image, Link: t.Link, MiniProgram: t.MiniProgram, File: t.File, Video: t.Video, AgentID: t.AgentID}
	if t.Text != "" {
		j.Text = &welcomeText{t.Text}
	}
	if t.Notify != nil {
		j.Notify = new(int)
		if *t.Notify {
			*j.Notify = 1
		}
	}
	return j
}

// MarshalJSON is t in the form of WeCom's calls.
func (t WelcomeTemplate) MarshalJSON() ([]byte, error) { return plainJSON(t.json()) }

// UnmarshalJSON reads what MarshalJSON wrote or WeCom's get answered, which
// may have empty objects for what is not set, or null, or nothing.
func (t *WelcomeTemplate) UnmarshalJSON(b []byte) error {
	var in struct {
		Text  json.RawMessage `json:"text"`
		Image object[struct {
			MediaID word `json:"media_id"`
			PicURL  word `json:"pic_url"`
		}] `json:"image"`
		Link object[struct {
			Title  word `json:"title"`
			PicURL word `json:"picurl"`
			Desc   word `json:"desc"`
			URL    word `json:"url"`
		}] `json:"link"`
		MiniProgram object[struct {
			Title      word `json:"title"`
			PicMediaID word `json:"pic_media_id"`
			AppID      word `json:"appid"`
			Page       word `json:"page"`
		}] `json:"miniprogram"`
		File    object[mediaJSON] `json:"file"`
		Video   object[mediaJSON] `json:"video"`
		AgentID number            `json:"agentid"`
		Notify  number            `json:"notify"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	agent, _ := in.AgentID.whole()
	*t = WelcomeTemplate{
		Text:        contentOf(in.Text),
		Image:       unlessEmpty(WelcomeImage{string(in.Image.is.MediaID), string(in.Image.is.PicURL)}),
		Link:        unlessEmpty(WelcomeLink{string(in.Link.is.Title), string(in.Link.is.PicURL), string(in.Link.is.Desc), string(in.Link.is.URL)}),
		MiniProgram: unlessEmpty(WelcomeMiniProgram{string(in.MiniProgram.is.Title), string(in.MiniProgram.is.PicMediaID), string(in.MiniProgram.is.AppID), string(in.MiniProgram.is.Page)}),
		File:        unlessEmpty(WelcomeMedia{string(in.File.is.MediaID)}),
		Video:       unlessEmpty(WelcomeMedia{string(in.Video.is.MediaID)}),
		AgentID:     agent,
	}
	if in.Notify.ok {
		yes := in.Notify.value != 0
		t.Notify = &yes
	}
	return nil
}

type mediaJSON struct {
	MediaID word `json:"media_id"`
}

// contentOf reads {"content":"..."} or, in its place, the text itself.
func contentOf(b json.RawMessage) string {
	var o object[struct {
		Content word `json:"content"`
	}]
	var plain string
	if json.Unmarshal(b, &plain) == nil {
		return plain
	}
	if json.Unmarshal(b, &o) != nil {
		return ""
	}
	return string(o.is.Content)
}

func unlessEmpty[T comparable](v T) *T {
	var empty T
	if v == empty {
		return nil
	}
	return &v
}
