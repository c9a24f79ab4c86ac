package folder

import (
	"path/filepath"
	"time"

	"wedrop/pipeline/inspect"
)

// A Snapshot is how a Watcher stands, for the page and the figures. Nothing in
// it is changed later.
type Snapshot struct {
	Folders []FolderState // as in Watcher.Folders; empty before the first reading
	Waiting []Waiting     // files that are not finished, or not taken because of Err
	Read    time.Time     // when the folders were last read
	Cost    time.Duration // of that
	Err     error         // of Known or Found since then
}

// FolderState is what the last reading found in one folder.
type FolderState struct {
	Folder
	Err     error     // a *NotMounted, or nil
	Files   int       // taken or to be taken
	Skipped []Skipped // left out, and somebody may miss it
}

// Waiting is a file that a Watcher waits for.
type Waiting struct {
	Busy
	Since time.Time // when it was first seen as it is
}

// Explain returns the message, with the file's name, and the remedy in "zh" or
// "en".
func (b Waiting) Explain(lang string) (message, remedy string) {
	message, remedy = b.explain(lang)
	name := filepath.Base(b.Path)
	if lang == "zh" {
		return name + " " + message, remedy
	}
	return name + ": " + message, remedy
}

// explain is Explain without the name.
func (b Waiting) explain(lang string) (message, remedy string) {
	missing := inspect.Completeness{Why: b.Why}.Explain(lang)
	if lang == "zh" {
		switch b.Why {
		case "":
			message = "刚放进来或还在写入，等它写完"
		case WhyLocked:
			message = "正被另一个程序占用，等它关闭"
		default:
			message = "还不完整：" + missing
		}
		return message, "不用处理，写完后会自动发送；如果复制已经中断，请重新复制一遍"
	}
	switch b.Why {
	case "":
		message = "has just arrived or is still being written"
	case WhyLocked:
		message = "another program holds it"
	default:
		message = "not whole yet: " + missing
	}
	return message, "nothing to do, it goes when it is finished; if the copy was cut off, copy it again"
}

// Snapshot returns how things stand. It may be called at any time, also by
// others while Run is at work.
func (w *Watcher) Snapshot() Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shown
}

func (r *rounds) publish() {
	s := Snapshot{Folders: r.states, Read: r.at, Cost: r.cost, Err: r.err}
	for _, f := range r.rule.pending {
		s.Waiting = append(s.Waiting, Waiting{Busy{f.Candidate, f.why}, f.since})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shown = s
}
