package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"wedrop/wecom"
)

const (
	lookTemplates = 5 * time.Second  // whether the ledger has changed
	turnTemplates = 10 * time.Second // between two tries at one template, of all processes together
	roundAnyway   = time.Minute      // for pauses that are over, and media that die soon
)

// KeepTemplates keeps the media in the remembered templates alive, until ctx
// ends; it is run beside Serve, which does the carrying. A media that dies
// within p.RenewBefore is renewed, whatever ServeOptions.Renew says and though
// its file may be gone from its folder; and a template whose Item has another
// media_id than it shows is edited and read back. So what a crash left between
// a renewal and its edit is made good with the first look.
//
// The ledger is looked at each every; 5 seconds if zero. What fails is in
// Template.Fault and is tried again after a minute, then ever later, up to an
// hour. After a fault of the configuration no template is tried for a minute,
// then longer, up to ten. It returns ctx's error or the journal's.
func (p *Pipeline) KeepTemplates(ctx context.Context, every time.Duration) error {
	var (
		rev    int64
		last   time.Time // of a round
		rest   time.Duration
		awake  time.Time // no round before it
		pause  = orElse(every, lookTemplates)
		looked bool
	)
	for ctx.Err() == nil {
		now, err := p.Journal.Rev(ctx)
		if err != nil {
			return err
		}
		if (!looked || now != rev || time.Since(last) > roundAnyway) && !time.Now().Before(awake) {
			looked, rev, last = true, now, time.Now()
			k := keeper{p: p}
			if err := k.round(ctx); err != nil {
				return err
			}
			if k.stop == nil {
				rest = 0
			} else {
				rest = min(max(2*rest, time.Minute), pauseMax)
				awake = time.Now().Add(rest)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return ctx.Err()
}

// RenewTemplates does once what KeepTemplates goes on doing, and the carrying
// as well: for runs of cron. It returns the templates that it edited and those
// that stand with a Fault. A fault of the configuration is a *StopError.
func (p *Pipeline) RenewTemplates(ctx context.Context) ([]TemplateEntry, error) {
	k := keeper{p: p, carry: true}
	if err := k.round(ctx); err != nil {
		return nil, err
	}
	all, err := p.Templates(ctx)
	if err != nil {
		return nil, err
	}
	var out []TemplateEntry
	for _, t := range all {
		if k.edited[t.ID] || t.State() == TemplateFailed {
			out = append(out, t)
		}
	}
	if k.stop != nil {
		return out, &StopError{*k.stop}
	}
	return out, nil
}

// A keeper goes once through the templates.
type keeper struct {
	p      *Pipeline
	carry  bool // renews Items itself, not by Serve
	edited map[string]bool
	stop   *Fault // of the configuration: no template is tried any more
	unread bool   // a template could not be read back: no other is, this time
}

func (k *keeper) round(ctx context.Context) error {
	k.edited = map[string]bool{}
	all, err := k.p.Journal.Templates(ctx, k.p.Corp)
	if err != nil || len(all) == 0 {
		return err
	}
	items, err := k.p.itemsOf(ctx, all)
	if err == nil {
		err = k.renew(ctx, items)
	}
	if err == nil && k.carry && k.stop == nil {
		items, err = k.p.itemsOf(ctx, all)
	}
	for _, t := range all {
		if err != nil || k.stop != nil || ctx.Err() != nil {
			break
		}
		if t.Item != 0 {
			err = k.look(ctx, t, items)
		}
	}
	return err
}

// renew sends those Items through the line again whose media is in a template
// and dies soon.
func (k *keeper) renew(ctx context.Context, items map[int64]Item) error {
	now, err := k.p.Journal.Now(ctx)
	if err != nil {
		return err
	}
	again := EnterOptions{RenewBefore: orElse(k.p.RenewBefore, 12*time.Hour)}
	var entries []Entry // those that are carried here first
	here := 0
	for _, it := range items {
		going := it.Step != Done && (!it.Held() || it.Fault.Config)
		if it.Step == Done && !it.Valid(now, max(k.p.minTTL(), again.RenewBefore)) || k.carry && going {
			e, err := k.p.entry(ctx, it)
			if err != nil {
				return err
			}
			if k.within(it) {
				entries = append(e, entries...)
				here++
			} else {
				entries = append(entries, e...)
			}
		}
	}
	if len(entries) == 0 {
		return nil
	}
	if err := k.p.Wake(ctx, entries, again); err != nil || !k.carry {
		return err
	}
	err = k.p.Run(ctx, entries[:here], RunOptions{Again: again})
	var stop *StopError
	if errors.As(err, &stop) {
		k.stop, err = &stop.Fault, nil
	}
	return err
}

// within reports whether this process can carry an Item: a file that only
// another machine sees would be waited for.
func (k *keeper) within(it Item) bool {
	staged := it.Object != nil && it.Step != Inspect && it.Step != Stage
	return staged || slices.Contains(k.p.Hosts(), it.Host)
}

// look edits a template if its Item has another media_id than it shows.
func (k *keeper) look(ctx context.Context, t Template, items map[int64]Item) error {
	now, err := k.p.Journal.Now(ctx)
	if err != nil {
		return err
	}
	it, there := items[t.Item]
	switch {
	case !there || it.MD5 != t.MD5 && it.MD5 != "":
		if t.Fault == nil || t.Fault.Code != TemplateContent {
			return k.failed(ctx, t, &TemplateError{Code: TemplateContent, Media: t.Media}, now)
		}
		return nil
	case it.Media == nil || !it.Valid(now, 0):
		return nil
	case it.Media.ID == t.Media:
		return k.readBack(ctx, t)
	}
	if due, again := t.dueAgain(it); !again || due.After(now) && !k.mended(t) {
		return nil
	}
	if turn, err := k.turn(ctx, t, *it.Media); !turn {
		return err
	}
	fresh, err := k.p.template(ctx, t.ID)
	if err != nil || fresh == nil || fresh.Media != t.Media || fresh.Item != t.Item { // somebody was faster
		return err
	}
	done, err := k.follow(ctx, *fresh, it)
	switch {
	case ctx.Err() != nil, errors.Is(err, errFaster):
		return nil // given up: it is no verdict
	case err != nil:
		if f := t.Fault; DeadMedia(err) && (f == nil || f.Code != faultOf(err, Done, now).Code) {
			if _, err := k.p.Discard(ctx, it.Media.ID, false); err != nil { // once: the next media_id follows
				return err
			}
		}
		return k.failed(ctx, done, err, now)
	}
	k.edited[t.ID] = true
	_, err = k.put(ctx, done, *fresh)
	return err
}

// mended reports whether what kept a template back may be mended by now: a
// batch run is what a person starts who has mended the configuration.
func (k *keeper) mended(t Template) bool { return k.carry && t.Fault != nil && t.Fault.Config }

// readBack learns what WeCom shows of a template of which that is not known:
// without it nobody can tell later whether somebody has put something else in.
func (k *keeper) readBack(ctx context.Context, t Template) error {
	if t.Shown != "" || k.unread {
		return nil
	}
	shown, err := k.p.WeCom.WelcomeTemplate(ctx, t.ID)
	if err != nil { // the next round, or the renewal, has more to say about it
		k.unread = true
		return nil
	}
	now := t
	if now.Shown = mediaIn(shown); now.Shown == "" {
		return nil
	}
	_, err = k.put(ctx, now, t)
	return err
}

// errFaster says that a person has edited or deleted a template meanwhile.
var errFaster = errors.New("somebody else has changed it")

// put records what became of a template, and false if a person has edited or
// deleted it since it was as was: then the ledger knows better.
func (k *keeper) put(ctx context.Context, t, was Template) (bool, error) {
	ctx = context.WithoutCancel(ctx)
	there, err := k.p.template(ctx, t.ID)
	if err != nil || there == nil || there.Item != was.Item || there.Media != was.Media || !bytes.Equal(there.Content, was.Content) {
		return false, err
	}
	return true, k.p.Journal.PutTemplate(ctx, t)
}

// turn is true for one of several processes that would edit a template at
// once. A batch run waits for it: one that was killed may have had the last.
func (k *keeper) turn(ctx context.Context, t Template, m Media) (bool, error) {
	for {
		n, wait, err := k.p.Journal.Turns(ctx, "template/"+t.Corp+"/"+t.ID+"/"+m.ID, 1, turnTemplates, 1)
		if err != nil || n > 0 || !k.carry {
			return n > 0, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(min(max(wait, time.Millisecond), time.Second)):
		}
		now, err := k.p.template(ctx, t.ID)
		if err != nil || now == nil || now.Media != t.Media || !now.Updated.Equal(t.Updated) { // somebody else was there
			return false, err
		}
	}
}

// follow puts its Item's media_id into a template and proves it by reading it
// back. What else WeCom has in it stays. Nothing is edited where the new
// media_id is there already, or where somebody has put something else in.
func (k *keeper) follow(ctx context.Context, t Template, it Item) (Template, error) {
	p, sent := k.p, t.Sent()
	was, err := p.WeCom.WelcomeTemplate(ctx, t.ID)
	if err != nil {
		return t, err
	}
	old := mediaIn(was)
	ours := t.Shown == "" || old == t.Shown || old == t.Media
	switch {
	case old == it.Media.ID: // an edit whose answer was lost, or that was not recorded
		return t.renewed(was, it, old)
	case old == "" || (was.Video != nil) != (sent.Video != nil) || !ours:
		return t, &TemplateError{Code: TemplateChanged, Media: old}
	}
	next := withMedia(was, it.Media.ID)
	next.AgentID = sent.AgentID
	// Noted first: what is found there after a crash is known as ours.
	before := t.Shown
	t.Shown = it.Media.ID
	if ours, err := k.put(ctx, t, t); err != nil || !ours {
		return t, cmp.Or(err, errFaster)
	}
	if err := p.WeCom.EditWelcomeTemplate(politely(ctx, Submit), t.ID, next); err != nil {
		if e := (*wecom.Error)(nil); errors.As(err, &e) && e.Kind == wecom.KindAnswer {
			t.Shown = before // it was refused, so that is still there
		}
		return t, err
	}
	now, err := p.WeCom.WelcomeTemplate(ctx, t.ID)
	if err != nil {
		return t, err
	}
	shown := mediaIn(now)
	if shown == "" || shown == old || now.Text != next.Text || (now.Video != nil) != (next.Video != nil) {
		return t, &TemplateError{Code: TemplateUnmoved, Media: it.Media.ID}
	}
	return t.renewed(next, it, shown)
}

// renewed is t after WeCom has taken the media_id of its Item.
func (t Template) renewed(sent wecom.WelcomeTemplate, it Item, shown string) (Template, error) {
	sent.AgentID, sent.Notify = t.Sent().AgentID, nil
	content, err := json.Marshal(sent)
	t.Content, t.Media, t.Shown, t.Fault = content, it.Media.ID, shown, nil
	return t, err
}

// failed records why a template could not be renewed.
func (k *keeper) failed(ctx context.Context, t Template, err error, now time.Time) error {
	f := faultOf(err, Done, now)
	var we *wecom.Error
	var te *TemplateError
	switch {
	case errors.As(err, &we):
		switch we.Class() {
		case wecom.ClassConfig, wecom.ClassToken:
			f.Config = true
			k.stop = &f
		case wecom.ClassInput:
		default:
			f.Retry = true
		}
	case errors.As(err, &te):
		f.Retry = te.Code == TemplateUnmoved
	default: // the journal, where the token is
		f.Retry = true
	}
	t.Fault = &f
	k.p.log().Warn("a welcome template could not be renewed", "template", t.ID, "code", f.Code, "err", err)
	_, err = k.put(ctx, t, t)
	return err
}
