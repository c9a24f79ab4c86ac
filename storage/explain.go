package storage

import (
	"strings"
)

// Explain says in the language "zh" or "en" what happened and what to do now.
// The remedy ends with the Policy to paste, where one would help.
func (e *Error) Explain(lang string) (message, remedy string) {
	t := e.Advice.over(e.text())
	message, remedy = t.en, t.enRemedy
	if lang == "zh" {
		message, remedy = t.zh, t.zhRemedy
	}
	fill := strings.NewReplacer(
		"{bucket}", orElse(e.Bucket, lang, "存储桶", "the bucket"),
		"{key}", e.Key,
		"{url}", e.URL,
		"（{detail}）", inBrackets("（", e.Detail, "）"),
		" ({detail})", inBrackets(" (", e.Detail, ")"),
		"（{key}）", inBrackets("（", e.Key, "）"),
		" ({key})", inBrackets(" (", e.Key, ")"),
		"{detail}", e.Detail,
	)
	message, remedy = fill.Replace(message), fill.Replace(remedy)
	if said := e.Fault.said(); said != "" {
		message += pick(lang, "服务方的答复：", " The service says: ") + said
	}
	if e.Policy != "" {
		remedy += pick(lang, "可直接粘贴的策略：", " The policy, ready to paste:") + "\n" + e.Policy
	}
	return message, remedy
}

// text looks from the particular to the general: the reason, what the service
// said, the kind in this operation, the kind; each first for this sort of
// bucket.
func (e *Error) text() text {
	scheme, _, _ := strings.Cut(e.Bucket, "://")
	var keys []string
	if e.Reason != "" {
		keys = append(keys, "reason "+string(e.Reason))
	}
	if e.Fault.Cause != "" {
		keys = append(keys, "cause "+string(e.Fault.Cause))
	}
	keys = append(keys, "kind "+string(e.Kind)+" "+e.Op, "kind "+string(e.Kind))
	for _, k := range keys {
		if t, ok := texts[k+" "+scheme]; ok {
			return t
		}
		if t, ok := texts[k]; ok {
			return t
		}
	}
	return texts["kind "+string(BadConfig)]
}

// inBrackets leaves no empty brackets behind.
func inBrackets(open, s, end string) string {
	if s == "" {
		return ""
	}
	return open + s + end
}

func pick(lang, zh, en string) string {
	if lang == "zh" {
		return zh
	}
	return en
}

func orElse(s, lang, zh, en string) string {
	if s != "" {
		return s
	}
	return pick(lang, zh, en)
}
