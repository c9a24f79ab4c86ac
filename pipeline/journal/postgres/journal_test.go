package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/journaltest"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
	"wedrop/wecom"
	"wedrop/wecom/tokentest"
)

func open(t testing.TB, url string, o postgres.Options) *postgres.Journal {
	t.Helper()
	j, err := postgres.Open(context.Background(), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	return j
}

func TestContract(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Harness {
		clock := journaltest.NewClock()
		url := pgtest.Start(t)
		return journaltest.Harness{Clock: clock, Lease: postgres.Lease, Open: func(t *testing.T) pipeline.Journal {
			return open(t, url, postgres.Options{Now: clock.Now, Conns: 4})
		}}
	})
}

func TestTokens(t *testing.T) {
	tokentest.TestStore(t, func(t *testing.T) (a, b wecom.TokenStore) {
		url := pgtest.Start(t)
		return open(t, url, postgres.Options{}), open(t, url, postgres.Options{})
	})
}
