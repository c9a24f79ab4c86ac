package journal_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
	"wedrop/pipeline/journal/journaltest"
	"wedrop/wecom"
	"wedrop/wecom/tokentest"
)

func TestContract(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Harness {
		clock := journaltest.NewClock()
		path := filepath.Join(t.TempDir(), "led?ger 100%.db") // what means something in a URI
		return journaltest.Harness{Clock: clock, Lease: journal.Lease, Open: func(t *testing.T) pipeline.Journal {
			return open(t, path, journal.Options{Now: clock.Now})
		}}
	})
}

func TestTokens(t *testing.T) {
	tokentest.TestStore(t, func(t *testing.T) (a, b wecom.TokenStore) {
		path := filepath.Join(t.TempDir(), "l.db")
		return open(t, path, journal.Options{}), open(t, path, journal.Options{})
	})
}

func open(t *testing.T, path string, o journal.Options) *journal.Journal {
	j, err := journal.Open(context.Background(), path, o)
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	return j
}
