package wecom

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"
)

// A TokenSource hands out access tokens.
type TokenSource interface {
	// Token returns a token that is believed to be valid.
	Token(ctx context.Context) (string, error)
	// Refused tells that WeCom did not accept token (40014, 42001): it is
	// not handed out again, and the next Token fetches a new one, unless
	// somebody already did.
	Refused(ctx context.Context, token string)
}

// StaticToken is a TokenSource for a token that somebody else looks after.
type StaticToken string

// Token returns the token.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// Refused does nothing: there is no other token.
func (t StaticToken) Refused(context.Context, string) {}

// String does not show the token.
func (t StaticToken) String() string { return "StaticToken(***)" }

// GoString does not show the token.
func (t StaticToken) GoString() string { return t.String() }

const (
	apiToken = "gettoken"

	reserve    = 5 * time.Minute // a token is not handed out so shortly before its end
	usualLife  = 2 * time.Hour   // path/91039: normally 7200; used if WeCom does not say
	maxToken   = 4 << 10         // bytes; the page says to keep 512
	tokenLease = 15 * time.Second
	tokenCall  = 12 * time.Second // of one gettoken: it ends before its lease does
	tokenWait  = 60 * time.Second // for a token, however it comes
)

// tokens is the TokenSource of an app: this process's memory before the
// shared store before gettoken. In a process one goroutine at a time goes
// beyond the memory, and over all processes one at a time fetches.
type tokens struct {
	line   *line
	corpID string
	secret string
	store  TokenStore
	seal   sealer
	owner  string // who we are to the store

	mu      sync.Mutex
	token   string // "" if there is none
	until   time.Time
	refused string // the last token that WeCom did not accept
	flight  *flight
}

// A flight is one search for a token that others wait for.
type flight struct {
	done      chan struct{}
	token     string
	err       error
	abandoned bool // its leader's context ended; that is nobody else's error
}

func newTokens(l *line, corpID, secret string, store TokenStore) (*tokens, error) {
	if corpID == "" {
		return nil, configError("corp_id", text{"没有填写企业 ID（corp_id）", "the corp id is missing"},
			text{"请到管理后台「我的企业」复制企业 ID，填入 wecom.corp_id", "copy the CorpID from the admin console, My company, into wecom.corp_id"})
	}
	if secret == "" {
		return nil, configError("secret", text{"没有填写应用的 secret", "the app's secret is missing"},
			text{"请到管理后台打开应用，复制 Secret，填入 wecom.secret", "copy the app's Secret from the admin console into wecom.secret"})
	}
	if store == nil {
		store = NewMemoryStore()
	}
	seal, err := newSealer(l.base.String(), corpID, secret)
	if err != nil {
		return nil, err
	}
	return &tokens{line: l, corpID: corpID, secret: secret, store: store, seal: seal, owner: newOwner()}, nil
}

// Refused forgets token if it is the one in hand. Whether the store has a
// newer one is seen by the next Token.
func (t *tokens) Refused(_ context.Context, token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token, t.refused = "", token
	}
}

// Token returns the token in hand, or looks for one together with whoever
// else wants it now.
func (t *tokens) Token(ctx context.Context) (string, error) {
	for {
		t.mu.Lock()
		if t.token != "" && t.line.now().Before(t.until) {
			defer t.mu.Unlock()
			return t.token, nil
		}
		f := t.flight
		if f == nil {
			f = &flight{done: make(chan struct{}), abandoned: true}
			t.flight = f
			t.mu.Unlock()
			t.lead(ctx, f)
			return f.token, f.err
		}
		t.mu.Unlock()
		select {
		case <-ctx.Done():
			return "", &Error{API: apiToken, Kind: KindUnreachable, Err: ctx.Err()}
		case <-f.done:
		}
		if !f.abandoned {
			return f.token, f.err
		}
	}
}

func (t *tokens) lead(ctx context.Context, f *flight) {
	defer func() {
		t.mu.Lock()
		t.flight = nil
		t.mu.Unlock()
		close(f.done)
	}()
	f.token, f.err = t.find(ctx)
	f.abandoned = f.err != nil && ctx.Err() != nil
}

// keep takes a token into memory, where it stands until WeCom refuses it.
func (t *tokens) keep(token string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.until = token, until
}

func (t *tokens) isRefused(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused == token
}

// gettoken asks WeCom for a token. Its life counts from before the call, and
// ends a reserve early: never more than half, for short lives.
//
// https://developer.work.weixin.qq.com/document/path/91039
func (t *tokens) gettoken(ctx context.Context) (string, time.Time, error) {
	var out struct {
		Token word   `json:"access_token"`
		Life  number `json:"expires_in"`
	}
	start := t.line.now()
	err := t.line.ask(ctx, t.request(), &out)
	switch {
	case err != nil:
		return "", time.Time{}, err
	case out.Token == "" || len(out.Token) > maxToken:
		return "", time.Time{}, &Error{API: apiToken, Kind: KindBadResponse, Status: 200, Err: noToken}
	}
	life := usualLife
	if out.Life.ok && out.Life.value > 0 {
		life = time.Duration(min(out.Life.value, 86400) * float64(time.Second))
	}
	return string(out.Token), start.Add(life - min(reserve, life/2)), nil
}

func (t *tokens) request() request {
	return request{api: apiToken, secret: t.secret, limit: tokenCall,
		query: url.Values{"corpid": {t.corpID}, "corpsecret": {t.secret}}}
}

// A refused secret is asked about again after an hour, by any process: about
// 2,000 wrong tries in an hour ban the whole IP for one. The ban itself
// (45009) is looked at again sooner, for an administrator can lift it.
func refusalLife(err error) time.Duration {
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindAnswer {
		return 0
	}
	switch e.Code {
	case CodeBadSecret, CodeBadCorpID, CodeForeignSecret, CodeNoCorpID, CodeNoSecret:
		return time.Hour
	case CodeRateLimit:
		return 10 * time.Minute
	}
	return 0
}
