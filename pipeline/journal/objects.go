package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// Staging notes that the ledger makes this object.
func (j *Journal) Staging(ctx context.Context, bucket, key, md5 string) error {
	return j.writePatiently(ctx, func(t *tx) error {
		return t.exec(`INSERT INTO objects (bucket,key,md5,made) VALUES (?,?,?,?)
			ON CONFLICT DO UPDATE SET made=excluded.made, doomed=0`, bucket, key, md5, t.now)
	})
}

// needed says that somebody needs the object o: an Item on its way with it or
// being worked on, a job of WeCom's that may still read it, or a media_id
// younger than keep. (An empty string is ruled out in so many words, or
// SQLite would not use the partial indexes.)
const needed = `EXISTS (SELECT 1 FROM items i WHERE i.object=o.key AND i.object<>'' AND i.bucket=o.bucket AND (
		i.lease>? OR (i.held=0 AND i.step<>'done')
		OR (i.step<>'done' AND i.job<>'' AND i.submitted>?)
		OR (i.media<>'' AND i.media_created>?)))
	OR EXISTS (SELECT 1 FROM items i WHERE i.md5=o.md5 AND i.md5<>'' AND i.held=0 AND i.step IN ('stage','submit','await'))`

// unneeded are the keys of objects in a bucket that nobody needs and nobody
// is removing.
const unneeded = `SELECT key FROM objects o WHERE bucket=? AND doomed<=? AND NOT (` + needed + `)`

func unneededArgs(bucket string, now int64, keep time.Duration) []any {
	return []any{bucket, now, now, now - wecom.JobLife.Milliseconds(), now - keep.Milliseconds()}
}

// doomAtOnce is how many objects are doomed by one call.
const doomAtOnce = 1000

// Doom returns objects that the ledger made and nobody needs, some at a time.
// Held Items that lose theirs go back to Stage.
func (j *Journal) Doom(ctx context.Context, bucket string, keep time.Duration) (_ []pipeline.Doomed, err error) {
	defer j.name(&err)
	// All objects are looked at for that, without the write lock.
	rows, err := j.read.QueryContext(ctx, unneeded+` LIMIT ?`, append(unneededArgs(bucket, ms(j.now()), keep), doomAtOnce)...)
	if err != nil {
		return nil, err
	}
	keys, err := collect(rows, readString)
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

// doom dooms those of the objects that nobody needs by now.
func (t *tx) doom(bucket string, keep time.Duration, keys []string) (out []pipeline.Doomed, err error) {
	for _, key := range keys {
		var k string
		err := t.row(unneeded+` AND key=?`, append(unneededArgs(bucket, t.now, keep), key)...).Scan(&k)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := t.exec(`UPDATE objects SET doomed=? WHERE bucket=? AND key=?`, t.now+pipeline.DoomLasts.Milliseconds(), bucket, key); err != nil {
			return nil, err
		}
		if err := t.exec(`UPDATE items SET bucket='', object='', url='', staged=0, rev=?,
			step=CASE WHEN step IN ('submit','await') THEN 'stage' ELSE step END WHERE bucket=? AND object=? AND object<>''`,
			t.next(), bucket, key); err != nil {
			return nil, err
		}
		out = append(out, pipeline.Doomed{Bucket: bucket, Key: key})
	}
	return out, nil
}

func readString(s scanner) (v string, err error) { return v, s.Scan(&v) }

// Removed ends an object's doom, if it has not been staged anew.
func (j *Journal) Removed(ctx context.Context, d pipeline.Doomed) error {
	return j.write(ctx, func(t *tx) error {
		return t.exec(`DELETE FROM objects WHERE bucket=? AND key=? AND doomed>0`, d.Bucket, d.Key)
	})
}
