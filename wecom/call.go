package wecom

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	callTimeout = 60 * time.Second
	maxAnswer   = 1 << 20 // bytes; WeCom's JSON answers are a few hundred
)

// A line is what every call goes over, that for the token included.
type line struct {
	base    *url.URL
	http    *http.Client
	limiter Limiter
	observe func(api string, code Code, kind Kind, took time.Duration) // may be nil
	log     *slog.Logger
	now     func() time.Time
	timeout time.Duration // of one call, without the wait for the limiter
}

// A request is one call: what is sent, and so what no text may show.
type request struct {
	api    string
	token  string        // "" for gettoken
	query  url.Values    // beside the token
	secret string        // the member of query that is one, if any
	body   any           // nil: a GET
	span   string        // the Range that is asked for, if any
	limit  time.Duration // of the call; the line's if zero
}

// ask makes the call and decodes the answer's members into out. Its errors
// are *Error, or the Limiter's.
func (l *line) ask(ctx context.Context, r request, out any) error {
	if err := l.turn(ctx, r); err != nil {
		return err
	}
	start := time.Now()
	resp, body, err := l.send(ctx, r)
	if err == nil {
		err = l.judge(r, resp, body, out)
	}
	l.note(r, err, time.Since(start))
	return err
}

// turn waits until the Limiter lets r go.
func (l *line) turn(ctx context.Context, r request) error {
	err := l.limiter.Wait(ctx, r.api)
	if err == nil {
		return nil
	}
	if end := endOf(ctx, err); end != nil {
		return &Error{API: r.api, Kind: KindUnreachable, Err: end}
	}
	return fmt.Errorf("%s: rate limit: %w", r.api, err)
}

// endOf returns the end of ctx that err speaks of; nil if it is about
// something else. A Limiter may refuse before a deadline that it cannot meet.
func endOf(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return nil
}

// send returns the answer, whatever it is; an *Error if there is no whole one.
func (l *line) send(ctx context.Context, r request) (*http.Response, []byte, error) {
	call, cancel := context.WithTimeout(ctx, cmp.Or(r.limit, l.timeout))
	defer cancel()
	req, err := r.http(call, l.base)
	if err != nil {
		return nil, nil, r.lost(ctx, call, err)
	}
	resp, err := l.http.Do(req)
	if err != nil {
		return nil, nil, r.lost(ctx, call, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil && (call.Err() != nil || isTimeout(err)):
		return nil, nil, r.lost(ctx, call, err)
	case err != nil:
		return nil, nil, r.bad(resp, cutOff)
	case len(body) > maxAnswer:
		return nil, nil, r.bad(resp, tooLong)
	}
	return resp, body, nil
}

func (r request) http(ctx context.Context, base *url.URL) (*http.Request, error) {
	u := base.JoinPath("cgi-bin", r.api)
	u.RawQuery = r.rawQuery()
	method, body := http.MethodGet, io.Reader(nil)
	if r.body != nil {
		text, err := plainJSON(r.body)
		if err != nil {
			return nil, err
		}
		method, body = http.MethodPost, bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.span != "" {
		req.Header.Set("Range", r.span)
		req.Header.Set("Accept-Encoding", "identity")
	}
	req.Header.Set("User-Agent", "wedrop")
	return req, nil
}

// plainJSON is v as JSON; a link's & stays what it is.
func plainJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}

func (r request) rawQuery() string {
	q := url.Values{}
	for k, v := range r.query {
		q[k] = v
	}
	if r.token != "" {
		q.Set("access_token", r.token)
	}
	return q.Encode()
}

// lost is the error of a call that got no answer. ctx is the caller's, call
// the one with our limit.
func (r request) lost(ctx, call context.Context, err error) *Error {
	e := &Error{API: r.api, Kind: KindUnreachable}
	switch {
	case ctx.Err() != nil:
		e.Err = ctx.Err()
	case call.Err() != nil:
		e.Err = silence("no answer in time")
	case isTimeout(err):
		e.Err = silence(r.scrub(err).Error())
	default:
		e.Err = r.scrub(err)
	}
	return e
}

// A silence is a time-out of the network. Those of std pretend to be
// context.DeadlineExceeded, which for our callers means their own context.
type silence string

func (s silence) Error() string { return string(s) }
func (s silence) Timeout() bool { return true }

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// scrub takes off the address, which holds the query, and whatever else of
// the request's secrets err's text shows. Only an error that shows none keeps
// its type.
func (r request) scrub(err error) error {
	var outer *url.Error
	for errors.As(err, &outer) {
		err = outer.Err
	}
	masked := r.mask(err.Error())
	if masked != err.Error() || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return errors.New(masked)
	}
	return err
}

// mask hides the request's token, secret and query in s.
func (r request) mask(s string) string {
	for _, hide := range []string{r.rawQuery(), r.token, r.secret} {
		for _, form := range []string{hide, url.QueryEscape(hide), url.PathEscape(hide)} {
			if form != "" {
				s = strings.ReplaceAll(s, form, "***")
			}
		}
	}
	return s
}

// note logs a call, never its query, its body or the answer's, and hands it to
// the observer.
func (l *line) note(r request, err error, took time.Duration) {
	args := []any{"api", r.api, "took", took.Round(time.Millisecond)}
	var e *Error
	if errors.As(err, &e) {
		args = append(args, "fault", e.FaultCode(), "class", string(e.Class()), "status", e.Status, "hint", e.Hint)
	}
	l.log.Debug("wecom call", args...)
	if l.observe == nil {
		return
	}
	var code Code
	var kind Kind
	if e != nil {
		code, kind = e.Code, e.Kind
	}
	l.observe(r.api, code, kind, took)
}
