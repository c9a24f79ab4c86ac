package folder

import (
	"path/filepath"

	"wedrop/pipeline/inspect"
)

// WhyLocked is Busy.Why of a file that cannot be opened at the moment.
const WhyLocked = "locked"

// Busy is a file that is still being written, as far as can be seen.
type Busy struct {
	Candidate
	// Why it is not whole, in the words of inspect.Completeness, or WhyLocked;
	// empty if its size or times still change.
	Why string
}

// Explain returns the message and the remedy in "zh" or "en".
func (b Busy) Explain(lang string) (message, remedy string) {
	name := filepath.Base(b.Path)
	if lang == "zh" {
		switch b.Why {
		case "":
			message = "还在写入，这次先不发送"
		case WhyLocked:
			message = "正被另一个程序占用，这次先不发送"
		case "empty":
			message = "还是空的（0 字节），这次先不发送"
		default:
			message = "还不完整：" + inspect.Completeness{Why: b.Why}.Explain(lang) + "，这次先不发送"
		}
		return name + " " + message, "不用处理，下次运行会接着发送；如果复制已经中断，请重新复制一遍"
	}
	switch b.Why {
	case "":
		message = "still being written, left to the next run"
	case WhyLocked:
		message = "another program holds it, left to the next run"
	case "empty":
		message = "still empty, left to the next run"
	default:
		message = "not whole yet: " + inspect.Completeness{Why: b.Why}.Explain(lang) + "; left to the next run"
	}
	return name + ": " + message, "nothing to do, the next run takes it; if the copy was cut off, copy it again"
}
