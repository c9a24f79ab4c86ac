package main

import (
	"github.com/spf13/cobra"
)

func (a *app) completionCommand() *cobra.Command {
	c := a.command("completion SHELL", a.say.Completion, cobra.ExactArgs(1))
	c.ValidArgs = []string{"bash", "zsh", "fish", "powershell"}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(a.stdout, true)
		case "zsh":
			return root.GenZshCompletion(a.stdout)
		case "fish":
			return root.GenFishCompletion(a.stdout, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(a.stdout)
		}
		return &usageError{what: a.say.BadShell(args[0]), cmd: cmd}
	}
	return c
}
