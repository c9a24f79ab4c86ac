package callback

import (
	"fmt"
	"strings"
	"time"
)

// A Kind says why a callback, or a Config, is refused.
type Kind string

const (
	KindConfig    Kind = "bad-config"    // New cannot work with the Config
	KindSignature Kind = "bad-signature" // WeCom did not sign it, or not with our Token
	KindStale     Kind = "stale"         // signed, but its time is too far from ours
	KindReceiver  Kind = "other-corp"    // signed and sealed by our keys, for somebody else
	KindContent   Kind = "bad-content"   // what it holds cannot be read
	KindTooLarge  Kind = "too-large"     // its body is over 64 KiB
)

// An Error is a callback that is refused, or a Config that is. It never holds
// a token, a key or a message.
type Error struct {
	Kind     Kind
	Field    string        // KindConfig: token, aes_key or receive_id
	Skew     time.Duration // KindStale: how far its time is ahead of ours, less than 0 if behind; 0 if it has none
	Receiver string        // KindReceiver: whom it is for
	Err      error         // KindContent: what cannot be read; may be nil
}

// Error names the kind and what belongs to it.
func (e *Error) Error() string {
	s := "callback: " + strings.ReplaceAll(string(e.Kind), "-", " ")
	switch {
	case e.Field != "":
		s += ": " + e.Field
	case e.Skew != 0:
		s += fmt.Sprintf(": its clock differs from ours by %v", e.Skew)
	case e.Receiver != "":
		s += fmt.Sprintf(": it is for %q", e.Receiver)
	case e.Err != nil:
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// FaultCode is the error's stable name: "callback/bad-signature" and so on.
func (e *Error) FaultCode() string { return "callback/" + string(e.Kind) }

// A text is said in both languages.
type text struct{ zh, en string }

func (t text) in(lang string) string {
	if lang == "zh" {
		return t.zh
	}
	return t.en
}

// Explain says what happened and what to do now, for the person who can do
// it. lang is "zh" or "en". Both texts are never empty.
func (e *Error) Explain(lang string) (message, remedy string) {
	what, cure := e.words()
	return what.in(lang), cure.in(lang)
}

func (e *Error) words() (what, cure text) {
	switch e.Kind {
	case KindConfig:
		return e.config()
	case KindStale:
		return e.stale()
	case KindSignature:
		return text{"发到回调地址的请求签名不对，已拒绝", "a request to the callback address has a wrong signature and was refused"},
			text{"如果企业微信后台提示回调失败，请核对 callback.token 与后台「接收消息」里的 Token 是否一字不差；否则是别人乱发的请求，不必理会",
				"if WeCom's console reports a failing callback, check that callback.token is exactly the Token that the console shows; else a stranger sent it, and nothing needs doing"}
	case KindReceiver:
		return text{fmt.Sprintf("收到的回调是发给 %q 的，不是本企业", e.Receiver), fmt.Sprintf("the callback is for %q, not for this corp", e.Receiver)},
			text{"请核对 wecom.corp_id 是否正确，以及这个回调地址是不是填到了别的企业或服务商应用里", "check wecom.corp_id, and whether the address was entered in another corp's or a provider's app"}
	case KindTooLarge:
		return text{"发到回调地址的请求超过 64 KiB，已拒绝", "a request to the callback address is over 64 KiB and was refused"},
			text{"企业微信不会发这么大的回调，不必理会", "WeCom sends none of this size: nothing needs doing"}
	}
	return text{"回调的内容解不开", "what the callback holds cannot be read"},
		text{"请核对 callback.aes_key 与企业微信后台「接收消息」里的 EncodingAESKey 是否一字不差；若只是偶尔出现，不必理会：任务结果还会主动查询",
			"check that callback.aes_key is exactly the EncodingAESKey that WeCom's console shows; if it is rare, nothing needs doing: results are also asked for"}
}

func (e *Error) stale() (what, cure text) {
	what = text{"回调没有可用的时间", "the callback has no time that can be read"}
	if e.Skew != 0 {
		by := e.Skew.Abs().Round(time.Second).String()
		what = text{"回调的时间与本机相差 " + by + "，已拒绝", "the callback's time differs from this machine's by " + by + ": it was refused"}
	}
	return what, text{"请打开本机的自动对时；若本机时间无误，多半是有人重放旧请求，不必理会",
		"let this machine set its clock automatically; if its clock is right, somebody replays an old request, and nothing needs doing"}
}

func (e *Error) config() (what, cure text) {
	switch e.Field {
	case "token":
		return text{"callback.token 应为 1 到 32 位英文字母和数字", "callback.token must be 1 to 32 letters and digits"},
			text{"请从企业微信后台：应用 > 接收消息 > 设置 API 接收 中复制 Token", "copy the Token from WeCom's admin console: the app > receive messages > API"}
	case "aes_key":
		return text{"callback.aes_key 应正好是 43 位英文字母和数字", "callback.aes_key must be exactly 43 letters and digits"},
			text{"请从企业微信后台：应用 > 接收消息 > 设置 API 接收 中完整复制 EncodingAESKey", "copy the whole EncodingAESKey from WeCom's admin console: the app > receive messages > API"}
	}
	return text{"回调需要企业 ID（wecom.corp_id），现在为空或含有不该有的字符", "callbacks need the corp id (wecom.corp_id): it is empty or has odd characters"},
		text{"请从企业微信后台：我的企业 > 企业信息 中复制企业 ID", "copy it from WeCom's admin console: My Company > Company ID"}
}
