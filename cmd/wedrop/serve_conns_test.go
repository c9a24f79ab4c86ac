package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/cmd/wedrop/web"
)

// 3,000 idle connections of one address were kept.
func TestAnAddressHasSoManyConnections(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		proxies string
		refused bool
	}{
		{"a client's address", "10.0.0.1", true},
		{"a proxy's address", "127.0.0.0/8", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := defaults(func(string) string { return "" })
			cfg.Listen = "127.0.0.1:0"
			var err error
			cfg.Proxies, err = web.ParseProxies(row.proxies)
			require.NoError(t, err)
			d, err := openDoor(cfg, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			t.Cleanup(func() { d.close(context.Background()) })
			d.lead(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
			answered := func(c net.Conn) error {
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
					return err
				}
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err == nil {
					_, err = io.ReadAll(resp.Body)
				}
				return err
			}
			var all []net.Conn
			open := func() net.Conn {
				c, err := net.Dial("tcp", strings.TrimPrefix(d.address, "http://"))
				require.NoError(t, err)
				t.Cleanup(func() { c.Close() })
				all = append(all, c)
				return c
			}
			for range maxConns {
				require.NoError(t, answered(open()))
			}
			if !row.refused {
				require.NoError(t, answered(open()))
				return
			}
			require.Error(t, answered(open()))
			all[0].Close()
			require.Eventually(t, func() bool { return answered(open()) == nil }, 10*time.Second, 10*time.Millisecond)
		})
	}
}
