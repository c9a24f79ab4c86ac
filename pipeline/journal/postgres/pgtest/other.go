//go:build !unix

// Package pgtest starts a PostgreSQL server for tests.
package pgtest

import "testing"

const why = "the test server is started in the ways of Unix"

// A Server is a PostgreSQL of its own.
type Server struct{ Port int }

// Start skips the test.
func Start(t testing.TB) (url string) { t.Skip(why); return "" }

// New skips the test.
func New(t testing.TB) *Server { t.Skip(why); return nil }

// URL is never called.
func (s *Server) URL(string) string { return "" }

// Database is never called.
func (s *Server) Database(testing.TB) string { return "" }

// Run is never called.
func (s *Server) Run() error { return nil }

// Halt is never called.
func (s *Server) Halt() {}
