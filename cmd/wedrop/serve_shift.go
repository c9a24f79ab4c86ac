package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"wedrop/cmd/wedrop/web"
	"wedrop/pipeline"
	"wedrop/wecom/callback"
)

// A shift works under one configuration.
type shift struct {
	a     *app
	cfg   *Config
	post  *post
	door  *door
	line  *line
	codec *callback.Codec // nil: no callbacks

	figures *figures
	health  *health
	batch   *batch
	drops   *drops // nil: no folders
	news    *news
	herald  *herald
	site    *web.Site

	cancel context.CancelFunc
	ended  chan struct{}
}

// again is the app as it is to read the configuration again: the language may
// be another one.
func (a *app) again() *app {
	b, c, o := *a, *a.console, *a.opener
	c.say = newMessages(language(a.args, a.env))
	b.console, b.opener = &c, &o
	return &b
}

// newShift opens what the work needs, and does not work yet.
func newShift(ctx context.Context, a *app, cfg *Config, d *daemon, was *shift) (*shift, error) {
	s := &shift{a: a, cfg: cfg, figures: d.figures}
	if cfg.Callback.Token != "" {
		var err error
		if s.codec, err = callback.New(callback.Config{Token: cfg.Callback.Token, AESKey: cfg.Callback.AESKey, ReceiveID: cfg.WeCom.CorpID}); err != nil {
			return nil, asConfig(err)
		}
	}
	a.called = d.figures.called
	l, err := a.openSender(ctx, cfg)
	if err != nil {
		return nil, err
	}
	rev, err := l.Journal.Rev(ctx)
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	s.line, s.batch = l, newBatch(rev)
	if was != nil && was.cfg.Journal == cfg.Journal && was.cfg.WeCom.CorpID == cfg.WeCom.CorpID {
		s.batch = was.batch
	}
	if len(cfg.Folders) > 0 {
		s.drops = newDrops(l, s.batch, a.say, a.log)
	}
	s.health = &health{line: l, drops: s.drops, say: a.say, faults: map[string]*pipeline.Fault{}}
	s.news = newNews(l, s.batch, s.drops, a.say, a.log, s.figures.ended)
	s.herald = &herald{robot: newRobot(cfg), batch: s.batch, say: a.say, log: a.log,
		count: func(result string) { s.figures.robot.WithLabelValues(result).Inc() }}
	if s.site, err = a.openSite(l, d.visits, s.drops); err != nil {
		_ = l.Close()
		return nil, err
	}
	l.Observe = func(step pipeline.Step, took time.Duration, f *pipeline.Fault) {
		s.figures.step(step, took, f)
		s.health.step(step, f)
	}
	l.Changed = func(it pipeline.Item) {
		s.figures.changed(it)
		s.news.changed(it)
	}
	return s, nil
}

// asConfig is an error that explains itself as one of the configuration.
func asConfig(err error) error {
	e, ok := err.(explainer)
	if !ok {
		return err
	}
	return worded(origin{}, err, e)
}

func (s *shift) handler() http.Handler {
	p := parts{say: s.a.say, site: s.site, ready: s.health.ready, metrics: s.figures.handler(),
		journal: journalMark(context.Background(), s.line.Journal)}
	if s.codec != nil {
		p.callback = &callback.Handler{Codec: s.codec, Finished: s.line.Finished, Log: s.a.log}
	}
	return p.handler()
}

// start begins the work. It goes on until stop, or until ctx ends.
func (s *shift) start(ctx context.Context) {
	ctx, s.cancel = context.WithCancel(ctx)
	s.ended = make(chan struct{})
	s.figures.ledger.of(s.line, nil)
	var work sync.WaitGroup
	work.Go(func() { s.carry(ctx) })
	work.Go(func() { s.herald.run(ctx) })
	work.Go(func() { s.site.Run(ctx) })
	work.Go(func() { s.watchExpiry(ctx) })
	if s.cfg.RenewTemplates {
		work.Go(func() { s.keepTemplates(ctx) })
	}
	var follow sync.WaitGroup // sees the last of the work
	following, end := context.WithCancel(context.WithoutCancel(ctx))
	follow.Go(func() { s.news.run(following) })
	if s.drops != nil {
		s.figures.ledger.of(s.line, s.drops.watcher)
		work.Go(func() { _ = s.drops.watcher.Run(ctx) }) // its error is ctx's
		follow.Go(func() { s.drops.run(following) })
	}
	go func() {
		work.Wait()
		end()
		follow.Wait()
		close(s.ended)
	}()
}

// stop ends the work, waits for that no longer than d, and closes what the
// shift has open.
func (s *shift) stop(d time.Duration) {
	s.cancel()
	select {
	case <-s.ended:
	case <-time.After(d): // a drive that hangs, for example
		s.a.log.Warn(s.a.say.Serve.StoppedLate)
		return
	}
	s.figures.ledger.leave(s.line)
	if err := s.line.Close(); err != nil {
		s.a.log.Warn("journal", "err", err)
	}
}

// carry works on everything that is due. A ledger that does not answer is
// tried again.
func (s *shift) carry(ctx context.Context) {
	o := pipeline.ServeOptions{Renew: s.renews(), Keep: s.cfg.Storage.Keep, Engine: s.line.engine()}
	if o.Keep == Forever {
		o.Keep = -1
	}
	for pause := time.Second; ctx.Err() == nil; pause = min(2*pause, time.Minute) {
		began := time.Now()
		err := s.line.Serve(ctx, o)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			pause = time.Second
		}
		message, remedy := explain(err, s.a.say)
		s.a.log.Error("the journal does not answer, nothing goes on", "message", message, "remedy", remedy, "again_in", pause.String())
		_ = sleepFor(ctx, pause)
	}
}

// renews says which media_ids are kept alive; nil: none.
func (s *shift) renews() func(pipeline.Item) bool {
	switch {
	case s.cfg.Renew == RenewAll:
		return func(pipeline.Item) bool { return true }
	case s.cfg.Renew == RenewOff || s.drops == nil:
		return nil
	}
	return s.drops.holds
}

// watchExpiry looks each minute for media_ids that die soon and that nobody
// renews.
func (s *shift) watchExpiry(ctx context.Context) {
	renews := s.renews()
	for {
		if items, err := s.dying(ctx); err == nil {
			var lost []pipeline.Item
			for _, it := range items {
				if it.Step == pipeline.Done && (renews == nil || !renews(it)) {
					lost = append(lost, it)
				}
			}
			s.batch.dies(lost, time.Now())
		}
		if sleepFor(ctx, time.Minute) != nil {
			return
		}
	}
}

func (s *shift) dying(ctx context.Context) ([]pipeline.Item, error) {
	if s.herald.robot == nil {
		return nil, nil
	}
	now, err := s.line.Journal.Now(ctx)
	if err != nil {
		return nil, err
	}
	return s.line.Journal.Items(ctx, pipeline.Query{Corp: s.line.Corp, Alive: now, Expiring: now.Add(s.cfg.RenewBefore)})
}
