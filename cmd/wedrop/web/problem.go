package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

// problemJSON is how the API says no (RFC 9457).
type problemJSON struct {
	Type   string `json:"type" doc:"Always about:blank; the code says which problem it is."`
	Title  string `json:"title" doc:"The status in words."`
	Status int    `json:"status" example:"422"`
	Detail string `json:"detail" doc:"What happened, in the language of the request."`
	Code   string `json:"code" example:"inspect/not-mp4" doc:"Who says no and why, for programs; it stays the same in every language."`
	Remedy string `json:"remedy" doc:"What to do now, in the language of the request."`

	Item       *itemView           `json:"item,omitempty" doc:"The item that it is about, where there is one."`
	Candidates []itemView          `json:"candidates,omitempty" doc:"The items that a name may mean, the newest first."`
	Errors     []*huma.ErrorDetail `json:"errors,omitempty" doc:"Which parts of the request are wrong."`
}

// A refusal is a problem in both languages.
type refusal struct {
	status          int
	code            string
	message, remedy pipeline.Text
	after           time.Duration // when another try makes sense; zero: that is not known
	item            *pipeline.Item
	candidates      []pipeline.Item
	errors          []*huma.ErrorDetail
}

func (r *refusal) Error() string             { return r.code + ": " + r.message.EN }
func (r *refusal) GetStatus() int            { return r.status }
func (r *refusal) ContentType(string) string { return "application/problem+json" }

// GetHeaders is for huma.
func (r *refusal) GetHeaders() http.Header {
	h := http.Header{}
	r.headers(h)
	return h
}

func (r *refusal) headers(h http.Header) {
	if r.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(r.after.Seconds()))))
	}
	if r.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="wedrop"`)
	}
}

func (r *refusal) in(lang string) problemJSON {
	p := problemJSON{Type: "about:blank", Title: http.StatusText(r.status), Status: r.status,
		Detail: r.message.In(lang), Code: r.code, Remedy: r.remedy.In(lang), Errors: r.errors}
	if r.item != nil {
		p.Item = &itemView{Item: r.item.In(lang)}
	}
	for _, it := range r.candidates {
		p.Candidates = append(p.Candidates, itemView{Item: it.In(lang)})
	}
	return p
}

// refuse answers with a problem where huma is not asked.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	body, err := json.Marshal(no.in(s.langOf(r)))
	if err != nil {
		s.log.Error("a problem cannot be told", "err", err)
	}
	no.headers(w.Header())
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(no.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n'))
	}
}

// problems turns whatever huma is about to answer into a problem of ours.
func (s *Site) problems(ctx huma.Context, _ string, v any) (any, error) {
	no, ok := v.(*refusal)
	if m, theirs := v.(*huma.ErrorModel); theirs {
		no, ok = badRequest(m), true
	}
	if !ok {
		return v, nil
	}
	return no.in(s.lang(ctx.Query("lang"), ctx.Header("Accept-Language"))), nil
}

// refusalOf is why something did not go. What nobody foresaw is in the log.
func (s *Site) refusalOf(ctx context.Context, err error) *refusal {
	var no *refusal
	var missing *pipeline.NotFoundError
	var several *pipeline.AmbiguousError
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &missing):
		return unknownName(missing.Name)
	case errors.As(err, &several):
		return ambiguous(several)
	case full(err):
		return diskFull()
	}
	if ctx.Err() == nil {
		s.log.Error("a request was not answered", "err", err)
	}
	return unforeseen()
}

// heldBack is the problem of an Item that waits for a person.
func heldBack(it pipeline.Item) *refusal {
	f := it.Fault
	return &refusal{status: http.StatusConflict, code: f.Code, message: f.Message, remedy: f.Remedy, item: &it}
}

// refused is the problem of a file that its reading rules out.
func refused(f pipeline.Fault) *refusal {
	no := &refusal{status: http.StatusUnprocessableEntity, code: f.Code, message: f.Message, remedy: f.Remedy}
	if f.Code == "inspect/"+string(inspect.TooLarge) {
		no.status = http.StatusRequestEntityTooLarge
	}
	return no
}

// refusedFor is refused, where the file need not be read.
func refusedFor(code inspect.Code, name string, size int64) *refusal {
	e := &inspect.Error{Code: code, Name: name, Path: name, Size: size}
	f := pipeline.Fault{Code: e.FaultCode()}
	f.Message.ZH, f.Remedy.ZH = e.Explain("zh")
	f.Message.EN, f.Remedy.EN = e.Explain("en")
	return refused(f)
}

func badRequest(m *huma.ErrorModel) *refusal {
	no := &refusal{status: m.Status, code: "wedrop/bad-request", errors: m.Errors,
		message: pipeline.Text{ZH: "请求不对：" + m.Detail, EN: "the request is wrong: " + m.Detail},
		remedy:  pipeline.Text{ZH: "对照 /openapi.json 改正请求", EN: "see /openapi.json for what it has to be"}}
	for _, e := range m.Errors {
		e.Value = nil // what was sent is not shown again
	}
	if m.Status >= 500 {
		return unforeseen()
	}
	return no
}

func wrongRequest(zh, en string) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, code: "wedrop/bad-request", message: pipeline.Text{ZH: zh, EN: en},
		remedy: pipeline.Text{ZH: "对照 /openapi.json 改正请求", EN: "see /openapi.json for what it has to be"}}
}

// wrongQuery is the problem of a parameter that is unknown or given twice; of a
// query that cannot be read, where it has no name.
func wrongQuery(name string, known []string) *refusal {
	all := strings.Join(known, ", ")
	no := &refusal{status: http.StatusBadRequest, code: "wedrop/bad-request",
		message: pipeline.Text{ZH: "地址里 ? 之后的部分读不懂", EN: "what stands behind the ? of the address cannot be read"},
		remedy:  pipeline.Text{ZH: "这里可以用的参数：" + all, EN: "the parameters here are " + all}}
	if name == "" {
		return no
	}
	name = strings.ToValidUTF8(name, "?")
	if r := []rune(name); len(r) > 64 {
		name = string(r[:64]) + "..."
	}
	no.errors = []*huma.ErrorDetail{{Location: "query." + name, Message: "unknown parameter"}}
	no.message = pipeline.Text{ZH: "没有「" + name + "」这个参数", EN: "there is no parameter " + strconv.Quote(name)}
	if slices.Contains(known, name) {
		no.errors[0].Message = "given more than once"
		no.message = pipeline.Text{ZH: "参数「" + name + "」给了不止一次", EN: "the parameter " + strconv.Quote(name) + " is given more than once"}
	}
	return no
}

func unforeseen() *refusal {
	return &refusal{status: http.StatusInternalServerError, code: "wedrop/internal",
		message: pipeline.Text{ZH: "程序内部出错，这次没有成功", EN: "something unforeseen went wrong"},
		remedy:  pipeline.Text{ZH: "请过一会儿再试；若反复出现，请管理员查看 wedrop serve 的日志", EN: "try again in a while; if it stays so, have the log of wedrop serve looked at"}}
}

func diskFull() *refusal {
	return &refusal{status: http.StatusInsufficientStorage, code: "wedrop/disk-full",
		message: pipeline.Text{ZH: "服务器的磁盘满了，文件没有收下", EN: "the server's disk is full, the file was not taken"},
		remedy:  pipeline.Text{ZH: "请管理员在运行 wedrop 的机器上腾出空间，然后重新上传", EN: "have space made on the machine that runs wedrop, then upload it again"}}
}

func nothingHere() *refusal {
	return &refusal{status: http.StatusNotFound, code: "wedrop/not-found",
		message: pipeline.Text{ZH: "这里什么也没有", EN: "there is nothing here"},
		remedy:  pipeline.Text{ZH: "页面在 /，接口说明在 /openapi.json", EN: "the page is at /, the API is described by /openapi.json"}}
}

func wrongMethod() *refusal {
	return &refusal{status: http.StatusMethodNotAllowed, code: "wedrop/wrong-method",
		message: pipeline.Text{ZH: "这个地址不支持这种请求方法", EN: "this path does not know the method of the request"},
		remedy:  pipeline.Text{ZH: "响应头 Allow 列出了可用的方法，接口说明在 /openapi.json", EN: "the header Allow has the methods that it knows; the API is described by /openapi.json"}}
}

func noItem(id int64) *refusal {
	n := strconv.FormatInt(id, 10)
	return &refusal{status: http.StatusNotFound, code: "wedrop/not-found",
		message: pipeline.Text{ZH: "没有编号为 " + n + " 的素材", EN: "there is no item " + n},
		remedy:  pipeline.Text{ZH: "刷新列表；内容、类型和名称都相同的文件会合并成一条", EN: "look at the list again: files of equal content, type and name become one item"}}
}

func noPreview() *refusal {
	return &refusal{status: http.StatusNotFound, code: "wedrop/no-preview",
		message: pipeline.Text{ZH: "这个素材不能预览", EN: "this item has no preview"},
		remedy:  pipeline.Text{ZH: "只有 MP4 视频、音频和常见图片能预览，而且文件要还在这台机器上、没有改动过", EN: "MP4 videos, sound and common pictures have one, as long as the file is on this machine and unchanged"}}
}

func unknownName(name string) *refusal {
	return &refusal{status: http.StatusNotFound, code: "wedrop/not-found",
		message: pipeline.Text{ZH: "账本里没有叫「" + name + "」的素材", EN: "nothing in the ledger is called " + name},
		remedy:  pipeline.Text{ZH: "检查名称；还没有发送过的文件请先上传", EN: "check the name; a file that was never sent has to be uploaded first"}}
}

func ambiguous(e *pipeline.AmbiguousError) *refusal {
	return &refusal{status: http.StatusConflict, code: "wedrop/ambiguous", candidates: e.Items,
		message: pipeline.Text{ZH: fmt.Sprintf("有 %d 个素材叫「%s」，内容不同", len(e.Items), e.Name), EN: fmt.Sprintf("%d items of different content are called %s", len(e.Items), e.Name)},
		remedy:  pipeline.Text{ZH: "改用 md5，或 id: 加编号来指明是哪一个；candidates 里列出了它们", EN: "name the one that is meant by its md5, or by id: and its number; they are in candidates"}}
}

func notHeld(it pipeline.Item) *refusal {
	return &refusal{status: http.StatusConflict, code: "wedrop/not-held", item: &it,
		message: pipeline.Text{ZH: "「" + it.Name + "」没有停下，不需要重试", EN: it.Name + " is not held, there is nothing to retry"},
		remedy:  pipeline.Text{ZH: "刷新列表看它现在的状态", EN: "look at the list for how it stands now"}}
}

func noToken() *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "wedrop/no-token",
		message: pipeline.Text{ZH: "需要登录", EN: "a token is needed"},
		remedy:  pipeline.Text{ZH: "在浏览器里打开首页登录；程序请带请求头 Authorization: Bearer，后面是配置里的 page_token", EN: "sign in on the page; a program sends the header Authorization: Bearer with the page_token of the configuration"}}
}

func wrongToken() *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "wedrop/wrong-token",
		message: pipeline.Text{ZH: "口令不对", EN: "the token is wrong"},
		remedy:  pipeline.Text{ZH: "向管理员索取配置里的 page_token；一分钟内最多试 5 次", EN: "ask who runs wedrop for its page_token; there are five tries a minute"}}
}

func tooManyTries(wait time.Duration) *refusal {
	n := int(math.Ceil(wait.Seconds()))
	return &refusal{status: http.StatusTooManyRequests, code: "wedrop/too-many-tries", after: wait,
		message: pipeline.Text{ZH: fmt.Sprintf("口令错得太多次了，请 %d 秒后再试", n), EN: fmt.Sprintf("too many wrong tokens, try again in %d s", n)},
		remedy:  pipeline.Text{ZH: "确认口令后再登录：它是配置里的 page_token", EN: "make sure of the token first: it is the page_token of the configuration"}}
}

func wrongHost(host string) *refusal {
	name := strings.ToValidUTF8(host, "?")
	return &refusal{status: http.StatusForbidden, code: "wedrop/wrong-host",
		message: pipeline.Text{ZH: "不能用「" + name + "」这个地址访问", EN: "this is not reached by the name " + name},
		remedy:  pipeline.Text{ZH: "在本机用 127.0.0.1 或 localhost 打开；从其他机器请用 IP 地址或主机名，并先设置 page_token；如果是自己的域名，请把它写进 page_hosts", EN: "on this machine use 127.0.0.1 or localhost; from others its IP address or host name, with a page_token set; a name of your own goes into page_hosts"}}
}

func wrongOrigin() *refusal {
	return &refusal{status: http.StatusForbidden, code: "wedrop/cross-origin",
		message: pipeline.Text{ZH: "这个请求来自别的网站，已拒绝", EN: "this request came from another site and was refused"},
		remedy:  pipeline.Text{ZH: "直接打开 wedrop 的页面操作", EN: "open wedrop's own page and do it there"}}
}

// lang is the language of an answer: as asked for, else the browser's, else
// the configured one.
func (s *Site) lang(asked, accept string) string {
	if asked == "zh" || asked == "en" {
		return asked
	}
	for one := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		if tag == "zh" || tag == "en" {
			return tag
		}
	}
	return s.o.Lang
}

func (s *Site) langOf(r *http.Request) string {
	return s.lang(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}
