package pipeline

import (
	"context"
	"fmt"
	"time"

	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

// A TemplateError says why a template is not sent, or not renewed.
type TemplateError struct {
	Code  string // "wedrop/media-expired" ...: the values below
	Media string // the media_id that it is about; may be empty
	Item  Item   // of the ledger, where it has one
	Field string // of the template: "video", "image" ...; may be empty
}

// The codes of a TemplateError.
const (
	MediaExpired    = "wedrop/media-expired"    // its three days are over
	MediaForeign    = "wedrop/media-foreign"    // it belongs to another corp
	MediaKind       = "wedrop/media-kind"       // a video where a file belongs, or the like
	TemplateContent = "wedrop/template-content" // the ledger has no media of the same content any more
	TemplateChanged = "wedrop/template-changed" // somebody changed it by other means
	TemplateUnmoved = "wedrop/template-unmoved" // WeCom said yes, and shows the old media
)

func (e *TemplateError) Error() string {
	what, _ := e.Explain("en")
	return "template: " + what
}

// FaultCode is e.Code.
func (e *TemplateError) FaultCode() string { return e.Code }

// CheckTemplate reports what WeCom would refuse in t, or take and not show, as
// far as that can be known here: *wecom.Error of KindInput for its form (see
// wecom.WelcomeTemplate.Check), *TemplateError for a media_id that the ledger
// knows to be expired, of another corp or of another kind. A media_id that the
// ledger does not know passes: whether it lives, and whether it came from
// upload_by_url as it must, only WeCom can tell. It makes no call.
func (p *Pipeline) CheckTemplate(ctx context.Context, t wecom.WelcomeTemplate) error {
	if err := t.Check(); err != nil {
		return err
	}
	for _, m := range mediaFields(t) {
		if err := p.checkMedia(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// A mediaField is a media_id in a template, and what it has to be of.
type mediaField struct {
	name string
	id   string
	want inspect.Type // empty: a picture
}

func mediaFields(t wecom.WelcomeTemplate) (all []mediaField) {
	add := func(name, id string, want inspect.Type) {
		if id != "" {
			all = append(all, mediaField{name, id, want})
		}
	}
	if t.Image != nil {
		add("image", t.Image.MediaID, "")
	}
	if t.MiniProgram != nil {
		add("miniprogram", t.MiniProgram.PicMediaID, "")
	}
	if t.File != nil {
		add("file", t.File.MediaID, inspect.File)
	}
	if t.Video != nil {
		add("video", t.Video.MediaID, inspect.Video)
	}
	return all
}

// checkMedia looks a media_id up over all corps of the ledger.
func (p *Pipeline) checkMedia(ctx context.Context, m mediaField) error {
	items, err := p.Journal.Items(ctx, Query{Media: m.id})
	if err != nil || len(items) == 0 {
		return err
	}
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return err
	}
	it := items[0]
	for _, other := range items {
		if other.Corp == p.Corp {
			it = other
		}
	}
	e := &TemplateError{Media: m.id, Item: it, Field: m.name}
	switch {
	case it.Corp != p.Corp:
		e.Code = MediaForeign
	case it.Type != m.want:
		e.Code = MediaKind
	case !it.Valid(now, 0):
		e.Code = MediaExpired
	default:
		return nil
	}
	return e
}

// Explain says what happened and what to do now, in "zh" or "en".
func (e *TemplateError) Explain(lang string) (message, remedy string) {
	what, cure := e.texts()
	return what.In(lang), cure.In(lang)
}

func (e *TemplateError) texts() (what, cure Text) {
	kinds := map[inspect.Type]Text{inspect.Video: {"视频", "video"}, inspect.File: {"文件", "file"}}
	fields := map[string]Text{"video": {"视频", "video"}, "file": {"文件", "file"}, "image": {"图片", "picture"}, "miniprogram": {"小程序封面", "mini program's cover"}}
	kind, field := kinds[e.Item.Type], fields[e.Field]
	switch e.Code {
	case MediaExpired:
		at := ""
		if e.Item.Media != nil {
			at = e.Item.Media.ExpiresAt.Local().Format("2006-01-02 15:04")
		}
		return Text{fmt.Sprintf("这个 media_id（%s）已在 %s 过期", e.Item.Name, at), fmt.Sprintf("this media_id (%s) expired at %s", e.Item.Name, at)},
			Text{"用 --video 或 --file 直接给出文件，会自动换成有效的；或先用 wedrop get 取得有效的 media_id", "give the file itself with --video or --file, or take a valid media_id from wedrop get"}
	case MediaForeign:
		return Text{fmt.Sprintf("这个 media_id 属于另一家企业（%s），在这里不能用", e.Item.Corp), fmt.Sprintf("this media_id belongs to another corp (%s) and cannot be used here", e.Item.Corp)},
			Text{"用当前企业的配置重新发送这个文件，或直接用 --video、--file 给出文件", "send the file with this corp's configuration, or give it with --video or --file"}
	case MediaKind:
		return Text{fmt.Sprintf("这个 media_id 是按%s上传的（%s），不能当%s用", kind.ZH, e.Item.Name, field.ZH), fmt.Sprintf("this media_id is that of a %s (%s) and cannot serve as a %s", kind.EN, e.Item.Name, field.EN)},
			Text{"改用 --type " + string(e.Item.Type) + "；图片要用企业微信「上传临时素材」得到的 media_id", "use --type " + string(e.Item.Type) + "; a picture needs a media_id of WeCom's media/upload"}
	case TemplateContent:
		return Text{"这条欢迎语里的文件已被删除或换成了别的内容，没有办法续期", "the file in this template is gone or has other content by now, and cannot be renewed"},
			Text{"用新的文件更新它：wedrop welcome edit --template-id 编号 --video 文件（或 --file 文件）", "put the new file in: wedrop welcome edit --template-id ID --video FILE (or --file FILE)"}
	case TemplateChanged:
		return Text{"这条欢迎语在别处被改过，附件已不是 wedrop 放进去的那个，所以没有动它", "somebody has changed this template by other means: its attachment is not the one that wedrop put in, so it was left alone"},
			Text{"要交还给 wedrop 续期，请用 wedrop welcome edit 重新放入文件；不再用它就 wedrop welcome delete", "to have wedrop renew it, put the file in again with wedrop welcome edit; if it is not used any more, wedrop welcome delete"}
	}
	return Text{"企业微信说已更新这条欢迎语，读回来却还是旧的", "WeCom says that it has edited this template, and shows the old one"},
		Text{"会自动再试；若一直如此，请用 wedrop welcome edit 手工更新，并联系企业微信客服", "it is tried again by itself; if it stays so, edit it with wedrop welcome edit and ask WeCom's support"}
}

// dueAgain is when a template whose last renewal failed is tried again with
// its Item's media; false: not by itself. The pauses grow with the age of the
// media, from a minute to an hour.
func (t Template) dueAgain(it Item) (time.Time, bool) {
	made := it.Media.CreatedAt
	if it.Job != nil {
		made = it.Job.SubmittedAt // by the ledger's clock, as the Fault is
	}
	f := t.Fault
	if f == nil || f.At.Before(made) { // nothing was tried with this one
		return time.Time{}, true
	}
	if !f.Retry && !f.Config {
		return time.Time{}, false
	}
	return f.At.Add(min(max(f.At.Sub(made)/2, time.Minute), time.Hour)), true
}
