package wecom

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Explain says what happened and what to do now, for the person who can do
// it. lang is "zh" or "en". Both texts are never empty.
func (e *Error) Explain(lang string) (message, remedy string) {
	var what, cure text
	var why *reason
	switch {
	case e.Class() == ClassCancelled:
		what = text{"操作在企业微信应答之前被中止或超时", "it was stopped, or ran out of time, before WeCom answered"}
		cure = text{"再运行一次，会从中断的地方继续", "run it again: it carries on from there"}
	case e.Kind == KindAnswer:
		what, cure = e.answered()
	case errors.As(e.Err, &why):
		what, cure = why.what, why.cure
	case e.Kind == KindUnreachable:
		what, cure = e.unreachable()
	case e.Kind == KindWrite:
		what, cure = e.unwritten()
	case e.Kind == KindBadResponse:
		what, cure = notJSON.what, notJSON.cure
	default:
		what = text{"参数 " + e.Field + " 不合格", "the parameter " + e.Field + " is not valid"}
		cure = text{"请更正后重试", "correct it and try again"}
	}
	if e.maybeAdded() {
		cure = text{"这一条可能已经加上了，请勿马上重试，否则可能多出一条、成员也可能被通知两次：请先到管理后台的入群欢迎语里看看是否已有，再决定",
			"it may have been added all the same: do not add it again at once, or there may be two and members may be told twice; look in the admin console first"}
	}
	return e.fill(what.in(lang), lang) + e.detail(lang), e.fill(cure.in(lang), lang) + e.tail(lang)
}

func (e *Error) answered() (what, cure text) {
	r := e.row()
	if r.class == ClassToken && e.Repeated {
		r.what = text{"企业微信不接受这个 access_token，换新的也没有用", "WeCom refuses the access_token, and a new one is no cure"}
		r.cure = text{"凭证的类型不对：要用自建应用的 access_token，不能是 suite 或 provider 的；请检查 wecom.corp_id、wecom.secret 或凭证来源",
			"it is the wrong kind of token: it must be a self-built app's, not a suite's or provider's; check wecom.corp_id, wecom.secret or where tokens come from"}
	}
	return r.what, r.cure
}

func (e *Error) unreachable() (what, cure text) {
	what = text{"连不上企业微信", "WeCom cannot be reached"}
	cure = text{"请检查网络、防火墙和 wecom.proxy，然后重试；多为临时情况", "check the network, the firewall and wecom.proxy, then try again; it often passes"}
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var host x509.HostnameError
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(e.Err, &op) && (op.Op == "proxyconnect" || op.Op == "socks connect"):
		what = text{"连不上代理", "the proxy cannot be reached"}
		cure = text{"请检查 wecom.proxy（或环境变量里的代理）是否写对、代理是否在运行", "check wecom.proxy (or the environment's proxy) and whether it is running"}
	case errors.As(e.Err, &dns):
		what = text{"找不到企业微信的服务器（域名解析失败）", "WeCom's server cannot be found (DNS)"}
		cure = text{"请检查网络和 DNS 设置，以及 wecom.base_url 有没有写错，然后重试", "check the network, the DNS settings and wecom.base_url, then try again"}
	case errors.As(e.Err, &cert), errors.As(e.Err, &host):
		what = text{"企业微信服务器的证书不可信", "the server's certificate is not trusted"}
		cure = text{"请检查本机时间是否正确，以及网络里有没有拦截 HTTPS 的代理", "check this machine's clock, and whether a proxy in the network intercepts HTTPS"}
	case errors.As(e.Err, &slow) && slow.Timeout():
		what = text{"企业微信没有及时应答（超时）", "WeCom did not answer in time"}
	}
	return what, cure
}

func (e *Error) unwritten() (what, cure text) {
	what = text{"下载的内容写不进去", "what was downloaded cannot be written"}
	switch {
	case errors.Is(e.Err, syscall.ENOSPC):
		cure = text{"磁盘满了：请腾出空间（文件最大 200 MB），再运行一次", "the disk is full: make room (a file has up to 200 MB) and run it again"}
	case errors.Is(e.Err, fs.ErrPermission):
		cure = text{"没有写入权限：请换一个可以写的文件夹，或修改它的权限，再运行一次", "there is no permission to write there: choose another folder or change its permissions, and run it again"}
	case errors.Is(e.Err, fs.ErrNotExist):
		cure = text{"文件夹不存在：请先建好文件夹，或换一个保存位置，再运行一次", "the folder does not exist: make it or choose another place, and run it again"}
	default:
		cure = text{"请检查保存位置（磁盘、权限、是不是文件夹），或换一个保存位置，再运行一次", "check the place (disk, permissions, whether it is a folder) or choose another, and run it again"}
	}
	return what, cure
}

// fill puts the error's own facts into the table's words.
func (e *Error) fill(s, lang string) string {
	ip := e.FromIP
	if ip == "" {
		ip = text{"本机的公网出口 IP", "this machine's public IP"}.in(lang)
	}
	return strings.NewReplacer("{ip}", ip, "{code}", strconv.Itoa(int(e.Code)), "{help}", e.help()).Replace(s)
}

func (e *Error) help() string {
	if e.HelpURL != "" {
		return e.HelpURL
	}
	return fmt.Sprintf("https://open.work.weixin.qq.com/devtool/query?e=%d", e.Code)
}

// detail is what somebody who helps that person needs to know.
func (e *Error) detail(lang string) string {
	var parts []string
	if e.API != "" {
		parts = append(parts, e.API)
	}
	switch {
	case e.Kind == KindAnswer:
		parts = append(parts, text{"错误码 ", "errcode "}.in(lang)+strconv.Itoa(int(e.Code)))
		if e.Class() == ClassUnknown && e.Message != "" {
			parts = append(parts, e.Message)
		}
	case e.Field != "":
		parts = append(parts, e.Field)
	case e.Message != "":
		parts = append(parts, e.Message)
	}
	if e.Status != 0 && e.Status != 200 {
		parts = append(parts, fmt.Sprintf("HTTP %d", e.Status))
	}
	if (e.Kind == KindUnreachable || e.Kind == KindWrite) && e.Err != nil && e.Class() != ClassCancelled {
		parts = append(parts, e.Err.Error())
	}
	if len(parts) == 0 {
		return ""
	}
	if lang == "zh" {
		return "（" + strings.Join(parts, "，") + "）"
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// tail is where to ask further, and when gettoken is asked again.
func (e *Error) tail(lang string) string {
	var s strings.Builder
	add := func(there bool, t text, v any) {
		if there {
			fmt.Fprintf(&s, t.in(lang), v)
		}
	}
	if !e.RefusedAt.IsZero() {
		add(true, text{"。企业微信在 %s 拒绝过", ". WeCom refused at %s"}, e.RefusedAt.Local().Format("2006-01-02 15:04"))
		add(true, text{"，为免出口 IP 被封，约 %d 分钟内不再尝试；换了 secret 会立即重试", "; to keep the IP from being banned it is not asked again for about %d minutes, unless the secret changes"},
			int((e.RetryAfter+time.Minute-1)/time.Minute))
	}
	add(e.FromIP != "", text{"。来源 IP：%s", ". From IP: %s"}, e.FromIP)
	add(e.Hint != "", text{"。联系企业微信客服时请提供编号 %s", ". When asking WeCom's support quote hint %s"}, e.Hint)
	add(e.HelpURL != "", text{"。官方说明：%s", ". WeCom's page: %s"}, e.HelpURL)
	return s.String()
}
