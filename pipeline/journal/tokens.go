package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"wedrop/wecom"
)

// LoadToken returns the key's entry, or a zero one.
func (j *Journal) LoadToken(ctx context.Context, key string) (_ wecom.TokenEntry, err error) {
	defer j.name(&err)
	var e wecom.TokenEntry
	var expires, refused int64
	err = j.read.QueryRowContext(ctx, `SELECT sealed,expires,refusal,refused FROM tokens WHERE key=?`, key).
		Scan(&e.Sealed, &expires, &e.Refusal, &refused)
	if errors.Is(err, sql.ErrNoRows) {
		return wecom.TokenEntry{}, nil
	}
	e.Expires, e.RefusedUntil = from(expires), from(refused)
	return e, err
}

// LeaseToken takes the right to fetch the key's next token. One that a killed
// process of this machine held is free at once.
func (j *Journal) LeaseToken(ctx context.Context, key, owner string, d time.Duration) (bool, error) {
	var got bool
	err := j.write(ctx, func(t *tx) error {
		var holder, process string
		var lease int64
		err := t.row(`SELECT owner,process,lease FROM tokens WHERE key=?`, key).Scan(&holder, &process, &lease)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		got = lease <= t.now || holder == owner || process != j.owner && j.dead(process)
		if !got {
			return nil
		}
		return t.exec(`INSERT INTO tokens (key,owner,process,lease) VALUES (?,?,?,?)
			ON CONFLICT DO UPDATE SET owner=excluded.owner, process=excluded.process, lease=excluded.lease`,
			key, owner, j.owner, t.now+d.Milliseconds())
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
