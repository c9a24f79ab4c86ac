package wecom

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// judge decides what an answer means: by HTTP status and errcode, never by
// Content-Type or errmsg. A missing errcode is success (path/90605:
// 没返回errcode视为调用成功).
func (l *line) judge(r request, resp *http.Response, body []byte, out any) error {
	var head struct {
		Errcode number `json:"errcode"`
		Errmsg  word   `json:"errmsg"`
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	object := bytes.HasPrefix(body, []byte("{")) && json.Unmarshal(body, &head) == nil
	code, said := head.Errcode.code()
	fine := resp.StatusCode/100 == 2
	switch {
	case object && said && code != 0 && (fine || known(code)):
		e := r.refusal(code, string(head.Errmsg))
		e.Status, e.RetryAfter = resp.StatusCode, retryAfter(resp, l.now())
		return e
	case !fine || !object || head.Errcode.set && !said:
		return r.misread(resp, body, l.now())
	case json.Unmarshal(body, out) != nil:
		return r.bad(resp, notJSON)
	}
	if strings.Contains(strings.ToLower(string(head.Errmsg)), "wrong json format") {
		// path/90455: accepted, but parsed incompletely. The request is wrong.
		l.log.Error("wecom accepted a request that it could read only in part; this is a bug here",
			"api", r.api, "errmsg", r.clean(string(head.Errmsg)))
	}
	return nil
}

// refusal is the error that an errcode and its errmsg stand for.
func (r request) refusal(code Code, errmsg string) *Error {
	e := &Error{API: r.api, Code: code}
	errmsg = r.clean(errmsg)
	end := len(errmsg)
	for _, part := range []struct {
		re *regexp.Regexp
		to func(string)
	}{
		{hintTail, func(s string) { e.Hint = s }},
		{ipTail, func(s string) { e.FromIP = address(s) }},
		{helpTail, func(s string) { e.HelpURL = s }},
	} {
		if m := part.re.FindStringSubmatchIndex(errmsg); m != nil {
			part.to(errmsg[m[2]:m[3]])
			end = min(end, m[0])
		}
	}
	e.Message = strings.TrimRight(errmsg[:end], " ,")
	return e
}

// The tail of an errmsg: "..., hint: [1690...], from ip: 117.129.60.89, more
// info at https://open.work.weixin.qq.com/devtool/query?e=48002".
var (
	hintTail = regexp.MustCompile(`(?i)hint\s*:\s*\[([^\]]*)\]`)
	ipTail   = regexp.MustCompile(`(?i)from ip\s*:\s*([0-9a-f.:]+)`)
	helpTail = regexp.MustCompile(`(?i)more info at\s+(https?://[^\s,"'<>]+)`)
)

// address returns s if it is an IP address: a person is told to trust it.
func address(s string) string {
	a, err := netip.ParseAddr(strings.TrimRight(s, ".:"))
	if err != nil {
		return ""
	}
	return a.String()
}

// clean makes a server's text fit to be shown: no secrets, no control
// characters, no novels.
func (r request) clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return ' '
		}
		return c
	}, r.mask(strings.ToValidUTF8(s, "")))
	if runes := []rune(s); len(runes) > 600 {
		s = string(runes[:600]) + "..."
	}
	return strings.TrimSpace(s)
}

// misread names an answer that is not WeCom's.
func (r request) misread(resp *http.Response, body []byte, now time.Time) *Error {
	why := notJSON
	switch {
	case resp.StatusCode/100 == 3:
		why = redirected
	case resp.StatusCode == http.StatusProxyAuthRequired:
		why = proxyWantsLogin
	case len(body) == 0:
		why = empty
	case body[0] == '<':
		why = webPage
	case resp.StatusCode/100 != 2:
		why = badStatus
	case !json.Valid(body) && (body[0] == '{' || body[0] == '['):
		why = cutOff
	}
	e := r.bad(resp, why)
	e.RetryAfter = retryAfter(resp, now)
	switch why {
	case webPage:
		e.Message = r.title(body)
	case redirected:
		if to, err := url.Parse(resp.Header.Get("Location")); err == nil {
			e.Message = r.clean(to.Host)
		}
	}
	return e
}

func (r request) bad(resp *http.Response, why *reason) *Error {
	return &Error{API: r.api, Kind: KindBadResponse, Status: resp.StatusCode, Err: why}
}

var titleTag = regexp.MustCompile(`(?is)<title[^>]*>([^<]{1,120})`)

// title is what a web page calls itself: "502 Bad Gateway", "上网认证".
func (r request) title(page []byte) string {
	m := titleTag.FindSubmatch([]byte(r.mask(string(page))))
	if m == nil {
		return ""
	}
	return r.clean(string(m[1]))
}

func retryAfter(resp *http.Response, now time.Time) time.Duration {
	s := resp.Header.Get("Retry-After")
	var d time.Duration
	if n, err := strconv.Atoi(s); err == nil {
		d = time.Duration(min(n, 86400)) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return max(0, min(d, 24*time.Hour))
}
