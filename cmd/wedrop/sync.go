package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
	"wedrop/pipeline/folder"
	"wedrop/pipeline/inspect"
)

func (a *app) syncCommand() *cobra.Command {
	var f sendFlags
	c := a.command("sync [DIR...]", a.say.Sync, cobra.ArbitraryArgs)
	a.sendFlags(c, &f)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if slices.Contains(args, "") { // else it would be the folder that one is in
			return &usageError{what: a.say.FileUnnamed, cmd: cmd}
		}
		kind, err := a.typed(cmd, f.kind)
		if err != nil {
			return err
		}
		cfg, err := loadConfig(a.config, a.env)
		if err != nil {
			return err
		}
		folders := foldersOf(args, cfg, kind, f.kind != "")
		if len(folders) == 0 {
			return &usageError{what: a.say.NoFolders, cmd: cmd}
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
		defer cancel()
		return a.sync(ctx, cfg, folders, f, len(args) == 0)
	}
	return c
}

// foldersOf are the arguments, else those of the configuration; --type goes
// for all of them.
func foldersOf(args []string, cfg *Config, kind inspect.Type, asked bool) []folder.Folder {
	var out []folder.Folder
	for _, dir := range args {
		out = append(out, folder.Folder{Path: dir, Type: kind, Recursive: true})
	}
	if len(args) > 0 {
		return out
	}
	for _, d := range cfg.Folders {
		if asked {
			d.Type = kind
		}
		out = append(out, folder.Folder{Path: d.Path, Type: d.Type, Recursive: d.Recursive, After: d.After})
	}
	return out
}

// sync carries what is in the folders. With tables it leaves the results in
// each, as the daemon does.
func (a *app) sync(ctx context.Context, cfg *Config, folders []folder.Folder, f sendFlags, tables bool) (err error) {
	began := time.Now()
	l, err := a.openSender(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	found, scanned, err := a.scan(ctx, folders)
	if err != nil {
		return err
	}
	o := pipeline.EnterOptions{Force: f.force, RenewBefore: cfg.RenewBefore, Keep: cfg.Renew == RenewOff}
	if f.dryRun {
		err = a.plan(ctx, l, filesOf(found), o)
		return done(worst(scanned, a.report(err)))
	}
	run := &syncRun{a: a, line: l, again: o, noWait: f.noWait, verify: f.verify, began: began}
	code, err := run.all(ctx, found)
	if err != nil {
		return err
	}
	if tables {
		a.tables(ctx, l, folders, run.left)
	}
	return done(worst(scanned, code))
}

// tables writes the results into the folders. Where that cannot be done the
// files have gone all the same.
func (a *app) tables(ctx context.Context, l *line, folders []folder.Folder, left []folder.Waiting) {
	for _, f := range folders {
		entries, err := filesIn(ctx, l, f)
		if err == nil {
			_, err = writeTable(ctx, l, f, entries, left, a.say.Lang)
		}
		var gone *folder.NotMounted // was told when the folders were read
		if err != nil && !a.quiet && ctx.Err() == nil && !errors.As(err, &gone) {
			a.fault(explain(err, a.say))
		}
	}
}

// scan lists what is in the folders, each file once. A folder that is not
// there does not keep the others; what it comes to is in the exit code.
func (a *app) scan(ctx context.Context, folders []folder.Folder) (found []folder.Candidate, code exit, err error) {
	seen := map[string]bool{}
	for _, f := range folders {
		files, skipped, err := folder.Scan(ctx, f)
		if err != nil {
			if ctx.Err() != nil {
				return nil, code, ctx.Err()
			}
			a.fault(explain(err, a.say))
			code = exitConfig
			continue
		}
		for _, c := range files {
			if !seen[c.Path] {
				seen[c.Path] = true
				found = append(found, c)
			}
		}
		for _, s := range skipped {
			a.skipped(s)
		}
	}
	return found, code, nil
}

// skipped tells of what a folder holds and nobody takes. With -q it is told
// only where something may be wrong.
func (a *app) skipped(s folder.Skipped) {
	if !a.quiet || s.Reason == folder.Unreadable {
		a.fault(s.Explain(a.say.Lang))
	}
}

func filesOf(c []folder.Candidate) []pipeline.File {
	files := make([]pipeline.File, len(c))
	for i, c := range c {
		files[i] = pipeline.File{Path: c.Path, Type: c.Type, ID: c.ID}
	}
	return files
}

// A syncRun is one run over what was found.
type syncRun struct {
	a      *app
	line   *line
	again  pipeline.EnterOptions
	noWait bool
	verify bool
	began  time.Time
	report *report
	bars   *bars
	mine   map[int64]bool   // Items of files in the folders
	left   []folder.Waiting // that are not finished
}

// all takes the files that stand still, and while those go, lets the others
// settle. No file comes into the ledger before it has settled: a daemon beside
// this run would take it at once.
func (s *syncRun) all(ctx context.Context, found []folder.Candidate) (exit, error) {
	entries, err := s.line.Known(ctx, filesOf(found))
	if err != nil {
		return exitDone, err
	}
	if err := s.line.Access.Remember(filesOf(found)); err != nil {
		return exitDone, err
	}
	settle := s.line.cfg.Settle
	known, fresh := split(found, entries)
	if err := s.line.Wake(ctx, known, s.again); err != nil {
		return exitDone, err
	}
	ready, busy, err := folder.Settle(ctx, fresh, settle, 0)
	if err != nil {
		return exitDone, err
	}
	names := make([]string, 0, len(found))
	for _, c := range found {
		names = append(names, c.Path)
	}
	s.mine = map[int64]bool{}
	s.bars = s.a.startBars(s.line.Pipeline, entries)
	s.report = s.a.newReport(names, arrived, s.noWait, s.bars)
	s.report.began = s.began
	err = s.run(ctx, known, ready)
	if err == nil && len(busy) > 0 {
		var late []folder.Candidate
		for _, b := range busy {
			late = append(late, b.Candidate)
		}
		late, busy, err = folder.Settle(ctx, late, settle, s.a.patience-time.Since(s.began))
		if err == nil {
			err = s.run(ctx, nil, late)
		}
	}
	if err == nil && s.line.cfg.Renew == RenewAll && !s.noWait {
		err = s.renewOthers(ctx)
	}
	templates := exitDone
	if err == nil && s.line.cfg.RenewTemplates && !s.noWait {
		templates, err = s.a.renewTemplates(ctx, s.line)
	}
	s.bars.stop()
	return worst(templates, s.finish(ctx, busy, err)), nil
}

// split parts the files whose Items are at work or done from those that
// nobody has read as they are now.
func split(found []folder.Candidate, entries []pipeline.Entry) (known []pipeline.Entry, fresh []folder.Candidate) {
	for i, e := range entries {
		if e.ID == 0 || e.Item.Step == pipeline.Inspect && !e.Item.Held() {
			fresh = append(fresh, found[i])
			continue
		}
		known = append(known, e)
	}
	return known, fresh
}

// run carries entries and fresh files to their end.
func (s *syncRun) run(ctx context.Context, entries []pipeline.Entry, fresh []folder.Candidate) error {
	more, err := s.line.Enter(ctx, filesOf(fresh), s.again) // they may have changed while they settled
	if err != nil {
		return err
	}
	entries = append(entries, more...)
	for _, e := range entries {
		s.mine[e.Item.ID] = true
	}
	v := s.a.newVerifier(ctx, s.line, s.verify, func(_ int, e pipeline.Entry) {
		s.mine[e.Item.ID] = true
		s.report.end(s.report.place(e.File.Path), e)
	})
	s.bars.also(v.flights)
	defer v.wait()
	return s.line.Run(ctx, entries, pipeline.RunOptions{Again: s.again, NoWait: s.noWait, Ended: v.end})
}

// renewOthers keeps those media_ids alive whose files are in no folder (any
// more): renew: all.
func (s *syncRun) renewOthers(ctx context.Context) error {
	now, err := s.line.Journal.Now(ctx)
	if err != nil {
		return err
	}
	before := s.line.cfg.RenewBefore
	items, err := s.line.Journal.Items(ctx, pipeline.Query{Corp: s.line.Corp, Expiring: now.Add(before)})
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, 8)
	for _, it := range items {
		if s.mine[it.ID] || it.Held() || err != nil {
			continue
		}
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			renewed, e := s.line.Media(ctx, "id:"+strconv.FormatInt(it.ID, 10), before)
			mu.Lock()
			defer mu.Unlock()
			if e == nil || renewed.Fault != nil {
				s.report.other(pipeline.Entry{Item: renewed})
			} else if err == nil {
				err = e
			}
		})
	}
	work.Wait()
	return err
}

// finish tells what was left, and cleans up after a run that was not cut off.
func (s *syncRun) finish(ctx context.Context, busy []folder.Busy, err error) exit {
	for _, b := range busy {
		s.left = append(s.left, folder.Waiting{Busy: b})
	}
	s.report.left = len(busy)
	if !s.a.quiet {
		for _, b := range busy {
			s.a.fault(b.Explain(s.a.say.Lang))
		}
	}
	keep := s.line.cfg.Storage.Keep
	if err == nil && keep != Forever {
		// What cannot be removed today is removed another day: the files have
		// their media_ids, which is what was asked for.
		if _, cleanErr := s.line.Clean(ctx, keep); cleanErr != nil {
			s.a.fault(explain(cleanErr, s.a.say))
		}
	}
	return s.a.report(s.report.finish(err, true))
}
