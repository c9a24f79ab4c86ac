package main

import (
	"context"
	"errors"
	"strings"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/riverengine"
)

// A sharedJournal is that of several machines, with the engine that wakes
// their work. It is closed as one.
type sharedJournal struct {
	*postgres.Journal
	engine *riverengine.Engine
}

// isShared reports whether a journal is a database for several machines.
func isShared(journal string) bool { return strings.Contains(journal, "://") }

// openShared opens a ledger on PostgreSQL, and makes its tables where there
// are none. Whoever does it, daemon or not, wakes the daemons with what it
// changes.
func (a *opener) openShared(ctx context.Context, cfg *Config) (*sharedJournal, error) {
	e, err := riverengine.New(riverengine.Options{Corp: cfg.WeCom.CorpID, Log: a.log})
	if err != nil {
		return nil, err
	}
	j, err := postgres.Open(ctx, cfg.Journal, postgres.Options{Wake: e.Wake, Noted: e.Noted, Conns: 12})
	if err != nil {
		return nil, cfg.journalTrouble(err)
	}
	if err := e.Use(ctx, j); err != nil {
		return nil, errors.Join(cfg.journalTrouble(err), j.Close())
	}
	return &sharedJournal{j, e}, nil
}

// journalTrouble gives what a person has to mend in the configuration its
// place there. What may pass by itself is passed on as it is.
func (c *Config) journalTrouble(err error) error {
	var e *postgres.Error
	if !errors.As(err, &e) || !e.Config() {
		return err
	}
	return worded(c.from["journal"], err, e)
}

// engine wakes the Items of a ledger that several machines share; nil for one
// that this machine has to itself.
func (l *line) engine() pipeline.Engine {
	if j, ok := l.Journal.(*sharedJournal); ok {
		return j.engine.Serving(l.Pipeline)
	}
	return nil
}

// journalShown is the address of the ledger without a password.
func (c *Config) journalShown() string {
	if isShared(c.Journal) {
		return postgres.Shown(c.Journal)
	}
	return c.Journal
}
