package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// root is the tree of commands, in the app's language.
func (a *app) root() *cobra.Command {
	cobra.MousetrapHelpText = "" // started from Explorer it is still a command
	root := a.command("wedrop COMMAND", a.say.Root, cobra.ArbitraryArgs)
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &usageError{what: a.say.NoCommand, cmd: cmd}
		}
		return a.unknownCommand(cmd, args[0])
	}
	root.PersistentPreRunE = a.flagged
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { a.help(cmd); return nil })
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{what: a.flagError(cmd, err), cmd: cmd}
	})

	f := root.PersistentFlags()
	f.StringVar(&a.config, "config", "", a.say.FlagConfig)
	f.BoolVar(&a.json, "json", false, a.say.FlagJSON)
	f.StringVar(&a.lang, "lang", "", a.say.FlagLang)
	f.BoolVarP(&a.quiet, "quiet", "q", false, a.say.FlagQuiet)
	f.BoolVarP(&a.verbose, "verbose", "v", false, a.say.FlagVerbose)

	root.AddCommand(a.pushCommand(), a.syncCommand(), a.checkCommand(), a.getCommand(), a.listCommand(),
		a.retryCommand(), a.cleanCommand(), a.serveCommand(), a.doctorCommand(), a.demoCommand(), a.versionCommand(), a.completionCommand())
	root.AddCommand(a.welcomeCommand(), a.downloadCommand(), a.journalCommand())
	root.SetHelpCommand(a.helpCommand())
	for _, c := range append(root.Commands(), root) {
		c.Flags().BoolP("help", "h", false, a.say.FlagHelp)
	}
	return root
}

// command is a command with its texts; args is checked with our own words.
func (a *app) command(use string, t about, args cobra.PositionalArgs) *cobra.Command {
	c := &cobra.Command{Use: use, Short: t.Short, Long: t.Long, Example: t.Example, DisableFlagsInUseLine: true}
	c.Args = func(cmd *cobra.Command, given []string) error {
		if err := args(cmd, given); err != nil {
			what := a.say.TooManyArgs
			if len(given) == 0 {
				what = a.say.MissingArgs(strings.TrimPrefix(cmd.Use, cmd.Name()+" "))
			}
			return &usageError{what: what, cmd: cmd}
		}
		return nil
	}
	return c
}

// A usageError is a call that nobody can understand.
type usageError struct {
	what string
	near string // what was probably meant; may be empty
	cmd  *cobra.Command
}

func (e *usageError) Error() string { return e.what }

// hint is where to read on.
func (e *usageError) hint(say *messages) string {
	if e.near != "" {
		return say.DidYouMean(e.near)
	}
	return say.SeeHelp(e.cmd.CommandPath())
}

func (a *app) unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	e := &usageError{what: a.say.UnknownCommand(name), cmd: cmd}
	if near := nearest(name, names); near != "" {
		e.near = cmd.CommandPath() + " " + near
	}
	return e
}

// flagError words what pflag found.
func (a *app) flagError(cmd *cobra.Command, err error) string {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		return a.say.UnknownFlag(dashes(unknown.GetSpecifiedName()))
	case errors.As(err, &missing):
		return a.say.FlagNeedsValue(dashes(missing.GetSpecifiedName()))
	case errors.As(err, &invalid):
		name := "--" + invalid.GetFlag().Name
		if invalid.GetFlag().Value.Type() == durationType {
			return a.say.FlagNotADuration(name, invalid.GetValue())
		}
		return a.say.FlagBadValue(name, invalid.GetValue())
	}
	return err.Error()
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// help prints a command's help on stdout.
func (a *app) help(cmd *cobra.Command) {
	var b strings.Builder
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(&b, "%s\n\n%s\n  %s\n", text, a.say.HelpUsage, usageLine(cmd))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s\n", a.say.HelpCommands)
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				fmt.Fprintf(&b, "  %-12s%s\n", c.Name(), c.Short)
			}
		}
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\n%s\n%s\n", a.say.HelpExamples, cmd.Example)
	}
	if f := cmd.LocalNonPersistentFlags(); f.HasAvailableFlags() && cmd.HasParent() {
		fmt.Fprintf(&b, "\n%s\n%s", a.say.HelpFlags, f.FlagUsages())
	}
	fmt.Fprintf(&b, "\n%s\n%s", a.say.HelpFlagsEverywhere, cmd.Root().PersistentFlags().FlagUsages())
	fmt.Fprintf(&b, "\n%s\n%s\n", a.say.HelpExits, a.say.Exits)
	_, _ = cmd.OutOrStdout().Write([]byte(b.String()))
}

func usageLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Use
	}
	return cmd.Parent().CommandPath() + " " + cmd.Use
}

func (a *app) helpCommand() *cobra.Command {
	c := a.command("help [COMMAND]", a.say.Help, cobra.MaximumNArgs(2))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		at := cmd.Root()
		for _, name := range args {
			i := slices.IndexFunc(at.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
			if i < 0 {
				return a.unknownCommand(at, name)
			}
			at = at.Commands()[i]
		}
		a.help(at)
		return nil
	}
	return c
}
