package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
)

// columns of items in the order of values and scanItem. What Claim alone
// writes (owner, fence, lease) stands apart, and so does rev.
const columns = `corp,scene,host,path,want,want_name,dev,ino,fsize,mtime,ctime,name,type,size,md5,mime,ext,warnings,` +
	`step,due,fault,held,tries,backs,renew,bucket,object,url,staged,job,submitted,media,media_created,media_expires,history,updated`

// revNow is the Rev of the transaction that a statement is in.
const revNow = `pg_current_xact_id()::text::bigint`

var (
	insert = `INSERT INTO items (created,` + columns + `,rev) VALUES (?` + strings.Repeat(`,?`, strings.Count(columns, ",")+1) +
		`,` + revNow + `) RETURNING id,rev`
	set = strings.ReplaceAll(columns, `,`, `=?,`) + `=?,rev=` + revNow
	// all is what scanItem reads.
	all       = `id,created,owner,fence,lease,` + columns + `,rev`
	qualified = `i.` + strings.ReplaceAll(all, `,`, `,i.`)
)

// values are the item's columns.
func values(it pipeline.Item, now int64) ([]any, error) {
	warnings, err1 := pack(it.Warnings, len(it.Warnings) == 0)
	fault, err2 := pack(it.Fault, it.Fault == nil)
	history, err3 := pack(it.History, len(it.History) == 0)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	o, b, m := orZero(it.Object), orZero(it.Job), orZero(it.Media)
	return append(append([]any{it.Corp, it.Scene, it.Host, it.Path, string(it.Want), it.WantName}, stat(it.File)...),
		it.Name, string(it.Type), it.Size, it.MD5, it.MIME, it.Ext, warnings,
		string(it.Step), ms(it.Due), fault, it.Held(), it.Tries, it.Backs, it.Replace,
		o.Bucket, o.Key, o.URL, ms(o.Staged), b.ID, ms(b.SubmittedAt),
		m.ID, ms(m.CreatedAt), ms(m.ExpiresAt), history, now), nil
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// scanItem reads the columns of all.
func scanItem(s pgx.Row, more ...any) (pipeline.Item, error) {
	var it pipeline.Item
	var o pipeline.Object
	var b pipeline.Job
	var m pipeline.Media
	var dev, ino, created, lease, due, staged, submitted, mediaCreated, expires, updated int64
	var warnings, fault, history string
	var held bool
	err := s.Scan(append([]any{&it.ID, &created, &it.Claim.Owner, &it.Claim.Fence, &lease,
		&it.Corp, &it.Scene, &it.Host, &it.Path, &it.Want, &it.WantName,
		&dev, &ino, &it.File.Size, &it.File.MTime, &it.File.CTime,
		&it.Name, &it.Type, &it.Size, &it.MD5, &it.MIME, &it.Ext, &warnings,
		&it.Step, &due, &fault, &held, &it.Tries, &it.Backs, &it.Replace,
		&o.Bucket, &o.Key, &o.URL, &staged, &b.ID, &submitted,
		&m.ID, &mediaCreated, &expires, &history, &updated, &it.Rev}, more...)...)
	if err != nil {
		return it, err
	}
	restore(&it.Host, &it.Path, &it.WantName, &it.Name)
	it.File.Device, it.File.Inode = uint64(dev), uint64(ino)
	it.Created, it.Updated, it.Due = from(created), from(updated), from(due)
	if o.Key != "" {
		o.Staged = from(staged)
		it.Object = &o
	}
	if b.ID != "" {
		b.SubmittedAt = from(submitted)
		it.Job = &b
	}
	if m.ID != "" {
		m.CreatedAt, m.ExpiresAt = from(mediaCreated), from(expires)
		it.Media = &m
	}
	if lease == 0 {
		it.Claim = pipeline.Claim{}
	}
	return it, errors.Join(unpack(warnings, &it.Warnings), unpack(fault, &it.Fault), unpack(history, &it.History))
}

func readItem(s pgx.Row) (pipeline.Item, error) {
	it, err := scanItem(s)
	it.Claim = pipeline.Claim{} // whoever has it, it is not the reader
	return it, err
}

// pack is v as JSON, or "" for none.
func pack(v any, none bool) (string, error) {
	if none {
		return "", nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// unpack is the inverse of pack.
func unpack(s string, v any) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), v)
}

// Items returns those that q selects, by ID, or by Rev where Since is set.
func (j *Journal) Items(ctx context.Context, q pipeline.Query) (items []pipeline.Item, err error) {
	query, args := selection(q)
	err = j.read(ctx, func(ctx context.Context) error {
		rows, err := j.pool.Query(ctx, dollars(query), params(args)...)
		if err != nil {
			return err
		}
		items, err = collect(rows, readItem)
		return err
	})
	return items, err
}

// selection is q in SQL.
func selection(q pipeline.Query) (string, []any) {
	var where []string
	var args []any
	and := func(cond string, a ...any) {
		where = append(where, cond)
		args = append(args, a...)
	}
	if q.Corp != "" {
		and(`corp=?`, q.Corp)
	}
	if q.IDs != nil {
		and(`id=ANY(?)`, q.IDs)
	}
	if q.Held {
		and(`held`)
	}
	if !q.Expiring.IsZero() {
		and(`media<>'' AND media_expires<?`, ms(q.Expiring))
	}
	if !q.Alive.IsZero() {
		and(`media<>'' AND media_expires>?`, ms(q.Alive))
	}
	if q.Named != "" {
		and(`id IN (SELECT id FROM items WHERE name=? UNION SELECT id FROM items WHERE md5=? AND md5<>''
			UNION SELECT item FROM files WHERE path=?)`, q.Named, strings.ToLower(q.Named), q.Named)
	}
	if q.Media != "" {
		and(`media=? AND media<>''`, q.Media)
	}
	if q.Current {
		and(`EXISTS (SELECT 1 FROM files WHERE item=items.id OFFSET 0)`) // looked up row by row: a page is not to wait for a join of all
	}
	if len(q.Steps) > 0 {
		steps := make([]string, len(q.Steps))
		for n, s := range q.Steps {
			steps[n] = string(s)
		}
		and(`NOT held AND step=ANY(?)`, steps)
	}
	if q.Code != "" {
		and(`fault<>'' AND position(? IN fault)>0`, `"Code":"`+q.Code+`"`)
	}
	if q.Search != "" {
		// lower of "C" is that of ASCII alone. ILIKE takes seven times as long.
		and(`(strpos(lower(name COLLATE "C"),?)>0 OR strpos(lower(path COLLATE "C"),?)>0)`, lower(q.Search), lower(q.Search))
	}
	if q.Since > 0 {
		and(`rev>? AND `+settled, q.Since)
	}
	if q.After > 0 {
		and(`id>?`, q.After)
	}
	if q.Before > 0 {
		and(`id<?`, q.Before)
	}
	query := `SELECT ` + all + ` FROM items`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	switch {
	case q.Newest:
		query += ` ORDER BY id DESC`
	case q.Since > 0:
		query += ` ORDER BY rev`
	default:
		query += ` ORDER BY id`
	}
	if q.Limit > 0 {
		query += ` FETCH FIRST ? ROWS `
		args = append(args, q.Limit)
		if q.Since > 0 && !q.Newest {
			query += `WITH TIES` // of a transaction that changed several, all: the next page begins after its Rev
		} else {
			query += `ONLY`
		}
	}
	return query, args
}

// lower makes ASCII letters small, and leaves all others.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// stats counts what has a fault by its rows, which are few, and what has none
// by an index alone.
const stats = `WITH faults AS (
		SELECT step, coalesce(substring(fault FROM '"Code":"([^"]*)"'),'') AS code, held, count(*) AS n
		FROM items WHERE corp=$1 AND fault<>'' GROUP BY 1,2,3),
	well AS (
		SELECT step, '' AS code, false AS held,
			count(*) - coalesce((SELECT sum(n) FROM faults WHERE faults.step=items.step AND NOT faults.held),0) AS n
		FROM items WHERE corp=$1 AND NOT held GROUP BY step)
	SELECT step, code, held, n::bigint FROM (SELECT * FROM well UNION ALL SELECT * FROM faults) s WHERE n>0 ORDER BY 1,2,3`

// Stats counts the Items of a corp by step and fault.
func (j *Journal) Stats(ctx context.Context, corp string) (out []pipeline.Stat, err error) {
	err = j.read(ctx, func(ctx context.Context) error {
		rows, err := j.pool.Query(ctx, stats, corp)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(s pgx.Row) (st pipeline.Stat, err error) {
			return st, s.Scan(&st.Step, &st.Code, &st.Held, &st.N)
		})
		return err
	})
	return out, err
}
