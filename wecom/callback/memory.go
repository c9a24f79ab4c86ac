package callback

import (
	"sync"
	"time"
)

// A memory knows what was handed on lately: for two hours by signature, which
// stands for timestamp, nonce and text (WeCom promises no nonce twice in two
// hours: document/path/101033), and for a minute by job id. The job's time is
// short because the id may have come before its submit was recorded: if the
// event comes again later, it is better told twice than lost.
//
// It holds what WeCom signed and nothing else, and no more than so many. The
// zero value is ready.
type memory struct {
	mu   sync.Mutex
	seen recent // by signature
	jobs recent // by job id
}

const (
	seenLife  = 2 * time.Hour
	jobLife   = time.Minute
	maxRecent = 1 << 16 // about 10 MB
)

// A delivery is an event on its way to Finished or Other.
type delivery struct {
	keys []string      // in memory: its job id, and every signature it came with
	done chan struct{} // closed when it has ended
	err  error         // before done: the run's alone
}

// claim returns the delivery of an event. It is the caller's to make, and to
// end, if first is true. job is "" where there is none.
func (m *memory) claim(signature, job string, now time.Time) (d *delivery, first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.seen.get(signature, now, seenLife); d != nil {
		return d, false
	}
	if job != "" {
		d = m.jobs.get(job, now, jobLife)
	}
	if first = d == nil; first {
		d = &delivery{done: make(chan struct{})}
		if job != "" {
			m.jobs.put(job, d, now, jobLife)
		}
	}
	m.seen.put(signature, d, now, seenLife)
	return d, first
}

// end tells those who wait for d. One that failed is forgotten, so that the
// next try is a first one.
func (m *memory) end(d *delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.err != nil {
		m.seen.drop(d)
		m.jobs.drop(d)
	}
	close(d.done)
}

// recent holds deliveries by key, and the order in which they came.
type recent struct {
	known map[string]*delivery
	order []memo
}

type memo struct {
	key string
	d   *delivery
	at  time.Time
}

func (r *recent) get(key string, now time.Time, life time.Duration) *delivery {
	r.forget(now, life, maxRecent)
	return r.known[key]
}

func (r *recent) put(key string, d *delivery, now time.Time, life time.Duration) {
	if r.known == nil {
		r.known = map[string]*delivery{}
	}
	r.forget(now, life, maxRecent-1)
	r.known[key] = d
	d.keys = append(d.keys, key)
	r.order = append(r.order, memo{key, d, now})
}

// forget drops the oldest while they are too old or too many. An entry whose
// time lies ahead, because the clock was set back, is too old as well when
// that is further than its life.
func (r *recent) forget(now time.Time, life time.Duration, most int) {
	for len(r.order) > 0 && (len(r.order) > most || now.Sub(r.order[0].at).Abs() >= life) {
		if oldest := r.order[0]; r.known[oldest.key] == oldest.d {
			delete(r.known, oldest.key)
		}
		r.order[0] = memo{}
		r.order = r.order[1:]
	}
}

// drop drops every key of d.
func (r *recent) drop(d *delivery) {
	for _, key := range d.keys {
		if r.known[key] == d {
			delete(r.known, key)
		}
	}
}
