package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// maxRobot is how many bytes a text message of a group robot may have
// (developer.work.weixin.qq.com/document/path/91770).
const maxRobot = 2048

// A robot posts to a WeCom group. Its address holds a key: it is in no error
// and no log.
type robot struct {
	webhook string
	http    *http.Client
}

// newRobot returns nil if there is no webhook. The proxy is that of WeCom's
// other calls.
func newRobot(cfg *Config) *robot {
	if cfg.Webhook == "" {
		return nil
	}
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 10 * time.Second}
	if u, err := url.Parse(cfg.WeCom.Proxy); err == nil && cfg.WeCom.Proxy != "" {
		t.Proxy = http.ProxyURL(u)
	}
	return &robot{webhook: cfg.Webhook, http: &http.Client{Transport: t, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// post sends a message: as text, not as markdown, so that no file's name
// means anything in it.
func (r *robot) post(ctx context.Context, content string) error {
	body, err := json.Marshal(map[string]any{"msgtype": "text", "text": map[string]string{"content": content}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.webhook, bytes.NewReader(body))
	if err != nil {
		return errors.New("notify.webhook is no address")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		var outer *url.Error // which holds the address
		for errors.As(err, &outer) {
			err = outer.Err
		}
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Errcode int    `json:"errcode"`
		Errmsg  string `json:"errmsg"`
	}
	err = json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 64<<10)).Decode(&answer)
	switch {
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("http status %d", resp.StatusCode)
	case err != nil:
		return errors.New("the answer is not WeCom's")
	case answer.Errcode != 0:
		return fmt.Errorf("errcode %d", answer.Errcode)
	}
	return nil
}

// A herald tells of batches, never in the way of the work.
type herald struct {
	robot *robot
	batch *batch
	say   *messages
	log   *slog.Logger
	count func(result string)
	mute  bool // the last message did not go, and the log has it
}

// run tells what is due until ctx ends.
func (h *herald) run(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if what, ok := h.batch.due(now); ok && h.robot != nil {
				h.tell(ctx, h.say.tell(what))
			}
		}
	}
}

// tell posts a message, and again a little later if it did not go.
func (h *herald) tell(ctx context.Context, content string) {
	var err error
	for n := range 3 {
		if n > 0 && sleepFor(ctx, time.Duration(n)*2*time.Second) != nil {
			return
		}
		if err = h.robot.post(ctx, content); err == nil || ctx.Err() != nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
	case err == nil:
		h.mute = false
		h.count("sent")
	default:
		h.count("failed")
		if !h.mute {
			h.log.Warn("the group robot was not reached", "err", err, "remedy", h.say.Serve.RobotRemedy)
		}
		h.mute = true
	}
}

func sleepFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// tell words what there is to tell, in at most maxRobot bytes.
func (m *messages) tell(t tally) string {
	s := m.Serve
	head := s.Stopped
	if t.stop == nil {
		head = s.Batch(t.done+t.reused, t.reused, len(t.failed), len(t.expiring))
	}
	lines := []string{head}
	if t.stop != nil {
		lines = append(lines, t.stop.Message.In(m.Lang), "→ "+t.stop.Remedy.In(m.Lang))
	}
	var rest []string
	for _, it := range t.failed {
		rest = append(rest, "✗ "+inText(it.Name)+": "+it.Fault.Message.In(m.Lang)+"\n  → "+it.Fault.Remedy.In(m.Lang))
	}
	for _, it := range t.expiring {
		rest = append(rest, "⏳ "+s.Expires(inText(it.Name), it.Media.ExpiresAt.Local().Format("01-02 15:04")))
	}
	if len(t.expiring) > 0 {
		rest = append(rest, "→ "+s.ExpiresRemedy)
	}
	return message(lines, rest, s.More)
}

// inText is a name as a message may show it: it calls nobody.
func inText(name string) string {
	const enough = 120
	name = strings.NewReplacer("<@", "＜@", "\n", " ", "\r", " ").Replace(shown(name))
	if len(name) > enough {
		name = name[:back(name, enough)] + "…"
	}
	return name
}

// back is the start of the rune in which s[:n] ends.
func back(s string, n int) int {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// message joins lines, and of the rest what there is room for.
func message(lines, rest []string, more func(n int) string) string {
	out := strings.Join(lines, "\n")
	room := maxRobot - len(more(len(rest))) - 1
	for n, line := range rest {
		limit := room
		if n == len(rest)-1 {
			limit = maxRobot
		}
		if len(out)+1+len(line) > limit {
			return shorten(out, room) + "\n" + more(len(rest)-n)
		}
		out += "\n" + line
	}
	return shorten(out, maxRobot)
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:back(s, n-len("…"))] + "…"
}
