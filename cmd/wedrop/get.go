package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
	"wedrop/wecom"
)

func (a *app) getCommand() *cobra.Command {
	var minTTL, wait time.Duration
	var verify bool
	c := a.command("get NAME", a.say.Get, cobra.ExactArgs(1))
	durationFlag(c.Flags(), &minTTL, "min-ttl", 0, a.say.FlagMinTTL)
	durationFlag(c.Flags(), &wait, "wait", 5*time.Minute, a.say.FlagWait)
	c.Flags().BoolVar(&verify, "verify", false, a.say.Download.FlagVerifyGet)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] == "" {
			return &usageError{what: a.say.FileUnnamed, cmd: cmd}
		}
		if minTTL >= wecom.MediaLife {
			return &usageError{what: a.say.LongTTL, cmd: cmd}
		}
		return a.get(cmd.Context(), args[0], minTTL, wait, verify)
	}
	return c
}

func (a *app) get(ctx context.Context, name string, minTTL, wait time.Duration, verify bool) (err error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return err
	}
	l, err := a.readLedger(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	it, fresh, err := a.fresh(ctx, l, name, minTTL)
	if err != nil {
		return err
	}
	if !fresh {
		if it, err = a.renewed(ctx, cfg, name, minTTL, wait); err != nil {
			return err
		}
	}
	if verify {
		if it, err = a.verified(ctx, cfg, it, wait); err != nil {
			return err
		}
	}
	if a.json {
		a.object(it)
	} else {
		_, _ = fmt.Fprintln(a.stdout, it.Media.ID)
	}
	return nil
}

// verified is an Item whose media was read back from WeCom and is the file's.
// One that is dead, or holds other bytes, is replaced once first.
func (a *app) verified(ctx context.Context, cfg *Config, it pipeline.Item, wait time.Duration) (_ pipeline.Item, err error) {
	l, err := a.openCaller(ctx, cfg)
	if err != nil {
		return it, err
	}
	defer closing(l, &err)
	got, err := l.Verify(ctx, it, nil)
	var bad *pipeline.FaultError
	if !errors.As(err, &bad) || got.Verified == nil && !pipeline.DeadMedia(err) {
		return got, err
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	fresh, err := a.madeAnew(limited, cfg, it, err)
	if err != nil {
		if errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
			err = &notReadyError{wait}
		}
		return fresh, err
	}
	return l.Verify(ctx, fresh, nil)
}

// fresh is the ledger's answer, for which neither WeCom nor a bucket needs to
// be set up. It reports false if the media_id has to be made first.
func (a *app) fresh(ctx context.Context, l *line, name string, minTTL time.Duration) (pipeline.Item, bool, error) {
	found, err := l.Find(ctx, name)
	switch {
	case err != nil:
		return pipeline.Item{}, false, err
	case len(found) == 0:
		return pipeline.Item{}, false, &pipeline.NotFoundError{Name: name}
	case len(found) > 1:
		return pipeline.Item{}, false, &pipeline.AmbiguousError{Name: name, Items: found}
	}
	it := found[0]
	if _, other, err := l.Overwritten(ctx, name, it); other || err != nil {
		if other {
			a.note(a.say.Overwritten(shown(name)))
		}
		return it, false, err
	}
	now, err := l.Journal.Now(ctx)
	it.Reused = true
	if minTTL <= 0 {
		minTTL = leastTTL
	}
	if err == nil && !it.Valid(now, minTTL) && it.Held() && !it.Fault.Config {
		err = &pipeline.FaultError{Item: it}
	}
	return it, err == nil && it.Valid(now, minTTL), err
}

// leastTTL is the least life of a media_id that is any use: pipeline's own
// default.
const leastTTL = 5 * time.Minute

// renewed makes or renews the media_id, for at most wait.
func (a *app) renewed(ctx context.Context, cfg *Config, name string, minTTL, wait time.Duration) (it pipeline.Item, err error) {
	l, err := a.openSender(ctx, cfg)
	if err != nil {
		return it, err
	}
	defer closing(l, &err)
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	b := a.startBars(l.Pipeline, nil)
	it, err = l.Media(limited, name, minTTL)
	b.stop()
	if err == nil {
		a.tidy(ctx, l)
	}
	if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil && !errors.As(err, new(*journal.BusyError)) {
		err = &notReadyError{wait}
	}
	return it, err
}
