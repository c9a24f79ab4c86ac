package main

import (
	"log/slog"
)

// serveLog is the daemon's log: for a person where stderr is a terminal, else
// a line of JSON for each event.
func (a *console) serveLog() *slog.Logger {
	level := slog.LevelInfo
	switch {
	case a.quiet:
		level = slog.LevelWarn
	case a.verbose:
		level = slog.LevelDebug
	}
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	if isTerminal(a.stderr.w) {
		return slog.New(slog.NewTextHandler(a.stderr, o))
	}
	return slog.New(slog.NewJSONHandler(a.stderr, o))
}
