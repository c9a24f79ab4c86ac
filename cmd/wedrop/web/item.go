package web

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wedrop/pipeline"
)

// An itemView is an Item in the API: the contract's object, and what the page
// wants to know besides.
type itemView struct {
	pipeline.Item
	now     time.Time // by the ledger's clock
	preview bool
}

// MarshalJSON is the Item's own form with the members of MoreJSON.
func (v itemView) MarshalJSON() ([]byte, error) {
	own, err := v.Item.MarshalJSON()
	if err != nil {
		return nil, err
	}
	more, err := json.Marshal(MoreJSON{Due: v.due(), Created: wire(v.Created), Updated: wire(v.Updated), WaitingSince: v.waiting(), Preview: v.preview})
	if err != nil {
		return nil, err
	}
	return append(append(own[:len(own)-1], ','), more[1:]...), nil
}

// due is when the Item goes on by itself, where it waits for a time.
func (v itemView) due() *time.Time {
	if v.Held() || v.Step == pipeline.Done || !v.Due.After(v.now) {
		return nil
	}
	t := wire(v.Due)
	return &t
}

// waiting is since when the Item waits for its step.
func (v itemView) waiting() *time.Time {
	if v.Step == pipeline.Done {
		return nil
	}
	t := v.Created
	for _, e := range v.History {
		t = e.At
	}
	if v.Step == pipeline.Await && v.Job != nil {
		t = v.Job.SubmittedAt
	}
	t = wire(t)
	return &t
}

// wire is how times are shown: UTC, whole seconds.
func wire(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Schema is for huma, which cannot see through MarshalJSON.
func (itemView) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[itemJSON](), true, "")
}

// itemJSON documents what MarshalJSON writes; a test compares them.
type itemJSON struct {
	ID       int64         `json:"id" example:"12" doc:"In the ledger."`
	Path     string        `json:"path" doc:"Of the file, on the machine that sent it."`
	Name     string        `json:"name" doc:"As the receiver sees it." example:"clip.mp4"`
	Type     string        `json:"type" enum:"auto,video,file" doc:"How it goes; auto until it was read."`
	Size     int64         `json:"size" doc:"In bytes; 0 until it was read."`
	MD5      string        `json:"md5" doc:"In lower-case hex; empty until it was read."`
	Step     string        `json:"step" enum:"inspect,stage,submit,await,done" doc:"The work that it waits for."`
	Object   *objectJSON   `json:"object" doc:"The public copy, once it is there."`
	Job      *jobJSON      `json:"job" doc:"WeCom's fetch of it, once it was submitted."`
	Media    *mediaJSON    `json:"media" doc:"The media_id. It stays while it is being renewed, so look at expires_at."`
	Fault    *faultJSON    `json:"fault" doc:"Why it stopped. With retry it goes on by itself, else it waits for a person."`
	Warnings []warningJSON `json:"warnings" nullable:"false" doc:"The file goes all the same."`
	Reused   bool          `json:"reused" doc:"Whether a valid media_id was there already."`
	Verified *bool         `json:"verified,omitempty" doc:"Whether what WeCom has was read back and is the same."`
	MoreJSON
}

// MoreJSON is what an item has in the API alone. (Exported, or huma would not
// see it where it is embedded.)
type MoreJSON struct {
	Due          *time.Time `json:"due" doc:"When it goes on by itself, where it waits for a time."`
	Created      time.Time  `json:"created" doc:"When it came into the ledger."`
	Updated      time.Time  `json:"updated" doc:"When it changed last."`
	WaitingSince *time.Time `json:"waiting_since" doc:"Since when it waits for this step; null when it is done."`
	Preview      bool       `json:"preview" doc:"Whether its content can be looked at."`
}

type objectJSON struct {
	Key string `json:"key"`
	URL string `json:"url"`
}

type jobJSON struct {
	ID          string    `json:"id"`
	SubmittedAt time.Time `json:"submitted_at"`
}

type mediaJSON struct {
	ID        string    `json:"id" doc:"The media_id."`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

type faultJSON struct {
	Step    string    `json:"step"`
	Code    string    `json:"code" example:"inspect/too-small"`
	Message string    `json:"message"`
	Remedy  string    `json:"remedy"`
	Retry   bool      `json:"retry"`
	At      time.Time `json:"at"`
}

type warningJSON struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type eventJSON struct {
	At      time.Time `json:"at"`
	What    string    `json:"what" enum:"entered,moved_on,failed,went_back,stopped,retried,renewing,sent_again"`
	Step    string    `json:"step" enum:"inspect,stage,submit,await,done" doc:"That it waits for since then."`
	Code    string    `json:"code" doc:"Of the fault, where what tells of one; else empty."`
	N       int       `json:"n" doc:"How often in a row, at being the last time."`
	Message string    `json:"message" doc:"In words."`
}

// eventsOf is an Item's history in words, the oldest first.
func eventsOf(it pipeline.Item, lang string) []eventJSON {
	out := []eventJSON{{At: wire(it.Created), What: "entered", Step: string(pipeline.Inspect), N: 1, Message: enteredText().In(lang)}}
	for _, e := range it.History {
		out = append(out, eventJSON{At: wire(e.At), What: string(e.What), Step: string(e.Step), Code: e.Code, N: max(e.N, 1), Message: eventText(e).In(lang)})
	}
	return out
}

func enteredText() pipeline.Text { return pipeline.Text{ZH: "收到文件", EN: "the file came in"} }

// eventText says what happened.
func eventText(e pipeline.Event) pipeline.Text {
	to := stepText(e.Step)
	switch e.What {
	case pipeline.MovedOn:
		if e.Step == pipeline.Done {
			return pipeline.Text{ZH: "拿到 media_id", EN: "the media_id came"}
		}
		return pipeline.Text{ZH: "开始" + to.ZH, EN: "on to " + to.EN}
	case pipeline.Failed:
		return pipeline.Text{ZH: to.ZH + "没有成功，会自动再试（" + e.Code + "）", EN: to.EN + " did not go well and is tried again (" + e.Code + ")"}
	case pipeline.WentBack:
		return pipeline.Text{ZH: "退回到" + to.ZH + "重做（" + e.Code + "）", EN: "back to " + to.EN + " (" + e.Code + ")"}
	case pipeline.Stopped:
		return pipeline.Text{ZH: to.ZH + "时停下，需要处理（" + e.Code + "）", EN: "held at " + to.EN + ", somebody has to see to it (" + e.Code + ")"}
	case pipeline.Retried:
		return pipeline.Text{ZH: "有人点了重试", EN: "somebody released it"}
	case pipeline.Renewing:
		return pipeline.Text{ZH: "开始续期", EN: "being renewed"}
	case pipeline.SentAgain:
		return pipeline.Text{ZH: "要求重新发送", EN: "to be sent again"}
	}
	return pipeline.Text{ZH: string(e.What), EN: string(e.What)}
}

func stepText(s pipeline.Step) pipeline.Text {
	switch s {
	case pipeline.Inspect:
		return pipeline.Text{ZH: "检查文件", EN: "checking the file"}
	case pipeline.Stage:
		return pipeline.Text{ZH: "上传到存储桶", EN: "staging it on the bucket"}
	case pipeline.Submit:
		return pipeline.Text{ZH: "提交给企业微信", EN: "submitting it to WeCom"}
	case pipeline.Await:
		return pipeline.Text{ZH: "等待企业微信处理", EN: "waiting for WeCom"}
	}
	return pipeline.Text{ZH: "收尾", EN: "the end"}
}
