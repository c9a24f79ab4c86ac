package main

import (
	"context"
	"net"
	"sync"
	"time"

	"wedrop/pipeline"
)

// demoPage serves the page of the samples, and carries what is dropped on it
// through the simulator, until ctx ends.
func (a *app) demoPage(ctx context.Context, l *line) error {
	d, err := a.demoDoor(l.cfg)
	if err != nil {
		return err
	}
	defer d.close(context.WithoutCancel(ctx))
	site, err := a.openSite(l, nil, nil)
	if err != nil {
		return err
	}
	f := newFigures()
	f.ledger.of(l, nil)
	defer f.ledger.leave(l)
	h := &health{line: l, say: a.say, faults: map[string]*pipeline.Fault{}}
	l.Observe = func(step pipeline.Step, took time.Duration, fault *pipeline.Fault) {
		f.step(step, took, fault)
		h.step(step, fault)
	}
	l.Changed = f.changed
	d.lead(parts{say: a.say, site: site, ready: h.ready, metrics: f.handler()}.handler())
	if !a.quiet {
		a.note("\n" + a.say.DemoPage(d.address))
	}
	ctx, end := context.WithCancel(ctx)
	var work sync.WaitGroup
	served := make(chan error, 1)
	work.Go(func() { served <- l.Serve(ctx, pipeline.ServeOptions{Keep: -1}) })
	work.Go(func() { site.Run(ctx) })
	defer work.Wait()
	defer end()
	select {
	case err = <-d.failed:
	case err = <-served:
		if ctx.Err() != nil { // Ctrl-C
			err = nil
		}
	}
	return err
}

// demoDoor listens where the page is wanted, but on this machine alone: the
// demo has no page_token. If the port cannot be had, another one
// does.
func (a *app) demoDoor(cfg *Config) (*door, error) {
	cfg.Listen = a.demoListen(cfg.Listen)
	d, err := openDoor(cfg, a.log)
	if err == nil {
		return d, nil
	}
	if !a.quiet {
		a.note(a.say.DemoTaken(cfg.Listen))
	}
	host, _, _ := net.SplitHostPort(cfg.Listen)
	cfg.Listen = net.JoinHostPort(host, "0")
	return openDoor(cfg, a.log)
}

// demoListen is where the configuration wants the page, if there is one that
// can be read.
func (a *app) demoListen(otherwise string) string {
	listen := otherwise
	if v := a.env("WEDROP_LISTEN"); v != "" {
		listen = v
	} else if cfg, err := loadConfig(a.config, a.env); err == nil {
		listen = cfg.Listen
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil || !loopback(host) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}
