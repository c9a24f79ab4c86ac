package wecom

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// parseBase checks the address of WeCom's API. A token goes over it, so plain
// http is for loopback only.
func parseBase(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultBaseURL
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, baseError(text{"企业微信的地址（base_url）不是一个完整的网址", "the base URL is not a complete address"})
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, baseError(text{"企业微信的地址（base_url）里不能有用户名、? 或 #", "the base URL must have no user, query or fragment"})
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u.JoinPath("/"), nil
	case u.Scheme == "http":
		return nil, baseError(text{"企业微信的地址（base_url）必须是 https://；http:// 只能用于本机", "the base URL must be https://; http:// is for loopback only"})
	}
	return nil, baseError(text{"企业微信的地址（base_url）必须以 https:// 开头", "the base URL must begin with https://"})
}

func baseError(what text) error {
	return configError("base_url", what, text{
		"请检查 wecom.base_url；不填则使用 " + DefaultBaseURL,
		"check wecom.base_url; left empty it is " + DefaultBaseURL})
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// httpClient returns c's own client or a default one; neither follows
// redirects, which would carry the token to another server.
func httpClient(c Config) (*http.Client, error) {
	if c.HTTP != nil {
		if c.Proxy != "" {
			return nil, proxyError(text{"proxy 与自带的 HTTP 客户端不能同时设置", "a proxy and an HTTP client of one's own exclude each other"})
		}
		own := *c.HTTP
		own.CheckRedirect = stay
		return &own, nil
	}
	proxy, err := proxyFunc(c.Proxy)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{CheckRedirect: stay, Transport: &http.Transport{
		Proxy:                 proxy,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,

		MaxResponseHeaderBytes: 256 << 10,
	}}, nil
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// proxyFunc parses a proxy's address. Its errors do not show the address: it
// may hold a password.
func proxyFunc(s string) (func(*http.Request) (*url.URL, error), error) {
	if s == "" {
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return nil, proxyError(text{"代理地址（proxy）不是一个完整的网址", "the proxy is not a complete address"})
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "socks5", "socks5h":
		return http.ProxyURL(u), nil
	}
	return nil, proxyError(text{"代理地址（proxy）须以 http://、https:// 或 socks5:// 开头", "the proxy must begin with http://, https:// or socks5://"})
}

func proxyError(what text) error {
	return configError("proxy", what, text{
		"请检查 wecom.proxy，例如 http://10.0.0.8:3128；不需要代理就留空",
		"check wecom.proxy, for example http://10.0.0.8:3128; leave it empty if no proxy is needed"})
}
