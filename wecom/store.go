package wecom

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A TokenStore keeps tokens for all processes that share it, one entry a key,
// and sees that only one of them fetches at a time. It is handed sealed
// tokens only. The journal is one. Package tokentest checks these rules.
type TokenStore interface {
	// LoadToken returns the key's entry, or a zero one.
	LoadToken(ctx context.Context, key string) (TokenEntry, error)
	// LeaseToken takes the right to fetch the key's next token for d. It
	// reports false if another owner holds it now. An owner who holds it
	// already has it for d from now.
	LeaseToken(ctx context.Context, key, owner string, d time.Duration) (bool, error)
	// SaveToken replaces the key's entry and gives the lease back. It changes
	// nothing, and that is no error, if owner is not the last one who was
	// given the lease or has given it back: a slow fetcher does not undo what
	// a later one found.
	SaveToken(ctx context.Context, key, owner string, e TokenEntry) error
}

// TokenEntry is what a TokenStore keeps under a key. Times may be rounded
// down to a millisecond; a zero time stays zero.
type TokenEntry struct {
	Sealed  []byte    // the token, sealed with a key derived from the secret; nil if there is none
	Expires time.Time // when the token stops to be handed out
	// Refusal is WeCom's answer to a secret that it refused (JSON, without
	// the secret); nil if it did not. It stands until RefusedUntil.
	Refusal      []byte
	RefusedUntil time.Time
}

// NewMemoryStore returns a TokenStore for the Clients of one process.
func NewMemoryStore() TokenStore { return &memoryStore{entries: map[string]*memoryEntry{}} }

type memoryStore struct {
	mu      sync.Mutex
	entries map[string]*memoryEntry
}

type memoryEntry struct {
	TokenEntry
	owner string // "" if nobody was given the lease, or it was given back
	lease time.Time
}

func (s *memoryStore) LoadToken(_ context.Context, key string) (TokenEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entry(key).TokenEntry.clone(), nil
}

func (s *memoryStore) LeaseToken(_ context.Context, key, owner string, d time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, now := s.entry(key), time.Now()
	if e.owner != "" && e.owner != owner && now.Before(e.lease) {
		return false, nil
	}
	e.owner, e.lease = owner, now.Add(d)
	return true, nil
}

func (s *memoryStore) SaveToken(_ context.Context, key, owner string, entry TokenEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entry(key); e.owner == owner {
		e.TokenEntry, e.owner = entry.clone(), ""
	}
	return nil
}

func (s *memoryStore) entry(key string) *memoryEntry {
	if s.entries[key] == nil {
		s.entries[key] = &memoryEntry{}
	}
	return s.entries[key]
}

func (e TokenEntry) clone() TokenEntry {
	e.Sealed, e.Refusal = slices.Clone(e.Sealed), slices.Clone(e.Refusal)
	return e
}
