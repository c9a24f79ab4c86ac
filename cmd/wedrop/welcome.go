package main

import (
	"context"

	"github.com/spf13/cobra"

	"wedrop/wecom"
)

func (a *app) welcomeCommand() *cobra.Command {
	say := a.say.Welcome
	c := a.command("welcome COMMAND", say.About, cobra.ArbitraryArgs)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &usageError{what: a.say.NoCommand, cmd: cmd}
		}
		return a.unknownCommand(cmd, args[0])
	}
	c.AddCommand(a.welcomeAddCommand(), a.welcomeEditCommand(),
		a.aboutTemplate("get", say.Get, a.welcomeGet), a.aboutTemplate("delete", say.Delete, a.welcomeDelete), a.welcomeListCommand())
	for _, sub := range c.Commands() {
		sub.Flags().BoolP("help", "h", false, a.say.FlagHelp)
	}
	return c
}

func (a *app) welcomeAddCommand() *cobra.Command {
	var f templateFlags
	c := a.command("add [--text TEXT] [--video FILE | --file FILE | ...]", a.say.Welcome.Add, cobra.NoArgs)
	a.templateFlags(c, &f)
	c.Flags().BoolVar(&f.notify, "notify", false, a.say.Welcome.FlagNotify)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.checkTemplateFlags(cmd, f); err != nil {
			return err
		}
		if !f.content(cmd) {
			return &usageError{what: a.say.Welcome.Nothing, cmd: cmd}
		}
		return a.telling(a.welcomeAdd(cmd, f))
	}
	return c
}

func (a *app) welcomeEditCommand() *cobra.Command {
	var f templateFlags
	c := a.command("edit --template-id ID [--text TEXT] [--video FILE | ...]", a.say.Welcome.Edit, cobra.MaximumNArgs(1))
	a.templateFlags(c, &f)
	c.Flags().StringVar(&f.id, "template-id", "", a.say.Welcome.FlagTemplateID)
	c.Flags().BoolVar(&f.detach, "no-attachment", false, a.say.Welcome.FlagDetach)
	c.Flags().BoolVar(&f.notify, "notify", false, a.say.Welcome.FlagNotifyEdit)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.checkTemplateFlags(cmd, f); err != nil {
			return err
		}
		id, err := a.templateID(cmd, f.id, args)
		if err != nil {
			return err
		}
		switch attached := f.attaches(cmd); {
		case f.detach && attached:
			return &usageError{what: a.say.Welcome.DetachAndAttach, cmd: cmd}
		case !f.detach && !f.content(cmd):
			return &usageError{what: a.say.Welcome.NothingToChange, cmd: cmd}
		}
		return a.telling(a.welcomeEdit(cmd, id, f))
	}
	return c
}

// aboutTemplate is a command about one template.
func (a *app) aboutTemplate(name string, t about, do func(ctx context.Context, id string, agent int) error) *cobra.Command {
	var id string
	var agent int
	c := a.command(name+" --template-id ID", t, cobra.MaximumNArgs(1))
	c.Flags().StringVar(&id, "template-id", "", a.say.Welcome.FlagTemplateID)
	if name == "delete" {
		c.Flags().IntVar(&agent, "agent-id", 0, a.say.Welcome.FlagAgentID)
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := a.templateID(cmd, id, args)
		if err != nil {
			return err
		}
		return do(cmd.Context(), id, agent)
	}
	return c
}

// templateID is the template that is meant, by flag or by argument.
func (a *app) templateID(cmd *cobra.Command, flag string, args []string) (string, error) {
	if len(args) > 0 {
		if flag != "" && flag != args[0] {
			return "", &usageError{what: a.say.Welcome.TwoIDs, cmd: cmd}
		}
		flag = args[0]
	}
	if flag == "" {
		return "", &usageError{what: a.say.Welcome.NoID, cmd: cmd}
	}
	return flag, nil
}

// caller opens the ledger and a client of WeCom, without a bucket.
func (a *app) caller(ctx context.Context) (*line, error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return nil, err
	}
	return a.openCaller(ctx, cfg)
}

func (a *app) openCaller(ctx context.Context, cfg *Config) (l *line, err error) {
	if err := cfg.calling(); err != nil {
		return nil, err
	}
	if l, err = a.openLedger(ctx, cfg); err != nil {
		return nil, err
	}
	if l.WeCom, err = a.client(l); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// calling reports what is missing before WeCom can be called.
func (c *Config) calling() error {
	switch {
	case c.WeCom.CorpID == "":
		return c.missing("wecom.corp_id", "wecom.secret")
	case c.WeCom.Secret == "":
		return c.missing("wecom.secret", "wecom.corp_id")
	}
	return nil
}

// telling prints the object of what a template came to, where --json wants one
// and err says it did not come to anything.
func (a *app) telling(err error) error {
	var usage *usageError
	if err != nil && a.json && !asUsage(err, &usage) {
		a.templateFault(err)
	}
	return err
}

// attachmentNames are the words for a template's attachment.
func (a *app) attachment(t wecom.WelcomeTemplate) (kind, what string) {
	say := a.say.Welcome
	switch {
	case t.Image != nil:
		if t.Image.MediaID != "" {
			return say.Image, t.Image.MediaID
		}
		return say.Image, t.Image.PicURL
	case t.Link != nil:
		return say.Link, t.Link.Title + " " + t.Link.URL
	case t.MiniProgram != nil:
		return say.Program, t.MiniProgram.Title + " " + t.MiniProgram.Page
	case t.File != nil:
		return say.File, t.File.MediaID
	case t.Video != nil:
		return say.Video, t.Video.MediaID
	}
	return "", ""
}
