package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
)

func (a *app) listCommand() *cobra.Command {
	var expiring time.Duration
	var held bool
	c := a.command("list", a.say.List, cobra.NoArgs)
	durationFlag(c.Flags(), &expiring, "expiring", 0, a.say.FlagExpiring)
	c.Flags().BoolVar(&held, "held", false, a.say.FlagHeld)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		q := pipeline.Query{Held: held}
		return a.list(cmd.Context(), q, cmd.Flags().Changed("expiring"), expiring)
	}
	return c
}

// pageSize keeps a ledger of a million Items out of memory.
const pageSize = 1000

func (a *app) list(ctx context.Context, q pipeline.Query, limited bool, within time.Duration) (err error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return err
	}
	l, err := a.readLedger(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	now, err := l.Journal.Now(ctx)
	if err != nil {
		return err
	}
	q.Corp, q.Limit = l.Corp, pageSize
	if limited {
		q.Expiring = now.Add(within)
	}
	t := a.newItemTable()
	blocks, err := l.Blocks(ctx)
	if err != nil {
		return err
	}
	any, held := false, false
	for {
		items, err := l.Journal.Items(ctx, q)
		if err != nil {
			return err
		}
		for _, it := range items {
			it = blocks.Shown(it)
			any, held = true, held || it.Held()
			if a.json {
				a.object(it)
			} else {
				t.add(a.row(it, now)...)
			}
		}
		t.flush(a.stdout)
		if len(items) < pageSize {
			break
		}
		q.After = items[len(items)-1].ID
	}
	if !a.quiet && !a.json {
		a.hint(any, held)
	}
	return nil
}

func (a *app) hint(any, held bool) {
	switch {
	case !any:
		a.note(a.say.NothingListed)
	case held:
		a.note(a.say.HeldHint)
	}
}

func (a *app) newItemTable() *table {
	return newTable(a.say.Columns...)
}

// row is a line of the ledger for people.
func (a *app) row(it pipeline.Item, now time.Time) []string {
	media, until := "-", "-"
	if it.Media != nil {
		media, until = it.Media.ID, it.Media.ExpiresAt.Local().Format(minute)
	}
	fault := ""
	if it.Fault != nil {
		fault = it.Fault.Message.In(a.say.Lang)
	}
	kind := it.Type
	if kind == "" {
		kind = it.Want
	}
	return []string{strconv.FormatInt(it.ID, 10), shown(it.Name), string(kind), size(it.Size), a.state(it, now), media, until, shown(fault)}
}

// state is where an Item stands, in a word.
func (a *app) state(it pipeline.Item, now time.Time) string {
	s := a.say.State
	switch {
	case it.Held():
		return s.Held
	case it.Fault != nil:
		return s.Again
	case it.Step == pipeline.Done && it.Valid(now, 0):
		return s.Ready
	case it.Step == pipeline.Done:
		return s.Expired
	}
	return map[pipeline.Step]string{pipeline.Inspect: s.Inspect, pipeline.Stage: s.Stage,
		pipeline.Submit: s.Submit, pipeline.Await: s.Await}[it.Step]
}
