package main

import (
	"context"
	"errors"
	"strconv"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// replaced is the Item with a new media_id in the place of one that WeCom calls
// dead. refused is WeCom's answer; it is the error where nothing can take the
// place: the ledger does not know the media_id, no bucket is set up, or neither
// the file nor its public copy is there.
func (a *app) replaced(ctx context.Context, l *line, media string, refused error) (it pipeline.Item, err error) {
	known, err := ofMedia(ctx, l, media)
	if err != nil || known == nil {
		return it, errors.Join(err, refused)
	}
	if _, err := l.Discard(ctx, media, false); err != nil {
		return it, err
	}
	return a.madeAnew(ctx, l.cfg, *known, refused)
}

// madeAnew is an Item whose media_id was discarded, with the one that is made
// in its place. Where none can be made the error is refused.
func (a *app) madeAnew(ctx context.Context, cfg *Config, it pipeline.Item, refused error) (_ pipeline.Item, err error) {
	l, err := a.openSender(ctx, cfg)
	if err != nil {
		a.log.Debug("a dead media_id is not replaced", "err", err)
		return it, refused
	}
	defer closing(l, &err)
	b := a.startBars(l.Pipeline, nil)
	fresh, err := l.Media(ctx, "id:"+strconv.FormatInt(it.ID, 10), 0)
	b.stop()
	var held *pipeline.FaultError
	switch {
	case errors.As(err, &held) && !held.Item.Fault.Config:
		return it, refused
	case err != nil:
		return it, err
	}
	if !a.quiet {
		a.note(a.say.Download.Replaced(shown(fresh.Name)))
	}
	return fresh, nil
}

// send has WeCom take a template, once more where it calls the media_id in it
// dead and the ledger can make another.
func (s *templateSender) send(t wecom.WelcomeTemplate, call func(wecom.WelcomeTemplate) (pipeline.Template, error)) (pipeline.Template, error) {
	sent, err := call(t)
	m := attachedMedia(t)
	if sent.ID != "" || m == nil || !pipeline.DeadMedia(err) {
		return sent, err
	}
	it, err := s.a.replaced(s.ctx, s.line, m.MediaID, err)
	if err != nil {
		return sent, err
	}
	m.MediaID = it.Media.ID
	return call(t)
}
