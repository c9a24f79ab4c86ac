package wecom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

const submitAPI = "media/upload_by_url"

func send(cl *wecom.Client) error {
	_, err := cl.UploadByURL(context.Background(), upload)
	return err
}

// together makes n calls at once, of the clients in turn.
func together(t *testing.T, n int, clients ...*wecom.Client) {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = send(clients[i%len(clients)]) })
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
}

// From xen0n/go-workwx (token.go 176-183): 20 concurrent first calls were 20
// gettoken calls.
func TestOneFetchForManyFirstCalls(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{FreshTokens: true})
	s.Inject("gettoken", wecomtest.Fault{Slow: 50 * time.Millisecond})
	together(t, 20, client(t, wecom.Config{BaseURL: s.URL}))
	require.Equal(t, 1, s.Count("gettoken"))
	require.Equal(t, 20, s.Count(submitAPI))
}

// Processes that share the journal: one of them fetches, and those that start
// later need no fetch.
func TestOneFetchForManyProcesses(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{FreshTokens: true})
	s.Inject("gettoken", wecomtest.Fault{Slow: 100 * time.Millisecond})
	store := wecom.NewMemoryStore()
	process := func() *wecom.Client { return client(t, wecom.Config{BaseURL: s.URL, Store: store}) }
	together(t, 20, process(), process())
	together(t, 1, process())
	require.Equal(t, 1, s.Count("gettoken"))
}

// From silenceper/wechat (credential/default_access_token.go 206): two apps of
// one corp that shared a cache were given one token.
func TestAppsDoNotShareTokens(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{Apps: map[int]string{7: "another-secret"}})
	store := wecom.NewMemoryStore()
	for _, secret := range []string{secretText, "another-secret", secretText} {
		require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, CorpID: "wwtest", Secret: secret, Store: store})))
	}
	var used []int
	for _, c := range s.Calls() {
		if c.API == submitAPI {
			used = append(used, c.Token)
		}
	}
	require.Equal(t, []int{1, 2, 1}, used)
	require.Equal(t, 2, s.Count("gettoken"))
}

// From xen0n/go-workwx (token.go 166-188): after WeCom revoked a token, every
// call failed until a goroutine happened to refresh it.
func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]wecomtest.Fault{
		"40014": {RevokeToken: true}, "42001": {ExpireToken: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := simulator(t, wecomtest.Options{})
			cl := client(t, wecom.Config{BaseURL: s.URL})
			require.NoError(t, send(cl))
			s.Inject(submitAPI, fault)
			require.NoError(t, send(cl))
			require.Equal(t, 2, s.Count("gettoken"))
			require.Equal(t, 3, s.Count(submitAPI))
		})
	}
}

// A burst that runs into a revoked token costs one fetch, in all processes.
func TestRevokedTokenUnderLoad(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	store := wecom.NewMemoryStore()
	a := client(t, wecom.Config{BaseURL: s.URL, Store: store})
	b := client(t, wecom.Config{BaseURL: s.URL, Store: store})
	together(t, 2, a, b)
	s.RevokeTokens()
	together(t, 20, a, b)
	require.Equal(t, 2, s.Count("gettoken"))
}

// A token that is refused and was fetched for this very call is of the wrong
// kind (a suite's, a provider's): that needs a person, not another try.
func TestTokenOfTheWrongKind(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{FreshTokens: true})
	s.Inject(submitAPI, wecomtest.Fault{RevokeToken: true, Times: -1})
	e := asError(t, send(client(t, wecom.Config{BaseURL: s.URL})))
	require.Equal(t, wecom.CodeBadToken, e.Code)
	require.Equal(t, wecom.ClassConfig, e.Class())
	zh, cure := e.Explain("zh")
	require.Contains(t, zh, "换新的也没有用")
	require.Contains(t, cure, "suite")
	require.Equal(t, 2, s.Count(submitAPI), "one retry and no more")
	require.Equal(t, 2, s.Count("gettoken"))
}

// Somebody else's token is used as it is; there is nothing to fetch, and no
// use in asking twice.
func TestStaticToken(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	e := asError(t, send(client(t, wecom.Config{BaseURL: s.URL, Tokens: wecom.StaticToken(tokenText)})))
	require.Equal(t, wecom.CodeBadToken, e.Code)
	require.Equal(t, wecom.ClassConfig, e.Class())
	require.Equal(t, 1, s.Count(submitAPI))
	require.Equal(t, 0, s.Count("gettoken"))
	asError(t, send(client(t, wecom.Config{BaseURL: s.URL, Tokens: wecom.StaticToken("")})))
	require.Equal(t, 1, s.Count(submitAPI))
}

// The store holds a newer token than the one that was refused: no fetch.
func TestNewerTokenOfAnotherProcessIsTaken(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	store := wecom.NewMemoryStore()
	a := client(t, wecom.Config{BaseURL: s.URL, Store: store})
	b := client(t, wecom.Config{BaseURL: s.URL, Store: store})
	together(t, 2, a, b)
	s.RevokeTokens()
	require.NoError(t, send(a))
	require.Equal(t, 2, s.Count("gettoken"))
	require.NoError(t, send(b))
	require.Equal(t, 2, s.Count("gettoken"))
}

// From document/path/91039: tokens live for expires_in, normally 7200 s. They
// are renewed 5 minutes early, or at half of a short life.
func TestTokensAreRenewedBeforeTheirEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		life, good, over time.Duration
	}{
		{2 * time.Hour, 114 * time.Minute, 116 * time.Minute},
		{4 * time.Minute, 115 * time.Second, 125 * time.Second},
		{2 * time.Second, 0, 1500 * time.Millisecond},
	} {
		t.Run(c.life.String(), func(t *testing.T) {
			t.Parallel()
			clock := &wecomtest.Clock{}
			s := simulator(t, wecomtest.Options{TokenLife: c.life, Clock: clock})
			cl := client(t, wecom.Config{BaseURL: s.URL, Now: clock.Now})
			require.NoError(t, send(cl))
			if c.good > 0 {
				clock.Advance(c.good)
				require.NoError(t, send(cl))
				require.Equal(t, 1, s.Count("gettoken"))
			}
			clock.Advance(c.over - c.good)
			require.NoError(t, send(cl))
			require.Equal(t, 2, s.Count("gettoken"))
		})
	}
}

// From document/path/91039 (reserve 512 bytes) and from services that pack
// more into a token, or give expires_in as a string or not at all.
func TestTokenShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		ok           bool
	}{
		{"512 bytes", `{"errcode":0,"access_token":"` + strings.Repeat("a", 512) + `","expires_in":7200}`, true},
		{"4096 bytes", `{"errcode":0,"access_token":"` + strings.Repeat("a", 4096) + `","expires_in":7200}`, true},
		{"4097 bytes", `{"errcode":0,"access_token":"` + strings.Repeat("a", 4097) + `","expires_in":7200}`, false},
		{"signs of a URL", `{"access_token":"a&b=c +%/?#","expires_in":7200}`, true},
		{"expires_in a string", `{"access_token":"abc","expires_in":"7200"}`, true},
		{"no expires_in", `{"access_token":"abc"}`, true},
		{"no token", `{"errcode":0,"errmsg":"ok","expires_in":7200}`, false},
		{"an empty token", `{"errcode":0,"access_token":"","expires_in":7200}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got, sent string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "gettoken") {
					io.WriteString(w, c.answer)
					return
				}
				got, sent = r.URL.Query().Get("access_token"), r.URL.RawQuery
				io.WriteString(w, `{"jobid":"j"}`)
			}))
			defer s.Close()
			err := send(client(t, wecom.Config{BaseURL: s.URL}))
			if !c.ok {
				require.Equal(t, wecom.KindBadResponse, asError(t, err).Kind)
				return
			}
			require.NoError(t, err)
			require.Contains(t, c.answer, `"`+got+`"`, "sent as %s", sent)
		})
	}
}

// From the global table, 45009 item 5: wrong secrets, tried again and again,
// ban the whole IP from gettoken. No run of any process tries one again before
// an hour has passed, or the secret has changed.
func TestRefusedSecretIsRemembered(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := simulator(t, wecomtest.Options{Clock: clock})
	store := wecom.NewMemoryStore()
	run := func(secret string) error {
		return send(client(t, wecom.Config{BaseURL: s.URL, CorpID: "wwtest", Secret: secret, Store: store, Now: clock.Now}))
	}
	first := asError(t, run("wrong"))
	require.Equal(t, wecom.CodeBadSecret, first.Code)
	require.Equal(t, wecom.ClassConfig, first.Class())
	require.True(t, first.RefusedAt.IsZero())

	clock.Advance(20 * time.Minute)
	again := asError(t, run("wrong"))
	require.Equal(t, 1, s.Count("gettoken"))
	require.Equal(t, []any{first.API, first.Kind, first.Code, first.Message, first.Hint, first.FromIP, first.HelpURL, first.Class()},
		[]any{again.API, again.Kind, again.Code, again.Message, again.Hint, again.FromIP, again.HelpURL, again.Class()})
	require.False(t, again.RefusedAt.IsZero())
	require.InDelta(t, 40, again.RetryAfter.Minutes(), 1)
	_, cure := again.Explain("zh")
	require.Contains(t, cure, "分钟内不再尝试")

	require.NoError(t, run(secretText), "another secret goes at once")
	clock.Advance(41 * time.Minute)
	require.Equal(t, wecom.CodeBadSecret, asError(t, run("wrong")).Code)
	require.Equal(t, 3, s.Count("gettoken"))
}

// A clock that was wrong when the secret was refused must not block it for
// longer than an hour.
func TestRefusalFromTheFutureIsNotBelieved(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := simulator(t, wecomtest.Options{Clock: clock})
	s.Inject("gettoken", wecomtest.Fault{Errcode: 40001})
	store := wecom.NewMemoryStore()
	run := func() error { return send(client(t, wecom.Config{BaseURL: s.URL, Store: store, Now: clock.Now})) }
	asError(t, run())
	clock.Advance(-24 * time.Hour)
	require.NoError(t, run())
}

// Which refusals are remembered, and for how long.
func TestWhatIsRemembered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault wecomtest.Fault
		lasts time.Duration // 0: not remembered
		class wecom.Class
	}{
		{"40001", wecomtest.Fault{Errcode: 40001}, time.Hour, wecom.ClassConfig},
		{"40013", wecomtest.Fault{Errcode: 40013}, time.Hour, wecom.ClassConfig},
		{"40091", wecomtest.Fault{Errcode: 40091}, time.Hour, wecom.ClassConfig},
		{"41002", wecomtest.Fault{Errcode: 41002}, time.Hour, wecom.ClassConfig},
		{"41004", wecomtest.Fault{Errcode: 41004}, time.Hour, wecom.ClassConfig},
		{"45009, an IP that is banned", wecomtest.Fault{Errcode: 45009}, 10 * time.Minute, wecom.ClassBackOff},
		{"-1", wecomtest.Fault{Errcode: -1}, 0, wecom.ClassRetry},
		{"an unknown code", wecomtest.Fault{Errcode: 99887}, 0, wecom.ClassUnknown},
		{"HTTP 503", wecomtest.Fault{Status: 503}, 0, wecom.ClassRetry},
		{"JSON that is cut off", wecomtest.Fault{Truncate: 20}, 0, wecom.ClassRetry},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := &wecomtest.Clock{}
			s := simulator(t, wecomtest.Options{Clock: clock})
			s.Inject("gettoken", c.fault)
			store := wecom.NewMemoryStore()
			run := func() error {
				return send(client(t, wecom.Config{BaseURL: s.URL, Store: store, Now: clock.Now}))
			}
			require.Equal(t, c.class, asError(t, run()).Class())
			if c.lasts == 0 {
				require.NoError(t, run())
				return
			}
			clock.Advance(c.lasts - time.Second)
			require.Equal(t, c.class, asError(t, run()).Class())
			require.Equal(t, 1, s.Count("gettoken"))
			clock.Advance(2 * time.Second)
			require.NoError(t, run())
		})
	}
}

// A store is somebody's file: the token in it cannot be read, its key does not
// name the corp, and what was tampered with is fetched anew.
func TestStoreHoldsNothingReadable(t *testing.T) {
	t.Parallel()
	s := answering(t, saying(`{"jobid":"j"}`))
	store := &spy{TokenStore: wecom.NewMemoryStore()}
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, Store: store})))
	require.NotEmpty(t, store.seen())
	for _, plain := range []string{secretText, tokenText, "wwtest", "127.0.0.1"} {
		require.NotContains(t, store.seen(), plain)
	}
	store.spoil.Store(true)
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, Store: store})))
}

// A spy sees what a store is handed.
type spy struct {
	wecom.TokenStore
	mu    sync.Mutex
	log   strings.Builder
	spoil atomic.Bool
}

func (s *spy) SaveToken(ctx context.Context, key, owner string, e wecom.TokenEntry) error {
	s.mu.Lock()
	fmt.Fprintf(&s.log, "%s %s %s %s\n", key, owner, e.Sealed, e.Refusal)
	s.mu.Unlock()
	return s.TokenStore.SaveToken(ctx, key, owner, e)
}

func (s *spy) LoadToken(ctx context.Context, key string) (wecom.TokenEntry, error) {
	e, err := s.TokenStore.LoadToken(ctx, key)
	if s.spoil.Load() && len(e.Sealed) > 0 {
		e.Sealed[len(e.Sealed)-1] ^= 1
	}
	return e, err
}

func (s *spy) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// A process that died while it held the lease, or whose fetch failed, does
// not lock the others out; one whose caller went away gives the lease back.
func TestLeaseOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	store := &keySpy{TokenStore: wecom.NewMemoryStore()}
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, Store: store})))
	held := wecom.NewMemoryStore()
	start := time.Now()
	took, err := held.LeaseToken(context.Background(), store.key, "killed", 400*time.Millisecond)
	require.True(t, took)
	require.NoError(t, err)
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, Store: held})))
	require.GreaterOrEqual(t, time.Since(start), 400*time.Millisecond, "the lease was not honoured")

	shared := punctual{wecom.NewMemoryStore()}
	s.Inject("gettoken", wecomtest.Fault{Slow: time.Minute})
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		_, err := client(t, wecom.Config{BaseURL: s.URL, Store: shared}).UploadByURL(ctx, upload)
		gone <- err
	}()
	wait, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	require.NoError(t, s.WaitCalls(wait, "gettoken", 3))
	cancel()
	e := asError(t, <-gone)
	require.ErrorIs(t, e, context.Canceled)
	require.Equal(t, wecom.ClassCancelled, e.Class())
	start = time.Now()
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, Store: shared})))
	require.Less(t, time.Since(start), 10*time.Second, "the lease was not given back")
}

// punctual refuses to write when ctx has ended, as a database does.
type punctual struct{ wecom.TokenStore }

func (p punctual) SaveToken(ctx context.Context, key, owner string, e wecom.TokenEntry) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return p.TokenStore.SaveToken(ctx, key, owner, e)
}

type keySpy struct {
	wecom.TokenStore
	key string
}

func (s *keySpy) LoadToken(ctx context.Context, key string) (wecom.TokenEntry, error) {
	s.key = key
	return s.TokenStore.LoadToken(ctx, key)
}

// The caller who happens to fetch goes away: the others are not told "canceled".
func TestCancelledLeaderDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	s.Inject("gettoken", wecomtest.Fault{Slow: time.Minute})
	cl := client(t, wecom.Config{BaseURL: s.URL})
	ctx, cancel := context.WithCancel(context.Background())
	leader, follower := make(chan error, 1), make(chan error, 1)
	go func() { _, err := cl.UploadByURL(ctx, upload); leader <- err }()
	wait, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	require.NoError(t, s.WaitCalls(wait, "gettoken", 1))
	go func() { follower <- send(cl) }()
	cancel()
	require.ErrorIs(t, <-leader, context.Canceled)
	require.NoError(t, <-follower)
}

// A journal that breaks is reported as what it is, not as WeCom's fault; if it
// only fails to keep a good token, the work goes on.
func TestBrokenStore(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	broken := errors.New("disk full")
	err := send(client(t, wecom.Config{BaseURL: s.URL, Store: brokenStore{wecom.NewMemoryStore(), broken, nil}}))
	require.ErrorIs(t, err, broken)
	var e *wecom.Error
	require.NotErrorAs(t, err, &e)
	require.Equal(t, 0, s.Count("gettoken"))
	require.NoError(t, send(client(t, wecom.Config{BaseURL: s.URL, Store: brokenStore{wecom.NewMemoryStore(), nil, broken}})))
}

type brokenStore struct {
	wecom.TokenStore
	lease, save error
}

func (b brokenStore) LeaseToken(ctx context.Context, key, owner string, d time.Duration) (bool, error) {
	if b.lease != nil {
		return false, b.lease
	}
	return b.TokenStore.LeaseToken(ctx, key, owner, d)
}

func (b brokenStore) SaveToken(ctx context.Context, key, owner string, e wecom.TokenEntry) error {
	if b.save != nil {
		return b.save
	}
	return b.TokenStore.SaveToken(ctx, key, owner, e)
}
