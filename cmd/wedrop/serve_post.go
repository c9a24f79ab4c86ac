package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// A post is the right to be the daemon of a ledger: there is one, because two
// would renew and report everything twice over. The system takes it back
// however the process ends. Runs of push and sync need none, and where several
// machines share a ledger neither do daemons: nil is a post that nobody needs.
type post struct {
	path string
	lock *flock.Flock
}

// A takenError says that a ledger has its daemon already.
type takenError struct {
	journal string
	pid     string // may be empty, where it cannot be read
	address string // of its page; may be empty
}

func (e *takenError) Error() string { return "another daemon works with the journal " + e.journal }

// Explain says who it is and where it can be seen.
func (e *takenError) Explain(lang string) (message, remedy string) {
	who, where := text{"另一个 wedrop serve", "another wedrop serve"}, text{}
	if e.pid != "" {
		who = text{"另一个 wedrop serve（进程号 " + e.pid + "）", "another wedrop serve (process " + e.pid + ")"}
	}
	if e.address != "" {
		where = text{"它的地址是 " + e.address + "。", "It is at " + e.address + ". "}
	}
	what := text{who.ZH + "正在使用账本 " + e.journal, who.EN + " works with the journal " + e.journal}
	cure := text{where.ZH + "不用再启动一个；要换配置，改好文件后给它发 SIGHUP（systemctl reload wedrop）；真要两个，请用 journal 给另一个账本",
		where.EN + "There is no need for a second one; to change its configuration edit the file and send it SIGHUP (systemctl reload wedrop); if you do want two, give the other one a journal of its own"}
	return what.In(lang), cure.In(lang)
}

// takePost takes the post beside a journal's file. Its error is a
// *takenError where somebody has it.
func takePost(journal string) (*post, error) {
	p := &post{path: journal + ".serve"}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return nil, p.trouble(err)
	}
	p.lock = flock.New(p.path, flock.SetPermissions(0o600))
	got, err := p.lock.TryLock()
	if err != nil {
		return nil, p.trouble(err)
	}
	if !got {
		e := &takenError{journal: journal}
		if data, err := os.ReadFile(p.path); err == nil {
			_, _ = fmt.Sscanf(string(data), "pid %s\naddress %s", &e.pid, &e.address)
		}
		return nil, e
	}
	return p, nil
}

func (p *post) trouble(err error) error {
	return &ConfigError{Err: err,
		What:   text{"不能在 " + p.path + " 上加锁：" + cause(err), p.path + " cannot be locked: " + cause(err)},
		Remedy: text{"检查账本所在的文件夹是否可写、在本机磁盘上；用 journal 或 WEDROP_JOURNAL 可换位置", "check that the journal's folder is writable and on a local disk; journal or WEDROP_JOURNAL names another place"}}
}

// announce writes who is here and where; it is read by people and by the
// next one who comes.
func (p *post) announce(address string) error {
	if p == nil {
		return nil
	}
	return os.WriteFile(p.path, []byte(strings.Join([]string{fmt.Sprintf("pid %d", os.Getpid()), "address " + address, ""}, "\n")), 0o600)
}

// Close gives the post back. The file stays: whoever waits for it has it open.
func (p *post) Close() error {
	if p == nil {
		return nil
	}
	_ = os.Truncate(p.path, 0)
	return p.lock.Close()
}
