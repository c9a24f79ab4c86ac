package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
)

func (a *app) checkCommand() *cobra.Command {
	var kind string
	c := a.command("check FILE...", a.say.Check, cobra.MinimumNArgs(1))
	c.Flags().StringVar(&kind, "type", "", a.say.FlagType)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		t, err := a.typed(cmd, kind)
		if err != nil {
			return err
		}
		code := exitDone
		for _, path := range args {
			it, err := pipeline.Check(cmd.Context(), pipeline.File{Path: path, Type: t})
			if err != nil {
				return err
			}
			a.checked(path, it)
			code = worst(code, checkExit(it))
		}
		return done(code)
	}
	return c
}

// checkExit is 1 for every refusal: that a file is still being written is no
// good news either.
func checkExit(it pipeline.Item) exit {
	if it.Fault != nil {
		return exitFailed
	}
	return exitDone
}

func (a *app) checked(path string, it pipeline.Item) {
	if !a.quiet && it.Fault == nil {
		for _, w := range it.Warnings {
			a.note(a.say.WarningOf(shown(path), w.Message.In(a.say.Lang)))
		}
	}
	switch {
	case a.json:
		a.object(it)
	case it.Fault == nil:
		_, _ = fmt.Fprintf(a.stdout, "OK\t%s\t%d\t%s\t%s\n", it.Type, it.Size, it.MD5, field(path))
	}
	if it.Fault != nil {
		a.fileFault(path, *it.Fault)
	}
}
