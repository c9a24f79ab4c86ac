package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofrs/flock"

	"wedrop/pipeline/journal"
	"wedrop/wecom/callback"
)

// A daemonCase is who works with the journal.
type daemonCase struct {
	looked  bool
	runs    bool
	pid     string
	address string // http://127.0.0.1:8765; may be empty
	err     error  // it cannot be told
}

// findDaemon looks at what a daemon leaves beside its journal. It takes the
// post from nobody: only what seems to be left by a daemon that was killed is
// tried with a lock, and a shared one.
func (d *doctor) findDaemon() *daemonCase {
	c := &d.daemon
	if c.looked {
		return c
	}
	c.looked = true
	if d.remote() {
		return c // beside it there is nothing to look at
	}
	path := d.cfg.Journal + ".serve"
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(data) == 0 {
		return c
	}
	if err != nil {
		c.err = err
		return c
	}
	_, _ = fmt.Sscanf(string(data), "pid %s\naddress %s", &c.pid, &c.address)
	lock := flock.New(path, flock.SetPermissions(0o600))
	free, err := lock.TryRLock()
	switch {
	case err != nil:
		c.err = err
	case free:
		_ = lock.Close()
	default:
		c.runs = true
	}
	return c
}

// local is the daemon's address for somebody on this machine.
func (c *daemonCase) local() string {
	u, err := url.Parse(c.address)
	if err != nil || u.Host == "" {
		return ""
	}
	return "http://" + nearby(u.Host)
}

// nearby is an address to listen on as one to call.
func nearby(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	switch ip := net.ParseIP(host); {
	case host == "", ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

// running checks the daemon, and where there is none that one could start.
func (d *doctor) running(ctx context.Context) finding {
	m, c := &d.say.Doctor, d.findDaemon()
	switch {
	case d.journal == nil && (c.err != nil || d.remote()):
		return d.needs("journal")
	case c.err != nil:
		return unproven(m.DaemonUnknown(cause(c.err)), m.JournalNotOursRemedy)
	case d.remote():
		return unproven(m.DaemonElsewhere, m.DaemonElsewhereRemedy)
	case c.runs:
		if resp, _, err := d.fetch(ctx, c.local()+"/healthz"); err != nil || resp.StatusCode != http.StatusOK {
			return broken(m.DaemonHangs(c.pid, c.address), m.DaemonHangsRemedy)
		}
		if f, bad := d.daemonJournal(ctx, c); bad {
			return f
		}
		return good(m.DaemonRuns(c.pid, c.address))
	case !d.portTaken(ctx):
		return good(m.DaemonNone)
	}
	if mark, wedrop := d.askPort(ctx); wedrop && d.journal != nil && mark != journalMark(ctx, d.journal) {
		return broken(m.OtherJournal(d.cfg.Listen, d.cfg.journalShown()), m.OtherJournalRemedy)
	}
	if len(d.cfg.unset("listen")) > 0 && len(d.cfg.unset("callback.token")) > 0 {
		return warning(m.PortTaken(d.cfg.Listen), m.PortTakenRemedy) // nobody has spoken of serving
	}
	return broken(m.PortTaken(d.cfg.Listen), m.PortTakenRemedy)
}

// askPort asks who has the port of the configuration: wedrop says so, and
// which journal is its own.
func (d *doctor) askPort(ctx context.Context) (mark string, wedrop bool) {
	resp, _, err := d.fetch(ctx, "http://"+nearby(d.cfg.Listen)+"/healthz")
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", false
	}
	mark = resp.Header.Get(journalHeader)
	return mark, mark != ""
}

// daemonJournal reports that the daemon cannot use its journal any more,
// though one can be opened at its path: it was replaced or deleted under it.
func (d *doctor) daemonJournal(ctx context.Context, c *daemonCase) (finding, bool) {
	_, body, err := d.fetch(ctx, c.local()+"/readyz")
	if err != nil {
		return finding{}, false
	}
	var r readiness
	if json.Unmarshal([]byte(body), &r) != nil {
		return finding{}, false
	}
	for _, check := range r.Checks {
		if e := journal.ReplacedOf(d.cfg.Journal, check.Code); check.Check == "journal" && e != nil {
			return broken(explain(e, d.say)), true
		}
	}
	return finding{}, false
}

// portTaken asks by a call. To listen there would keep a daemon from it that
// starts at this moment.
func (d *doctor) portTaken(ctx context.Context) bool {
	if _, port, err := net.SplitHostPort(d.cfg.Listen); err != nil || port == "0" {
		return false
	}
	conn, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "tcp", nearby(d.cfg.Listen))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// callbackWait is how long WeCom waits for the answer to its check
// (developer.work.weixin.qq.com/document/path/101033).
const callbackWait = time.Second

// callback makes WeCom's check of the URL, at the daemon's own address: the
// public one is known to WeCom's console alone.
func (d *doctor) callback(ctx context.Context) finding {
	m, c := &d.say.Doctor, d.findDaemon()
	set := d.cfg.Callback
	switch {
	case set.Token == "" && set.AESKey == "":
		return finding{"", true, skipped, m.CallbackNone, ""}
	case set.Token == "" || set.AESKey == "" || d.cfg.WeCom.CorpID == "":
		return d.needs("configuration")
	}
	codec, err := callback.New(callback.Config{Token: set.Token, AESKey: set.AESKey, ReceiveID: d.cfg.WeCom.CorpID})
	switch {
	case err != nil:
		return d.told(ctx, err)
	case d.journal == nil && (c.err != nil || d.remote()):
		return d.needs("journal")
	case c.err != nil:
		return unproven(m.DaemonUnknown(cause(c.err)), m.JournalNotOursRemedy)
	case d.remote():
		return unproven(m.DaemonElsewhere, m.CallbackProve)
	case !c.runs:
		return warning(m.CallbackIdle, m.CallbackIdleRemedy)
	}
	echo := rand.Text()
	stamp, sealed := codec.Seal([]byte(echo), d.now())
	at := c.local() + "/callback"
	query := url.Values{"msg_signature": {stamp.Signature}, "timestamp": {stamp.Timestamp}, "nonce": {stamp.Nonce}, "echostr": {sealed}}
	start := time.Now()
	resp, body, err := d.fetch(ctx, at+"?"+query.Encode())
	took := time.Since(start)
	switch {
	case err != nil:
		return broken(m.CallbackLost(at, addressless(err)), m.CallbackLostRemedy)
	case resp.StatusCode == http.StatusForbidden:
		return broken(m.CallbackRefused(at), m.CallbackReload)
	case resp.StatusCode == http.StatusNotFound:
		return broken(m.CallbackOff(at), m.CallbackReload)
	case resp.StatusCode != http.StatusOK || body != echo:
		return broken(m.CallbackLost(at, resp.Status), m.CallbackLostRemedy)
	case took > callbackWait:
		return warning(m.CallbackSlow(at), m.CallbackSlowRemedy)
	}
	f := good(m.CallbackGood(at))
	f.Remedy = m.CallbackProve
	return f
}

// fetch is a GET from a daemon on this machine, never by a proxy.
func (d *doctor) fetch(ctx context.Context, link string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, "", err
	}
	c := &http.Client{Timeout: 4 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp, string(body), err
}

// addressless is an error of a call without its address, which has the signature.
func addressless(err error) string {
	var e *url.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return err.Error()
}

// pageToken judges it where others can reach the page.
func (d *doctor) pageToken(ctx context.Context) finding {
	m := &d.say.Doctor
	host, _, _ := net.SplitHostPort(d.cfg.Listen)
	switch token := d.cfg.PageToken; {
	case len(token) < minToken && !loopback(host):
		return d.told(ctx, d.cfg.exposed())
	case token == "":
		return good(m.PageLocal)
	case !loopback(host) && guessable(token):
		return warning(m.PageWeak, m.PageWeakRemedy)
	case loopback(host):
		return good(m.PageLocal)
	}
	return good(m.PageGood)
}

// exposed is why serve refuses to listen; nil if it does not.
func (c *Config) exposed() error {
	only := *c
	only.WeCom.CorpID, only.WeCom.Secret, only.Storage.URL = "x", "x", "x"
	return only.serving()
}

// guessable is a token that is short, or made of a few characters.
func guessable(token string) bool {
	seen := map[rune]bool{}
	for _, r := range token {
		seen[r] = true
	}
	return utf8.RuneCountInString(token) < 16 || len(seen) < 6
}

// language says which one it is, and why.
func (d *doctor) language(context.Context) finding {
	m := &d.say.Doctor
	from := m.LanguageLocale
	switch {
	case known(flagValue(d.args, "--lang")) != "":
		from = m.LanguageFlag
	case d.cfg != nil && d.cfg.Lang != "":
		from = cmp.Or(d.cfg.from["lang"].where, from)
	}
	return good(m.Language(strings.ToLower(d.say.Lang), from))
}
