package wecom

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"time"
)

// What follows is how processes that share a store come to one token.

// find takes a token from the store, or fetches one under the store's lease,
// or waits for whoever holds it.
func (t *tokens) find(ctx context.Context) (string, error) {
	patience, cancel := context.WithTimeout(ctx, tokenWait)
	defer cancel()
	for round := 0; ; round++ {
		e, err := t.store.LoadToken(patience, t.seal.key)
		if err != nil {
			return "", t.storeError(ctx, err)
		}
		if token, err := t.take(e); token != "" || err != nil {
			return token, err
		}
		if round%5 == 0 { // a lease is a write, a look is not
			mine, err := t.store.LeaseToken(patience, t.seal.key, t.owner, tokenLease)
			if err != nil {
				return "", t.storeError(ctx, err)
			}
			if mine {
				return t.fetch(patience, ctx)
			}
		}
		select {
		case <-patience.Done():
			return "", t.waitedOut(ctx)
		case <-time.After(40*time.Millisecond + mrand.N(20*time.Millisecond)):
		}
	}
}

// take returns what an entry holds for us: a token, or the refusal that
// stands; neither if somebody has to ask WeCom.
func (t *tokens) take(e TokenEntry) (string, error) {
	now := t.line.now()
	if e.Sealed != nil && now.Before(e.Expires) {
		if token, err := t.seal.open(e.Sealed); err != nil {
			t.line.log.Warn("a stored token cannot be read; fetching a new one", "err", err)
		} else if !t.isRefused(token) {
			t.keep(token, e.Expires)
			return token, nil
		}
	}
	left := e.RefusedUntil.Sub(now)
	if e.Refusal == nil || left <= 0 || left > time.Hour { // a clock that was set back must not block for long
		return "", nil
	}
	if refusal := recall(e.Refusal); refusal != nil {
		refusal.RetryAfter = left
		return "", refusal
	}
	return "", nil
}

// fetch runs with the lease, and gives it back in every case.
func (t *tokens) fetch(ctx, caller context.Context) (string, error) {
	e, err := t.store.LoadToken(ctx, t.seal.key) // somebody may have been faster
	if err != nil {
		return "", t.storeError(caller, err)
	}
	if token, err := t.take(e); token != "" || err != nil {
		t.save(ctx, e)
		return token, err
	}
	token, until, err := t.gettoken(ctx)
	if err != nil {
		if life := refusalLife(err); life > 0 {
			e = TokenEntry{Refusal: remember(err, t.line.now()), RefusedUntil: t.line.now().Add(life)}
		}
		t.save(ctx, e)
		return "", t.ended(caller, err)
	}
	t.save(ctx, TokenEntry{Sealed: t.seal.close(token), Expires: until})
	t.keep(token, until)
	t.line.log.Info("fetched an access token", "until", until)
	return token, nil
}

// save also runs when ctx has ended, so that nobody waits for a dead lease. A
// store that fails here costs the others a fetch of their own; the token in
// hand is good all the same.
func (t *tokens) save(ctx context.Context, e TokenEntry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := t.store.SaveToken(ctx, t.seal.key, t.owner, e); err != nil {
		t.line.log.Warn("the access token cannot be shared with other processes", "err", err)
	}
}

func (t *tokens) storeError(caller context.Context, err error) error {
	if caller.Err() != nil {
		return &Error{API: apiToken, Kind: KindUnreachable, Err: caller.Err()}
	}
	return fmt.Errorf("token store: %w", err)
}

// ended tells our own patience from the caller's end.
func (t *tokens) ended(caller context.Context, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Class() == ClassCancelled && caller.Err() == nil {
		return t.waitedOut(caller)
	}
	return err
}

func (t *tokens) waitedOut(caller context.Context) error {
	if caller.Err() != nil {
		return &Error{API: apiToken, Kind: KindUnreachable, Err: caller.Err()}
	}
	return &Error{API: apiToken, Kind: KindUnreachable, Err: silence("no access token in time; another process has been fetching it")}
}

func newOwner() string { return rand.Text() }

// remembered is a refusal as it lies in the store; its texts are scrubbed.
type remembered struct {
	At      time.Time `json:"at"`
	Code    Code      `json:"code"`
	Message string    `json:"message,omitempty"`
	Hint    string    `json:"hint,omitempty"`
	FromIP  string    `json:"from_ip,omitempty"`
	HelpURL string    `json:"help_url,omitempty"`
}

func remember(err error, at time.Time) []byte {
	var e *Error
	if !errors.As(err, &e) {
		return nil
	}
	b, _ := json.Marshal(remembered{at.UTC(), e.Code, e.Message, e.Hint, e.FromIP, e.HelpURL})
	return b
}

func recall(b []byte) *Error {
	var r remembered
	if json.Unmarshal(b, &r) != nil || r.Code == 0 {
		return nil
	}
	return &Error{API: apiToken, Status: 200, Code: r.Code, Message: r.Message, Hint: r.Hint,
		FromIP: r.FromIP, HelpURL: r.HelpURL, RefusedAt: r.At}
}
