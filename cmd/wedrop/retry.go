package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"
)

func (a *app) retryCommand() *cobra.Command {
	var all bool
	c := a.command("retry [ID...]", a.say.Retry, cobra.ArbitraryArgs)
	c.Flags().BoolVar(&all, "all", false, a.say.FlagAll)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if all == (len(args) > 0) {
			return &usageError{what: a.say.RetryWhat, cmd: cmd}
		}
		var ids []int64
		for _, arg := range args {
			id, err := strconv.ParseInt(arg, 10, 64)
			if err != nil || id < 1 {
				return &usageError{what: a.say.BadID(arg), cmd: cmd}
			}
			ids = append(ids, id)
		}
		return a.retry(cmd.Context(), ids)
	}
	return c
}

func (a *app) retry(ctx context.Context, ids []int64) (err error) {
	l, err := a.ledger(ctx)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	released, err := l.Retry(ctx, ids)
	if err != nil {
		return err
	}
	done := map[int64]bool{}
	for _, it := range released {
		done[it.ID] = true
		if a.json {
			a.object(it)
		}
	}
	if !a.quiet && !a.json {
		a.note(a.say.Released(len(released)))
	}
	return a.notReleased(ids, done)
}

// notReleased tells of ids that were not held: to ask for those is a mistake.
func (a *app) notReleased(ids []int64, released map[int64]bool) error {
	code := exitDone
	for _, id := range ids {
		if !released[id] {
			a.fault(a.say.NotHeld(strconv.FormatInt(id, 10)), a.say.NotHeldRemedy)
			code = exitFailed
		}
	}
	return done(code)
}
