package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) cleanCommand() *cobra.Command {
	c := a.command("clean", a.say.Clean, cobra.NoArgs)
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.clean(cmd.Context()) }
	return c
}

func (a *app) clean(ctx context.Context) (err error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return err
	}
	l, err := a.openSender(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	if cfg.Storage.Keep == Forever {
		if !a.quiet {
			a.note(a.say.KeptForever)
		}
		return nil
	}
	n, err := l.Clean(ctx, cfg.Storage.Keep)
	if !a.quiet && (err == nil || n > 0) {
		a.note(a.say.Removed(n))
	}
	return err
}
