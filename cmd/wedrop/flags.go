package main

import (
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wedrop/pipeline/inspect"
)

const durationType = "D"

// A durationValue is a flag that knows days, as the configuration does.
type durationValue time.Duration

func (d *durationValue) String() string { return time.Duration(*d).String() }
func (d *durationValue) Type() string   { return durationType }
func (d *durationValue) Set(v string) error {
	t, err := parseDuration(v)
	if err != nil || t < 0 {
		return errors.New("not a duration")
	}
	*d = durationValue(t)
	return nil
}

// durationFlag defines a flag; its default is told by the usage text, which
// is in the reader's language.
func durationFlag(f *pflag.FlagSet, d *time.Duration, name string, standard time.Duration, usage string) {
	*d = standard
	f.Var((*durationValue)(d), name, usage)
	f.Lookup(name).DefValue = ""
}

// sendFlags are those of push and sync.
type sendFlags struct {
	kind    string
	name    string
	timeout time.Duration
	dryRun  bool
	force   bool
	noWait  bool
	verify  bool
}

func (a *app) sendFlags(c *cobra.Command, f *sendFlags) {
	c.Flags().StringVar(&f.kind, "type", "", a.say.FlagType)
	durationFlag(c.Flags(), &f.timeout, "timeout", 30*time.Minute, a.say.FlagTimeout)
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, a.say.FlagDryRun)
	c.Flags().BoolVar(&f.force, "force", false, a.say.FlagForce)
	c.Flags().BoolVar(&f.noWait, "no-wait", false, a.say.FlagNoWait)
	c.Flags().BoolVar(&f.verify, "verify", false, a.say.Download.FlagVerifyPush)
}

// typed is what --type says; empty means auto.
func (a *app) typed(cmd *cobra.Command, v string) (inspect.Type, error) {
	t := inspect.Type(v)
	if v == "" {
		t = inspect.Auto
	}
	if !slices.Contains([]inspect.Type{inspect.Auto, inspect.Video, inspect.File}, t) {
		return "", &usageError{what: a.say.BadType(v), cmd: cmd}
	}
	return t, nil
}
