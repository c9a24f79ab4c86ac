package journal

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// A ReplacedError says that the journal's file, or its WAL, was deleted or
// replaced by another one while this process had it open. Nothing more is
// recorded: it would be lost at the next start.
type ReplacedError struct {
	Path    string // of what was replaced
	Deleted bool   // there is none now
}

func (e *ReplacedError) Error() string {
	if e.Deleted {
		return e.Path + " was deleted while it was open"
	}
	return e.Path + " was replaced while it was open"
}

// Code is "journal/deleted", "journal/replaced", "journal/wal-deleted" or
// "journal/wal-replaced": what /readyz tells programs.
func (e *ReplacedError) Code() string {
	what := "replaced"
	if e.Deleted {
		what = "deleted"
	}
	if strings.HasSuffix(e.Path, "-wal") {
		what = "wal-" + what
	}
	return "journal/" + what
}

// ReplacedOf is the error of a journal at path that has this Code; nil if it
// is none of them.
func ReplacedOf(path, code string) *ReplacedError {
	for _, e := range []*ReplacedError{{path, true}, {path, false}, {path + "-wal", true}, {path + "-wal", false}} {
		if e.Code() == code {
			return e
		}
	}
	return nil
}

// Explain says in "zh" or "en" what happened and what to do now.
func (e *ReplacedError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		what := "被换成了另一个文件"
		if e.Deleted {
			what = "被删除了"
		}
		return "账本文件 " + e.Path + " 在使用中" + what + "。没有再记录任何内容，也不再发送新文件。",
			"停下 wedrop（systemctl stop wedrop）；如果是误删，用 wedrop journal restore 恢复最近的备份；然后重新启动。wedrop 运行时不要移动、删除或覆盖账本文件及其 -wal、-shm。"
	}
	what := "was replaced by another file"
	if e.Deleted {
		what = "was deleted"
	}
	return "the journal's file " + e.Path + " " + what + " while it was in use; nothing more is recorded and no new file is sent",
		"stop wedrop (systemctl stop wedrop); if it was a mistake, bring the last backup back with wedrop journal restore; then start it again. Never move, delete or overwrite the journal's file, its -wal or its -shm while wedrop runs"
}

// unmoved returns a *ReplacedError if the file at the journal's path is not
// the one that is open, or its WAL is not. It looks at names alone and costs a
// few microseconds; what cannot be looked at counts as unmoved.
func (s *store) unmoved() error {
	if err := same(s.path, s.file); err != nil || s.wal == nil {
		return err
	}
	return same(s.path+"-wal", s.wal)
}

func same(path string, was fs.FileInfo) error {
	now, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &ReplacedError{Path: path, Deleted: true}
	case err == nil && !os.SameFile(now, was):
		return &ReplacedError{Path: path}
	}
	return nil
}
