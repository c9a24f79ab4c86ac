package wecom

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// DefaultBaseURL is where the public WeCom answers.
const DefaultBaseURL = "https://qyapi.weixin.qq.com"

// Config says whom a Client speaks to, and as whom.
type Config struct {
	BaseURL string // DefaultBaseURL if empty; a path prefix is kept; http for loopback only
	CorpID  string
	Secret  string      // the app's secret
	Tokens  TokenSource // if nil, tokens are fetched with CorpID and Secret
	Store   TokenStore  // where fetched tokens are kept; this process's memory if nil

	// Proxy is a proxy for WeCom's calls alone (http, https, socks5); the
	// environment's if empty. Together with HTTP it is an error.
	Proxy string
	HTTP  *http.Client // if nil, one with sensible timeouts and Proxy; redirects are never followed

	Limiter Limiter // if nil, a limiter of this process with PerMinute
	// PerMinute is the number of calls a minute for each API; 6000 if zero
	// (WeCom allows a corp 10,000).
	PerMinute int

	// Observe is called after each call that was made, that for a token
	// included: code is the errcode of WeCom's answer (0: it went well), kind
	// says why there is none, and took leaves out the wait for the Limiter.
	// It is called from several goroutines and must return at once. Nil is
	// allowed.
	Observe func(api string, code Code, kind Kind, took time.Duration)

	Log *slog.Logger     // nowhere if nil; never sees a secret or a token
	Now func() time.Time // time.Now if nil
}

// String names the corp and the server, not the secret.
func (c Config) String() string {
	return fmt.Sprintf("wecom.Config{BaseURL:%q CorpID:%q}", c.BaseURL, c.CorpID)
}

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// A Client calls WeCom for one app of one corp. It is safe for concurrent use.
type Client struct {
	line   *line
	tokens TokenSource
}

// String names the server, not the token.
func (c Client) String() string { return "wecom.Client(" + c.line.base.Host + ")" }

// GoString is String, so that %#v shows no token either.
func (c Client) GoString() string { return c.String() }

// New returns a Client. It makes no call. What is wrong with c is an *Error
// of KindConfig whose Field is the configuration's name: base_url, corp_id,
// secret, proxy.
func New(c Config) (*Client, error) {
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	hc, err := httpClient(c)
	if err != nil {
		return nil, err
	}
	l := &line{base: base, http: hc, limiter: c.Limiter, observe: c.Observe, log: c.Log, now: c.Now, timeout: callTimeout}
	if l.limiter == nil {
		l.limiter = NewLimiter(c.PerMinute)
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
	}
	if c.Tokens != nil {
		return &Client{line: l, tokens: c.Tokens}, nil
	}
	tokens, err := newTokens(l, strings.TrimSpace(c.CorpID), strings.TrimSpace(c.Secret), c.Store)
	if err != nil {
		return nil, err
	}
	return &Client{line: l, tokens: tokens}, nil
}

// call makes one call as this app: in goes as JSON (with a nil in it is a
// GET), the answer's members into out. The request that it returns is the one
// that was answered, and knows what must be kept out of texts.
func (c *Client) call(ctx context.Context, api string, in, out any) (request, error) {
	return c.withToken(ctx, request{api: api, body: in}, func(r request) error {
		return c.line.ask(ctx, r, out)
	})
}

// withToken makes the call r by do, with a token in it. A token that WeCom
// refuses is replaced and the call repeated, once. It returns the request that
// was answered.
func (c *Client) withToken(ctx context.Context, r request, do func(request) error) (request, error) {
	token, err := c.token(ctx, r.api)
	if err != nil {
		return request{}, err
	}
	r.token = token
	err = do(r)
	if !tokenRefused(err) {
		return r, err
	}
	c.tokens.Refused(ctx, token)
	fresh, ferr := c.token(ctx, r.api)
	if ferr != nil {
		return r, ferr
	}
	if fresh != token { // a source that has nothing else is not asked to try the same again
		r.token = fresh
		err = do(r)
	}
	return r, refusedAgain(err)
}

func (c *Client) token(ctx context.Context, api string) (string, error) {
	token, err := c.tokens.Token(ctx)
	switch {
	case err == nil && token == "":
		return "", configError("access_token", text{"没有可用的 access_token", "the token source gave an empty token"},
			text{"请检查 access_token 的来源", "check where the access_token comes from"})
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return "", &Error{API: api, Kind: KindUnreachable, Err: ctx.Err()}
	}
	var known *Error
	if errors.As(err, &known) {
		return "", err
	}
	return "", fmt.Errorf("%s: access token: %w", api, err)
}

func tokenRefused(err error) bool {
	var e *Error
	return errors.As(err, &e) && !e.Job && e.Class() == ClassToken
}

// refusedAgain marks a refusal that a fresh token did not cure.
func refusedAgain(err error) error {
	var e *Error
	if !tokenRefused(err) || !errors.As(err, &e) {
		return err
	}
	again := *e
	again.Repeated = true
	return &again
}
