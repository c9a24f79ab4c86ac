package main

import (
	"fmt"
	"time"
)

// welcomeMessages is what the commands about templates say.
type welcomeMessages struct {
	About, Add, Edit, Get, Delete, List about

	FlagText, FlagVideo, FlagFile, FlagMediaID, FlagType, FlagImageURL                                             string
	FlagLinkTitle, FlagLinkURL, FlagLinkDesc, FlagLinkPicture, FlagMiniTitle, FlagMiniApp, FlagMiniPage, FlagCover string
	FlagJSONFile, FlagNotify, FlagNotifyEdit, FlagTemplateID, FlagAgentID, FlagDetach                              string

	// Wrong usage.
	VideoAndFile, Nothing, NothingToChange, TypeAlone, TypeNeeded, Twice, NoID, TwoIDs, DetachAndAttach string
	BadType, BlankFlag                                                                                  func(string) string

	Columns                                                     []string
	Ready, Stale, Expired, Failed, Unknown                      string
	NoneRemembered, NotRemembered, NotRememberedRemedy, Dropped string
	Text, Video, File, Image, Link, Program, NoText             string
	MediaElsewhere, MediaNoPicture                              string
	MediaUnknown, NoDate                                        string
	Until, Deleted, Edited, BadJSONFile, UnknownMember          func(string) string
	BadJSONRemedy                                               string
	OldImage                                                    string
}

func newWelcomeMessages(say func(zh, en string) string) welcomeMessages {
	return welcomeMessages{
		About: about{
			Short: say("入群欢迎语素材：添加、修改、查看、删除", "group welcome templates: add, edit, show, delete"),
			Long: say(`管理入群欢迎语素材（每家企业最多 100 条）。企业微信没有「列出全部」的接口，所以 wedrop 会把自己添加的
template_id 连同里面的文件记在账本里。一条素材是一段文字、一个附件，或两者都有；附件只能有一个，多出来的会被
企业微信悄悄隐藏，所以 wedrop 会直接拒绝。
media_id 只有 72 小时有效，过期后素材是否还能用，企业微信没有说明。配置 welcome.renew_templates: true 后，
sync 和 serve 会在过期前续期，更新用到它的素材，并读回来核对。`,
				`Manages group welcome templates (入群欢迎语素材; a corp has up to 100). WeCom has
no call that lists them, so wedrop keeps in its ledger the template_ids that it
added and the files in them. A template is a text, one attachment, or both; of
several attachments WeCom hides all but one without a word, so they are refused.
A media_id lives for 72 hours; whether a template goes on working after that,
WeCom does not say. With welcome.renew_templates: true in the configuration,
sync and serve renew it in time, edit the templates that use it, and read them
back.`),
			Example: say(`  wedrop welcome add --text "欢迎 %NICKNAME%" --video 开场.mp4
  wedrop welcome list`,
				`  wedrop welcome add --text "Welcome %NICKNAME%" --video clip.mp4
  wedrop welcome list`),
		},
		Add: about{
			Short: say("添加一条素材，打印 template_id", "add a template and print its template_id"),
			Long: say(`添加一条入群欢迎语素材，stdout 只打印 template_id。--video、--file 给的是本机文件，会先像 push 一样发送。
默认不通知群成员（--notify=false，总是明确告诉企业微信，因为不写就等于通知）。`,
				`Adds a group welcome template and prints its template_id alone. --video and
--file take a local file, which is carried to a media_id first, as push does.
Members are not told of it: notify=false is always sent, because WeCom takes an
absent notify for a yes; --notify tells them.`),
			Example: say(`  wedrop welcome add --text "欢迎 %NICKNAME%" --video 开场.mp4
  wedrop welcome add --file 价格表.pdf
  wedrop welcome add --text 欢迎 --media-id "$(wedrop get 开场.mp4)" --type video
  wedrop welcome add --link-title 官网 --link-url https://example.com
  wedrop welcome add --json-file 欢迎语.json`,
				`  wedrop welcome add --text "Welcome %NICKNAME%" --video clip.mp4
  wedrop welcome add --file prices.pdf
  wedrop welcome add --text Hi --media-id "$(wedrop get clip.mp4)" --type video
  wedrop welcome add --link-title Site --link-url https://example.com
  wedrop welcome add --json-file welcome.json`),
		},
		Edit: about{
			Short: say("修改一条素材", "edit a template"),
			Long: say(`修改一条素材：只改给出的部分，其余保持企业微信上现在的样子。（企业微信的修改接口会整条替换，没写的就没了；
所以 wedrop 先读出现在的内容，再把给出的放上去。）给出新附件会换掉旧附件；--no-attachment 去掉附件，
--text "" 去掉文字；--json-file 则整条替换。修改从不通知群成员。只能修改同一个应用添加的素材。`,
				`Changes what is given and leaves the rest as WeCom has it now. (WeCom's own call
replaces the whole, and what is not in it is gone: so wedrop reads the template
first and lays what is given over it.) A new attachment takes the place of the
old one; --no-attachment removes it, --text "" removes the text; --json-file
replaces the whole. Members are never told of an edit. Only the app that added a
template may edit it.`),
			Example: say(`  wedrop welcome edit --template-id msgXXXX --text "新的文字"
  wedrop welcome edit --template-id msgXXXX --video 新开场.mp4`,
				`  wedrop welcome edit --template-id msgXXXX --text "other words"
  wedrop welcome edit --template-id msgXXXX --video new.mp4`),
		},
		Get: about{
			Short:   say("查看一条素材", "show a template"),
			Long:    say("从企业微信读出一条素材，加上账本里知道的：文件名和有效期。", "Reads a template from WeCom and adds what the ledger knows: the file's name and\nhow long its media_id lives."),
			Example: say("  wedrop welcome get --template-id msgXXXX\n  wedrop welcome get msgXXXX --json", "  wedrop welcome get --template-id msgXXXX\n  wedrop welcome get msgXXXX --json"),
		},
		Delete: about{
			Short:   say("删除一条素材", "delete a template"),
			Long:    say("从企业微信删除一条素材，并从账本里去掉；不会再问。企业微信上已经没有的，也从账本里去掉。", "Deletes a template at WeCom and forgets it, without asking. One that is not at\nWeCom any more is forgotten too."),
			Example: say("  wedrop welcome delete --template-id msgXXXX", "  wedrop welcome delete --template-id msgXXXX"),
		},
		List: about{
			Short:   say("列出账本里的素材", "list the templates in the ledger"),
			Long:    say("列出 wedrop 添加或修改过的素材，不联网。", "Lists the templates that wedrop has added or edited. It makes no call."),
			Example: say("  wedrop welcome list\n  wedrop welcome list --json", "  wedrop welcome list\n  wedrop welcome list --json"),
		},

		FlagText:        say("文字 `TEXT`，最多 3000 字节；%NICKNAME% 代表新成员的昵称", "the `TEXT`, up to 3000 bytes; %NICKNAME% is the new member's name"),
		FlagVideo:       say("附件：本机视频 `FILE`（MP4），先发送再使用", "attachment: a local video `FILE` (MP4), sent first"),
		FlagFile:        say("附件：本机文件 `FILE`，先发送再使用", "attachment: a local `FILE`, sent first"),
		FlagMediaID:     say("附件：现成的 media_id `ID`，配合 --type", "attachment: a media_id `ID` that is there, with --type"),
		FlagType:        say("--media-id 的类型 `TYPE`：video、file 或 image（账本里有的可不写）", "the `TYPE` of --media-id: video, file or image (may be left out for one in the ledger)"),
		FlagImageURL:    say("附件：图片 `URL`，只能是企业微信「上传图片」得到的网址", "attachment: a picture's `URL`, from WeCom's media/uploadimg only"),
		FlagLinkTitle:   say("附件：链接的标题 `TEXT`（128 字节）", "attachment: a link's title `TEXT` (128 bytes)"),
		FlagLinkURL:     say("链接的网址 `URL`", "the link's `URL`"),
		FlagLinkDesc:    say("链接的描述 `TEXT`（512 字节）", "the link's description `TEXT` (512 bytes)"),
		FlagLinkPicture: say("链接封面的网址 `URL`", "the `URL` of the link's picture"),
		FlagMiniTitle:   say("附件：小程序的标题 `TEXT`（64 字节）", "attachment: a mini program's title `TEXT` (64 bytes)"),
		FlagMiniApp:     say("小程序的 appid `ID`，须与企业关联", "the mini program's appid `ID`, linked to the corp"),
		FlagMiniPage:    say("小程序的页面 `PATH`", "the mini program's page `PATH`"),
		FlagCover:       say("小程序封面的 media_id `ID`（520×416）", "media_id `ID` of the mini program's cover (520 by 416)"),
		FlagJSONFile:    say("整条素材，按企业微信接口的 JSON 写在 `FILE` 里（- 为 stdin）", "the whole template as WeCom's JSON in `FILE` (-: stdin)"),
		FlagNotify:      say("通知群成员（默认 false，总会发送）", "tell members of it (default false, always sent)"),
		FlagNotifyEdit:  say("不起作用：修改从不通知", "without effect: nobody is told of an edit"),
		FlagTemplateID:  say("哪一条 `ID`", "which template: its `ID`"),
		FlagAgentID:     say("应用的 agentid `N`（默认用 wecom.agent_id）", "the app's agentid `N` (default: wecom.agent_id)"),
		FlagDetach:      say("去掉附件", "remove the attachment"),

		VideoAndFile:    say("--video 和 --file 不能同时用：一条欢迎语只能带一个附件", "--video and --file exclude each other: a template takes one attachment"),
		Nothing:         say("没有内容：至少要有 --text 或一个附件", "there is nothing in it: give --text or an attachment"),
		NothingToChange: say("没有说要改什么", "there is nothing to change"),
		TypeAlone:       say("--type 要和 --media-id 一起用", "--type goes with --media-id"),
		TypeNeeded:      say("账本里没有这个 media_id，不知道它是什么：请加上 --type video、file 或 image", "this media_id is not in the ledger: say what it is with --type video, file or image"),
		Twice:           say("同一个附件给了两次：--media-id 和 --video、--file 只能用一个", "the attachment is given twice: use --media-id or --video or --file"),
		NoID:            say("没有说是哪一条：--template-id", "no template is named: --template-id"),
		TwoIDs:          say("给了两个不同的 template_id", "two different template_ids are given"),
		DetachAndAttach: say("--no-attachment 不能和附件一起用", "--no-attachment does not go with an attachment"),
		BlankFlag: func(flag string) string {
			return say(flag+" 后面是空的（是不是前一条命令没有给出结果？）；要去掉附件请用 --no-attachment", flag+" is empty (did the command that should have filled it fail?); to take an attachment off use --no-attachment")
		},
		BadType: func(s string) string {
			return say("不认识的类型 "+s+"：可用 video、file 或 image", "unknown type "+s+": use video, file or image")
		},

		Columns:             []string{"TEMPLATE_ID", say("文字", "TEXT"), say("附件", "ATTACHMENT"), say("有效期至", "VALID UNTIL"), say("状态", "STATE"), say("问题", "FAULT")},
		Ready:               say("可用", "ready"),
		Stale:               say("待更新", "to be updated"),
		Expired:             say("文件已过期", "media expired"),
		Failed:              say("续期失败", "not renewed"),
		Unknown:             say("有效期未知", "media unknown"),
		NoneRemembered:      say("账本里还没有欢迎语素材；wedrop welcome add 添加一条", "no templates in the ledger; wedrop welcome add makes one"),
		NotRemembered:       say("素材在企业微信上了，但没能记进账本", "the template is at WeCom, but could not be put into the ledger"),
		NotRememberedRemedy: say("请自己记下它的 template_id；检查账本所在磁盘的空间和权限", "note its template_id yourself; check the space and the permissions of the disk with the journal"),
		Dropped:             say("企业微信上已经没有这条素材，账本里也去掉了", "WeCom does not have this template any more; it is forgotten here too"),
		Text:                say("文字", "text"),
		Video:               say("视频", "video"),
		File:                say("文件", "file"),
		Image:               say("图片", "picture"),
		Link:                say("链接", "link"),
		Program:             say("小程序", "mini program"),
		NoText:              say("（无）", "(none)"),
		MediaUnknown:        say("账本里没有这个 media_id：它是否还有效、是否来自异步上传接口，这里无法知道，由企业微信判断", "the ledger does not know this media_id: whether it lives, and whether it came from upload_by_url, cannot be known here; WeCom decides"),
		MediaElsewhere:      say("从样子看，这个 media_id 不是异步上传接口（upload_by_url）给的：入群欢迎语也接受 media/upload 的，但不接受 media/upload_attachment（朋友圈）的，否则是 40007", "by its form this media_id is not one of upload_by_url: a group welcome template takes those of media/upload too, but not those of media/upload_attachment (moments): that would be 40007"),
		MediaNoPicture:      say("从样子看，这个 media_id 是异步上传接口（upload_by_url）给的，只能当视频或文件用；图片和小程序封面要用 media/upload 得到的，否则是 40007", "by its form this media_id is one of upload_by_url, good for a video or a file alone; a picture and a mini program's cover need one of media/upload: else it is 40007"),
		NoDate:              say("未知", "unknown"),
		Until:               func(at string) string { return say("有效期至 "+at, "valid until "+at) },
		Deleted:             func(id string) string { return say("已删除 "+id, "deleted "+id) },
		Edited: func(id string) string {
			return say("已更新欢迎语素材 "+id+" 里的文件", "the media in welcome template "+id+" was renewed")
		},
		BadJSONFile: func(why string) string {
			return say("--json-file 读不懂："+why, "--json-file cannot be read: "+why)
		},
		UnknownMember: func(name string) string { return say("不认识的成员 "+name, "unknown member "+name) },
		BadJSONRemedy: say("按企业微信「添加入群欢迎语素材」接口的 JSON 写，例如 {\"text\":{\"content\":\"欢迎\"},\"video\":{\"media_id\":\"...\"}}", "write it as WeCom's call to add a template has it: {\"text\":{\"content\":\"Hi\"},\"video\":{\"media_id\":\"...\"}}"),
		OldImage:      say("图片会以网址的形式原样写回；企业微信是否接受，没有说明", "the picture is written back by its address; whether WeCom takes that, it does not say"),
	}
}

// downloadMessages is what download and --verify say.
type downloadMessages struct {
	About                                       about
	FlagOutput, FlagForce, FlagVerify           string
	FlagVerifyPush, FlagVerifyGet               string
	NoOutput, ExistsRemedy, UnknownMediaRemedy  string
	Exists, UnknownMedia, NoFolder, Downloading func(string) string
	NoFolderRemedy, Verifying                   string
	Replaced                                    func(name string) string
	NotWritten, NotPlain                        func(string) string
	NotWrittenRemedy, NotPlainRemedy            string
	Verified                                    func(name string, took time.Duration) string
}

func newDownloadMessages(say func(zh, en string) string) downloadMessages {
	return downloadMessages{
		About: about{
			Short: say("按 media_id 取回文件", "fetch the file behind a media_id"),
			Long: say(`把 media_id 对应的文件取回来，打印写到了哪里。分段下载（每段不超过 20 MB），断了再运行一次会接着下；
写完整了才会出现在目标位置。FILE 是文件夹时，用企业微信给的文件名。
--verify 把取回的内容和账本里的大小、MD5 比较（只对 wedrop 自己发送的 media_id 有效）。`,
				`Fetches the file behind a media_id and prints where it was written. It is read
in ranges of at most 20 MB; after a break the same command carries on; nothing
appears under the final name before it is whole. If FILE is a folder, the name
is the one that WeCom gives. --verify compares the content with the size and the
MD5 in the ledger, for media_ids that wedrop has made.`),
			Example: say(`  wedrop download "$(wedrop get 开场.mp4)" -o 取回.mp4
  wedrop download --verify '3*1*G6n...' -o 下载/`,
				`  wedrop download "$(wedrop get clip.mp4)" -o back.mp4
  wedrop download --verify '3*1*G6n...' -o downloads/`),
		},
		FlagOutput:     say("写到 `FILE`；可以是文件夹", "write to `FILE`, which may be a folder"),
		FlagForce:      say("已有同名文件也覆盖", "replace a file that is there"),
		FlagVerify:     say("与账本里的大小和 MD5 比较", "compare with the size and the MD5 in the ledger"),
		FlagVerifyPush: say("从企业微信读回来，与原文件比较（sync 只核对新得到的）", "read the media back from WeCom and compare (sync: those that are new)"),
		FlagVerifyGet:  say("先从企业微信读回来，与原文件比较；已失效或内容不对的换成新的", "read the media back from WeCom first and compare; one that is dead or holds other bytes is replaced"),
		NoOutput:       say("没有说写到哪里：-o FILE", "there is no place to write to: -o FILE"),
		Exists:         func(path string) string { return say(path+" 已经存在", path+" is there already") },
		ExistsRemedy:   say("换一个名字，或加 --force 覆盖", "use another name, or --force to replace it"),
		UnknownMedia: func(id string) string {
			return say("账本里没有 media_id "+id+"，没有可以比较的 MD5", "the media_id "+id+" is not in the ledger: there is no MD5 to compare with")
		},
		UnknownMediaRemedy: say("去掉 --verify 只下载；或用 wedrop get 取得账本里的 media_id（续期后旧的不再记录）", "leave --verify out to download alone, or take a media_id from wedrop get (after a renewal the old one is not kept)"),
		NoFolder:           func(path string) string { return say("没有文件夹 "+path, "there is no folder "+path) },
		NoFolderRemedy:     say("先建好这个文件夹", "make it first"),
		Downloading:        func(name string) string { return say("下载 "+name, "downloading "+name) },
		Verifying:          say("读回核对", "reading back"),
		NotWritten:         func(why string) string { return say("写不进去："+why, "it cannot be written: "+why) },
		NotPlain: func(path string) string {
			return say(path+" 不是普通文件（是设备、管道或文件夹）", path+" is no plain file, but a device, a pipe or a folder")
		},
		NotPlainRemedy:   say("换一个文件名", "choose another name"),
		NotWrittenRemedy: say("检查目标文件夹的权限和磁盘空间", "check the permissions of the folder and the space on the disk"),
		Replaced: func(name string) string {
			return say(name+"：企业微信说原来的 media_id 已失效，或里面的内容不对，已换成新的", name+": the media_id was dead at WeCom, or held other bytes, and was replaced by a new one")
		},
		Verified: func(name string, took time.Duration) string {
			return say(fmt.Sprintf("%s：企业微信里的内容与原文件一致（%s）", name, spent(took)), fmt.Sprintf("%s: WeCom holds the same bytes (%s)", name, spent(took)))
		},
	}
}
