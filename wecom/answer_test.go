package wecom_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// From document/path/90605 and 90455: a missing errcode is success, errmsg
// decides nothing; Content-Type is not to be trusted (media/get answers errors
// as text/plain).
func TestAnswersThatAreSuccess(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"as documented":                   `{"errcode":0,"errmsg":"ok","jobid":"j1"}`,
		"no errcode":                      `{"jobid":"j1"}`,
		"errcode null":                    `{"errcode":null,"errmsg":null,"jobid":"j1"}`,
		"errcode a string":                `{"errcode":"0","errmsg":"ok","jobid":"j1"}`,
		"errcode 0.0":                     `{"errcode":0.0,"jobid":"j1"}`,
		"errmsg that sounds like trouble": `{"errcode":0,"errmsg":"error 40014","jobid":"j1"}`,
		"errmsg a number":                 `{"errcode":0,"errmsg":7,"jobid":"j1"}`,
		"members that nobody documented":  `{"errcode":0,"jobid":"j1","new":{"a":[1]}}`,
		"a byte order mark and newlines":  "\xef\xbb\xbf\r\n{\"errcode\":0,\"jobid\":\"j1\"}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, err := submit(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, body)
			})
			require.NoError(t, err)
			require.Equal(t, "j1", id)
		})
	}
}

// From xen0n/go-workwx (client.go 113-124), where HTTP 500 with {} is a
// success and a page of HTML is "invalid character '<'".
func TestAnswersThatAreNotWeComs(t *testing.T) {
	t.Parallel()
	long := `{"errcode":0,"jobid":"` + strings.Repeat("x", 2<<20) + `"}`
	for _, c := range []struct {
		name   string
		status int
		body   string
		class  wecom.Class
		says   string // in the Chinese message
	}{
		{"HTTP 500 with an empty object", 500, `{}`, wecom.ClassRetry, "HTTP 500"},
		{"HTTP 500 with a success", 500, `{"errcode":0,"jobid":"j1"}`, wecom.ClassRetry, "HTTP 500"},
		{"HTTP 500 with a stranger's errcode", 500, `{"errcode":500,"errmsg":"oops"}`, wecom.ClassRetry, "HTTP 500"},
		{"HTTP 502 with a page", 502, "<html><head><title>502 Bad Gateway</title></head></html>", wecom.ClassRetry, "网页"},
		{"a captive portal's page with HTTP 200", 200, "<!DOCTYPE html><title>上网认证</title>", wecom.ClassRetry, "上网认证"},
		{"HTTP 429", 429, `too many`, wecom.ClassBackOff, "HTTP 429"},
		{"HTTP 407", 407, ``, wecom.ClassConfig, "代理"},
		{"HTTP 404", 404, `not found`, wecom.ClassRetry, "HTTP 404"},
		{"nothing at all", 200, ``, wecom.ClassRetry, "空"},
		{"null", 200, `null`, wecom.ClassRetry, "格式"},
		{"a list", 200, `[]`, wecom.ClassRetry, "格式"},
		{"a word", 200, `ok`, wecom.ClassRetry, "格式"},
		{"JSON that is cut off", 200, `{"errcode":0,"jobid":"j`, wecom.ClassRetry, "断"},
		{"an errcode that is no number", 200, `{"errcode":{},"jobid":"j1"}`, wecom.ClassRetry, "格式"},
		{"two answers in one", 200, `{"errcode":0}{"errcode":0}`, wecom.ClassRetry, "断"},
		{"more than a mebibyte", 200, long, wecom.ClassRetry, "1 MiB"},
		{"success without a job id", 200, `{"errcode":0,"errmsg":"ok"}`, wecom.ClassRetry, "jobid"},
		{"success with a null job id", 200, `{"errcode":0,"jobid":null}`, wecom.ClassRetry, "jobid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id, err := submit(t, status(c.status, c.body))
			e := asError(t, err)
			require.Empty(t, id)
			require.Equal(t, wecom.KindBadResponse, e.Kind)
			require.Equal(t, "wecom/bad-response", e.FaultCode())
			require.Equal(t, c.class, e.Class())
			require.Equal(t, c.status, e.Status)
			zh, _ := e.Explain("zh")
			require.Contains(t, zh, c.says)
			require.NotContains(t, e.Error(), "invalid character")
		})
	}
}

// WeCom's errcode counts also where a gateway has put an HTTP status on it.
func TestErrcodeUnderAnHTTPStatus(t *testing.T) {
	t.Parallel()
	_, err := submit(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(429)
		io.WriteString(w, `{"errcode":45009,"errmsg":"api freq out of limit"}`)
	})
	e := asError(t, err)
	require.Equal(t, wecom.CodeRateLimit, e.Code)
	require.Equal(t, wecom.ClassBackOff, e.Class())
	require.Equal(t, 17*time.Second, e.RetryAfter)
}

// From document/path/90455 and the community's copies: the tail of an errmsg
// holds what support asks for and the address that has to be trusted.
func TestTailOfErrmsg(t *testing.T) {
	t.Parallel()
	const help = "https://open.work.weixin.qq.com/devtool/query?e=60020"
	for _, c := range []struct{ name, errmsg, message, hint, ip, help string }{
		{"whole", "not allow to access from your ip, hint: [1690529308235734275575111], from ip: 117.129.60.89, more info at " + help,
			"not allow to access from your ip", "1690529308235734275575111", "117.129.60.89", help},
		{"IPv6", "no, hint: [1], from ip: 2001:db8::7, more info at " + help, "no", "1", "2001:db8::7", help},
		{"spaces", "no , hint : [ab-1] , from ip : 10.1.2.3 , more info at " + help, "no", "ab-1", "10.1.2.3", help},
		{"no tail", "not allow to access from your ip", "not allow to access from your ip", "", "", ""},
		{"nothing", "", "", "", "", ""},
		{"an address that is none", "no, from ip: 999.1.2.3, more info at javascript:alert(1)", "no", "", "", ""},
		{"the tail in another order", "no, from ip: 10.1.2.3, hint: [7]", "no", "7", "10.1.2.3", ""},
		{"terminal escapes", "no\x1b[31m, hint: [7]", "no [31m", "7", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := submit(t, saying(`{"errcode":60020,"errmsg":`+quote(c.errmsg)+`}`))
			e := asError(t, err)
			require.Equal(t, wecom.CodeUntrustedIP, e.Code)
			if c.name != "an address that is none" {
				require.Equal(t, c.message, e.Message)
			}
			require.Equal(t, c.hint, e.Hint)
			require.Equal(t, c.ip, e.FromIP)
			require.Equal(t, c.help, e.HelpURL)
			for _, lang := range []string{"zh", "en"} {
				message, remedy := e.Explain(lang)
				require.Contains(t, remedy, c.hint)
				require.Contains(t, remedy, c.help)
				require.Contains(t, message+remedy, c.ip)
			}
		})
	}
}

// From the global error table: 60020's remedy is an address and a minute's
// patience; a tool that only fetches a token cannot know it.
func TestUntrustedIPSaysWhichAndWhere(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{TrustedIPs: []string{}, SeenFrom: "198.51.100.23"})
	_, err := client(t, wecom.Config{BaseURL: s.URL}).UploadByURL(context.Background(), upload)
	e := asError(t, err)
	require.Equal(t, "wecom/60020", e.FaultCode())
	require.Equal(t, wecom.ClassConfig, e.Class())
	zh, cure := e.Explain("zh")
	require.Contains(t, zh, "198.51.100.23")
	require.Contains(t, cure, "把 198.51.100.23 加入「企业可信IP」，约 1 分钟后生效")
	_, cure = e.Explain("en")
	require.Contains(t, cure, "add 198.51.100.23 to its 企业可信IP")
	require.Equal(t, 1, s.Count("media/upload_by_url"), "a refusal for good is not tried again")
}

// A code that the table does not have still leads somewhere.
func TestUnknownCode(t *testing.T) {
	t.Parallel()
	_, err := submit(t, saying(`{"errcode":987654,"errmsg":"something new, hint: [42], from ip: 10.1.2.3"}`))
	e := asError(t, err)
	require.Equal(t, wecom.ClassUnknown, e.Class())
	require.Equal(t, "wecom/987654", e.FaultCode())
	for _, lang := range []string{"zh", "en"} {
		message, remedy := e.Explain(lang)
		require.Contains(t, message, "987654")
		require.Contains(t, message, "something new")
		require.Contains(t, remedy, "https://open.work.weixin.qq.com/devtool/query?e=987654")
		require.Contains(t, remedy, "42")
		require.Contains(t, remedy, "10.1.2.3")
	}
}

// From document/path/90455: "Warning: wrong json format" comes with errcode 0;
// the call was accepted, but its parameters were parsed incompletely.
func TestWarningIsLoudButSuccess(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	s.Inject("media/upload_by_url", wecomtest.Fault{Warning: true})
	var out record
	id, err := client(t, wecom.Config{BaseURL: s.URL, Log: out.logger()}).UploadByURL(context.Background(), upload)
	require.NoError(t, err)
	require.NotEmpty(t, id)
	require.Contains(t, out.String(), "level=ERROR")
	require.Contains(t, out.String(), "wrong json format")
}
