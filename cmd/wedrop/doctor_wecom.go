package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// A wecomCase is what WeCom said to the one question that is asked.
type wecomCase struct {
	err     error
	fetched bool // a token, for it
}

// noSuchJob is the id that is asked about. A question about a job changes
// nothing and is seen by nobody; there is no call of which WeCom's documents
// say that it proves rights without a side effect.
const noSuchJob = "wedrop-doctor"

// tokenLimit is for a token and for the question together. A gettoken that is
// given up is no refusal: it may be asked for again at once.
const tokenLimit = 8 * time.Second

// token asks WeCom the question, with the ledger's token or a new one. What a
// token needs is judged here, the rest by trustedIP and permission.
func (d *doctor) token(ctx context.Context) finding {
	m := &d.say.Doctor
	switch {
	case d.cfg.WeCom.CorpID == "":
		return d.needs("configuration")
	case d.cfg.WeCom.Secret == "":
		return d.needs("secrets")
	case d.journal == nil:
		// Without the ledger a good token would be fetched again, and a
		// secret that was refused would be tried again.
		return d.needs("journal")
	}
	d.wecom.err = d.ask(ctx)
	var e *wecom.Error
	switch err := d.wecom.err; {
	case err == nil:
	case !errors.As(err, &e), e.API == "gettoken", e.Kind == wecom.KindConfig:
		return d.told(ctx, err)
	case e.Repeated, e.Class() == wecom.ClassToken:
		return d.told(ctx, err)
	}
	if d.wecom.fetched {
		return good(m.TokenFetched)
	}
	return good(m.TokenKept)
}

func (d *doctor) ask(ctx context.Context) error {
	var fetched atomic.Bool
	defer func() { d.wecom.fetched = fetched.Load() }()
	c, err := wecom.New(wecom.Config{
		BaseURL: d.cfg.WeCom.BaseURL,
		CorpID:  d.cfg.WeCom.CorpID,
		Secret:  d.cfg.WeCom.Secret,
		Proxy:   d.cfg.WeCom.Proxy,
		Store:   d.journal,
		Observe: func(api string, _ wecom.Code, _ wecom.Kind, _ time.Duration) {
			if api == "gettoken" {
				fetched.Store(true)
			}
		},
		Log: d.log,
	})
	if err == nil {
		_, err = c.UploadResult(ctx, noSuchJob)
	}
	return err
}

// trustedIP judges the answer. gettoken proves nothing about the IP: people
// got a token, and 60020 at the next call.
func (d *doctor) trustedIP(ctx context.Context) finding {
	e, f := d.answered("token")
	switch {
	case f != nil:
		return *f
	case e != nil && e.Class() == wecom.ClassCancelled:
		return broken(d.say.Doctor.NoAnswer(tokenLimit), d.say.Doctor.NoAnswerRemedy)
	case e != nil && (e.Code == wecom.CodeUntrustedIP || e.Kind != wecom.KindAnswer):
		return d.told(ctx, e)
	}
	return d.notRefused(ctx, e, d.say.Doctor.IPUnproven)
}

// permission judges the answer, where it is one to us.
func (d *doctor) permission(ctx context.Context) finding {
	e, f := d.answered("token")
	switch {
	case f != nil:
		return *f
	case !d.found("trusted-ip").OK:
		return d.needs("trusted-ip")
	case e != nil && e.Class() == wecom.ClassConfig:
		return d.told(ctx, e)
	}
	return d.notRefused(ctx, e, d.say.Doctor.RightUnproven)
}

// answered is WeCom's answer, nil for errcode 0; or the finding of a check for
// which there is none.
func (d *doctor) answered(needs string) (*wecom.Error, *finding) {
	if d.found(needs).Status != passed {
		f := d.needs(needs)
		return nil, &f
	}
	var e *wecom.Error
	errors.As(d.wecom.err, &e)
	return e, nil
}

// notRefused is proof if media have come lately; else it is none, for nobody
// has written down in which order WeCom checks.
func (d *doctor) notRefused(ctx context.Context, e *wecom.Error, open func(answer string) string) finding {
	m := &d.say.Doctor
	if e != nil && (e.Class() == wecom.ClassRetry || e.Class() == wecom.ClassBackOff) {
		what, remedy := explain(e, d.say)
		return unproven(m.WeComPasses(what), remedy)
	}
	if at := d.lastMedia(ctx); !at.IsZero() {
		return good(m.Proven(at.Local().Format(minute)))
	}
	code := 0
	if e != nil {
		code = int(e.Code)
	}
	return unproven(open(m.Answer(code)), m.FirstPushRemedy)
}

// lastMedia is when the newest media_id came that is valid now; zero if there
// is none.
func (d *doctor) lastMedia(ctx context.Context) (last time.Time) {
	items, err := d.journal.Items(ctx, pipeline.Query{Corp: d.cfg.WeCom.CorpID, Alive: d.now(), Newest: true, Limit: 100})
	if err != nil {
		return time.Time{}
	}
	for _, it := range items {
		if it.Media != nil && it.Media.CreatedAt.After(last) {
			last = it.Media.CreatedAt
		}
	}
	return last
}
