package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

func (a *app) welcomeAdd(cmd *cobra.Command, f templateFlags) (err error) {
	base := wecom.WelcomeTemplate{}
	if f.json != "" {
		if base, err = readTemplate(f.json); err != nil {
			return err
		}
	}
	s, err := a.templateSender(cmd, f)
	if err != nil {
		return err
	}
	defer s.close(&err)
	if base.Notify == nil || cmd.Flags().Changed("notify") {
		base.Notify = &f.notify // absent, members would be told
	}
	if err := s.kind(); err != nil {
		return err
	}
	t, err := s.complete(base)
	if err != nil {
		return err
	}
	added, err := s.send(t, func(t wecom.WelcomeTemplate) (pipeline.Template, error) {
		return s.line.AddTemplate(s.ctx, t)
	})
	if added.ID == "" {
		return err
	}
	return a.templateDone(s, added, err, true)
}

func (a *app) welcomeEdit(cmd *cobra.Command, id string, f templateFlags) (err error) {
	whole := f.json != ""
	var base wecom.WelcomeTemplate
	if whole {
		if base, err = readTemplate(f.json); err != nil {
			return err
		}
	}
	s, err := a.templateSender(cmd, f)
	if err != nil {
		return err
	}
	defer s.close(&err)
	if err := s.kind(); err != nil {
		return err
	}
	if given := s.f.template(cmd, wecom.WelcomeTemplate{}); given.Text != "" || f.attaches(cmd) {
		if err := given.Check(); err != nil { // before any call
			return err
		}
	}
	if !whole {
		if base, err = s.current(id); err != nil {
			return err
		}
	}
	t, err := s.complete(base)
	if err != nil {
		return err
	}
	edited, err := s.send(t, func(t wecom.WelcomeTemplate) (pipeline.Template, error) {
		return s.line.EditTemplate(s.ctx, id, t)
	})
	if edited.ID == "" {
		return err
	}
	return a.templateDone(s, edited, err, false)
}

// A templateSender makes a template out of flags.
type templateSender struct {
	a      *app
	cmd    *cobra.Command
	f      templateFlags
	ctx    context.Context
	line   *line
	cancel context.CancelFunc
}

// templateSender opens what is needed: a bucket only where a file has to be
// carried.
func (a *app) templateSender(cmd *cobra.Command, f templateFlags) (*templateSender, error) {
	s := &templateSender{a: a, cmd: cmd, f: f}
	s.ctx, s.cancel = context.WithTimeout(cmd.Context(), f.timeout)
	var err error
	if path, _ := f.local(); path != "" {
		s.line, err = a.sender(s.ctx)
	} else {
		s.line, err = a.caller(s.ctx)
	}
	if err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

func (s *templateSender) close(err *error) {
	closing(s.line, err)
	s.cancel()
}

// complete is the template that the flags make of base, checked, with its
// local file carried to a media_id; after kind.
func (s *templateSender) complete(base wecom.WelcomeTemplate) (t wecom.WelcomeTemplate, err error) {
	t = s.f.template(s.cmd, base)
	t.AgentID = cmp.Or(s.f.agent, t.AgentID, s.line.cfg.WeCom.AgentID)
	if err := s.line.CheckTemplate(s.ctx, t); err != nil {
		return t, err
	}
	path, as := s.f.local()
	if path == "" {
		return t, nil
	}
	it, err := s.carry(pipeline.File{Path: path, Type: as})
	if err != nil {
		return t, err
	}
	media := &wecom.WelcomeMedia{MediaID: it.Media.ID}
	if as == inspect.Video {
		t.Video = media
	} else {
		t.File = media
	}
	return t, nil
}

// kind finds out what a media_id is that came without --type, and says what
// is not known of one.
func (s *templateSender) kind() error {
	if wecom.FromUploadByURL(s.f.mini.PicMediaID) && !s.a.quiet {
		s.a.note(s.a.say.Welcome.MediaNoPicture)
	}
	if s.f.mediaID == "" {
		return nil
	}
	items, err := s.line.Journal.Items(s.ctx, pipeline.Query{Media: s.f.mediaID})
	switch {
	case err != nil:
		return err
	case len(items) > 0 && s.f.kind == "":
		s.f.kind = string(items[0].Type)
	case s.f.kind == "":
		return &usageError{what: s.a.say.Welcome.TypeNeeded, cmd: s.cmd}
	case len(items) == 0 && s.f.kind != "image" && !s.a.quiet:
		s.a.note(s.a.say.Welcome.MediaUnknown)
		if !wecom.FromUploadByURL(s.f.mediaID) {
			s.a.note(s.a.say.Welcome.MediaElsewhere)
		}
	case s.f.kind == "image" && wecom.FromUploadByURL(s.f.mediaID) && !s.a.quiet:
		s.a.note(s.a.say.Welcome.MediaNoPicture)
	}
	return nil
}

// carry brings a file to its media_id, as push does. One that dies soon is
// renewed first.
func (s *templateSender) carry(f pipeline.File) (it pipeline.Item, err error) {
	o := pipeline.EnterOptions{Retry: true, RenewBefore: s.line.cfg.RenewBefore}
	entries, err := s.line.Enter(s.ctx, []pipeline.File{f}, o)
	if err != nil {
		return it, err
	}
	b := s.a.startBars(s.line.Pipeline, entries)
	err = s.line.Run(s.ctx, entries, pipeline.RunOptions{Again: o, Ended: func(_ int, e pipeline.Entry) { it = e.Item }})
	b.stop()
	if err == nil || it.Fault != nil && exitOf(err) == exitUnfinished {
		if it.Fault != nil {
			return it, &pipeline.FaultError{Item: it}
		}
	}
	if err == nil {
		s.a.tidy(s.ctx, s.line)
	}
	if err == nil && !s.a.quiet && !it.Reused {
		for _, w := range it.Warnings {
			s.a.note(s.a.say.WarningOf(shown(it.Name), w.Message.In(s.a.say.Lang)))
		}
	}
	return it, err
}

// current is the template as WeCom has it, for an edit that changes a part of
// it. An attachment that stays gets a media_id that lives, where the ledger
// can make one.
func (s *templateSender) current(id string) (wecom.WelcomeTemplate, error) {
	t, err := s.line.WeCom.WelcomeTemplate(s.ctx, id)
	if err != nil {
		return t, err
	}
	all, err := s.line.Templates(s.ctx)
	if err != nil {
		return t, err
	}
	stays := !s.f.attaches(s.cmd) && !s.f.detach
	if stays && t.Image != nil && !s.a.quiet {
		s.a.note(s.a.say.Welcome.OldImage)
	}
	for _, e := range all {
		if e.ID != id {
			continue
		}
		t.AgentID = e.Sent().AgentID
		if m := attachedMedia(t); stays && m != nil && (m.MediaID == e.Media || m.MediaID == e.Shown) && e.From != nil {
			m.MediaID, err = s.alive(e)
		}
	}
	return t, err
}

func attachedMedia(t wecom.WelcomeTemplate) *wecom.WelcomeMedia {
	if t.Video != nil {
		return t.Video
	}
	return t.File
}

// alive is a media_id for the content of a template that lives.
func (s *templateSender) alive(e pipeline.TemplateEntry) (string, error) {
	if e.From.MD5 != e.MD5 {
		return e.Media, nil // the file has other content by now
	}
	if e.From.Valid(e.At, leastTTL) {
		return e.From.Media.ID, nil
	}
	l, err := s.a.openSender(s.ctx, s.line.cfg)
	if err != nil {
		return "", err
	}
	defer closing(l, &err)
	it, err := l.Media(s.ctx, "id:"+strconv.FormatInt(e.From.ID, 10), leastTTL)
	if err != nil {
		return "", err
	}
	return it.Media.ID, nil
}

// templateDone tells what WeCom has taken; failed is why the ledger has not.
func (a *app) templateDone(s *templateSender, t pipeline.Template, failed error, added bool) error {
	switch {
	case a.json:
		a.template(a.known(s.ctx, s.line, t))
	case added:
		_, _ = fmt.Fprintln(a.stdout, t.ID)
	}
	if failed != nil {
		a.log.Error("journal", "err", failed)
		a.fault(a.say.Welcome.NotRemembered+": "+t.ID, a.say.Welcome.NotRememberedRemedy)
		return done(worst(exitFailed))
	}
	return nil
}

// known is what the ledger knows of a template.
func (a *app) known(ctx context.Context, l *line, t pipeline.Template) pipeline.TemplateEntry {
	all, err := l.Templates(context.WithoutCancel(ctx))
	for _, e := range all {
		if err == nil && e.ID == t.ID {
			return e
		}
	}
	return pipeline.TemplateEntry{Template: t}
}

func asUsage(err error, e **usageError) bool { return errors.As(err, e) }
