package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// Staging notes that the ledger makes this object.
func (j *Journal) Staging(ctx context.Context, bucket, key, md5 string) error {
	return j.alone(ctx, noRow, func(b *pgx.Batch, now int64) error {
		b.Queue(staging, params([]any{bucket, key, md5, now})...)
		return nil
	})
}

const staging = `INSERT INTO objects (bucket,key,md5,made) VALUES ($1,$2,$3,$4)
	ON CONFLICT (bucket,key) DO UPDATE SET made=excluded.made, doomed=0`

// unneeded are the objects in a bucket that nobody is removing and nobody needs:
// no Item is on its way with it or being worked on, no job of WeCom's may still
// read it, and no media_id of it is younger than keep.
const unneeded = `SELECT key,md5 FROM objects o WHERE bucket=? AND doomed<=?
	AND NOT EXISTS (SELECT 1 FROM items i WHERE i.object=o.key AND i.object<>'' AND i.bucket=o.bucket AND (
		i.lease>? OR (NOT i.held AND i.step<>'done')
		OR (i.step<>'done' AND i.job<>'' AND i.submitted>?)
		OR (i.media<>'' AND i.media_created>?)))
	AND NOT EXISTS (SELECT 1 FROM items i WHERE i.md5=o.md5 AND i.md5<>'' AND NOT i.held AND i.step IN ('stage','submit','await'))`

func unneededArgs(bucket string, now int64, keep time.Duration) []any {
	return []any{bucket, now, now, now - wecom.JobLife.Milliseconds(), now - keep.Milliseconds()}
}

// doomAtOnce is how many objects are doomed by one call.
const doomAtOnce = 200

type objectKey struct{ key, md5 string }

func readKey(s pgx.Row) (k objectKey, err error) { return k, s.Scan(&k.key, &k.md5) }

// Doom returns objects that the ledger made and nobody needs, some at a time.
// Held Items that lose theirs go back to Stage.
func (j *Journal) Doom(ctx context.Context, bucket string, keep time.Duration) ([]pipeline.Doomed, error) {
	keys, err := j.unneeded(ctx, bucket, keep)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	var out []pipeline.Doomed
	err = j.write(ctx, func(t *tx) (err error) {
		out, err = t.doom(bucket, keep, keys)
		return err
	})
	return out, err
}

// longest is how long the search for what nobody needs may take: it looks at
// all objects, and holds nobody up.
const longest = 5 * time.Minute

// unneeded looks for some objects that nobody seems to need. It is looked at
// again before anything is done to them.
func (j *Journal) unneeded(ctx context.Context, bucket string, keep time.Duration) (keys []objectKey, err error) {
	now, err := j.Now(ctx)
	if err != nil {
		return nil, err
	}
	err = j.retry(ctx, true, func() error {
		within, cancel := context.WithTimeout(ctx, longest)
		defer cancel()
		return pgx.BeginFunc(within, j.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(within, `SET LOCAL statement_timeout=0`); err != nil {
				return err
			}
			rows, err := tx.Query(within, dollars(unneeded+` LIMIT ?`), params(append(unneededArgs(bucket, ms(now), keep), doomAtOnce))...)
			if err != nil {
				return err
			}
			keys, err = collect(rows, readKey)
			return err
		})
	})
	return keys, err
}

// doom dooms those of the objects that nobody needs by now, and whose content
// nobody is about to stage.
func (t *tx) doom(bucket string, keep time.Duration, keys []objectKey) (out []pipeline.Doomed, err error) {
	md5s := make([]string, len(keys))
	for n, k := range keys {
		md5s[n] = k.md5
	}
	locked, err := t.lock(md5s)
	if err != nil {
		return nil, err
	}
	free := map[string]bool{}
	for _, m := range locked {
		free[m] = true
	}
	for _, k := range keys {
		if !free[k.md5] {
			continue
		}
		// Its Items are locked first, so that none is claimed in between.
		if err := t.exec(`SELECT id FROM items WHERE (object=? AND object<>'' OR md5=? AND md5<>'') ORDER BY id FOR UPDATE`, k.key, k.md5); err != nil {
			return nil, err
		}
		_, err := readKey(t.row(unneeded+` AND key=?`, append(unneededArgs(bucket, t.now, keep), k.key)...))
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := t.exec(`UPDATE objects SET doomed=? WHERE bucket=? AND key=?`, t.now+pipeline.DoomLasts.Milliseconds(), bucket, k.key); err != nil {
			return nil, err
		}
		if err := t.exec(`UPDATE items SET bucket='', object='', url='', staged=0, rev=`+revNow+over+`,
			step=CASE WHEN step IN ('submit','await') THEN 'stage' ELSE step END WHERE bucket=? AND object=? AND object<>''`,
			bucket, k.key); err != nil {
			return nil, err
		}
		out = append(out, pipeline.Doomed{Bucket: bucket, Key: k.key})
	}
	return out, nil
}

// Removed ends an object's doom, if it has not been staged anew.
func (j *Journal) Removed(ctx context.Context, d pipeline.Doomed) error {
	return j.write(ctx, func(t *tx) error {
		return t.exec(`DELETE FROM objects WHERE bucket=? AND key=? AND doomed>0`, d.Bucket, d.Key)
	})
}
