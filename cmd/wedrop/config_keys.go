package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wedrop/cmd/wedrop/web"
	"wedrop/storage"
	"wedrop/wecom"
)

// A key is one setting: its name in YAML, its environment variable, and what
// a value of it means. The table is all that file and environment know.
type key struct {
	name    string
	env     string
	secret  bool // not to be shown; may be given as *_file
	filed   bool // may be given as *_file though it is mostly no secret
	example string
	found   text // where a person finds the value
	set     func(c *Config, v string) *valueError
}

// A valueError says why a value makes no sense.
type valueError struct{ what, remedy text }

func keys() []key {
	return []key{
		{name: "wecom.base_url", env: "WEDROP_WECOM_BASE_URL", example: wecom.DefaultBaseURL,
			set: link(func(c *Config) *string { return &c.WeCom.BaseURL })},
		{name: "wecom.corp_id", env: "WEDROP_WECOM_CORP_ID", example: "ww1234567890abcdef",
			found: text{"企业 ID 在企业微信管理后台「我的企业」页面最下方", "the corp id is at the foot of My Company in WeCom's admin console"},
			set:   word(func(c *Config) *string { return &c.WeCom.CorpID })},
		{name: "wecom.secret", env: "WEDROP_WECOM_SECRET", secret: true, example: "...",
			found: text{"Secret 在管理后台「应用管理」里你的应用页面上", "the secret is on your app's page in WeCom's admin console"},
			set:   word(func(c *Config) *string { return &c.WeCom.Secret })},
		{name: "wecom.agent_id", env: "WEDROP_WECOM_AGENT_ID", example: "1000002",
			set: number(func(c *Config) *int { return &c.WeCom.AgentID })},
		{name: "wecom.proxy", env: "WEDROP_WECOM_PROXY", secret: true, example: "http://10.0.0.1:3128", set: setProxy},
		{name: "callback.token", env: "WEDROP_CALLBACK_TOKEN", secret: true, example: "...",
			found: text{"它在应用的「接收消息」设置页", "it is on the app's page for receiving messages"},
			set:   setCallbackToken},
		{name: "callback.aes_key", env: "WEDROP_CALLBACK_AES_KEY", secret: true, example: "...",
			found: text{"它就是应用「接收消息」设置页的 EncodingAESKey", "it is the EncodingAESKey on the app's page for receiving messages"},
			set:   setAESKey},
		{name: "storage.url", env: "WEDROP_STORAGE", example: "cos://bucket-1250000000/media?region=ap-guangzhou", set: setStorage},
		{name: "storage.public_url", env: "WEDROP_STORAGE_PUBLIC_URL", example: "https://media.example.com",
			found: text{"填公网访问这个文件夹的网址", "it is the public address at which a web server publishes the folder"},
			set:   link(func(c *Config) *string { return &c.Storage.PublicURL })},
		{name: "storage.access", env: "WEDROP_STORAGE_ACCESS", example: "auto", set: choice(
			func(c *Config, v string) { c.Storage.Access = storage.Access(v) }, "auto", "object-acl", "bucket-policy")},
		{name: "storage.keep", env: "WEDROP_STORAGE_KEEP", example: "72h", set: setKeep},
		{name: "journal", env: "WEDROP_JOURNAL", filed: true, example: "/var/lib/wedrop/wedrop.db", set: setJournal},
		{name: "host", env: "WEDROP_HOST", example: "media-1",
			set: word(func(c *Config) *string { return &c.Host })},
		{name: "folders_shared", env: "WEDROP_FOLDERS_SHARED", example: "true", set: choice(
			func(c *Config, v string) { c.AllShared = v == "true" }, "true", "false")},
		{name: "river_ui", env: "WEDROP_RIVER_UI", example: "http://127.0.0.1:8080",
			set: link(func(c *Config) *string { return &c.RiverUI })},
		{name: "listen", env: "WEDROP_LISTEN", example: "127.0.0.1:8765", set: setListen},
		{name: "page_token", env: "WEDROP_PAGE_TOKEN", secret: true, example: "...",
			set: word(func(c *Config) *string { return &c.PageToken })},
		{name: "page_hosts", env: "WEDROP_PAGE_HOSTS", example: "media.example.com", set: setPageHosts},
		{name: "trusted_proxies", env: "WEDROP_TRUSTED_PROXIES", example: "127.0.0.1, 10.0.0.0/8", set: setProxies},
		{name: "settle", env: "WEDROP_SETTLE", example: "2s",
			set: duration(func(c *Config) *time.Duration { return &c.Settle }, 0)},
		{name: "poll_min", env: "WEDROP_POLL_MIN", example: "1s",
			set: duration(func(c *Config) *time.Duration { return &c.PollMin }, time.Millisecond)},
		{name: "poll_max", env: "WEDROP_POLL_MAX", example: "30s",
			set: duration(func(c *Config) *time.Duration { return &c.PollMax }, time.Millisecond)},
		{name: "renew", env: "WEDROP_RENEW", example: "folders", set: choice(
			func(c *Config, v string) { c.Renew = Renew(v) }, "folders", "all", "off")},
		{name: "renew_before", env: "WEDROP_RENEW_BEFORE", example: "12h", set: setRenewBefore},
		{name: "rate_limit", env: "WEDROP_RATE_LIMIT", example: "6000",
			set: number(func(c *Config) *int { return &c.RateLimit })},
		{name: "notify.webhook", env: "WEDROP_NOTIFY_WEBHOOK", secret: true, example: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=...",
			set: link(func(c *Config) *string { return &c.Webhook })},
		{name: "welcome.renew_templates", env: "WEDROP_WELCOME_RENEW_TEMPLATES", example: "true", set: choice(
			func(c *Config, v string) { c.RenewTemplates = v == "true" }, "true", "false")},
		{name: "lang", env: "WEDROP_LANG", example: "zh", set: choice(
			func(c *Config, v string) { c.Lang = v }, "zh", "en")},
	}
}

// byFile reports whether the value may stand in a file of its own.
func (k key) byFile() bool { return k.secret || k.filed }

func keyNamed(name string) key {
	for _, k := range keys() {
		if k.name == name {
			return k
		}
	}
	return key{}
}

func word(field func(*Config) *string) func(*Config, string) *valueError {
	return func(c *Config, v string) *valueError {
		if strings.ContainsAny(v, " \t\r\n") {
			return &valueError{text{"值里有空格或换行", "the value has a space or a line break in it"},
				text{"复制时可能多带了字符，请重新复制", "something was copied along with it: copy it again"}}
		}
		*field(c) = v
		return nil
	}
}

// setPageHosts takes the names under which the page is reached: by a proxy, or
// by a name in the office's DNS.
func setPageHosts(c *Config, v string) *valueError {
	c.PageHosts = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
	for _, h := range c.PageHosts {
		if strings.ContainsAny(h, "/:*@") {
			return &valueError{text{"“" + h + "”不是主机名", h + " is no host name"},
				text{"只写主机名，不带 http:// 和端口；多个之间用逗号隔开", "write names alone, without http:// and port, with commas between"}}
		}
	}
	return nil
}

// setProxies takes the addresses of reverse proxies in front of the page.
func setProxies(c *Config, v string) *valueError {
	p, err := web.ParseProxies(v)
	if err != nil {
		return &valueError{text{"这里要填反向代理的 IP 地址或网段：" + err.Error(), err.Error()},
			text{"写成 127.0.0.1 或 10.0.0.0/8；多个之间用逗号隔开", "write 127.0.0.1 or 10.0.0.0/8, with commas between"}}
	}
	c.Proxies = p
	return nil
}

func number(field func(*Config) *int) func(*Config, string) *valueError {
	return func(c *Config, v string) *valueError {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return &valueError{text{"这里要填一个正整数", "this has to be a whole number above 0"},
				text{"只填数字", "write digits alone"}}
		}
		*field(c) = n
		return nil
	}
}

func choice(set func(*Config, string), values ...string) func(*Config, string) *valueError {
	return func(c *Config, v string) *valueError {
		for _, known := range values {
			if v == known {
				set(c, v)
				return nil
			}
		}
		all := strings.Join(values, ", ")
		e := &valueError{text{"不认识的值 " + strconv.Quote(v), "unknown value " + strconv.Quote(v)},
			text{"可以填：" + all, "use one of " + all}}
		if near := nearest(v, values); near != "" {
			e.remedy = text{"是不是想写 " + near + "？可以填：" + all, "did you mean " + near + "? Use one of " + all}
		}
		return e
	}
}

func duration(field func(*Config) *time.Duration, least time.Duration) func(*Config, string) *valueError {
	return func(c *Config, v string) *valueError {
		d, err := parseDuration(v)
		if err != nil || d < least {
			return notADuration(v)
		}
		*field(c) = d
		return nil
	}
}

func notADuration(v string) *valueError {
	return &valueError{text{strconv.Quote(v) + " 不是可用的时长", strconv.Quote(v) + " is not a length of time that can be used"},
		text{"写成数字加单位，例如 500ms、2s、30m、12h、3d", "write a number with a unit: 500ms, 2s, 30m, 12h, 3d"}}
}

// parseDuration is time.ParseDuration which also knows days: "3d".
func parseDuration(v string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	return time.ParseDuration(v)
}

func setKeep(c *Config, v string) *valueError {
	if v == "forever" {
		c.Storage.Keep = Forever
		return nil
	}
	if e := duration(func(c *Config) *time.Duration { return &c.Storage.Keep }, 0)(c, v); e != nil {
		e.remedy.ZH += "，或 0（用完就删）、forever（一直保留）"
		e.remedy.EN += ", or 0 (removed at once), or forever"
		return e
	}
	return nil
}

// setRenewBefore refuses what would renew every media_id again as soon as it
// has come: a media_id lives for wecom.MediaLife.
func setRenewBefore(c *Config, v string) *valueError {
	if e := duration(func(c *Config) *time.Duration { return &c.RenewBefore }, 0)(c, v); e != nil {
		return e
	}
	if c.RenewBefore >= wecom.MediaLife {
		return &valueError{text{"media_id 只有 72 小时有效，提前这么久续期会一直重复提交", "a media_id lives for 72 hours: this would renew it again and again"},
			text{"填小于 72h 的时长（默认 12h）", "use less than 72h (the default is 12h)"}}
	}
	return nil
}

func setListen(c *Config, v string) *valueError {
	_, port, err := net.SplitHostPort(v)
	n, convErr := strconv.ParseUint(port, 10, 16)
	if err != nil || convErr != nil || n > 65535 {
		return &valueError{text{"监听地址要写成 主机:端口", "an address to listen on has the form host:port"},
			text{"例如 127.0.0.1:8765", "for example 127.0.0.1:8765"}}
	}
	c.Listen = v
	return nil
}

// setCallbackToken and setAESKey keep the console's rules
// (developer.work.weixin.qq.com/document/path/96238).
func setCallbackToken(c *Config, v string) *valueError {
	if !regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`).MatchString(v) {
		return &valueError{text{"Token 应为 1 到 32 位英文字母和数字", "a callback token is 1 to 32 letters and digits"},
			text{"从应用的「接收消息」设置页重新复制", "copy it again from the app's page for receiving messages"}}
	}
	c.Callback.Token = v
	return nil
}

func setAESKey(c *Config, v string) *valueError {
	if !regexp.MustCompile(`^[0-9A-Za-z]{43}$`).MatchString(v) {
		return &valueError{text{"EncodingAESKey 应为 43 位英文字母和数字", "an EncodingAESKey is 43 letters and digits"},
			text{"从应用的「接收消息」设置页重新复制", "copy it again from the app's page for receiving messages"}}
	}
	c.Callback.AESKey = v
	return nil
}

func setProxy(c *Config, v string) *valueError {
	u, err := url.Parse(v)
	known := err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "socks5" || u.Scheme == "socks5h")
	if !known || u.Host == "" {
		return &valueError{text{"代理地址不对", "this is not the address of a proxy"},
			text{"写成 http://主机:端口、https://主机:端口 或 socks5://主机:端口", "write http://host:port, https://host:port or socks5://host:port"}}
	}
	c.WeCom.Proxy = v
	return nil
}

func link(field func(*Config) *string) func(*Config, string) *valueError {
	return func(c *Config, v string) *valueError {
		if e := checkLink(v); e != nil {
			return e
		}
		*field(c) = v
		return nil
	}
}

// checkLink takes https links, and http ones of this machine: what goes to
// another machine in clear text can be read and changed on its way.
func checkLink(v string) *valueError {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return &valueError{text{"这里要填一个 https:// 开头的网址", "this has to be a link that begins with https://"},
			text{"例如 https://media.example.com", "for example https://media.example.com"}}
	}
	if u.User != nil {
		return &valueError{text{"网址里不能带用户名和密码", "a link must not carry a user name or password"},
			text{"去掉 @ 之前的部分", "leave out what stands before the @"}}
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return &valueError{text{"http:// 只能用于本机，其他机器必须用 https://", "http:// is allowed for this machine alone; any other needs https://"},
			text{"把 http:// 换成 https://", "write https:// instead of http://"}}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// setStorage knows the three kinds of bucket; what is in their links beyond
// the endpoint is for the driver to judge.
func setStorage(c *Config, v string) *valueError {
	forms := text{
		"可以写 s3://桶/前缀?region=区域、cos://桶-appid/前缀?region=区域 或 dir:///文件夹",
		"use s3://bucket/prefix?region=R, cos://bucket-appid/prefix?region=R or dir:///folder"}
	u, err := url.Parse(v)
	if err != nil {
		return &valueError{text{"存储地址的写法不对", "this is not the link of a bucket"}, forms}
	}
	if u.Scheme != "s3" && u.Scheme != "cos" && u.Scheme != "dir" {
		return &valueError{text{"不认识的存储类型 " + strconv.Quote(u.Scheme), "unknown kind of bucket " + strconv.Quote(u.Scheme)}, forms}
	}
	if u.User != nil {
		return &valueError{text{"存储地址里不能写密钥", "the link of a bucket must not carry credentials"},
			text{"密钥放在环境变量里：S3 用 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY，COS 用 TENCENTCLOUD_SECRET_ID 和 TENCENTCLOUD_SECRET_KEY",
				"put them into the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for S3, TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY for COS"}}
	}
	if e := u.Query().Get("endpoint"); e != "" {
		if bad := checkLink(e); bad != nil {
			return &valueError{text{"endpoint：" + bad.what.ZH, "endpoint: " + bad.what.EN}, bad.remedy}
		}
	}
	c.Storage.URL = v
	return nil
}

func setJournal(c *Config, v string) *valueError {
	if strings.Contains(v, "://") && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return &valueError{text{"不认识的账本地址", "this is no address of a journal"},
			text{"填一个文件路径，例如 /var/lib/wedrop/wedrop.db", "write the path of a file, for example /var/lib/wedrop/wedrop.db"}}
	}
	if strings.HasPrefix(v, "SQLite format 3") || strings.ContainsAny(v, "\x00\n") {
		return &valueError{text{"这个文件里不是账本地址", "what is in this file is no address of a journal"},
			text{"文件路径直接写在 journal 里；journal_file 指向的文件只存放一行 postgres:// 地址", "the path of a journal's file goes into journal itself; journal_file names a file with a postgres:// address in it"}}
	}
	c.Journal = c.local(v)
	return nil
}

// local is a path of the configuration: ~/ is the home folder, and relative
// paths start at the file's folder (in the environment: where wedrop runs).
func (c *Config) local(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if strings.Contains(path, "://") || filepath.IsAbs(path) || c.base == "" {
		return path
	}
	return filepath.Join(c.base, path)
}
