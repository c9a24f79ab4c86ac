package main

import (
	"log/slog"
	"strings"
)

// newLog writes what happens to stderr, in English, if verbose is set.
func newLog(a *console, verbose bool) *slog.Logger {
	if !verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) { return a.stderr.Write(p) }),
		&slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: redact}))
}

// redact is the last net for secrets: those who log do not log them.
func redact(_ []string, attr slog.Attr) slog.Attr {
	name := strings.ToLower(attr.Key)
	for _, w := range []string{"token", "secret", "aes_key", "authorization", "password"} {
		if strings.Contains(name, w) {
			return slog.String(attr.Key, "***")
		}
	}
	return attr
}

// A writerFunc is an io.Writer that is looked up at each Write.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
