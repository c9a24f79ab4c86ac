package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
)

// PutTemplate remembers a welcome template.
func (j *Journal) PutTemplate(ctx context.Context, p pipeline.Template) error {
	fault, err := pack(p.Fault, p.Fault == nil)
	if err != nil {
		return err
	}
	return j.write(ctx, func(t *tx) error {
		return t.exec(`INSERT INTO templates (corp,id,content,item,md5,media,shown,fault,created,updated) VALUES (?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (corp,id) DO UPDATE SET content=excluded.content, item=excluded.item, md5=excluded.md5, media=excluded.media,
				shown=excluded.shown, fault=excluded.fault, updated=excluded.updated`,
			p.Corp, p.ID, string(p.Content), p.Item, p.MD5, p.Media, p.Shown, fault, t.now, t.now)
	})
}

// Templates returns the corp's, by Created.
func (j *Journal) Templates(ctx context.Context, corp string) (out []pipeline.Template, err error) {
	err = j.read(ctx, func(ctx context.Context) error {
		rows, err := j.pool.Query(ctx, `SELECT id,content,item,md5,media,shown,fault,created,updated FROM templates WHERE corp=$1 ORDER BY created,id`, corp)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(s pgx.Row) (pipeline.Template, error) {
			p := pipeline.Template{Corp: corp}
			var content, fault string
			var created, updated int64
			if err := s.Scan(&p.ID, &content, &p.Item, &p.MD5, &p.Media, &p.Shown, &fault, &created, &updated); err != nil {
				return p, err
			}
			p.Content, p.Created, p.Updated = []byte(content), from(created), from(updated)
			return p, unpack(fault, &p.Fault)
		})
		return err
	})
	return out, err
}

// DropTemplate forgets one.
func (j *Journal) DropTemplate(ctx context.Context, corp, id string) error {
	return j.write(ctx, func(t *tx) error { return t.exec(`DELETE FROM templates WHERE corp=? AND id=?`, corp, id) })
}

// setBack is how far a rate may be ahead before it is taken that the
// database's clock was set back, and that nobody is to wait for that time again.
const setBack = time.Minute

// Turns takes turns of a rate. See pipeline.Journal.
func (j *Journal) Turns(ctx context.Context, key string, n int, every time.Duration, burst int) (got int, wait time.Duration, err error) {
	err = j.write(ctx, func(t *tx) error {
		clock, err := j.Now(t.ctx)
		if err != nil {
			return err
		}
		now, step := clock.UnixMicro(), max(every.Microseconds(), 1)
		// The row is there, then locked: two cannot take the same turn.
		if err := t.exec(`INSERT INTO rates (key,tat) VALUES (?,0) ON CONFLICT DO NOTHING`, key); err != nil {
			return err
		}
		var next int64
		if err := t.row(`SELECT tat FROM rates WHERE key=? FOR UPDATE`, key).Scan(&next); err != nil {
			return err
		}
		// Who waited for the row, or whose clock was measured a little wrong, is
		// behind the others, and sees turns taken of a time that is not yet.
		if next > now+int64(burst)*step+setBack.Microseconds() {
			next = now
		}
		next = max(next, now)
		got, wait = int(min(int64(n), (now+int64(burst)*step-next)/step)), 0
		if got <= 0 {
			got, wait = 0, time.Duration(next-now-int64(burst-1)*step)*time.Microsecond
			return nil
		}
		return t.exec(`UPDATE rates SET tat=? WHERE key=?`, next+int64(got)*step, key)
	})
	return got, wait, err
}
