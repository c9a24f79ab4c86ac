package main

import (
	"path/filepath"
	"strings"

	"wedrop/cmd/wedrop/web"
)

// openSite makes the page and the API of a line. st is what outlives it; d are
// its folders, nil if there are none.
func (a *app) openSite(l *line, st *web.State, d *drops) (*web.Site, error) {
	cfg := l.cfg
	var waiting func() []web.Waiting
	if d != nil {
		waiting = d.waitingFiles
	}
	inbox := inboxOf(cfg, a.env)
	site, err := web.New(web.Options{
		Pipeline:    l.Pipeline,
		Inbox:       inbox,
		Token:       cfg.PageToken,
		Listen:      cfg.Listen,
		Hosts:       cfg.PageHosts,
		Proxies:     cfg.Proxies,
		Lang:        a.say.Lang,
		Version:     buildInfo().Version,
		RenewBefore: cfg.RenewBefore,
		Free:        freeSpace,
		State:       st,
		Waiting:     waiting,
		Operators:   cfg.operators(a.log),
		Log:         a.log,
	})
	if err != nil {
		return nil, &ConfigError{Err: err,
			What:   text{"不能使用上传文件夹 " + inbox + "：" + cause(err), "the folder for uploads, " + inbox + ", cannot be used: " + cause(err)},
			Remedy: text{"检查它所在的文件夹是否可写；它和账本放在一起，用 journal 或 WEDROP_JOURNAL 可换位置", "check that the folder it is in is writable; it is beside the journal, for which journal or WEDROP_JOURNAL names another place"}}
	}
	return site, nil
}

// inboxOf is where uploads go: beside the ledger, or where that is a
// database's, into the user's state folder.
func inboxOf(cfg *Config, env func(string) string) string {
	if strings.Contains(cfg.Journal, "://") {
		return filepath.Join(filepath.Dir(defaultJournal(env)), "inbox")
	}
	return cfg.Journal + ".inbox"
}
