package wecom

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The pages' limits, in bytes.
const (
	maxWelcomeText  = 3000
	maxLinkTitle    = 128
	maxLinkDesc     = 512
	maxProgramTitle = 64
)

// Check reports what WeCom would refuse in t, or take and not show: nothing at
// all, a text or title over its limit, an attachment without what it needs,
// more than one attachment. The error is an *Error of KindInput that names the
// Field. It cannot know whether a media_id is still good.
func (t WelcomeTemplate) Check() error { return t.check(apiWelcome + "add") }

func (t WelcomeTemplate) check(api string) error {
	refuse := func(field string, what, cure text) error { return inputError(api, field, what, cure) }
	attached := t.attached()
	switch {
	case len(attached) > 1:
		return refuse(attached[1].field, text{
			fmt.Sprintf("一条入群欢迎语只能带一个附件，这里有 %d 个（%s）：成员只会看到%s，其余的会被企业微信悄悄隐藏", len(attached), names(attached, "zh"), attached[0].name.zh),
			fmt.Sprintf("a welcome message takes one attachment and here are %d (%s): members would see the %s alone, WeCom hides the rest without a word", len(attached), names(attached, "en"), attached[0].name.en)},
			text{"请只保留一个附件；要发几样东西，请做成几条欢迎语素材", "keep one of them; for several things make several templates"})
	case t.Text == "" && len(attached) == 0:
		return refuse("text", text{"欢迎语是空的：既没有文字，也没有附件", "the welcome message is empty: it has no text and no attachment"},
			text{"请写一段文字，或加上一个视频、文件、图片、链接或小程序", "give it a text, or a video, file, image, link or mini program"})
	}
	for _, f := range t.fields() {
		if err := f.check(api); err != nil {
			return err
		}
	}
	return nil
}

// An attachment is one that is set, under its name in the call.
type attachment struct {
	field string
	name  text
}

// attached are the attachments that are set, in the order in which WeCom
// prefers them.
func (t WelcomeTemplate) attached() []attachment {
	all := []attachment{{"image", text{"图片", "image"}}, {"link", text{"链接", "link"}}, {"miniprogram", text{"小程序", "mini program"}},
		{"file", text{"文件", "file"}}, {"video", text{"视频", "video"}}}
	set := []bool{t.Image != nil, t.Link != nil, t.MiniProgram != nil, t.File != nil, t.Video != nil}
	var found []attachment
	for i, a := range all {
		if set[i] {
			found = append(found, a)
		}
	}
	return slices.Clip(found)
}

func names(all []attachment, lang string) string {
	var s []string
	for _, a := range all {
		s = append(s, a.name.in(lang))
	}
	return strings.Join(s, text{"、", ", "}.in(lang))
}

// A welcomeField is one text of a template and its rules.
type welcomeField struct {
	field string
	name  text
	value string
	max   int  // bytes; no limit if zero
	must  bool // may not be empty
}

func (t WelcomeTemplate) fields() []welcomeField {
	fields := []welcomeField{{"text.content", text{"欢迎语的文字", "the welcome text"}, t.Text, maxWelcomeText, false}}
	if i := t.Image; i != nil {
		// One of the two is needed, and the media_id goes first.
		fields = append(fields, welcomeField{"image.media_id", text{"图片的 media_id（或 pic_url）", "the image's media_id (or pic_url)"}, i.MediaID + i.PicURL, 0, true})
	}
	if l := t.Link; l != nil {
		fields = append(fields,
			welcomeField{"link.title", text{"链接的标题", "the link's title"}, l.Title, maxLinkTitle, true},
			welcomeField{"link.desc", text{"链接的描述", "the link's description"}, l.Desc, maxLinkDesc, false},
			welcomeField{"link.picurl", text{"链接的封面网址", "the link's picture"}, l.PicURL, 0, false},
			welcomeField{"link.url", text{"链接的网址", "the link's address"}, l.URL, 0, true})
	}
	if m := t.MiniProgram; m != nil {
		fields = append(fields,
			welcomeField{"miniprogram.title", text{"小程序的标题", "the mini program's title"}, m.Title, maxProgramTitle, true},
			welcomeField{"miniprogram.pic_media_id", text{"小程序封面的 media_id", "the media_id of the mini program's cover"}, m.PicMediaID, 0, true},
			welcomeField{"miniprogram.appid", text{"小程序的 appid", "the mini program's appid"}, m.AppID, 0, true},
			welcomeField{"miniprogram.page", text{"小程序的页面路径", "the mini program's page"}, m.Page, 0, true})
	}
	if f := t.File; f != nil {
		fields = append(fields, welcomeField{"file.media_id", text{"文件的 media_id", "the file's media_id"}, f.MediaID, 0, true})
	}
	if v := t.Video; v != nil {
		fields = append(fields, welcomeField{"video.media_id", text{"视频的 media_id", "the video's media_id"}, v.MediaID, 0, true})
	}
	return fields
}

func (f welcomeField) check(api string) error {
	switch n := len(f.value); {
	case f.must && strings.TrimSpace(f.value) == "":
		return inputError(api, f.field, text{f.name.zh + "是空的", f.name.en + " is empty"},
			text{"请补上" + f.name.zh + "；不需要这个附件就整个去掉", "fill it in, or leave the whole attachment out"})
	case !utf8.ValidString(f.value):
		return inputError(api, f.field, text{f.name.zh + "不是合法的 UTF-8 文字", f.name.en + " is not valid UTF-8"},
			text{"请以 UTF-8 编码保存后重试", "save it as UTF-8 and try again"})
	case f.max > 0 && n > f.max:
		return inputError(api, f.field,
			text{fmt.Sprintf("%s有 %d 字节，超过企业微信的上限 %d 字节", f.name.zh, n, f.max), fmt.Sprintf("%s has %d bytes, over WeCom's limit of %d", f.name.en, n, f.max)},
			text{fmt.Sprintf("请缩短到 %d 字节以内：一个汉字占 3 字节，最多约 %d 个汉字；超出了 %d 字节", f.max, f.max/3, n-f.max), fmt.Sprintf("shorten it by %d bytes; a Chinese character takes 3", n-f.max)})
	}
	return nil
}

func checkTemplateID(api, id string) error {
	if strings.TrimSpace(id) != "" && utf8.ValidString(id) {
		return nil
	}
	return inputError(api, "template_id", text{"没有给出欢迎语模板的编号（template_id）", "the template_id is missing"},
		text{"请用 wedrop welcome list 查看可用的模板编号", "see wedrop welcome list for the template_ids that can be used"})
}
