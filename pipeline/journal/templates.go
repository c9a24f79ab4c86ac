package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

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
			ON CONFLICT DO UPDATE SET content=excluded.content, item=excluded.item, md5=excluded.md5, media=excluded.media,
				shown=excluded.shown, fault=excluded.fault, updated=excluded.updated`,
			p.Corp, p.ID, string(p.Content), p.Item, p.MD5, p.Media, p.Shown, fault, t.now, t.now)
	})
}

// Templates returns the corp's, by Created.
func (j *Journal) Templates(ctx context.Context, corp string) (_ []pipeline.Template, err error) {
	defer j.name(&err)
	rows, err := j.read.QueryContext(ctx, `SELECT id,content,item,md5,media,shown,fault,created,updated FROM templates WHERE corp=? ORDER BY created,id`, corp)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s scanner) (pipeline.Template, error) {
		p := pipeline.Template{Corp: corp}
		var content, fault string
		var created, updated int64
		if err := s.Scan(&p.ID, &content, &p.Item, &p.MD5, &p.Media, &p.Shown, &fault, &created, &updated); err != nil {
			return p, err
		}
		p.Content, p.Created, p.Updated = []byte(content), from(created), from(updated)
		return p, unpack(fault, &p.Fault)
	})
}

// DropTemplate forgets one.
func (j *Journal) DropTemplate(ctx context.Context, corp, id string) error {
	return j.write(ctx, func(t *tx) error { return t.exec(`DELETE FROM templates WHERE corp=? AND id=?`, corp, id) })
}

// Turns takes turns of a rate. See pipeline.Journal.
func (j *Journal) Turns(ctx context.Context, key string, n int, every time.Duration, burst int) (got int, wait time.Duration, err error) {
	err = j.write(ctx, func(t *tx) error {
		now, step := j.now().UnixMicro(), max(every.Microseconds(), 1)
		var next int64
		if err := t.row(`SELECT tat FROM rates WHERE key=?`, key).Scan(&next); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if next > now+int64(burst)*step { // the clock was set back
			next = now
		}
		next = max(next, now)
		got = int(min(int64(n), (now+int64(burst)*step-next)/step))
		if got <= 0 {
			got, wait = 0, time.Duration(next-now-int64(burst-1)*step)*time.Microsecond
			return nil
		}
		return t.exec(`INSERT INTO rates (key,tat) VALUES (?,?) ON CONFLICT DO UPDATE SET tat=excluded.tat`, key, next+int64(got)*step)
	})
	return got, wait, err
}
