package journal

import (
	"context"
	"time"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// doomFor is how long a removal may take before somebody else may try it, or
// stage the content anew.
const doomFor = 2 * time.Minute

// Staging notes that the ledger makes this object.
func (j *Journal) Staging(ctx context.Context, bucket, key, md5 string) error {
	return j.write(ctx, func(t *tx) error {
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

// Doom returns objects that the ledger made and nobody needs. Held Items that
// lose theirs go back to Stage.
func (j *Journal) Doom(ctx context.Context, bucket string, keep time.Duration) ([]pipeline.Doomed, error) {
	var out []pipeline.Doomed
	err := j.write(ctx, func(t *tx) error {
		rows, err := t.rows(`SELECT bucket,key FROM objects o WHERE bucket=? AND doomed<=? AND NOT (`+needed+`)`,
			bucket, t.now, t.now, t.now-wecom.JobLife.Milliseconds(), t.now-keep.Milliseconds())
		if err != nil {
			return err
		}
		out, err = collect(rows, func(s scanner) (d pipeline.Doomed, err error) { return d, s.Scan(&d.Bucket, &d.Key) })
		if err != nil {
			return err
		}
		for _, d := range out {
			if err := t.exec(`UPDATE objects SET doomed=? WHERE bucket=? AND key=?`, t.now+doomFor.Milliseconds(), d.Bucket, d.Key); err != nil {
				return err
			}
			if err := t.exec(`UPDATE items SET bucket='', object='', url='', staged=0, rev=?,
				step=CASE WHEN step IN ('submit','await') THEN 'stage' ELSE step END WHERE bucket=? AND object=? AND object<>''`,
				t.next(), d.Bucket, d.Key); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Removed ends an object's doom.
func (j *Journal) Removed(ctx context.Context, d pipeline.Doomed) error {
	return j.write(ctx, func(t *tx) error {
		return t.exec(`DELETE FROM objects WHERE bucket=? AND key=?`, d.Bucket, d.Key)
	})
}
