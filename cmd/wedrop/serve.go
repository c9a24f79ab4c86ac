package main

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"wedrop/cmd/wedrop/web"
)

// stopWithin is how long the daemon takes to stop, at most. A submit that is
// under way gets half of it: cut off, it would be made twice.
const stopWithin = 9 * time.Second

//go:embed wedrop.service
var unit string

func (a *app) serveCommand() *cobra.Command {
	var printUnit bool
	c := a.command("serve", a.say.Serve.About, cobra.NoArgs)
	c.Flags().BoolVar(&printUnit, "print-unit", false, a.say.Serve.FlagPrintUnit)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if printUnit {
			return a.printUnit()
		}
		return a.serve(cmd.Context())
	}
	return c
}

// printUnit prints a unit for this program, and for --config where it is given.
func (a *app) printUnit() error {
	text := unit
	if self, err := os.Executable(); err == nil {
		text = strings.Replace(text, "ExecStart=/usr/local/bin/wedrop", "ExecStart="+unitWord(self), 1)
	}
	if a.config != "" {
		abs, err := filepath.Abs(a.config)
		if err != nil {
			return err
		}
		text = strings.Replace(text, "--config /etc/wedrop/wedrop.yaml", "--config "+unitWord(abs), 1)
	}
	_, _ = a.stdout.Write([]byte(text))
	return nil
}

// unitWord is a path as a command line of systemd has it (systemd.service(5)).
func unitWord(path string) string {
	path = strings.NewReplacer("%", "%%", "$", "$$").Replace(path)
	if strings.ContainsAny(path, " \t'\"\\;") {
		return strconv.Quote(path)
	}
	return path
}

// minToken is how many bytes page_token has at least where others can try.
const minToken = 16

// serving reports what is missing before the daemon can work.
func (c *Config) serving() error {
	if err := c.sending(); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(c.Listen)
	switch {
	case loopback(host) || len(c.PageToken) >= minToken:
		return nil
	case c.PageToken != "":
		return c.bad("page_token", text{
			"太短：其他机器能访问 " + c.Listen + "，少于 16 个字符的口令可以被猜出来",
			"too short: other machines can reach " + c.Listen + ", and fewer than 16 characters can be guessed"},
			text{"换成 openssl rand -hex 16 的输出，或把 listen 改回 127.0.0.1:8765",
				"use the output of openssl rand -hex 16, or let listen be 127.0.0.1:8765"})
	}
	return c.bad("listen", text{
		"其他机器能访问 " + c.Listen + "，但没有设置 page_token：任何人都能看到素材和 media_id",
		"other machines can reach " + c.Listen + ", and there is no page_token: anybody could see files and media_ids"},
		text{"设置 page_token（例如 openssl rand -hex 16 的输出；也可以用 page_token_file），或把 listen 改回 127.0.0.1:8765",
			"set page_token (the output of openssl rand -hex 16, for example; page_token_file works too), or let listen be 127.0.0.1:8765"})
}

// A daemon is what lives through changes of the configuration: the right to
// be the only one, the address, the figures and the supervisor. The work is
// done by shifts, one for each configuration.
type daemon struct {
	post    *post
	door    *door
	figures *figures
	visits  *web.State // of the page
	super   supervisor
	log     *slog.Logger
}

// serve runs the daemon until ctx ends, which is its good end.
func (a *app) serve(ctx context.Context) error {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return err
	}
	a.log = a.serveLog()
	d := &daemon{figures: newFigures(), visits: web.NewState(), super: newSupervisor(a.env), log: a.log}
	s, err := d.open(ctx, a, cfg, nil)
	if err != nil {
		return err
	}
	return d.run(ctx, s)
}

// open makes a shift ready to work, without disturbing was, which still does.
// What is the same for both is kept.
func (d *daemon) open(ctx context.Context, a *app, cfg *Config, was *shift) (s *shift, err error) {
	if err := cfg.serving(); err != nil {
		return nil, err
	}
	post, door := d.post, d.door
	defer func() {
		if err == nil {
			return
		}
		if post != nil && post != d.post {
			_ = post.Close()
		}
		if door != nil && door != d.door {
			door.close(ctx)
		}
	}()
	if was == nil || was.cfg.Journal != cfg.Journal {
		if post = nil; !isShared(cfg.Journal) {
			if post, err = takePost(cfg.Journal); err != nil {
				return nil, err
			}
		}
	}
	if was == nil || was.cfg.Listen != cfg.Listen {
		if door, err = openDoor(cfg, d.log); err != nil {
			return nil, err
		}
	}
	if s, err = newShift(ctx, a, cfg, d, was); err != nil {
		return nil, err
	}
	s.post, s.door = post, door
	return s, nil
}

// begin lets a shift work, and puts its post and door in the place of those
// that are no longer needed.
func (d *daemon) begin(ctx context.Context, s *shift) {
	if d.post != nil && d.post != s.post {
		_ = d.post.Close()
	}
	if d.door != nil && d.door != s.door {
		d.door.close(ctx)
	}
	d.post, d.door = s.post, s.door
	if err := d.post.announce(d.door.address); err != nil {
		d.log.Warn("nobody can see who has the journal", "err", err)
	}
	s.start(ctx)
	d.log.Info("serving", "address", d.door.address, "journal", s.cfg.journalShown(), "folders", len(s.cfg.Folders),
		"config", s.cfg.File, "callback", s.cfg.Callback.Token != "", "renew", string(s.cfg.Renew), "version", buildInfo().Version)
	d.super.ready(s.a.say.Serve.Serving(d.door.address, len(s.cfg.Folders)))
}

// run lets shifts work, one after the other, until ctx ends.
func (d *daemon) run(ctx context.Context, s *shift) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	beats, quiet := d.super.beats()
	defer quiet()
	d.door, d.post = s.door, s.post
	d.door.lead(s.handler())
	d.begin(ctx, s)
	for {
		select {
		case <-ctx.Done():
			d.stop(s)
			return nil
		case err := <-d.door.failed:
			d.stop(s)
			return fmt.Errorf("nobody is answered any more: %w", err)
		case <-beats:
			d.super.tell("WATCHDOG=1")
		case <-hup:
			s = d.reload(ctx, s)
		}
	}
}

// reload reads the configuration again. If it is good, a new shift takes over:
// the address is answered throughout. If not, the old one goes on.
func (d *daemon) reload(ctx context.Context, s *shift) *shift {
	d.super.reloading()
	a := s.a.again()
	cfg, err := loadConfig(a.config, a.env)
	var next *shift
	if err == nil {
		next, err = d.open(ctx, a, cfg, s)
	}
	if err != nil {
		message, remedy := explain(err, s.a.say)
		d.log.Error("the configuration is refused, the old one goes on", "message", message, "remedy", remedy)
		d.figures.reloads.WithLabelValues("refused").Inc()
		d.super.ready(s.a.say.Serve.Serving(d.door.address, len(s.cfg.Folders)))
		return s
	}
	d.figures.reloads.WithLabelValues("taken").Inc()
	next.door.lead(next.handler())
	s.stop(stopWithin)
	d.begin(ctx, next)
	return next
}

// stop ends everything. Nothing is lost by it, whatever was under way.
func (d *daemon) stop(s *shift) {
	d.super.tell("STOPPING=1")
	d.log.Info("stopping")
	closed := make(chan struct{})
	go func() {
		d.door.close(context.Background())
		close(closed)
	}()
	s.stop(stopWithin)
	<-closed
	_ = d.post.Close()
	d.log.Info("stopped")
}
