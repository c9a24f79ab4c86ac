package callback

import (
	"sync"
	"time"
)

// refusalsEvery is how often the log tells of refusals for one reason, at
// most: whoever knows the address can have as many as they like.
const refusalsEvery = time.Minute

// refusals decides which of them the log tells of.
type refusals struct {
	sync.Mutex
	of map[Kind]*refusal
}

type refusal struct {
	told     time.Time
	silenced int // since then
}

// count takes in a refusal. It reports whether the log is to tell of it, and
// how many there were since it last did.
func (s *refusals) count(k Kind, now time.Time) (silenced int, tell bool) {
	s.Lock()
	defer s.Unlock()
	if s.of == nil {
		s.of = map[Kind]*refusal{}
	}
	r := s.of[k]
	if r == nil {
		r = &refusal{}
		s.of[k] = r
	}
	if since := now.Sub(r.told); since >= 0 && since < refusalsEvery {
		r.silenced++
		return 0, false
	}
	silenced = r.silenced
	r.told, r.silenced = now, 0
	return silenced, true
}
