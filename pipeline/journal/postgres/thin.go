package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
)

// past says of an Item i that its media_id died before a time and that
// neither a template nor a worker has it, and no object is kept for it.
const past = `i.corp=? AND i.step='done' AND i.media<>'' AND i.media_expires<? AND i.object='' AND i.lease<=?
	AND NOT EXISTS (SELECT 1 FROM templates t WHERE t.corp=i.corp AND t.item=i.id)`

// Past returns files of Items that may be forgotten, all those of an Item
// together.
func (j *Journal) Past(ctx context.Context, corp string, before time.Time, after int64, limit int) (out []pipeline.Past, err error) {
	now, err := j.Now(ctx)
	if err != nil {
		return nil, err
	}
	err = j.read(ctx, func(ctx context.Context) error {
		rows, err := j.pool.Query(ctx, dollars(`SELECT i.id, coalesce(f.host,''), coalesce(f.path,'') FROM items i LEFT JOIN files f ON f.item=i.id
			WHERE i.id IN (SELECT i.id FROM items i WHERE `+past+` AND i.id>? ORDER BY i.id LIMIT ?) ORDER BY i.id`),
			params([]any{corp, ms(before), ms(now), after, limit})...)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(s pgx.Row) (f pipeline.Past, err error) {
			err = s.Scan(&f.Item, &f.Host, &f.Path)
			restore(&f.Host, &f.Path)
			return f, err
		})
		return err
	})
	return out, err
}

// Forget removes Items that may be, and their files.
func (j *Journal) Forget(ctx context.Context, corp string, before time.Time, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return j.write(ctx, func(t *tx) error {
		rows, err := t.rows(`SELECT i.id FROM items i WHERE `+past+` AND i.id=ANY(?) ORDER BY i.id FOR UPDATE`, corp, ms(before), t.now, ids)
		if err != nil {
			return err
		}
		still, err := collect(rows, func(s pgx.Row) (id int64, err error) { return id, s.Scan(&id) })
		if err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM files WHERE item=ANY(?)`, still); err != nil {
			return err
		}
		return t.exec(`DELETE FROM items WHERE id=ANY(?)`, still)
	})
}
