package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
	"wedrop/storage"
	"wedrop/storage/cosbucket"
	"wedrop/storage/dirbucket"
	"wedrop/storage/s3bucket"
	"wedrop/wecom"
)

// A line is an open Pipeline with the configuration it came from.
type line struct {
	*pipeline.Pipeline
	cfg    *Config
	driver storage.Driver // nil if only the ledger is open
}

// Close closes the ledger, and the bucket where there is something to close.
func (l *line) Close() error {
	err := l.Journal.Close()
	if c, ok := l.driver.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// ledger opens what retry needs: the journal alone.
func (a *opener) ledger(ctx context.Context) (*line, error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return nil, err
	}
	return a.openLedger(ctx, cfg)
}

// readLedger opens what list and get need: a journal that they only read. It
// waits for nobody who writes, and the journal may be one that they may not
// write.
func (a *opener) readLedger(ctx context.Context, cfg *Config) (*line, error) {
	if cfg.Journal == "" || isShared(cfg.Journal) {
		return a.openLedger(ctx, cfg)
	}
	j, err := journal.OpenReading(ctx, cfg.Journal, journal.Options{})
	if err != nil {
		return nil, journalRefused(ctx, cfg, err)
	}
	return a.lineOn(cfg, j), nil
}

func (a *opener) openLedger(ctx context.Context, cfg *Config) (*line, error) {
	j, err := a.openJournal(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return a.lineOn(cfg, j), nil
}

func (a *opener) lineOn(cfg *Config, j pipeline.Journal) *line {
	p := &pipeline.Pipeline{Corp: cfg.WeCom.CorpID, Journal: j, Log: a.log, Host: cfg.Host}
	if p.Host == "" {
		p.Host, _ = os.Hostname() // else the Pipeline has a name for it
	}
	for _, f := range cfg.Folders {
		if abs, err := filepath.Abs(f.Path); err == nil && f.Shared {
			p.Shares = append(p.Shares, abs)
		}
	}
	p.Access = a.access(cfg)
	return &line{cfg: cfg, Pipeline: p}
}

// access says which files the paths of a journal may lead to: those of the
// configured folders, those that came by the page or the API, and what persons
// named, which is noted beside the journal.
func (a *opener) access(cfg *Config) *pipeline.Access {
	inbox, err := filepath.Abs(inboxOf(cfg, a.env))
	if err != nil {
		inbox = inboxOf(cfg, a.env)
	}
	access := &pipeline.Access{Folders: []string{inbox}, Named: strings.TrimSuffix(inbox, ".inbox") + ".named"}
	for _, f := range cfg.Folders {
		if abs, err := filepath.Abs(f.Path); err == nil {
			access.Folders = append(access.Folders, abs)
		}
	}
	return access
}

// sender opens everything that carries a file to its media_id. It makes no
// network call.
func (a *opener) sender(ctx context.Context) (*line, error) {
	cfg, err := loadConfig(a.config, a.env)
	if err != nil {
		return nil, err
	}
	return a.openSender(ctx, cfg)
}

func (a *opener) openSender(ctx context.Context, cfg *Config) (*line, error) {
	if err := cfg.sending(); err != nil {
		return nil, err
	}
	l, err := a.openLedger(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := a.connect(ctx, l); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// connect gives a line its bucket and its client of WeCom.
func (a *opener) connect(ctx context.Context, l *line) (err error) {
	cfg := l.cfg
	if l.Bucket, l.driver, err = a.openBucket(ctx, cfg); err != nil {
		return cfg.located(err)
	}
	l.PollMin, l.PollMax, l.RenewBefore = cfg.PollMin, cfg.PollMax, cfg.RenewBefore
	l.WeCom, err = a.client(l)
	return err
}

// client is the one that calls WeCom for a line. It makes no call yet.
func (a *opener) client(l *line) (*wecom.Client, error) {
	cfg := l.cfg
	return wecom.New(wecom.Config{
		BaseURL: cfg.WeCom.BaseURL,
		CorpID:  cfg.WeCom.CorpID,
		Secret:  cfg.WeCom.Secret,
		Store:   l.Journal,
		Proxy:   cfg.WeCom.Proxy,
		Limiter: pipeline.NewLimiter(l.Journal, cfg.WeCom.CorpID, cfg.RateLimit),
		Observe: a.called,
		Log:     a.log,
		Now:     l.now,
	})
}

// now is the ledger's clock: machines that share it agree when a token expires,
// whatever their own clocks say.
func (l *line) now() time.Time {
	t, err := l.Journal.Now(context.Background())
	if err != nil { // a ledger that has just been opened has a time
		return time.Now()
	}
	return t
}

func (a *opener) openBucket(ctx context.Context, cfg *Config) (*storage.Bucket, storage.Driver, error) {
	where, err := storage.SplitURL(cfg.Storage.URL)
	if err != nil {
		return nil, nil, err
	}
	d, err := openDriver(ctx, where.Scheme, cfg.Storage.URL)
	if err != nil {
		return nil, nil, err
	}
	b, err := storage.New(d, storage.Options{
		Prefix:    where.Prefix,
		PublicURL: cfg.Storage.PublicURL,
		Access:    cfg.Storage.Access,
		Log:       a.log,
	})
	return b, d, err
}

// located gives a bucket's objection to its link the place of that link.
func (c *Config) located(err error) error {
	var e *storage.Error
	at, ok := c.from["storage.url"]
	if !ok || !errors.As(err, &e) || e.Kind != storage.BadConfig {
		return err
	}
	return worded(at, err, e)
}

func openDriver(ctx context.Context, scheme, url string) (storage.Driver, error) {
	switch scheme {
	case "s3":
		return s3bucket.Open(ctx, url)
	case "cos":
		return cosbucket.Open(url, cosbucket.Options{})
	}
	return dirbucket.Open(url)
}

func (a *opener) openJournal(ctx context.Context, cfg *Config) (pipeline.Journal, error) {
	switch {
	case cfg.Journal == "":
		return nil, &ConfigError{What: text{"不知道账本放在哪里：没有用户主目录", "there is no place for the journal: the user has no home folder"}, Remedy: howToSet("journal")}
	case isShared(cfg.Journal):
		return a.openShared(ctx, cfg)
	}
	j, err := journal.Open(ctx, cfg.Journal, journal.Options{Now: a.clock, Uptime: a.uptime, ClockSet: a.clockSet, Program: buildInfo().release()})
	if err != nil {
		return nil, journalRefused(ctx, cfg, err)
	}
	return j, nil
}

// journalRefused is why a journal's file was not opened: what the error says
// itself, or what is mostly the cause.
func journalRefused(ctx context.Context, cfg *Config, err error) error {
	var self explainer
	switch {
	case ctx.Err() != nil || errors.As(err, new(*journal.BusyError)):
		return err
	case errors.As(err, &self):
		return worded(origin{}, self, self)
	}
	return &ConfigError{Err: err,
		What:   text{"打不开账本 " + cfg.Journal + "：" + rootCause(err), "the journal " + cfg.Journal + " cannot be opened: " + rootCause(err)},
		Remedy: text{"检查它所在的文件夹是否存在、可写、在本机磁盘上且有空间；用 journal 或 WEDROP_JOURNAL 可换位置", "check that its folder is there, writable, on a local disk and has space; journal or WEDROP_JOURNAL names another place"}}
}

// clockSet tells the log that the wall clock was set.
func (a *opener) clockSet(by time.Duration) {
	if a.log != nil {
		a.log.Warn("the system clock was set; what is under way waits no longer for that", "by", by.Round(time.Second))
	}
}

// worded is err, which a person has to mend, in the words of what explains
// itself in it.
func worded(at origin, err error, words explainer) *ConfigError {
	out := &ConfigError{At: at, Err: err}
	out.What.ZH, out.Remedy.ZH = words.Explain("zh")
	out.What.EN, out.Remedy.EN = words.Explain("en")
	return out
}

// rootCause is the last error of a chain: what stands before it names the
// journal, which the message does already.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// closing closes c after use and keeps the first error.
func closing(c io.Closer, err *error) {
	if e := c.Close(); *err == nil {
		*err = e
	}
}
