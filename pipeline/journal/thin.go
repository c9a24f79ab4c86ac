package journal

import (
	"context"
	"time"

	"wedrop/pipeline"
)

// past says of an Item i that its media_id died before a time and that
// neither a template nor a worker has it, and no object is kept for it.
const past = `i.corp=? AND i.step='done' AND i.media<>'' AND i.media_expires<? AND i.object='' AND +i.lease<=?
	AND NOT EXISTS (SELECT 1 FROM templates t WHERE t.item=i.id)`

// Past returns files of Items that may be forgotten, all those of an Item
// together.
func (j *Journal) Past(ctx context.Context, corp string, before time.Time, after int64, limit int) (_ []pipeline.Past, err error) {
	defer j.name(&err)
	rows, err := j.read.QueryContext(ctx, `SELECT i.id, coalesce(f.host,''), coalesce(f.path,'') FROM items i LEFT JOIN files f ON f.item=i.id
		WHERE i.id IN (SELECT i.id FROM items i WHERE `+past+` AND i.id>? ORDER BY +i.id LIMIT ?) ORDER BY i.id`,
		corp, ms(before), ms(j.now()), after, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s scanner) (f pipeline.Past, err error) { return f, s.Scan(&f.Item, &f.Host, &f.Path) })
}

// Forget removes Items that may be, and their files.
func (j *Journal) Forget(ctx context.Context, corp string, before time.Time, ids []int64) error {
	return j.write(ctx, func(t *tx) error {
		for _, id := range ids {
			var still bool
			if err := t.row(`SELECT EXISTS (SELECT 1 FROM items i WHERE `+past+` AND i.id=?)`, corp, ms(before), t.now, id).Scan(&still); err != nil {
				return err
			}
			if !still {
				continue
			}
			if err := t.exec(`DELETE FROM files WHERE item=?`, id); err != nil {
				return err
			}
			if err := t.exec(`DELETE FROM items WHERE id=?`, id); err != nil {
				return err
			}
		}
		return nil
	})
}
