package postgres_test

import (
	"context"
	"runtime"
	"testing"
	"time"

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

// A machine that vanishes while it sends holds rows until the server has noticed;
// by then its claims have not lapsed yet.
func TestTheServerNoticesWhoVanished(t *testing.T) {
	t.Parallel()
	j := open(t, pgtest.Start(t), postgres.Options{})
	var silent, unheard time.Duration // what the server's system does, not what it was told
	require.NoError(t, j.Pool().QueryRow(bg, `SELECT (a.setting::int + b.setting::int * c.setting::int) * interval '1 second', d.setting::int * interval '1 millisecond'
		FROM pg_settings a, pg_settings b, pg_settings c, pg_settings d
		WHERE a.name='tcp_keepalives_idle' AND b.name='tcp_keepalives_interval' AND c.name='tcp_keepalives_count' AND d.name='tcp_user_timeout'`).
		Scan(&silent, &unheard))
	require.Positive(t, silent)
	require.Less(t, silent, postgres.Lease)
	require.Less(t, unheard, postgres.Lease)
	if runtime.GOOS == "linux" { // others have no such limit, and say 0
		require.Positive(t, unheard)
	}
}
