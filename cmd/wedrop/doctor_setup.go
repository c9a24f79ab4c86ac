package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"wedrop/storage"
	"wedrop/wecom"
)

// configuration reads it, and opens the bucket's link, which makes no call to
// the bucket. What check finds is told, and the rest is looked at all the same.
func (d *doctor) configuration(ctx context.Context) finding {
	cfg, err := loadConfig(d.config, d.env)
	d.cfg = cfg
	if cfg == nil {
		return d.told(ctx, err)
	}
	d.openTrial(ctx)
	switch {
	case err != nil:
		return d.told(ctx, err)
	case d.bucket.misconfigured():
		return d.told(ctx, cfg.located(d.bucket.err))
	}
	if missing := cfg.unset("wecom.corp_id", "storage.url"); len(missing) > 0 {
		var cures []string
		for _, k := range missing {
			cures = append(cures, howToSet(k).In(d.say.Lang))
		}
		return broken(d.sources()+d.semicolon()+d.say.Doctor.Missing(d.list(missing)), strings.Join(cures, "\n"))
	}
	return good(d.sources())
}

func (c *Config) unset(names ...string) (missing []string) {
	for _, name := range names {
		if _, ok := c.from[name]; !ok {
			missing = append(missing, name)
		}
	}
	return missing
}

// sources are the places where keys were set, without their values.
func (d *doctor) sources() string {
	var file, environment []string
	for name, at := range d.cfg.from {
		if d.cfg.inFile(at) {
			file = append(file, name)
		} else {
			environment = append(environment, at.where)
		}
	}
	slices.Sort(file)
	slices.Sort(environment)
	m, parts := &d.say.Doctor, []string{}
	switch {
	case d.cfg.File == "":
		parts = append(parts, m.NoFile)
	case len(file) > 0:
		parts = append(parts, m.FromFile(d.cfg.File, d.list(file)))
	default:
		parts = append(parts, m.File(d.cfg.File))
	}
	if len(environment) > 0 {
		parts = append(parts, m.FromEnv(d.list(environment)))
	}
	return strings.Join(append(parts, m.Defaults), d.semicolon())
}

func (c *Config) inFile(at origin) bool {
	return c.File != "" && strings.HasPrefix(at.where, c.File)
}

// secrets checks that they are there; whether they are right is for the
// checks which use them.
func (d *doctor) secrets(ctx context.Context) finding {
	m := &d.say.Doctor
	var there, wrong, cures []string
	if d.cfg.WeCom.Secret == "" {
		wrong, cures = append(wrong, m.SecretMissing), append(cures, howToSet("wecom.secret").In(d.say.Lang))
	} else {
		there = append(there, m.SecretOfWeCom)
	}
	switch e := d.bucket.reason(); {
	case e == storage.ReasonCredentials:
		what, cure := explain(d.bucket.err, d.say)
		wrong, cures = append(wrong, what), append(cures, cure)
	case d.bucket.Bucket != nil && !strings.HasPrefix(d.cfg.Storage.URL, "dir:"):
		there = append(there, m.SecretOfBucket)
	}
	if d.cfg.Callback.Token != "" && d.cfg.Callback.AESKey != "" {
		there = append(there, m.SecretOfCallback)
	}
	if d.cfg.PageToken != "" {
		there = append(there, m.SecretOfPage)
	}
	switch {
	case len(wrong) > 0:
		return broken(strings.Join(wrong, "\n"), strings.Join(cures, "\n"))
	case d.cfg.showsSecrets():
		return warning(m.FileIsOpen(d.cfg.File), m.FileIsOpenRemedy(d.cfg.File))
	}
	return good(m.SecretsThere(d.list(there)))
}

// showsSecrets reports whether strangers on this machine can read secrets in
// the configuration itself. Files that *_file names are not looked at.
func (c *Config) showsSecrets() bool {
	info, err := os.Stat(c.File)
	if err != nil || runtime.GOOS == "windows" || info.Mode()&0o004 == 0 {
		return false
	}
	return slices.ContainsFunc(keys(), func(k key) bool {
		at, ok := c.from[k.name]
		return ok && k.secret && c.inFile(at) && !strings.Contains(at.source, "_file")
	})
}

// S3 and COS refuse signatures from 15 minutes on, callbacks are refused from
// ten on; five leave room for a clock that goes on going wrong.
const (
	clockWarns = time.Minute
	clockFails = 5 * time.Minute
)

// clock compares ours with those of WeCom and of the bucket.
func (d *doctor) clock(ctx context.Context) finding {
	m := &d.say.Doctor
	type answer struct {
		who   string
		off   time.Duration
		there bool // a clock, at all
		err   error
	}
	ask := func(who string, when func(context.Context) (time.Time, error)) <-chan answer {
		ch := make(chan answer, 1)
		go func() {
			before := d.now()
			at, err := when(ctx)
			middle := before.Add(d.now().Sub(before) / 2)
			if at.IsZero() && err == nil {
				ch <- answer{}
				return
			}
			ch <- answer{who, at.Sub(middle), true, err}
		}()
		return ch
	}
	nobody := func(context.Context) (time.Time, error) { return time.Time{}, nil }
	we, bucket := nobody, nobody
	if len(d.cfg.unset("wecom.corp_id")) == 0 || len(d.cfg.unset("wecom.base_url")) == 0 {
		we = d.wecomTime
	}
	if d.bucket.Bucket != nil {
		bucket = d.bucket.ServerTime
	}
	a, b := ask(m.ClockWeCom, we), ask(m.ClockBucket, bucket)
	var said []string
	var worst time.Duration
	known, asked := 0, 0
	for _, got := range []answer{<-a, <-b} {
		switch {
		case !got.there:
		case got.err != nil:
			asked++
			said = append(said, m.ClockUnknown(got.who))
		default:
			asked++
			known++
			worst = max(worst, got.off.Abs())
			said = append(said, m.ClockOf(got.who, got.off))
		}
	}
	message := strings.Join(said, d.semicolon())
	switch {
	case asked == 0:
		return d.needs("configuration")
	case known == 0:
		return unproven(message, m.ClockNone)
	case worst > clockFails:
		return broken(message, m.ClockWrong)
	case worst > clockWarns:
		return warning(message, m.ClockSlow)
	}
	return good(message)
}

// wecomTime is the Date of WeCom's server, by a request that is no call of its
// API and needs no token. It goes the way of the calls.
func (d *doctor) wecomTime(ctx context.Context) (time.Time, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	if d.cfg.WeCom.Proxy != "" {
		proxy, err := url.Parse(d.cfg.WeCom.Proxy)
		if err != nil {
			return time.Time{}, err
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	base := d.cfg.WeCom.BaseURL
	if base == "" {
		base = wecom.DefaultBaseURL
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+"/", nil)
	if err != nil {
		return time.Time{}, err
	}
	c := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}, errors.New("no Date")
	}
	return at, nil
}
