package folder

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wedrop/pipeline"
)

// A Row is what a person wants to know of one file. All of it is text to be
// shown; MediaID alone is for machines too.
type Row struct {
	Name       string
	MediaID    string // the newest; empty if none has come
	ValidUntil string // "2026-11-25 16:40" in local time; empty without MediaID
	State      string
	Todo       string // what happened and what to do; empty where there is nothing to say
}

// soon is how long before its end a media_id is said to end soon: it should
// have been renewed before.
const soon = 12 * time.Hour

const (
	minute         = "2006-01-02 15:04"
	stateReady     = "可用"
	stateEndsSoon  = "快过期"
	stateOver      = "已过期"
	stateUnderWay  = "处理中"
	stateTriesSoon = "稍后重试"
	stateStopped   = "已停下"
	stateWaiting   = "等待写完"
)

// english are the states as others say them.
var english = map[string]string{
	stateReady: "ready", stateEndsSoon: "expires soon", stateOver: "expired",
	stateUnderWay: "in progress", stateTriesSoon: "will try again", stateStopped: "stopped",
	stateWaiting: "waiting for the file",
}

// RowOf describes an Item in lang, "zh" or "en".
func RowOf(it pipeline.Item, now time.Time, lang string) Row {
	row := Row{Name: it.Name, State: stateOf(it, now)}
	if row.Name == "" {
		row.Name = filepath.Base(it.Path)
	}
	if it.Media != nil {
		row.MediaID, row.ValidUntil = it.Media.ID, it.Media.ExpiresAt.Local().Format(minute)
	}
	row.Todo = todo(it, row.State, lang)
	if lang != "zh" {
		row.State = english[row.State]
	}
	return row
}

// WaitingRows describes those files in a folder that are not finished, so that
// nobody looks for them in vain: empty ones, and those that are half copied.
func WaitingRows(dir string, files []Waiting, lang string) []Row {
	var rows []Row
	for _, f := range files {
		rel, err := filepath.Rel(dir, f.Path)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		what, cure := f.explain(lang)
		row := Row{Name: filepath.ToSlash(rel), State: stateWaiting, Todo: sentences(lang, what, cure)}
		if lang != "zh" {
			row.State = english[row.State]
		}
		rows = append(rows, row)
	}
	return rows
}

// Sort puts rows into the order in which people look for files.
func Sort(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
}

func stateOf(it pipeline.Item, now time.Time) string {
	switch {
	case it.Held():
		return stateStopped
	case it.Valid(now, soon):
		return stateReady
	case it.Fault != nil:
		return stateTriesSoon
	case it.Valid(now, 0):
		return stateEndsSoon
	case it.Step == pipeline.Done && it.Media != nil:
		return stateOver
	}
	return stateUnderWay
}

func todo(it pipeline.Item, state, lang string) string {
	zh := lang == "zh"
	switch {
	case it.Fault != nil && state != stateReady:
		return sentences(lang, it.Fault.Message.In(lang), it.Fault.Remedy.In(lang))
	case state == stateEndsSoon && it.Step != pipeline.Done && zh:
		return "正在续期，不用处理"
	case state == stateEndsSoon && it.Step != pipeline.Done:
		return "being renewed, nothing to do"
	case (state == stateEndsSoon || state == stateOver) && zh:
		return "通常会自动续期；如果一直是这个状态，请检查 wedrop serve 是否在运行，以及续期（renew）有没有关闭"
	case state == stateEndsSoon || state == stateOver:
		return "it is renewed by itself as a rule; if it stays so, see whether wedrop serve runs and renew is not off"
	}
	var all []string
	for _, w := range it.Warnings {
		all = append(all, w.Message.In(lang))
	}
	return sentences(lang, all...)
}

// sentences puts texts behind one another, each ended as the language does.
func sentences(lang string, all ...string) string {
	stop, gap := ".", " "
	if lang == "zh" {
		stop, gap = "。", ""
	}
	var out []string
	for _, s := range all {
		s = strings.TrimSpace(s)
		if s == "" {
			continue
		}
		if !strings.ContainsAny(s[len(s)-1:], ".!?") && !strings.HasSuffix(s, "。") && !strings.HasSuffix(s, "！") && !strings.HasSuffix(s, "？") {
			s += stop
		}
		out = append(out, s)
	}
	return strings.Join(out, gap)
}

// Rows describes the files of one folder, in the order of their names. A file
// of a folder within it is called by its path there, also after a Mover has
// put it away.
func Rows(dir string, entries []pipeline.Entry, now time.Time, lang string) []Row {
	rows := make([]Row, len(entries))
	for n, e := range entries {
		it := e.Item
		if e.File.Path != "" {
			it.Path = e.File.Path
		}
		rows[n] = RowOf(it, now, lang)
		if within := groupOf(dir, it.Path); within != "" {
			rows[n].Name = within + "/" + rows[n].Name
		}
	}
	Sort(rows)
	return rows
}

// groupOf is the folder within dir where the file at path is, or was before it
// was moved; empty for dir itself, and for what is elsewhere.
func groupOf(dir, path string) string {
	rel, err := filepath.Rel(dir, filepath.Dir(path))
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	parts := strings.Split(filepath.ToSlash(rel), "/")
	switch {
	case parts[0] == DoneFolder:
		parts = parts[min(2, len(parts)):] // and the month
	case parts[0] == RefusedFolder || parts[0] == ".":
		parts = parts[1:]
	}
	return strings.Join(parts, "/")
}
