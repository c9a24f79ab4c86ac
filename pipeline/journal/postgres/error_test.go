package postgres_test

import (
	"net"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// Whatever is wrong with a database, a person is told what to do, in their
// language, and nobody is told the password.
func TestWhatIsWrongIsSaidInWords(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	admin := open(t, db, postgres.Options{})
	exec := func(sql string) {
		_, err := admin.Pool().Exec(bg, sql)
		require.NoError(t, err)
	}
	const password = "HUSH%21-of-the-database"
	with := func(user, where string) string {
		return strings.Replace(strings.Replace(db, "wedrop@", user+":"+password+"@", 1), "?", where+"?", 1)
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0") // nobody answers there
	require.NoError(t, err)
	defer mute.Close()
	newer := pgtest.Start(t)
	n := open(t, newer, postgres.Options{})
	_, err = n.Pool().Exec(bg, `INSERT INTO wedrop_schema VALUES (99)`)
	require.NoError(t, err)
	exec(`DROP ROLE IF EXISTS visitor_of_words`)
	exec(`CREATE ROLE visitor_of_words LOGIN`)
	empty := pgtest.Start(t)
	c, err := pgx.Connect(bg, empty)
	require.NoError(t, err)
	_, err = c.Exec(bg, `REVOKE CREATE ON SCHEMA public FROM PUBLIC`) // as it is from PostgreSQL 15 on
	require.NoError(t, err)
	require.NoError(t, c.Close(bg))

	for _, c := range []struct {
		name, url string
		want      postgres.Kind
		config    bool
	}{
		{"no address", "postgres://wedrop:" + password + "@127.0.0.1:port/x", postgres.KindURL, true},
		{"a closed port", "postgres://wedrop:" + password + "@127.0.0.1:1/x", postgres.KindUnreachable, false},
		{"a server that is mute", "postgres://wedrop:" + password + "@" + mute.Addr().String() + "/x?sslmode=disable&connect_timeout=1", postgres.KindUnreachable, false},
		{"no such host", "postgres://wedrop:" + password + "@host.invalid/x", postgres.KindUnreachable, false},
		{"an unknown user", with("nobody_of_that_name", ""), postgres.KindDenied, true},
		{"an unknown database", with("wedrop", "_of_another_name"), postgres.KindMissing, true},
		{"no right to make tables", strings.Replace(empty, "wedrop@", "visitor_of_words:"+password+"@", 1), postgres.KindRights, true},
		{"a newer wedrop's tables", strings.Replace(newer, "wedrop@", "wedrop:"+password+"@", 1), postgres.KindNewer, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			_, err := postgres.Open(bg, c.url, postgres.Options{})
			var e *postgres.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.want, e.Kind, "%v", err)
			require.Equal(t, c.config, e.Config())
			require.Less(t, time.Since(began), 30*time.Second)
			for _, lang := range []string{"zh", "en"} {
				message, remedy := e.Explain(lang)
				for _, s := range []string{message, remedy, err.Error()} {
					require.NotEmpty(t, s)
					require.NotContains(t, s, "HUSH")
					require.NotContains(t, s, "%!")
				}
				han := strings.ContainsFunc(message+remedy, func(r rune) bool { return unicode.Is(unicode.Han, r) })
				require.Equal(t, lang == "zh", han, "%s %s", message, remedy)
			}
		})
	}
}
