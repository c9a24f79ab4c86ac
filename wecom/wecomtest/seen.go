package wecomtest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// seen is what came in: the last calls, and how many there were of each API.
type seen struct {
	calls tail[Call]
	count map[string]int
}

func (c *seen) init() { c.count = map[string]int{} }

// A tail keeps the last of its elements, and up to as many more for a while.
type tail[T any] []T

func (t *tail[T]) add(v T, keep int) {
	if len(*t) >= 2*keep {
		*t = slices.Clone((*t)[len(*t)-keep:])
	}
	*t = append(*t, v)
}

func (t tail[T]) last(keep int) []T { return slices.Clone(t[max(0, len(t)-keep):]) }

// record notes a call just before it is answered: a caller who has the answer
// finds the call in Calls.
func (s *Server) record(r *request, code int) {
	c := Call{API: r.api, At: s.now(), Query: map[string]string{}, Body: r.body, Errcode: code}
	for name, values := range r.query {
		if name != "access_token" && name != "corpsecret" && name != "key" {
			c.Query[name] = values[0]
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens.issued[r.query.Get("access_token")]; t != nil {
		c.Token = t.nth
	} else if r.token != nil {
		c.Token = r.token.nth
	}
	s.seen.calls.add(c, s.o.Keep)
	s.seen.count[r.api]++
	s.logCall(r, c)
	s.changed.Broadcast()
}

// logCall writes the line about a call. It names no link: a link may be
// signed, and then it is a secret.
func (s *Server) logCall(r *request, c Call) {
	if s.o.Log == nil {
		return
	}
	outcome := itoa(c.Errcode)
	if c.Errcode == NoErrcode {
		outcome = "no answer of WeCom's"
	}
	line := fmt.Sprintf("%s %s %q token %d -> %s", c.At.Format(time.RFC3339), r.Method, c.API, c.Token, outcome)
	if r.note != "" {
		line += " " + r.note
	}
	fmt.Fprintln(s.o.Log, line)
}

// Calls returns the last calls, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.calls.last(s.o.Keep)
}

// Count returns how many calls of an API came in, faults included; of all if
// api is "*".
func (s *Server) Count(api string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count(api)
}

func (s *Server) count(api string) int {
	if api != "*" {
		return s.seen.count[api]
	}
	all := 0
	for _, n := range s.seen.count {
		all += n
	}
	return all
}

// WaitCalls waits until Count(api) is n or more. It returns ctx's error if
// that came first.
func (s *Server) WaitCalls(ctx context.Context, api string, n int) error {
	return s.wait(ctx, func() bool { return s.count(api) >= n })
}

// wait waits for a condition that holds under mu.
func (s *Server) wait(ctx context.Context, done func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !done() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.changed.Wait()
	}
	return nil
}
