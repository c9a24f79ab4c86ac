package wecomtest

import (
	"slices"
	"time"
)

// tokens are the apps of the corps, and the tokens that they were given.
type tokens struct {
	life   time.Duration
	fresh  bool
	secret map[string][]string // by corp
	issued map[string]*token   // by value, spoilt ones too
	latest map[string]*token   // by secret
}

// A token belongs to one app, which its secret stands for.
type token struct {
	value   string
	corp    string
	app     string // its secret
	nth     int    // in the order of issue, from 1
	ends    time.Time
	revoked bool
}

func newTokens(o Options) tokens {
	t := tokens{life: o.TokenLife, fresh: o.FreshTokens, secret: map[string][]string{o.CorpID: {o.Secret}},
		issued: map[string]*token{}, latest: map[string]*token{}}
	for _, secret := range o.Apps {
		t.secret[o.CorpID] = append(t.secret[o.CorpID], secret)
	}
	for corp, secret := range o.Corps {
		t.secret[corp] = append(t.secret[corp], secret)
	}
	return t
}

// gettoken answers document/path/91039.
func (s *Server) gettoken(r *request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	corp, secret := r.query.Get("corpid"), r.query.Get("corpsecret")
	if code := s.refusal(r, corp, secret); code != 0 {
		return s.refuse(r, code)
	}
	t := s.tokens.hand(corp, secret, s.now())
	r.token = t
	left := t.ends.Sub(s.now())
	return ok(reply{"access_token": t.value, "expires_in": int(left / time.Second)})
}

// refusal is the code against a corp and its secret, or 0.
func (s *Server) refusal(r *request, corp, secret string) int {
	secrets, known := s.tokens.secret[corp]
	switch {
	case s.banned(r):
		return codeTooMany
	case corp == "":
		return codeNoCorp
	case secret == "":
		return codeNoSecret
	case !known:
		return codeBadCorp
	case slices.Contains(secrets, secret):
		return 0
	}
	s.badSecret(r)
	for _, others := range s.tokens.secret {
		if slices.Contains(others, secret) {
			return codeForeignSecret
		}
	}
	return codeBadSecret
}

// hand returns the app's token, a new one where there is none that is good.
func (t *tokens) hand(corp, secret string, now time.Time) *token {
	key := corp + " " + secret
	last := t.latest[key]
	if last != nil && !t.fresh && !last.revoked && now.Before(last.ends) {
		return last
	}
	next := &token{value: random(160), corp: corp, app: secret, nth: len(t.issued) + 1, ends: now.Add(t.life)}
	t.issued[next.value], t.latest[key] = next, next
	return next
}

// check returns the token of that value, with 41001, 40014 or 42001 if it
// opens nothing.
func (t *tokens) check(value string, now time.Time) (*token, int) {
	known := t.issued[value]
	switch {
	case value == "":
		return nil, codeNoToken
	case known == nil:
		return nil, codeBadToken
	case known.revoked:
		return known, codeBadToken
	case !now.Before(known.ends):
		return known, codeExpiredToken
	}
	return known, 0
}

// spoil revokes a token or lets it expire, if the fault wants it.
func (t *tokens) spoil(value string, f Fault) {
	known := t.issued[value]
	switch {
	case known == nil:
	case f.RevokeToken:
		known.revoked = true
	case f.ExpireToken:
		known.ends = time.Time{}
	}
}

// RevokeTokens makes every token that was issued invalid (40014).
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens.issued {
		t.revoked = true
	}
}
