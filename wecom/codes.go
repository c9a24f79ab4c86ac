package wecom

import (
	"maps"
	"slices"
	"strings"
)

// A Code is an errcode of WeCom's.
type Code int

// The codes that somebody who uploads media can meet.
const (
	CodeBusy     Code = -1
	CodeConflict Code = 6000

	CodeBadSecret        Code = 40001 // gettoken; not "token invalid", as in 公众号
	CodeBadMediaType     Code = 40004
	CodeBadFileType      Code = 40005
	CodeBadFileSize      Code = 40006
	CodeBadMediaID       Code = 40007
	CodeBadMediaSize     Code = 40011
	CodeBadCorpID        Code = 40013
	CodeBadToken         Code = 40014
	CodeBadParameter     Code = 40035
	CodeBadTemplateID    Code = 40036
	CodeForeignTemplate  Code = 40037
	CodeURLTooLong       Code = 40039
	CodeBadAgentID       Code = 40056
	CodeParameterLimit   Code = 40058
	CodeEmptyParameter   Code = 40063
	CodeResultsCleaned   Code = 40089
	CodeForeignSecret    Code = 40091
	CodeBadURL           Code = 40094
	CodeNoToken          Code = 41001
	CodeNoCorpID         Code = 41002
	CodeNoSecret         Code = 41004
	CodeNoMediaID        Code = 41006
	CodeWelcomeSent      Code = 41051 // send_welcome_msg
	CodeAttachmentUse    Code = 41072 // an id of upload_attachment, made for another use
	CodeAttachmentSize   Code = 41080
	CodePictureSize      Code = 41081
	CodeWelcomeBusy      Code = 41096 // send_welcome_msg
	CodeTokenExpired     Code = 42001
	CodeSuiteExpired     Code = 42009
	CodeUnverifiedCorp   Code = 43009
	CodeNoCallback       Code = 43012
	CodeEmptyMedia       Code = 44001
	CodeMediaSize        Code = 45001
	CodeTextTooLong      Code = 45002
	CodeRateLimit        Code = 45009
	CodeConcurrency      Code = 45033
	CodeURLScheme        Code = 45034
	CodeUnauthorized     Code = 48001
	CodeForbidden        Code = 48002
	CodeRevoked          Code = 48004
	CodeRetired          Code = 48005
	CodeUnused           Code = 48006
	CodeAppDisabled      Code = 50003
	CodeUntrustedIP      Code = 60020
	CodeNoRecord         Code = 60136
	CodeNoContactRight   Code = 84074
	CodeForeignAgent     Code = 301002
	CodeCorpGone         Code = 301007
	CodeMD5Mismatch      Code = 301019
	CodeBadSource        Code = 830001 // of a job: also a server without Range
	CodeRangeTooLarge    Code = 830002 // media/get: over 20 MB in one request
	CodeSourceUnreadable Code = 830003
)

// FromUploadByURL reports whether a media_id has the form of those that
// upload_by_url gives ("3*1*…", as seen 2022-12 to 2026-11). It is a guess by
// the form alone, good for a warning.
func FromUploadByURL(mediaID string) bool { return strings.HasPrefix(mediaID, "3*1*") }

// UnblockPage is where an administrator can lift gettoken's ban on an IP.
const UnblockPage = "https://open.work.weixin.qq.com/wwopen/devtool/checkCorpSpamBlock"

// Codes returns every code that the table explains, in order.
func Codes() []Code { return slices.Sorted(maps.Keys(codes)) }

func known(c Code) bool { _, ok := codes[c]; return ok }

// A row says what a code means and what a person does about it. {ip} is the
// address that WeCom saw us come from.
type row struct {
	class      Class
	what, cure text
}

// row returns what the table says about e, with the places where the same
// number means something else.
func (e *Error) row() row {
	if e.API == apiToken && e.Code == CodeRateLimit {
		return bannedIP
	}
	if e.Job && e.Code == CodeMediaSize {
		return jobSize
	}
	if strings.HasPrefix(e.API, apiWelcome) && (e.Code == CodeBadParameter || e.Code == CodeParameterLimit) {
		return badTemplate
	}
	r, ok := codes[e.Code]
	switch {
	case ok && !(e.Job && r.class == ClassToken): // a job has no token of ours to renew
		return r
	case e.Job && e.Code == 0:
		return jobSilent
	}
	return unknownCode
}

var (
	// Global table, 45009 item 5: about 2,000 wrong secrets in an hour.
	bannedIP = row{ClassBackOff,
		text{"企业微信暂时不再给这个 IP（{ip}）发放凭证：同一出口 IP 上多半有程序在用错误的 secret", "WeCom gives this IP ({ip}) no tokens for now: some app behind it probably used a wrong secret"},
		text{"约 1 小时后自动恢复，也可以由管理员自助解封：" + UnblockPage + "；请同时找出并停掉同一网络里使用错误 secret 的程序", "it ends after about an hour; an administrator can lift it at " + UnblockPage + "; find and stop the program behind this IP that uses a wrong secret"}}
	// The official page's own table for jobs; the global one is stale here.
	jobSize = row{ClassInput,
		text{"文件大小不在企业微信允许的范围内（5 字节 ~ 200 MB）", "the file's size is outside WeCom's range (5 bytes to 200 MB)"},
		text{"请压缩或拆分文件，使其不超过 200 MB，再重新放入", "make the file smaller than 200 MB (compress or split it) and send it again"}}
	// The two codes are about names and links elsewhere.
	badTemplate = row{ClassInput,
		text{"企业微信认为欢迎语的内容不合格：有一项不合法或超出长度", "WeCom does not accept the welcome message: something in it is not valid or too long"},
		text{"请检查附件的各项内容和长度；若都正常，可能是素材已满 100 条，请先在管理后台删掉不用的", "check the attachment's texts and their lengths; if all are well the corp may have its 100 templates: delete some that are not needed"}}
	jobSilent = row{ClassUnknown,
		text{"企业微信说任务失败了，但没有给出原因", "WeCom says that the job failed, and not why"},
		text{"请确认文件链接可以公开访问，再重试一次；若仍失败，请联系企业微信客服", "check that the file's link can be read by anybody, then retry once; if it fails again ask WeCom's support"}}
	unknownCode = row{ClassUnknown,
		text{"企业微信返回了一个本工具不认识的错误码 {code}", "WeCom answered with a code that is not known here: {code}"},
		text{"请到 {help} 查询这个错误码的含义，再决定怎么处理", "look the code up at {help} and decide from there"}}
)

// Texts from the official global error table (as of 2024-04-08) and the page
// of upload_by_url (path/97126), in our own words.
var codes = map[Code]row{
	CodeBusy: {ClassRetry,
		text{"企业微信系统繁忙", "WeCom is busy"},
		text{"请稍后重试（官方建议不超过 3 次）；多为临时情况", "try again later (WeCom advises at most 3 times); it usually passes"}},
	CodeConflict: {ClassRetry,
		text{"企业微信上的数据刚好在同时被修改", "the data was changed by somebody else at the same moment"},
		text{"请稍后重试", "try again in a moment"}},

	CodeBadSecret: {ClassConfig,
		text{"企业微信不接受这个 secret：它与 CorpID 不匹配、已被重置，或应用已停用", "WeCom does not accept the secret: it does not match the CorpID, was reset, or the app is disabled"},
		text{"请到管理后台打开该应用，重新复制 Secret 填入 wecom.secret，并确认应用已启用；不要反复重试，否则整个出口 IP 会被封 1 小时", "open the app in the admin console, copy its Secret again into wecom.secret and see that the app is enabled; do not keep trying: repeated wrong secrets ban this IP for an hour"}},
	CodeBadCorpID: {ClassConfig,
		text{"CorpID 不正确", "the CorpID is wrong"},
		text{"请到管理后台「我的企业」页面底部复制企业 ID，填入 wecom.corp_id", "copy the CorpID from the admin console, My company, into wecom.corp_id"}},
	CodeForeignSecret: {ClassConfig,
		text{"这个 secret 属于另一家企业", "the secret belongs to another company"},
		text{"请确认 wecom.corp_id 和 wecom.secret 来自同一家企业", "take wecom.corp_id and wecom.secret from the same company"}},
	CodeNoCorpID: {ClassConfig,
		text{"请求里缺少 CorpID", "the CorpID is missing from the request"},
		text{"请填写 wecom.corp_id；若已填写，请检查代理是否丢弃了网址里的参数", "set wecom.corp_id; if it is set, see whether a proxy drops the address's parameters"}},
	CodeNoSecret: {ClassConfig,
		text{"请求里缺少 secret", "the secret is missing from the request"},
		text{"请填写 wecom.secret；若已填写，请检查代理是否丢弃了网址里的参数", "set wecom.secret; if it is set, see whether a proxy drops the address's parameters"}},

	CodeBadToken: {ClassToken,
		text{"access_token 无效", "the access_token is not valid"},
		text{"通常会自动换新；若重复出现，请检查凭证类型：要用自建应用的 access_token，不能是 suite 或 provider 的", "it is renewed by itself; if this repeats it is the wrong kind of token: it must be a self-built app's, not a suite's or provider's"}},
	CodeTokenExpired: {ClassToken,
		text{"access_token 已过期", "the access_token has expired"},
		text{"通常会自动换新，请重试；若重复出现，请检查本机时间和凭证来源", "it is renewed by itself, try again; if this repeats check this machine's clock and where the token comes from"}},
	CodeSuiteExpired: {ClassToken,
		text{"suite_access_token 已过期", "the suite_access_token has expired"},
		text{"请让提供凭证的服务换新 suite_access_token 后重试", "have the service that provides tokens renew the suite_access_token, then try again"}},
	CodeNoToken: {ClassConfig,
		text{"请求里缺少 access_token", "the access_token is missing from the request"},
		text{"多半是代理丢弃了网址里的参数，请检查 wecom.proxy 和 wecom.base_url", "a proxy probably drops the address's parameters: check wecom.proxy and wecom.base_url"}},

	CodeUntrustedIP: {ClassConfig,
		text{"企业微信拒绝了来自 {ip} 的请求：这个 IP 不在应用的「企业可信IP」里", "WeCom refuses calls from {ip}: it is not among the app's trusted IPs (企业可信IP)"},
		text{"请到管理后台打开该应用，把 {ip} 加入「企业可信IP」，约 1 分钟后生效，然后重试", "in the admin console open the app and add {ip} to its 企业可信IP (trusted IPs); effective after about a minute, then try again"}},
	CodeForbidden: {ClassConfig,
		text{"应用没有调用这个接口的权限", "the app may not call this API"},
		text{"请到管理后台「客户联系」>「可调用应用」，勾选该应用，然后重试；「客户联系」的系统 secret 自 2023-12-01 起不再对新企业开放，请用自建应用的 secret", "in the admin console under 客户联系 (customer contact) > 可调用应用 add this app, then try again; the system secret of 客户联系 ended for new corps on 2023-12-01: use an app's own"}},
	CodeUnauthorized: {ClassConfig,
		text{"应用没有获得这个接口的授权", "the app is not authorised for this API"},
		text{"请管理员在管理后台为该应用开通「客户联系」权限", "have an administrator grant the app the customer contact (客户联系) permission"}},
	CodeRevoked: {ClassConfig,
		text{"应用的接口授权已失效", "the app's authorisation was revoked"},
		text{"请管理员在管理后台重新授权该应用", "have an administrator authorise the app again"}},
	CodeRetired: {ClassConfig,
		text{"这个接口已被企业微信废弃", "WeCom has retired this API"},
		text{"请升级 wedrop 到最新版本", "upgrade wedrop"}},
	CodeUnused: {ClassConfig,
		text{"接口权限因长期未使用被收回", "the permission was withdrawn because it was unused for long"},
		text{"请管理员在管理后台重新启用该接口权限", "have an administrator enable the permission again"}},
	CodeAppDisabled: {ClassConfig,
		text{"应用在管理后台已被停用", "the app is disabled in the admin console"},
		text{"请管理员在管理后台启用该应用", "have an administrator enable the app"}},
	CodeNoContactRight: {ClassConfig,
		text{"没有外部联系人（客户联系）权限", "there is no customer contact permission"},
		text{"请管理员在「客户联系」里给该应用或成员开通权限", "have an administrator grant the app or member the customer contact (客户联系) permission"}},
	CodeForeignAgent: {ClassConfig,
		text{"agentid 与 secret 不属于同一个应用", "agentid and secret are from different apps"},
		text{"请从同一个应用的页面复制 AgentId 和 Secret，填入 wecom.agent_id 和 wecom.secret", "copy AgentId and Secret from the same app into wecom.agent_id and wecom.secret"}},
	CodeBadAgentID: {ClassConfig,
		text{"agentid 不合法", "the agentid is not valid"},
		text{"请从应用页面复制 AgentId，填入 wecom.agent_id", "copy the AgentId from the app's page into wecom.agent_id"}},
	CodeCorpGone: {ClassConfig,
		text{"企业不可用（已解散或被封禁）", "the company is dissolved or banned"},
		text{"请联系企业微信客服", "ask WeCom's support"}},
	CodeUnverifiedCorp: {ClassConfig,
		text{"企业还没有验证主体", "the company is not verified"},
		text{"请管理员在管理后台完成企业验证", "have an administrator complete the company's verification"}},
	CodeNoCallback: {ClassConfig,
		text{"应用还没有配置回调地址", "the app has no callback URL"},
		text{"请到管理后台打开该应用，在「接收消息」里配置回调 URL", "in the admin console open the app and set the URL under 接收消息 (receive messages)"}},

	CodeRateLimit: {ClassBackOff,
		text{"调用次数超过企业微信的限制", "WeCom's call limit is exceeded"},
		text{"请等待一会儿（1 分钟到 1 小时）再继续；可以调低 rate_limit", "wait (a minute to an hour) and go on; consider a lower rate_limit"}},
	CodeConcurrency: {ClassBackOff,
		text{"同时进行的调用太多", "too many calls at the same time"},
		text{"请稍后再试，并减少同时运行的任务", "try again later with fewer tasks at once"}},

	CodeBadMediaType: {ClassInput,
		text{"企业微信不接受这个媒体类型", "WeCom does not take this media type"},
		text{"类型必须是 video（MP4 视频）或 file（普通文件）", "the type must be video (MP4) or file"}},
	CodeBadFileType: {ClassInput,
		text{"企业微信不接受这个文件类型", "WeCom does not take this file type"},
		text{"视频请转换为 MP4，其他文件请用 --type file 发送", "convert a video to MP4, send anything else with --type file"}},
	CodeBadFileSize:  {ClassInput, sizeWhat, sizeCure},
	CodeBadMediaSize: {ClassInput, sizeWhat, sizeCure},
	CodeMediaSize:    {ClassInput, sizeWhat, sizeCure},
	CodeEmptyMedia: {ClassInput,
		text{"文件内容为空", "the file is empty"},
		text{"请检查文件是否完整，再重新放入", "see whether the file is whole and send it again"}},
	CodeURLTooLong: {ClassInput,
		text{"文件链接超过 1024 字节", "the file's link is over 1024 bytes"},
		text{"请缩短存储的路径前缀（storage.url 或 storage.public_url）", "shorten the prefix in storage.url or storage.public_url"}},
	CodeBadURL:    {ClassInput, urlWhat, urlCure},
	CodeURLScheme: {ClassInput, urlWhat, urlCure},
	CodeBadParameter: {ClassInput,
		text{"有参数不符合企业微信的要求", "a parameter is not valid"},
		text{"请检查文件名和链接是否正常；若都正常，请把完整的错误信息反馈给 wedrop 的维护者", "check the file's name and link; if both are well report the whole message to wedrop's maintainers"}},
	CodeParameterLimit: {ClassInput,
		text{"有参数不合法或超出长度", "a parameter is not valid or too long"},
		text{"请缩短文件名（不超过 128 字节）或链接（不超过 1024 字节）后重试", "shorten the name (at most 128 bytes) or the link (at most 1024 bytes) and try again"}},
	CodeEmptyParameter: {ClassInput,
		text{"必填的参数是空的", "a required parameter is empty"},
		text{"请补全内容后重试（欢迎语的文字和附件不能都为空）", "fill in what is missing and try again (a welcome message needs a text or an attachment)"}},
	CodeResultsCleaned: {ClassInput,
		text{"任务结果已被企业微信清理", "WeCom has cleaned the job's result away"},
		text{"请重新提交这个文件", "submit the file again"}},
	CodeNoRecord: {ClassInput,
		text{"企业微信没有这条记录", "WeCom has no such record"},
		text{"它可能已过期，请重新提交这个文件", "it may have expired: submit the file again"}},

	CodeBadMediaID: {ClassInput,
		text{"media_id 已过期（3 天），或来自别的上传接口", "the media_id has expired (3 days) or is from another upload API"},
		text{"请重新上传文件，使用新的 media_id。各处要的来源不同：入群欢迎语的视频和文件用 upload_by_url 或 media/upload，图片、消息、群发和新客户欢迎语用 media/upload，朋友圈用 media/upload_attachment", "upload the file again and use the new media_id. Each consumer takes ids of its own call: a group welcome template's video and file of upload_by_url or media/upload; pictures, messages, mass messages and personal welcomes of media/upload; moments of media/upload_attachment"}},
	CodeAttachmentUse: {ClassInput,
		text{"这个附件是为别的用途上传的", "the attachment was uploaded for another use"},
		text{"请用 media/upload_attachment 按要用的场景（attachment_type：1 朋友圈，2 商品图册）重新上传", "upload it again with media/upload_attachment for this use (attachment_type: 1 moments, 2 product albums)"}},
	CodeAttachmentSize: {ClassInput,
		text{"附件太大", "the attachment is too large"},
		text{"请压缩后重新上传：图片、视频、文件都不能超过 10 MB", "make it smaller and upload it again: at most 10 MB for a picture, a video or a file"}},
	CodePictureSize: {ClassInput,
		text{"图片的分辨率太高", "the picture has too many pixels"},
		text{"请缩小图片后重新上传：最长边不超过 10800 像素，建议 1440 × 1080 以内", "scale it down and upload it again: its longer side has at most 10800 pixels, 1440 × 1080 is enough"}},
	CodeWelcomeSent: {ClassInput,
		text{"已经给这位客户发过欢迎语", "this customer has had a welcome message already"},
		text{"不要再发：一次添加只能发一条，几个应用中先发的生效", "do not send again: there is one for each new contact, and of several apps the first one's counts"}},
	CodeWelcomeBusy: {ClassRetry,
		text{"欢迎语正在分发，这次可能没有成功", "the welcome message is being distributed, and may have failed"},
		text{"请在添加客户后的 20 秒之内重试", "try again within 20 seconds of the new contact"}},
	CodeNoMediaID: {ClassInput,
		text{"请求里缺少 media_id", "the media_id is missing from the request"},
		text{"请给出 media_id 后重试", "give a media_id and try again"}},
	CodeBadTemplateID:   {ClassInput, templateWhat, templateCure},
	CodeForeignTemplate: {ClassInput, templateWhat, templateCure},
	CodeTextTooLong: {ClassInput,
		text{"文字超过 3000 字节", "the text is over 3000 bytes"},
		text{"请缩短文字（约 1000 个汉字以内）", "shorten the text to at most 3000 bytes"}},
	CodeRangeTooLarge: {ClassInput,
		text{"一次下载的范围超过 20 MB", "more than 20 MB was asked for at once"},
		text{"请用不超过 20 MB 的分块下载（wedrop download 会自动分块）", "download in chunks of at most 20 MB (wedrop download does)"}},

	CodeBadSource: {ClassSource,
		text{"企业微信认为文件链接不合格：链接不合法，或服务器不支持 Range 分块下载", "WeCom does not accept the file's link: it is malformed, or the server does not support Range"},
		text{"请运行 wedrop doctor，确认存储的链接可以匿名访问并支持 Range 分块下载，然后重试", "run wedrop doctor to see that the bucket's links can be read by anybody and support Range, then retry"}},
	CodeSourceUnreadable: {ClassSource,
		text{"企业微信没能从文件链接下载到数据", "WeCom could not download from the file's link"},
		text{"请确认存储桶允许公开读取、链接没有过期、也没有被防火墙或地域限制拦住，然后重试", "see that the bucket allows public reading, the link has not expired and no firewall or region rule blocks it, then retry"}},
	CodeMD5Mismatch: {ClassSource,
		text{"企业微信下载到的内容与文件的 MD5 不一致", "what WeCom downloaded does not have the file's MD5"},
		text{"请确认文件没有在发送途中被修改、CDN 没有改写内容，然后重试", "see that the file was not changed on its way and that no CDN transforms it, then retry"}},
}

var (
	sizeWhat     = text{"文件大小超出企业微信的限制", "the file's size is outside WeCom's limits"}
	sizeCure     = text{"文件须至少 5 字节、不超过 200 MB：请压缩或拆分后重新放入", "a file must have at least 5 bytes and at most 200 MB: compress or split it and send it again"}
	urlWhat      = text{"文件链接不合格", "the file's link is not valid"}
	urlCure      = text{"链接须以 http:// 或 https:// 开头，请检查 storage.public_url", "it must begin with http:// or https://: check storage.public_url"}
	templateWhat = text{"欢迎语模板编号无效，或不是这个应用创建的", "the template_id is not valid or is another app's"}
	templateCure = text{"请用 wedrop welcome list 查看可用的模板编号", "see wedrop welcome list for the template_ids that can be used"}
)
