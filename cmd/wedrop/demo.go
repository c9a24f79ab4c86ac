package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
	"wedrop/storage/dirbucket"
	"wedrop/wecom/wecomtest"
)

func (a *app) demoCommand() *cobra.Command {
	c := a.command("demo", a.say.Demo, cobra.NoArgs)
	once := c.Flags().Bool("once", false, a.say.FlagOnce)
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), *once) }
	return c
}

// demo is the real line between a simulated WeCom and a bucket of its own, in
// a folder that goes at the end. Of the configuration it takes no more than the
// address of the page.
func (a *app) demo(ctx context.Context, once bool) error {
	dir, err := os.MkdirTemp("", "wedrop-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	samples, err := writeSamples(filepath.Join(dir, "samples"))
	if err != nil {
		return err
	}
	we, err := wecomtest.Start(wecomtest.Options{JobTime: time.Second})
	if err != nil {
		return err
	}
	defer we.Close()
	bucket, err := serveBucket(filepath.Join(dir, "bucket"))
	if err != nil {
		return err
	}
	defer bucket.Close()

	cfg := defaults(func(string) string { return "" })
	cfg.Journal = filepath.Join(dir, "wedrop.db")
	cfg.WeCom.BaseURL, cfg.WeCom.CorpID, cfg.WeCom.Secret = we.URL, "wwtest", "secret"
	cfg.Storage.URL, cfg.Storage.PublicURL = bucket.storage, bucket.public
	cfg.PollMin, cfg.PollMax = 200*time.Millisecond, time.Second
	return a.show(ctx, cfg, samples, once)
}

// A servedBucket is a folder that is published on loopback.
type servedBucket struct {
	storage, public string // for the configuration
	driver          *dirbucket.Driver
	http            *http.Server
}

func serveBucket(dir string) (*servedBucket, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	b := &servedBucket{storage: "dir:///" + strings.TrimPrefix(filepath.ToSlash(dir), "/")}
	d, err := dirbucket.Open(b.storage)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	b.driver, b.public = d, "http://"+l.Addr().String()
	b.http = &http.Server{Handler: d.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go b.http.Serve(l)
	return b, nil
}

func (b *servedBucket) Close() error { return errors.Join(b.http.Close(), b.driver.Close()) }

// show pushes the samples, prints what became of them, and serves the page
// until ctx ends, which is its good end.
func (a *app) show(ctx context.Context, cfg *Config, samples []string, once bool) (err error) {
	l, err := a.openSender(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(l, &err)
	code, err := a.carrySamples(ctx, l, samples)
	if err == nil && !once && ctx.Err() == nil {
		err = a.demoPage(ctx, l)
	}
	if err != nil {
		return err
	}
	if !a.json && !a.quiet {
		a.note("\n" + a.say.DemoOutro)
	}
	return done(code)
}

// carrySamples pushes the samples and prints what became of them.
func (a *app) carrySamples(ctx context.Context, l *line, samples []string) (exit, error) {
	if !a.quiet && !a.json {
		a.note(a.say.DemoIntro)
	}
	files := make([]pipeline.File, len(samples))
	for i, path := range samples {
		files[i].Path = path
	}
	entries, err := l.Enter(ctx, files, pipeline.EnterOptions{})
	if err != nil {
		return exitDone, err
	}
	b := a.startBars(l.Pipeline, entries)
	items := make([]pipeline.Item, len(entries))
	err = l.Run(ctx, entries, pipeline.RunOptions{Ended: func(i int, e pipeline.Entry) {
		items[i] = e.Item
		if a.json {
			a.object(e.Item)
		}
		if e.Item.Fault == nil {
			b.finished(e.Item.Name)
		} else {
			b.failed(e.Item.Name)
		}
	}})
	b.stop()
	if err == nil && !a.json {
		a.demoTable(items)
	}
	return demoExit(items), err
}

// demoTable has the media_ids on stdout and the refused file, as push would
// tell of it, on stderr.
func (a *app) demoTable(items []pipeline.Item) {
	t := newTable(a.say.DemoColumns...)
	for _, it := range items {
		if it.Media != nil {
			t.add(it.Name, string(it.Type), size(it.Size), it.Media.ID, it.Media.ExpiresAt.Local().Format(minute))
		}
	}
	t.flush(a.stdout)
	for _, it := range items {
		if it.Fault != nil {
			if !a.quiet {
				a.note("\n" + a.say.DemoRefused)
			}
			a.fileFault(it.Name, *it.Fault)
		}
	}
}

// demoExit is 0 although one sample is refused: that belongs to the show.
func demoExit(items []pipeline.Item) exit {
	code := exitDone
	for _, it := range items {
		if it.Fault != nil && it.Fault.Code != "inspect/not-mp4" && it.Fault.Code != "inspect/unsupported-video" {
			code = worst(code, exitOfItem(it, false))
		}
	}
	return code
}
