package main

import (
	"net"
	"sync"
)

// maxConns is how many connections an address may have open at once. A browser
// has six, a program with a pool some dozens.
const maxConns = 256

// A connLimiter is a Listener that closes the connections of an address that
// has too many.
type connLimiter struct {
	net.Listener
	exempt func(remote string) bool // proxies: they bring everybody else's

	mu   sync.Mutex
	open map[string]int // by address without port
}

func limitConns(l net.Listener, exempt func(remote string) bool) *connLimiter {
	return &connLimiter{Listener: l, exempt: exempt, open: map[string]int{}}
}

// Accept returns the next connection whose address may have it.
func (l *connLimiter) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		remote := c.RemoteAddr().String()
		if l.exempt(remote) {
			return c, nil
		}
		host, _, err := net.SplitHostPort(remote)
		if err != nil {
			host = remote
		}
		if l.take(host) {
			return &countedConn{Conn: c, closed: sync.OnceFunc(func() { l.leave(host) })}, nil
		}
		_ = c.Close()
	}
}

func (l *connLimiter) take(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host] >= maxConns {
		return false
	}
	l.open[host]++
	return true
}

func (l *connLimiter) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host]--; l.open[host] == 0 {
		delete(l.open, host)
	}
}

// A countedConn is counted until it is closed.
type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}
