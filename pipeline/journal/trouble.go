package journal

import (
	"context"
	"errors"
	"os"

	sqlite "modernc.org/sqlite"
)

// A CorruptError says that SQLite cannot make sense of the journal's file.
type CorruptError struct {
	Path string
	Err  error // SQLite's
}

func (e *CorruptError) Error() string { return e.Path + " is damaged: " + e.Err.Error() }

func (e *CorruptError) Unwrap() error { return e.Err }

// Explain says in "zh" or "en" what happened and what to do now.
func (e *CorruptError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		return "账本文件 " + e.Path + " 已损坏（" + e.Err.Error() + "）。",
			"停下 wedrop（systemctl stop wedrop），用 wedrop journal restore 备份文件 恢复最近的备份（由 wedrop journal backup 做的），然后重新启动；没有备份时，把这个文件改名留存，wedrop 会新建账本，文件会重新发送。同时请检查磁盘。"
	}
	return "the journal " + e.Path + " is damaged (" + e.Err.Error() + ")",
		"stop wedrop (systemctl stop wedrop), bring the last backup back with wedrop journal restore FILE (what wedrop journal backup made), and start it again; without a backup rename this file: wedrop makes a new journal and sends the files again. Check the disk, too"
}

// A ForeignError says that the file is no database, and that wedrop has never
// worked with it.
type ForeignError struct{ Path string }

func (e *ForeignError) Error() string {
	return "this file is not a ledger of wedrop's; give another path"
}

// notALedger says in words what SQLITE_NOTADB means of a file that somebody
// gave.
func notALedger(err error) error {
	if codeOf(err) == 26 {
		return &ForeignError{}
	}
	return err
}

// A TablelessError says that there is a file without the tables of a journal,
// where one was: a copy without its WAL, or one that was emptied.
type TablelessError struct{ Path string }

func (e *TablelessError) Error() string { return e.Path + " has no tables" }

// Explain says in "zh" or "en" what happened and what to do now.
func (e *TablelessError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		return "账本文件 " + e.Path + " 里没有任何表：多半是只复制了这个文件，没有复制旁边的 -wal（内容都在那里），或者文件被清空了。",
			"用 wedrop journal restore 备份文件 恢复备份，或者把原来的文件连同 -wal 一起复制过来；如果确实要从头开始，删除这个文件（所有文件会重新发送）。复制账本请用 wedrop journal backup。"
	}
	return "the journal " + e.Path + " has no tables: probably it was copied without its -wal, where everything was, or it was emptied",
		"bring a backup back with wedrop journal restore FILE, or copy the old file together with its -wal; to begin anew remove this file (everything is sent again then). wedrop journal backup makes whole copies"
}

// A DiskError says that the disk under the journal failed to read or write.
type DiskError struct {
	Path string
	Disk string // where it is mounted; may be empty
	Err  error  // SQLite's
}

func (e *DiskError) Error() string { return e.Path + ": " + e.Err.Error() }

func (e *DiskError) Unwrap() error { return e.Err }

// Explain says in "zh" or "en" what happened and what to do now.
func (e *DiskError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		on := "所在的磁盘"
		if e.Disk != "" {
			on = "所在的磁盘（" + e.Disk + "）"
		}
		return "账本 " + e.Path + " " + on + "读写出错（" + e.Err.Error() + "）。",
			"检查这个磁盘（dmesg、smartctl）；必要时用 journal 把账本放到好的磁盘上，用 wedrop journal restore 恢复备份；然后再运行同样的命令，已记录的不会丢。"
	}
	on := "its disk"
	if e.Disk != "" {
		on = "its disk (" + e.Disk + ")"
	}
	return "the journal " + e.Path + " cannot be read or written: " + on + " fails (" + e.Err.Error() + ")",
		"look at that disk (dmesg, smartctl); if need be let journal name a place on a good one and bring a backup there with wedrop journal restore; then run the same command again: nothing that was recorded is lost"
}

// A BusyError says that another process held the journal's write lock for as
// long as this one could wait.
type BusyError struct {
	Path string
	Err  error // SQLite's, or that of a context
}

func (e *BusyError) Error() string { return e.Path + ": another process holds the write lock" }

func (e *BusyError) Unwrap() error { return e.Err }

// Explain says in "zh" or "en" what happened and what to do now.
func (e *BusyError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		return "另一个程序一直锁着账本 " + e.Path + "，不能写入。",
			"关掉长时间占用它的程序（例如没有结束事务的 sqlite3；fuser " + e.Path + " 可以看到是谁），再运行同样的命令。"
	}
	return "another program keeps the journal " + e.Path + " locked: it cannot be written",
		"end the program that holds it (a sqlite3 with an open transaction, for example; fuser " + e.Path + " shows who), then run the same command again"
}

// explained says in words what SQLite's codes mean for this journal.
func (j *Journal) explained(err error) error { return explained(j.path, err) }

func explained(path string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) || errors.As(err, new(*CorruptError)) {
		return err
	}
	switch e.Code() & 0xff {
	case 5: // SQLITE_BUSY
		return &BusyError{path, err}
	case 10: // SQLITE_IOERR
		return &DiskError{path, diskOf(path), err}
	case 26: // SQLITE_NOTADB
		if _, err := os.Stat(path + ".owners"); err != nil {
			return &ForeignError{Path: path}
		}
		return &CorruptError{path, err}
	case 11: // SQLITE_CORRUPT
		return &CorruptError{path, err}
	case 13: // SQLITE_FULL
		return &FullError{path, err}
	}
	return err
}

// name replaces *err by what explained makes of it.
func (j *Journal) name(err *error) {
	if *err != nil {
		*err = j.explained(*err)
	}
}

// Verify returns a *CorruptError if SQLite finds the file damaged. It reads
// all of it, for as long as ctx lasts.
func (j *Journal) Verify(ctx context.Context) error { return j.verify(ctx, j.path) }

func (s *store) verify(ctx context.Context, path string) error {
	var said string
	err := s.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&said)
	if err == nil && said != "ok" {
		return &CorruptError{path, errors.New(said)}
	}
	return explained(path, err)
}

// verifiedAtOnce is the size in bytes up to which a file is verified before
// anything is done with it; what is larger is verified meanwhile.
const verifiedAtOnce = 16 << 20

// verifyUnclean verifies the file if whoever worked with it last did not close
// it: then the WAL is not empty, and nobody who lives has it open. After a
// clean end it costs nothing.
func (j *Journal) verifyUnclean(ctx context.Context) error {
	if !j.unclean {
		return nil
	}
	if live, _ := j.othersLive(); live { // no folder of owners: there is nobody
		return nil
	}
	if j.file.Size() <= verifiedAtOnce {
		return j.verify(ctx, j.path)
	}
	s, path := j.store, j.path
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			select {
			case <-s.quit:
				cancel()
			case <-ctx.Done():
			}
		}()
		var damaged *CorruptError
		if errors.As(s.verify(ctx, path), &damaged) {
			s.damaged.Store(damaged)
		}
	}()
	return nil
}

// notEmpty reports whether there is a file that has something in it.
func notEmpty(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}
