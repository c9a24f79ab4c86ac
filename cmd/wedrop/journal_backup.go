package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline/journal"
	"wedrop/pipeline/journal/postgres"
)

func (a *app) journalBackupCommand() *cobra.Command {
	var overwrite bool
	c := a.command("backup FILE", a.say.Journal.Backup, cobra.ExactArgs(1))
	c.Flags().BoolVar(&overwrite, "overwrite", false, a.say.Journal.FlagOverwrite)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] == "" || isShared(args[0]) {
			return cmd.Help()
		}
		return a.backup(cmd.Context(), args[0], overwrite)
	}
	return c
}

func (a *app) journalRestoreCommand() *cobra.Command {
	c := a.command("restore FILE", a.say.Journal.Restore, cobra.ExactArgs(1))
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.restore(cmd.Context(), args[0]) }
	return c
}

// backup writes the ledger of the configuration into a file.
func (a *app) backup(ctx context.Context, file string, overwrite bool) (err error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return err
	}
	var n journal.Counts
	if isShared(cfg.Journal) {
		n, err = a.backupShared(ctx, cfg, file, overwrite)
	} else {
		n, err = a.backupFile(ctx, cfg, file, overwrite)
	}
	if err != nil {
		return fileTrouble(err, file)
	}
	if a.json {
		return a.counted(map[string]any{"file": file}, n)
	}
	if !a.quiet {
		a.note(a.say.Journal.BackedUp(file, int(n.Items), int(n.Files), int(n.Objects), int(n.Templates)))
	}
	return nil
}

func (a *app) backupFile(ctx context.Context, cfg *Config, file string, overwrite bool) (n journal.Counts, err error) {
	j, err := a.oldLedger(ctx, cfg)
	if err != nil {
		return n, err
	}
	defer closing(j, &err)
	return j.Backup(ctx, file, overwrite)
}

func (a *app) backupShared(ctx context.Context, cfg *Config, file string, overwrite bool) (n journal.Counts, err error) {
	j, err := postgres.Open(ctx, cfg.Journal, postgres.Options{})
	if err != nil {
		return n, cfg.journalTrouble(err)
	}
	defer closing(j, &err)
	return j.Backup(ctx, file, overwrite)
}

// counted prints how much a ledger holds, as JSON.
func (a *app) counted(line map[string]any, n journal.Counts) error {
	line["items"], line["files"], line["objects"] = n.Items, n.Files, n.Objects
	line["callbacks"], line["templates"] = n.Callbacks, n.Templates
	out, err := json.Marshal(line)
	_, _ = a.stdout.Write(append(out, '\n'))
	return err
}

// restore puts a backup in the place of the ledger of the configuration.
func (a *app) restore(ctx context.Context, file string) (err error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return err
	}
	if isShared(cfg.Journal) {
		return a.restoreShared(ctx, cfg, file)
	}
	if cfg.Journal == "" {
		_, err := a.openJournal(ctx, cfg) // which says so
		return err
	}
	r, err := journal.Restore(ctx, file, cfg.Journal)
	if err != nil {
		return restoreTrouble(err, file, cfg.Journal)
	}
	return a.restored(r)
}

func (a *app) restored(r journal.Restored) error {
	when := ""
	if !r.Made.IsZero() {
		when = r.Made.Local().Format(time.DateTime)
	}
	m := &a.say.Journal
	if a.json {
		if err := a.counted(map[string]any{"kept": r.Kept, "taken_over": r.Newer.Items, "taken_over_templates": r.Templates}, r.Counts); err != nil {
			return err
		}
	} else if !a.quiet {
		a.note(m.Restored(int(r.Items), int(r.Files), int(r.Objects), int(r.Counts.Templates), when))
	}
	switch {
	case r.Kept == "":
	case r.Unread != nil:
		a.note(m.NotTakenOver(rootCause(r.Unread)))
	case !a.quiet && (r.Newer != journal.Counts{}):
		a.note(m.TookOver(int(r.Newer.Items), int(r.Newer.Objects), r.Templates))
	}
	if r.Kept != "" && !a.quiet {
		a.note(m.Replaced(r.Kept))
	}
	return nil
}

// restoreShared carries a backup into an empty database.
func (a *app) restoreShared(ctx context.Context, cfg *Config, file string) (err error) {
	dir, err := os.MkdirTemp("", "wedrop-restore-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "wedrop.db")
	if _, err := journal.Restore(ctx, file, path); err != nil {
		return restoreTrouble(err, file, path)
	}
	from, err := journal.Open(ctx, path, journal.Options{})
	if err != nil {
		return err
	}
	defer closing(from, &err)
	j, err := postgres.Open(ctx, cfg.Journal, postgres.Options{})
	if err != nil {
		return cfg.journalTrouble(err)
	}
	defer closing(j, &err)
	n, err := j.Import(ctx, from)
	if err != nil {
		return importTrouble(err, file, j.Where())
	}
	return a.restored(journal.Restored{Counts: n})
}

// fileTrouble says what a person has to do about the file of a backup.
func fileTrouble(err error, file string) error {
	var path *fs.PathError
	switch {
	case errors.As(err, new(*ConfigError)):
	case errors.Is(err, journal.ErrExists):
		return &ConfigError{Err: err,
			What:   text{file + " 已经存在，没有备份", file + " exists already; nothing was backed up"},
			Remedy: text{"换一个文件名，或加 --overwrite 覆盖旧的备份", "give another name, or replace an old backup with --overwrite"}}
	case errors.Is(err, journal.ErrLive):
		return &ConfigError{Err: err,
			What:   text{file + " 是一个在使用的账本，不是备份；没有改动", file + " is a journal that is worked with, no backup; it was left as it is"},
			Remedy: text{"换一个文件名", "give another name"}}
	case errors.As(err, &path):
		return &ConfigError{Err: err,
			What:   text{"写不了 " + file + "：" + cause(err), file + " cannot be written: " + cause(err)},
			Remedy: text{"检查它所在的文件夹是否存在、可写、有空间", "check that its folder is there, writable, and has space"}}
	}
	return err
}

// restoreTrouble says what a person has to do before a backup can be restored.
func restoreTrouble(err error, file, to string) error {
	var (
		damaged *journal.DamagedError
		newer   *journal.NewerError
		path    *fs.PathError
	)
	switch {
	case errors.Is(err, journal.ErrInUse):
		return &ConfigError{Err: err,
			What:   text{"账本 " + to + " 正在使用，没有恢复，什么都没有改", "the journal " + to + " is in use; nothing was restored or changed"},
			Remedy: text{"停掉这台机器上的 wedrop serve 和定时任务（systemctl stop wedrop），再运行一次", "stop wedrop serve and the cron jobs on this machine (systemctl stop wedrop), then run it again"}}
	case errors.Is(err, journal.ErrLive):
		return &ConfigError{Err: err,
			What:   text{file + " 是一个在使用的账本，不是备份；什么都没有改", file + " is a journal that is worked with, no backup; nothing was changed"},
			Remedy: text{"用 wedrop journal backup 备份它，再恢复那个备份", "make a backup of it with wedrop journal backup, and restore that"}}
	case errors.As(err, &newer):
		return worded(origin{where: file}, newer, newer)
	case errors.As(err, &damaged):
		return &ConfigError{Err: err,
			What:   text{file + " 不是完整的账本备份：" + rootCause(err) + "；什么都没有改", file + " is not a whole backup of a journal: " + rootCause(err) + "; nothing was changed"},
			Remedy: text{"换一个备份文件", "use another backup"}}
	case errors.As(err, &path):
		return &ConfigError{Err: err,
			What:   text{file + " 恢复不了：" + path.Path + "：" + path.Err.Error(), file + " cannot be restored: " + path.Path + ": " + path.Err.Error()},
			Remedy: text{"检查路径和权限，以及磁盘空间", "check the path, the permissions and the space on the disk"}}
	}
	return err
}
