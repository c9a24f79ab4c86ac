package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

func (a *app) pushCommand() *cobra.Command {
	var f sendFlags
	c := a.command("push FILE...", a.say.Push, cobra.MinimumNArgs(1))
	a.sendFlags(c, &f)
	c.Flags().StringVar(&f.name, "name", "", a.say.FlagName)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if f.name != "" && len(args) != 1 {
			return &usageError{what: a.say.NameOneFile, cmd: cmd}
		}
		if shown, _ := inspect.ShownName(f.name, inspect.File); f.name != "" && shown == "" {
			return &usageError{what: a.say.NameUnseen, cmd: cmd}
		}
		if slices.Contains(args, "") {
			return &usageError{what: a.say.FileUnnamed, cmd: cmd}
		}
		kind, err := a.typed(cmd, f.kind)
		if err != nil {
			return err
		}
		files := make([]pipeline.File, len(args))
		for i, path := range args {
			files[i] = pipeline.File{Path: path, Type: kind, Name: f.name}
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
		defer cancel()
		return a.push(ctx, files, f)
	}
	return c
}

func (a *app) push(ctx context.Context, files []pipeline.File, f sendFlags) (err error) {
	l, err := a.sender(ctx)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	o := pipeline.EnterOptions{Force: f.force, Retry: true}
	if f.dryRun {
		return a.plan(ctx, l, files, o)
	}
	s := paired
	if len(files) == 1 {
		s = bare
	}
	return a.carry(ctx, l, files, o, s, f, len(files) > 1)
}

// carry brings files to their end and tells about each.
func (a *app) carry(ctx context.Context, l *line, files []pipeline.File, o pipeline.EnterOptions, s style, f sendFlags, summary bool) error {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Path
	}
	entries, err := l.Enter(ctx, files, o)
	if err != nil {
		return err
	}
	b := a.startBars(l.Pipeline, entries)
	r := a.newReport(names, s, f.noWait, b)
	v := a.newVerifier(ctx, l, f.verify, r.end)
	v.all = true
	b.also(v.flights)
	err = l.Run(ctx, entries, pipeline.RunOptions{Again: o, NoWait: f.noWait, Ended: v.end})
	v.wait()
	b.stop()
	if err == nil {
		a.tidy(ctx, l)
	}
	return r.finish(err, summary)
}

// tidy removes what was staged, where objects are to be removed at once. That
// it does not succeed changes nothing for the files: whoever cleans next tries
// again.
func (a *app) tidy(ctx context.Context, l *line) {
	if l.cfg.Storage.Keep != 0 {
		return
	}
	if _, err := l.Clean(ctx, 0); err != nil && ctx.Err() == nil {
		a.fault(explain(err, a.say))
	}
}

// plan is --dry-run: what would be done, on stderr, because nothing on stdout
// may look like a media_id.
func (a *app) plan(ctx context.Context, l *line, files []pipeline.File, o pipeline.EnterOptions) error {
	code := exitDone
	for _, f := range files {
		it, err := l.Plan(ctx, f, o)
		if err != nil {
			return err
		}
		a.planned(f.Path, it)
		if it.Fault != nil {
			code = worst(code, exitOfItem(it, false))
		}
	}
	return done(code)
}

func (a *app) planned(name string, it pipeline.Item) {
	if a.json {
		a.object(it)
	}
	switch {
	case it.Fault != nil:
		a.fileFault(name, *it.Fault)
	case !a.quiet && !a.json:
		a.note(a.say.Plan(shown(name), it))
	}
}
