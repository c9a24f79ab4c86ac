package postgres_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

func TestTheOwnerMakesTheTablesForOthers(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	owner := open(t, db, postgres.Options{})
	role := "worker_" + fmt.Sprint(time.Now().UnixNano())
	_, err := owner.Pool().Exec(bg, fmt.Sprintf(`CREATE ROLE %[1]s LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
		GRANT USAGE ON SCHEMA public TO %[1]s; GRANT SELECT,INSERT,UPDATE,DELETE ON ALL TABLES IN SCHEMA public TO %[1]s`, role))
	require.NoError(t, err)
	worker := open(t, strings.Replace(db, "wedrop@", role+"@", 1), postgres.Options{})
	one(t, worker, "/a.mp4")
	claimOne(t, worker, pipeline.Inspect)
}

func TestAMigrationIsWaitedFor(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t) + "&statement_timeout=300"
	c, err := pgx.Connect(bg, strings.TrimSuffix(db, "&statement_timeout=300"))
	require.NoError(t, err)
	defer c.Close(bg)
	_, err = c.Exec(bg, `SELECT pg_advisory_lock(x'776564726f700001'::bigint)`)
	require.NoError(t, err)
	opened := make(chan error, 1)
	go func() {
		j, err := postgres.Open(bg, db, postgres.Options{})
		if err == nil {
			j.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(time.Second):
	}
	_, err = c.Exec(bg, `SELECT pg_advisory_unlock(x'776564726f700001'::bigint)`)
	require.NoError(t, err)
	require.NoError(t, <-opened)
}

func TestASchemaOfItsOwn(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	c, err := pgx.Connect(bg, db)
	require.NoError(t, err)
	defer c.Close(bg)
	_, err = c.Exec(bg, `CREATE SCHEMA "Eigen"`)
	require.NoError(t, err)
	j := open(t, db+"&search_path="+url.QueryEscape(`"Eigen"`), postgres.Options{})
	one(t, j, "/a.mp4")
	var n int
	require.NoError(t, c.QueryRow(bg, `SELECT count(*) FROM "Eigen".items`).Scan(&n))
	require.Equal(t, 1, n)
}
