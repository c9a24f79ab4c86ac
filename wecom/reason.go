package wecom

// A text is said in both languages.
type text struct{ zh, en string }

func (t text) in(lang string) string {
	if lang == "zh" {
		return t.zh
	}
	return t.en
}

// A reason is a cause that is found on this side, in words for people. It is
// the Err of KindInput, KindConfig and KindBadResponse.
type reason struct{ what, cure text }

func (r *reason) Error() string { return r.what.en }

func configError(field string, what, cure text) error {
	return &Error{Kind: KindConfig, Field: field, Err: &reason{what, cure}}
}

// What an answer can be that is not WeCom's.
var (
	webPage = &reason{
		text{"企业微信的地址返回了一个网页，而不是企业微信的应答", "a web page came instead of WeCom's answer"},
		text{"多半是代理、防火墙或上网登录页拦住了请求：请用浏览器确认网络可用，并检查 wecom.base_url 和 wecom.proxy；若是临时故障，稍后再试即可",
			"a proxy, firewall or sign-in page is probably in the way: see whether the network works in a browser, check wecom.base_url and wecom.proxy; if it is passing trouble, try again later"}}
	redirected = &reason{
		text{"企业微信的地址把请求转到了别处（为保护 access_token，不会跟过去）", "the server redirects elsewhere (not followed, to protect the token)"},
		text{"请检查 wecom.base_url 是否写对、网络是否需要先登录", "check wecom.base_url, and whether the network wants a sign-in first"}}
	proxyWantsLogin = &reason{
		text{"代理要求用户名和密码", "the proxy wants a user name and a password"},
		text{"请把用户名和密码写进 wecom.proxy，例如 http://用户名:密码@10.0.0.8:3128", "put them into wecom.proxy, as in http://user:password@10.0.0.8:3128"}}
	badStatus = &reason{
		text{"企业微信或中间的代理报告了服务器错误", "WeCom, or a proxy between, reports trouble of its own"},
		text{"通常会自行恢复，请稍后再试；若一直如此，请检查 wecom.base_url 和 wecom.proxy", "it usually passes: try again later; if it stays, check wecom.base_url and wecom.proxy"}}
	empty = &reason{
		text{"企业微信的应答是空的", "the answer is empty"},
		text{"请稍后再试；若一直如此，请检查 wecom.base_url 和 wecom.proxy", "try again later; if it stays, check wecom.base_url and wecom.proxy"}}
	cutOff = &reason{
		text{"企业微信的应答没有传完就断了", "the answer is cut off"},
		text{"网络不稳定，请稍后再试；若一直如此，请检查代理", "the network is unsteady: try again later; if it stays, check the proxy"}}
	tooLong = &reason{
		text{"应答大得不像是企业微信的（超过 1 MiB）", "the answer is too large to be WeCom's (over 1 MiB)"},
		text{"请检查 wecom.base_url 和 wecom.proxy 指向的是不是企业微信", "check that wecom.base_url and wecom.proxy lead to WeCom"}}
	notJSON = &reason{
		text{"应答的格式不是企业微信的", "the answer is not in WeCom's format"},
		text{"请检查 wecom.base_url 和 wecom.proxy 指向的是不是企业微信；若是临时故障，稍后再试即可", "check that wecom.base_url and wecom.proxy lead to WeCom; if it is passing trouble, try again later"}}
	noJobID = &reason{
		text{"企业微信说已接受，却没有给出任务编号（jobid）", "WeCom reports success without a job id"},
		text{"请稍后再试；若一直如此，请联系企业微信客服", "try again later; if it stays, ask WeCom's support"}}
	noTemplateID = &reason{
		text{"企业微信说已添加，却没有给出模板编号（template_id）", "WeCom reports success without a template_id"},
		text{"请勿马上重试，否则可能多出一条：请先到管理后台的入群欢迎语里看看是否已有，再决定", "do not add it again at once, or there may be two: look in the admin console first"}}
	noMedia = &reason{
		text{"收到的不是媒体文件", "what came is not a media"},
		text{"请稍后再试；若一直如此，请检查 wecom.base_url 和 wecom.proxy 指向的是不是企业微信", "try again later; if it stays, check that wecom.base_url and wecom.proxy lead to WeCom"}}
	badRange = &reason{
		text{"收到的不是所请求的那一段", "what came is not the range that was asked for"},
		text{"请稍后再试；若一直如此，请检查代理是否改写了下载内容", "try again later; if it stays, see whether a proxy changes downloads"}}
	noLength = &reason{
		text{"应答没有说明文件有多长，无法确认是否完整", "the answer does not say how long the file is, so nobody knows whether it is whole"},
		text{"请检查代理是否改写了下载内容，或换一个网络再试", "see whether a proxy changes downloads, or try another network"}}
	otherMedia = &reason{
		text{"下载中途文件的大小变了，前后不是同一个文件", "the file's size changed during the download: these are not parts of one file"},
		text{"请重新下载；若一直如此，请检查代理是否改写了下载内容", "download it again; if it stays, see whether a proxy changes downloads"}}
	hugeMedia = &reason{
		text{"文件大得不像是企业微信的（超过 1 GiB）", "the file is too large to be WeCom's (over 1 GiB)"},
		text{"请检查 wecom.base_url 和 wecom.proxy 指向的是不是企业微信", "check that wecom.base_url and wecom.proxy lead to WeCom"}}
	noToken = &reason{
		text{"企业微信说成功，却没有给出可用的 access_token", "WeCom reports success without a usable access_token"},
		text{"请稍后再试；若一直如此，请检查 wecom.base_url 指向的是不是企业微信", "try again later; if it stays, check that wecom.base_url leads to WeCom"}}
)
