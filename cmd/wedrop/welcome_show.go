package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// template prints a template as a line of JSON.
func (a *app) template(e pipeline.TemplateEntry) {
	line, err := json.Marshal(e.In(a.say.Lang))
	if err != nil { // cannot be: an entry is plain data
		line = []byte("null")
	}
	_, _ = a.stdout.Write(append(line, '\n'))
}

// templateFault prints the object of a template that came to nothing.
func (a *app) templateFault(err error) {
	message, remedy := explain(err, a.say)
	v := struct {
		ID    *string           `json:"template_id"`
		Fault map[string]string `json:"fault"`
	}{Fault: map[string]string{"code": faultCode(err), "message": message, "remedy": remedy}}
	if line, err := json.Marshal(v); err == nil {
		_, _ = a.stdout.Write(append(line, '\n'))
	}
}

// faultCode is the stable name of an error that has one.
func faultCode(err error) string {
	var (
		named interface{ FaultCode() string }
		fault *pipeline.FaultError
		stop  *pipeline.StopError
	)
	switch {
	case errors.As(err, &fault):
		return fault.Item.Fault.Code
	case errors.As(err, &stop):
		return stop.Fault.Code
	case errors.As(err, &named):
		return named.FaultCode()
	case errors.Is(err, context.DeadlineExceeded):
		return "wedrop/timeout"
	}
	return "wedrop/error"
}

func (a *app) welcomeGet(ctx context.Context, id string, _ int) (err error) {
	l, err := a.caller(ctx)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	t, err := l.WeCom.WelcomeTemplate(ctx, id)
	if err != nil {
		return err
	}
	e := a.known(ctx, l, pipeline.Template{ID: id})
	if m := attachedMedia(t); m == nil || m.MediaID != e.Media && m.MediaID != e.Shown {
		e.From, e.Media = nil, "" // what is in it is not what the ledger remembers
		if m != nil {
			e.Media = m.MediaID
			e.From, err = ofMedia(ctx, l, m.MediaID)
		}
	}
	if err != nil {
		return err
	}
	if e.Content, err = json.Marshal(t); err != nil {
		return err
	}
	if a.json {
		a.template(e)
		return nil
	}
	_, _ = fmt.Fprint(a.stdout, a.inWords(e, t))
	return nil
}

// ofMedia is the Item that has a media_id; nil for none.
func ofMedia(ctx context.Context, l *line, media string) (*pipeline.Item, error) {
	items, err := l.Journal.Items(ctx, pipeline.Query{Corp: l.Corp, Media: media})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	return &items[0], nil
}

// inWords is a template for people.
func (a *app) inWords(e pipeline.TemplateEntry, t wecom.WelcomeTemplate) string {
	say := a.say.Welcome
	var b strings.Builder
	line := func(what, v string) { fmt.Fprintf(&b, "%s  %s\n", fit(what, 12), v) }
	line("template_id", shown(e.ID))
	text := say.NoText
	if t.Text != "" {
		text = strings.ReplaceAll(plainLines(t.Text), "\n", "\n"+strings.Repeat(" ", 14))
	}
	line(say.Text, text)
	if kind, what := a.attachment(t); kind != "" {
		if e.From != nil {
			what = e.From.Name + "  " + what
		}
		if at := e.Expires(); !at.IsZero() {
			what += "  " + say.Until(at.Local().Format(minute))
		}
		line(kind, shown(what))
	}
	if f := e.Problem(); f != nil {
		line(say.Columns[5], f.Message.In(a.say.Lang))
	}
	return b.String()
}

// plainLines is text as a terminal may see it, with its line breaks.
func plainLines(s string) string {
	parts := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range parts {
		parts[i] = shown(parts[i])
	}
	return strings.Join(parts, "\n")
}

func (a *app) welcomeDelete(ctx context.Context, id string, agent int) (err error) {
	l, err := a.caller(ctx)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	if agent == 0 {
		agent = l.cfg.WeCom.AgentID
	}
	gone, err := l.DeleteTemplate(ctx, id, agent)
	if err != nil || a.quiet {
		return err
	}
	if gone {
		a.note(a.say.Welcome.Dropped)
	} else {
		a.note(a.say.Welcome.Deleted(shown(id)))
	}
	return nil
}

func (a *app) welcomeListCommand() *cobra.Command {
	c := a.command("list", a.say.Welcome.List, cobra.NoArgs)
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.welcomeList(cmd.Context()) }
	return c
}

func (a *app) welcomeList(ctx context.Context) (err error) {
	l, err := a.ledger(ctx)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	all, err := l.Templates(ctx)
	if err != nil {
		return err
	}
	t := newTable(a.say.Welcome.Columns...)
	for _, e := range all {
		if a.json {
			a.template(e)
		} else {
			t.add(a.templateRow(e)...)
		}
	}
	t.flush(a.stdout)
	if len(all) == 0 && !a.quiet && !a.json {
		a.note(a.say.Welcome.NoneRemembered)
	}
	return nil
}

// templateRow is a line of the list.
func (a *app) templateRow(e pipeline.TemplateEntry) []string {
	say, sent := a.say.Welcome, e.Sent()
	text := strings.Join(strings.Fields(sent.Text), " ")
	kind, what := a.attachment(sent)
	if e.From != nil {
		what = e.From.Name
	}
	until := "-"
	if kind != "" && e.Media != "" {
		until = say.NoDate
		if at := e.Expires(); !at.IsZero() {
			until = at.Local().Format(minute)
		}
	}
	fault := ""
	if f := e.Problem(); f != nil {
		fault = f.Message.In(a.say.Lang)
	}
	attached := strings.TrimSpace(kind + " " + cut(shown(what), 32))
	if attached == "" {
		attached = "-"
	}
	return []string{shown(e.ID), cutEnd(shown(text), 24), attached, until, a.templateState(e), shown(fault)}
}

// cutEnd is s in at most n cells, its beginning being what tells most.
func cutEnd(s string, n int) string {
	if s == "" {
		return "-"
	}
	if width(s) <= n {
		return s
	}
	return cutRight(s, n-2) + ".."
}

func (a *app) templateState(e pipeline.TemplateEntry) string {
	say := a.say.Welcome
	return map[pipeline.TemplateState]string{pipeline.TemplateReady: say.Ready, pipeline.TemplateStale: say.Stale,
		pipeline.TemplateExpired: say.Expired, pipeline.TemplateFailed: say.Failed, pipeline.TemplateUnknown: say.Unknown}[e.State()]
}

// renewTemplates does what welcome.renew_templates asks of a batch run, and
// tells what it came to.
func (a *app) renewTemplates(ctx context.Context, l *line) (exit, error) {
	all, err := l.RenewTemplates(ctx)
	code := exitDone
	for _, e := range all {
		f := e.Problem()
		switch {
		case f == nil:
			if !a.quiet && !a.json {
				a.note(a.say.Welcome.Edited(shown(e.ID)))
			}
			continue
		case f.Config:
			code = worst(code, exitConfig)
		case f.Retry:
			code = worst(code, exitUnfinished)
		default:
			code = worst(code, exitFailed)
		}
		a.fault(shown(e.ID)+": "+f.Message.In(a.say.Lang), f.Remedy.In(a.say.Lang))
	}
	var stop *pipeline.StopError
	if errors.As(err, &stop) {
		if code != exitConfig {
			a.fault(explain(err, a.say))
		}
		return exitConfig, nil
	}
	return code, err
}

// keepTemplates is the daemon's part of welcome.renew_templates. A ledger that
// does not answer is tried again; carry tells of it.
func (s *shift) keepTemplates(ctx context.Context) {
	for ctx.Err() == nil {
		_ = s.line.KeepTemplates(ctx, 0)
		_ = sleepFor(ctx, 10*time.Second)
	}
}
