package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"wedrop/pipeline/journal"
	"wedrop/pipeline/journal/postgres"
)

func (a *app) journalCommand() *cobra.Command {
	c := a.command("journal COMMAND", a.say.Journal.About, cobra.ArbitraryArgs)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &usageError{what: a.say.NoCommand, cmd: cmd}
		}
		return a.unknownCommand(cmd, args[0])
	}
	c.AddCommand(a.journalBackupCommand(), a.journalRestoreCommand(), a.journalMoveCommand())
	for _, sub := range c.Commands() {
		sub.Flags().BoolP("help", "h", false, a.say.FlagHelp)
	}
	return c
}

func (a *app) journalMoveCommand() *cobra.Command {
	var to string
	c := a.command("move --to URL", a.say.Journal.Move, cobra.NoArgs)
	c.Flags().StringVar(&to, "to", "", a.say.Journal.FlagTo)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if !strings.HasPrefix(to, "postgres://") && !strings.HasPrefix(to, "postgresql://") {
			return &usageError{what: a.say.Journal.NoTarget, cmd: cmd}
		}
		return a.moveJournal(cmd.Context(), to)
	}
	return c
}

// moveJournal carries the ledger of the configuration over to a database.
func (a *app) moveJournal(ctx context.Context, to string) (err error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return err
	}
	from, err := a.oldLedger(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(from, &err)
	j, err := postgres.Open(ctx, to, postgres.Options{})
	if err != nil {
		return targetTrouble(err)
	}
	defer closing(j, &err)
	n, err := j.Import(ctx, from)
	if err != nil {
		return targetTrouble(importTrouble(err, from.Path(), j.Where()))
	}
	if a.json {
		line, err := json.Marshal(map[string]int64{"items": n.Items, "files": n.Files, "objects": n.Objects,
			"callbacks": n.Callbacks, "templates": n.Templates})
		_, _ = a.stdout.Write(append(line, '\n'))
		return err
	}
	_, _ = a.stdout.Write([]byte(a.say.Journal.Moved(int(n.Items), int(n.Files), int(n.Objects), int(n.Templates)) + "\n"))
	if !a.quiet {
		a.fault(a.say.Journal.Kept(from.Path()), a.say.Journal.Next(j.Where()))
	}
	return nil
}

// oldLedger opens the ledger in the configuration's file. It makes none.
func (a *app) oldLedger(ctx context.Context, cfg *Config) (*journal.Journal, error) {
	if isShared(cfg.Journal) {
		return nil, cfg.bad("journal", text{"账本已经在 PostgreSQL 里，没有可以搬的文件", "the journal is on PostgreSQL already: there is no file to carry over"},
			text{"搬的时候 journal 要指向原来的文件：WEDROP_JOURNAL=/原来的/wedrop.db wedrop journal move --to …",
				"let journal name the old file for this command: WEDROP_JOURNAL=/the/old/wedrop.db wedrop journal move --to …"})
	}
	if _, err := os.Stat(cfg.Journal); err != nil {
		return nil, &ConfigError{Err: err,
			What: text{"没有账本文件 " + cfg.Journal + "：" + rootCause(err), "there is no journal " + cfg.Journal + ": " + rootCause(err)},
			Remedy: text{"用 journal 或 WEDROP_JOURNAL 指明原来的账本；如果从来没有用过，直接把 journal 设为 postgres:// 地址即可",
				"name the old one with journal or WEDROP_JOURNAL; if there never was one, just set journal to the postgres:// address"}}
	}
	j, err := a.openJournal(ctx, cfg)
	if e := (*ConfigError)(nil); errors.As(err, &e) && errors.As(err, new(*journal.MovedError)) {
		e.What.ZH += "；什么都没有搬"
		e.What.EN += "; nothing was carried over"
	}
	if err != nil {
		return nil, err
	}
	return j.(*journal.Journal), nil
}

// importTrouble says what a person has to do first.
func importTrouble(err error, from, to string) error {
	switch {
	case errors.Is(err, journal.ErrInUse):
		return &ConfigError{Err: err,
			What: text{"账本 " + from + " 正在使用，什么都没有搬", "the journal " + from + " is in use; nothing was carried over"},
			Remedy: text{"停掉这台机器上的 wedrop serve 和定时任务（systemctl stop wedrop），再运行一次",
				"stop wedrop serve and the cron jobs on this machine (systemctl stop wedrop), then run it again"}}
	case errors.Is(err, postgres.ErrNotEmpty):
		return &ConfigError{Err: err,
			What: text{"数据库 " + to + " 里已经有账本内容，什么都没有搬", "there is something in the journal at " + to + " already; nothing was carried over"},
			Remedy: text{"如果上次已经搬成功，直接把 journal 设为这个地址；否则换一个空数据库",
				"if an earlier run has carried it over, just set journal to that address; else take an empty database"}}
	}
	return err
}

// targetTrouble names --to as the place of what is wrong with it.
func targetTrouble(err error) error {
	var e *postgres.Error
	if !errors.As(err, &e) || !e.Config() {
		return err
	}
	return worded(origin{where: "--to"}, err, e)
}
