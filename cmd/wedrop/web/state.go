package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"sync"
	"time"

	"github.com/tus/tusd/v2/pkg/memorylocker"
)

const (
	sessionRests = 12 * time.Hour     // a session ends when it was not used for so long
	sessionLasts = 7 * 24 * time.Hour // and at the latest after this

	triesEach = 5  // wrong tokens a minute of one address
	triesAll  = 50 // and of all together
	triesOver = time.Minute
	maxPlaces = 10_000
)

type digest [sha256.Size]byte

// State is what people would miss if it went with a change of the
// configuration: their sessions, their wrong tries, the locks of uploads under
// way, and the answers to idempotency keys. It lives in memory alone, so a
// restart of the program signs everybody out.
type State struct {
	now func() time.Time

	mu       sync.Mutex
	sessions map[digest]session
	wrong    map[string][]time.Time // by address; "" for all
	keys     keys

	locks *memorylocker.MemoryLocker // of uploads
	entry entrance
	heirs map[ground]*Site
}

// ground is what Sites have to share for one to go on with what another began.
type ground struct{ inbox, corp string }

func (s *Site) ground() ground { return ground{s.inbox.dir, s.pipe.Corp} }

// inherit makes s the Site that ends what earlier ones began.
func (st *State) inherit(s *Site) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.heirs[s.ground()] = s
}

// heir is the newest Site that can go on with what s began, s if there is no
// newer one: the ledger of s may be closed.
func (st *State) heir(s *Site) *Site {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.heirs[s.ground()]
}

// NewState returns an empty State.
func NewState() *State {
	return &State{now: time.Now, sessions: map[digest]session{}, wrong: map[string][]time.Time{},
		keys: keys{of: map[string]*answer{}}, locks: memorylocker.New(), heirs: map[ground]*Site{},
		entry: entrance{entered: map[content]int64{}, finishing: map[string]*sync.Mutex{}}}
}

// A session is somebody who had the token.
type session struct {
	token      digest // that was the right one then
	begun, was time.Time
}

func (v session) over(now time.Time) bool {
	return now.Sub(v.was) > sessionRests || now.Sub(v.begun) > sessionLasts
}

// begin starts a session and returns its secret.
func (st *State) begin(token string) string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, as its documentation says
	secret := hex.EncodeToString(b)
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.now()
	for id, v := range st.sessions {
		if v.over(now) {
			delete(st.sessions, id)
		}
	}
	st.sessions[sha256.Sum256([]byte(secret))] = session{token: sha256.Sum256([]byte(token)), begun: now, was: now}
	return secret
}

// alive reports whether the secret is of a session that was begun with the
// token, and prolongs it.
func (st *State) alive(secret, token string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	id, now := digest(sha256.Sum256([]byte(secret))), st.now()
	v, ok := st.sessions[id]
	if !ok {
		return false
	}
	if v.over(now) || v.token != sha256.Sum256([]byte(token)) {
		delete(st.sessions, id)
		return false
	}
	v.was = now
	st.sessions[id] = v
	return true
}

func (st *State) end(secret string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.sessions, sha256.Sum256([]byte(secret)))
}

// try counts a wrong token, and reports how long its address has no tries left;
// zero: it had one.
func (st *State) try(remote string) (wait time.Duration) {
	place := address(remote)
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.now()
	for _, who := range []string{place, ""} {
		st.forget(who, now)
	}
	if w := st.wrong[place]; len(w) >= triesEach {
		return w[0].Add(triesOver).Sub(now)
	}
	if w := st.wrong[""]; len(w) >= triesAll {
		return w[0].Add(triesOver).Sub(now)
	}
	if len(st.wrong) > maxPlaces {
		for who := range st.wrong {
			st.forget(who, now)
		}
	}
	for _, who := range []string{place, ""} {
		st.wrong[who] = append(st.wrong[who], now)
	}
	return 0
}

// forget drops the tries that are older than the limit looks.
func (st *State) forget(who string, now time.Time) {
	w := st.wrong[who]
	for len(w) > 0 && now.Sub(w[0]) >= triesOver {
		w = w[1:]
	}
	if len(w) == 0 {
		delete(st.wrong, who)
		return
	}
	st.wrong[who] = w
}

// address is who holds a connection. A machine with IPv6 has 2^64 addresses
// to itself: they count as one.
func address(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return "?" + host // never the "" of all
	}
	if ip.To4() == nil {
		ip = ip.Mask(net.CIDRMask(64, 128))
	}
	return ip.String()
}
