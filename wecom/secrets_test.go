package wecom_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
)

// From silenceper/wechat (util/http.go 124) and xen0n/go-workwx (client.go
// 113-116): the corpsecret stood in the error's text. Here a server that is
// as nasty as can be echoes what it was sent, in every way of going wrong, and
// neither an error in any form nor the log may show it.
func TestNoErrorOrLogShowsASecret(t *testing.T) {
	t.Parallel()
	echo := func(r *http.Request) string {
		return r.URL.String() + " " + r.URL.RawQuery + " " + r.URL.Query().Get("access_token") + r.URL.Query().Get("corpsecret")
	}
	answers := map[string]http.HandlerFunc{
		"errmsg": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"errcode":60020,"errmsg":%s}`, quote("no "+echo(r)+", hint: ["+echo(r)+"], from ip: 1.2.3.4, more info at https://x/?"+r.URL.RawQuery))
		},
		"errmsg of an unknown code": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"errcode":999999,"errmsg":%s}`, quote(echo(r)))
		},
		"errmsg of a refused token or secret": func(w http.ResponseWriter, r *http.Request) {
			code := 40014
			if r.URL.Query().Has("corpsecret") {
				code = 40001
			}
			fmt.Fprintf(w, `{"errcode":%d,"errmsg":%s}`, code, quote(echo(r)))
		},
		"warning": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"errcode":0,"errmsg":%s,"access_token":%q}`, quote("Warning: wrong json format "+echo(r)), tokenText)
		},
		"detail": func(w http.ResponseWriter, r *http.Request) {
			detail, _ := json.Marshal(map[string]any{"errcode": 77, "errmsg": echo(r)})
			fmt.Fprintf(w, `{"errcode":0,"status":3,"detail":%s}`, detail)
		},
		"page": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(502)
			fmt.Fprintf(w, "<html><title>%s</title>%s", echo(r), echo(r))
		},
		"plain text":    func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500); io.WriteString(w, echo(r)) },
		"cut-off JSON":  func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"access_token":"%s`, tokenText) },
		"JSON of sorts": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `[%s]`, quote(echo(r))) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://"+r.URL.Query().Get("access_token")+r.URL.Query().Get("corpsecret")+"/?"+r.URL.RawQuery)
			w.WriteHeader(302)
		},
		"Retry-After": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", echo(r))
			w.WriteHeader(429)
		},
		"no HTTP at all":  raw("%s\r\n\r\n"),
		"a broken header": raw("HTTP/1.1 200 OK\r\n%s\r\n\r\n"),
		"a broken length": raw("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"),
		"a broken status": raw("HTTP/1.1 %s\r\n\r\n"),
		"a reset":         raw(""),
	}
	for name, f := range answers {
		for _, at := range []string{"gettoken", "upload_by_url", "get_upload_by_url_result", "media/get", "group_welcome_template/add"} {
			t.Run(name+" at "+at, func(t *testing.T) {
				t.Parallel()
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case strings.HasSuffix(r.URL.Path, "/"+at):
						f(w, r)
					case strings.HasSuffix(r.URL.Path, "/gettoken"):
						fmt.Fprintf(w, `{"access_token":%q,"expires_in":7200}`, tokenText)
					default:
						io.WriteString(w, `{"errcode":0,"jobid":"j","status":1}`)
					}
				}))
				defer s.Close()
				var out record
				store := wecom.NewMemoryStore()
				for range 2 { // the second time from memory, where it is remembered
					cl := client(t, wecom.Config{BaseURL: s.URL, Log: out.logger(), Store: store})
					if err := send(cl); err != nil {
						asError(t, err)
					}
					res, err := cl.UploadResult(t.Context(), "j")
					if err != nil {
						asError(t, err)
					}
					if res.Err != nil {
						presentable(t, res.Err)
					}
					if _, err := cl.Download(t.Context(), "3*1*x", io.Discard, wecom.DownloadOptions{Tries: 2, Pause: 1}); err != nil {
						asError(t, err)
					}
					if _, err := cl.AddWelcomeTemplate(t.Context(), wecom.WelcomeTemplate{Text: "hi"}); err != nil {
						asError(t, err)
					}
				}
				hidden(t, out.String())
				require.NotEmpty(t, out.String())
				require.NotContains(t, out.String(), url.QueryEscape(upload.URL))
			})
		}
	}
}

// raw answers with bytes that are no HTTP, or bad HTTP, and show the query.
func raw(format string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		if strings.Contains(format, "%s") {
			q := r.URL.Query()
			fmt.Fprintf(c, format, q.Get("access_token")+q.Get("corpsecret")+" "+r.URL.RawQuery)
		}
	}
}

// Who prints a Client or its Config to find an error shows no secret.
func TestPrintingAClientShowsNoSecret(t *testing.T) {
	t.Parallel()
	c := wecom.Config{CorpID: "wwtest", Secret: secretText, Proxy: "http://u:" + secretText + "@10.0.0.8:1"}
	fixed := wecom.StaticToken(tokenText)
	static := client(t, wecom.Config{CorpID: "wwtest", Tokens: fixed})
	for _, v := range []any{c, &c, client(t, c), static, *static, fixed} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			hidden(t, fmt.Sprintf(format, v))
		}
	}
	require.Contains(t, c.String(), "wwtest")
}
