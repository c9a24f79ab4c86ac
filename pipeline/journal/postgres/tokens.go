package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"wedrop/wecom"
)

// LoadToken returns the key's entry, or a zero one.
func (j *Journal) LoadToken(ctx context.Context, key string) (e wecom.TokenEntry, err error) {
	err = j.read(ctx, func(ctx context.Context) error {
		var expires, refused int64
		err := j.pool.QueryRow(ctx, `SELECT sealed,expires,refusal,refused FROM tokens WHERE key=$1`, key).
			Scan(&e.Sealed, &expires, &e.Refusal, &refused)
		if errors.Is(err, pgx.ErrNoRows) {
			e = wecom.TokenEntry{}
			return nil
		}
		e.Expires, e.RefusedUntil = from(expires), from(refused)
		return err
	})
	return e, err
}

// LeaseToken takes the right to fetch the key's next token.
func (j *Journal) LeaseToken(ctx context.Context, key, owner string, d time.Duration) (got bool, err error) {
	err = j.write(ctx, func(t *tx) error {
		got, err = t.changed(`INSERT INTO tokens (key,owner,lease) VALUES (?,?,?)
			ON CONFLICT (key) DO UPDATE SET owner=excluded.owner, lease=excluded.lease WHERE tokens.lease<=? OR tokens.owner=excluded.owner`,
			key, owner, t.now+d.Milliseconds(), t.now)
		return err
	})
	return got, err
}

// SaveToken replaces the key's entry and gives the lease back. It changes
// nothing if owner is not the one who leased it last.
func (j *Journal) SaveToken(ctx context.Context, key, owner string, e wecom.TokenEntry) error {
	return j.write(ctx, func(t *tx) error {
		return t.exec(`UPDATE tokens SET sealed=?, expires=?, refusal=?, refused=?, owner='', lease=0 WHERE key=? AND owner=?`,
			e.Sealed, ms(e.Expires), e.Refusal, ms(e.RefusedUntil), key, owner)
	})
}
