// Package tokentest checks what a wecom.TokenStore must do, each rule with
// what goes wrong with WeCom's tokens if it is not kept.
package tokentest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wedrop/wecom"
)

// TestStore runs every rule as a subtest. open returns two handles on one new
// and empty store, as two processes have them; they may be the same value. It
// cleans up with t.Cleanup. No rule takes longer than the wait for a lease of
// 200 ms to lapse.
func TestStore(t *testing.T, open func(t *testing.T) (a, b wecom.TokenStore)) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			a, b := open(t)
			r.check(&probe{t, r.why}, a, b)
		})
	}
}

type rule struct {
	name  string
	why   string
	check func(p *probe, a, b wecom.TokenStore)
}

// rules is a table, not state.
var rules = []rule{
	{"an unknown key has a zero entry",
		"the first process of all would not come to fetch",
		func(p *probe, a, _ wecom.TokenStore) {
			p.want(a, "nobody", wecom.TokenEntry{})
		}},
	{"what one saves the other loads",
		"every process would fetch a token of its own",
		func(p *probe, a, b wecom.TokenStore) {
			e := wecom.TokenEntry{Sealed: []byte("\x00\xff sealed"), Expires: soon(time.Hour)}
			p.leaseAndSave(a, "app", "one", e)
			p.want(b, "app", e)
			p.want(a, "app", e)
		}},
	{"a refusal is kept with its end",
		"every run of cron would try the refused secret again, until WeCom bans the IP",
		func(p *probe, a, b wecom.TokenStore) {
			e := wecom.TokenEntry{Refusal: []byte(`{"code":40001}`), RefusedUntil: soon(time.Hour)}
			p.leaseAndSave(a, "app", "one", e)
			p.want(b, "app", e)
		}},
	{"an entry is replaced whole",
		"a refusal would outlive the token that came after it, or a dead token the refusal",
		func(p *probe, a, b wecom.TokenStore) {
			p.leaseAndSave(a, "app", "one", wecom.TokenEntry{Sealed: []byte("old"), Expires: soon(time.Hour)})
			p.leaseAndSave(b, "app", "two", wecom.TokenEntry{Refusal: []byte("{}"), RefusedUntil: soon(time.Hour)})
			p.want(a, "app", wecom.TokenEntry{Refusal: []byte("{}"), RefusedUntil: soon(time.Hour)})
			p.leaseAndSave(a, "app", "one", wecom.TokenEntry{})
			p.want(b, "app", wecom.TokenEntry{})
		}},
	{"keys do not mix",
		"one app would be given another app's token",
		func(p *probe, a, _ wecom.TokenStore) {
			p.leaseAndSave(a, "app-a", "one", wecom.TokenEntry{Sealed: []byte("a"), Expires: soon(time.Hour)})
			p.want(a, "app-b", wecom.TokenEntry{})
			p.lease(a, "app-a", "one", time.Minute, true)
			p.lease(a, "app-b", "two", time.Minute, true)
		}},
	{"a long token fits",
		"WeCom's page says to keep 512 bytes; longer ones of proxies and suites would be cut",
		func(p *probe, a, b wecom.TokenStore) {
			e := wecom.TokenEntry{Sealed: bytes.Repeat([]byte{0, 0xfe}, 4096), Expires: soon(time.Hour)}
			p.leaseAndSave(a, "app", "one", e)
			p.want(b, "app", e)
		}},
	{"what is kept is a copy",
		"a caller who reuses its buffer would change the shared token",
		func(p *probe, a, _ wecom.TokenStore) {
			buf := []byte("sealed")
			p.leaseAndSave(a, "app", "one", wecom.TokenEntry{Sealed: buf, Expires: soon(time.Hour)})
			buf[0] = 'X'
			got, _ := a.LoadToken(context.Background(), "app")
			if len(got.Sealed) > 0 {
				got.Sealed[1] = 'X'
			}
			p.want(a, "app", wecom.TokenEntry{Sealed: []byte("sealed"), Expires: soon(time.Hour)})
		}},
	{"one holds the lease and no other",
		"two processes would fetch at once",
		func(p *probe, a, b wecom.TokenStore) {
			p.lease(a, "app", "one", time.Minute, true)
			p.lease(b, "app", "two", time.Minute, false)
			p.lease(a, "app", "three", time.Minute, false)
			p.lease(b, "app", "one", time.Minute, true) // who holds it has it anew
		}},
	{"of many who want the lease at once one gets it",
		"a burst of processes would be a burst of gettoken calls",
		func(p *probe, a, b wecom.TokenStore) {
			var won atomic.Int64
			var all sync.WaitGroup
			for i := range 24 {
				store := []wecom.TokenStore{a, b}[i%2]
				all.Go(func() {
					got, err := store.LeaseToken(context.Background(), "app", fmt.Sprint("owner ", i), time.Minute)
					if err != nil {
						p.Errorf("LeaseToken: %v", err)
					}
					if got {
						won.Add(1)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 {
				p.Errorf("%d owners were given the lease, want 1", won.Load())
			}
		}},
	{"saving gives the lease back",
		"after each fetch the next one would have to wait for the lease to lapse",
		func(p *probe, a, b wecom.TokenStore) {
			p.leaseAndSave(a, "app", "one", wecom.TokenEntry{})
			p.lease(b, "app", "two", time.Minute, true)
		}},
	{"a lease lapses",
		"a process that was killed while it fetched would lock all others out",
		func(p *probe, a, b wecom.TokenStore) {
			p.lease(a, "app", "killed", 200*time.Millisecond, true)
			p.waitForLease(b, "app", "two")
		}},
	{"who lost the lease changes nothing",
		"a slow fetcher would put its older token over a newer one",
		func(p *probe, a, b wecom.TokenStore) {
			newer := wecom.TokenEntry{Sealed: []byte("newer"), Expires: soon(time.Hour)}
			late := wecom.TokenEntry{Sealed: []byte("late"), Expires: soon(time.Hour)}
			p.lease(a, "app", "slow", 200*time.Millisecond, true)
			p.waitForLease(b, "app", "two")
			p.save(a, "app", "slow", late) // two has the lease
			p.want(b, "app", wecom.TokenEntry{})
			p.lease(a, "app", "three", time.Minute, false) // and keeps it
			p.save(b, "app", "two", newer)
			p.save(a, "app", "slow", late) // nobody has it
			p.want(a, "app", newer)
		}},
	{"who never had the lease changes nothing",
		"as above: the lease is what makes a word count",
		func(p *probe, a, b wecom.TokenStore) {
			p.save(a, "app", "nobody", wecom.TokenEntry{Sealed: []byte("x"), Expires: soon(time.Hour)})
			p.want(b, "app", wecom.TokenEntry{})
		}},
}

// soon is a fixed moment, to the millisecond that a store must keep.
func soon(d time.Duration) time.Time {
	return time.Date(2031, 5, 6, 7, 8, 9, 123e6, time.UTC).Add(d)
}

// A probe fails with the reason of the rule.
type probe struct {
	*testing.T
	why string
}

func (p *probe) Errorf(format string, args ...any) {
	p.Helper()
	p.T.Errorf(format+"\nwithout this rule: "+p.why, args...)
}

func (p *probe) lease(s wecom.TokenStore, key, owner string, d time.Duration, want bool) {
	p.Helper()
	got, err := s.LeaseToken(context.Background(), key, owner, d)
	if err != nil || got != want {
		p.Errorf("LeaseToken(%s, %s) = %v, %v; want %v", key, owner, got, err, want)
	}
}

func (p *probe) waitForLease(s wecom.TokenStore, key, owner string) {
	p.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got, err := s.LeaseToken(context.Background(), key, owner, time.Minute); got || err != nil {
			if err != nil {
				p.Errorf("LeaseToken(%s, %s): %v", key, owner, err)
			}
			return
		}
	}
	p.Errorf("the lease of %s had not lapsed after 10 s", key)
}

func (p *probe) save(s wecom.TokenStore, key, owner string, e wecom.TokenEntry) {
	p.Helper()
	if err := s.SaveToken(context.Background(), key, owner, e); err != nil {
		p.Errorf("SaveToken(%s, %s): %v", key, owner, err)
	}
}

func (p *probe) leaseAndSave(s wecom.TokenStore, key, owner string, e wecom.TokenEntry) {
	p.Helper()
	p.lease(s, key, owner, time.Minute, true)
	p.save(s, key, owner, e)
}

func (p *probe) want(s wecom.TokenStore, key string, want wecom.TokenEntry) {
	p.Helper()
	got, err := s.LoadToken(context.Background(), key)
	if err != nil {
		p.Errorf("LoadToken(%s): %v", key, err)
		return
	}
	if !bytes.Equal(got.Sealed, want.Sealed) || (got.Sealed == nil) != (want.Sealed == nil) || !got.Expires.Equal(want.Expires) {
		p.Errorf("LoadToken(%s): got token %q until %v, want %q until %v", key, got.Sealed, got.Expires, want.Sealed, want.Expires)
	}
	if !bytes.Equal(got.Refusal, want.Refusal) || (got.Refusal == nil) != (want.Refusal == nil) || !got.RefusedUntil.Equal(want.RefusedUntil) {
		p.Errorf("LoadToken(%s): got refusal %q until %v, want %q until %v", key, got.Refusal, got.RefusedUntil, want.Refusal, want.RefusedUntil)
	}
}
