package riverengine

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// migrating is the advisory lock of migrations, the ledger's too.
const migrating = 0x7765_6472_6f70_0001 // "wedrop" 1

// migrate makes River's tables, or brings them up to date. One process does it
// while others wait. Each of River's steps is a transaction of its own, as some
// need what an earlier one has committed; a process that is killed between two
// leaves the rest to the next.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	if v, err := m.Validate(ctx, nil); err != nil || v.OK {
		return err
	}
	lock, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer lock.Release()
	// Whoever is at it may take longer than a statement else may.
	defer lock.Exec(context.WithoutCancel(ctx), `RESET statement_timeout`)
	if _, err := lock.Exec(ctx, `SET statement_timeout=0`); err != nil {
		return err
	}
	if _, err := lock.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrating)); err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	_, unlocked := lock.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrating))
	return errors.Join(err, unlocked)
}
