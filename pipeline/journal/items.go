package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"wedrop/pipeline"
)

// The columns of items, in groups that mostly change together. What Claim
// alone writes (owner, fence, lease) stands apart.
const (
	identity = `corp,scene,host,path,want,want_name,dev,ino,fsize,mtime,ctime,name,type,size,md5,mime,ext,warnings`
	progress = `step,due`
	trouble  = `fault,held,tries,backs,renew`
	object   = `bucket,object,url,staged`
	job      = `job,submitted`
	media    = `media,media_created,media_expires`
	always   = `history,updated,rev`

	// columns are in the order of values and scanItem.
	columns = identity + `,` + progress + `,` + trouble + `,` + object + `,` + job + `,` + media + `,` + always
)

var (
	insert = `INSERT INTO items (created,` + columns + `) VALUES (?` + strings.Repeat(`,?`, strings.Count(columns, ",")+1) + `) RETURNING id`
	set    = setting(columns)
	// all is what scanItem reads.
	all = `id,created,owner,fence,lease,` + columns
)

// setting gives each of the columns a parameter.
func setting(columns string) string { return strings.ReplaceAll(columns, `,`, `=?,`) + `=?` }

// values are the item's columns, of the types that SQLite returns.
func values(it pipeline.Item, now, rev int64) ([]any, error) {
	warnings, err := pack(it.Warnings, len(it.Warnings) == 0)
	if err != nil {
		return nil, err
	}
	fault, err := pack(it.Fault, it.Fault == nil)
	if err != nil {
		return nil, err
	}
	history, err := pack(it.History, len(it.History) == 0)
	if err != nil {
		return nil, err
	}
	var o pipeline.Object
	if it.Object != nil {
		o = *it.Object
	}
	var b pipeline.Job
	if it.Job != nil {
		b = *it.Job
	}
	var m pipeline.Media
	if it.Media != nil {
		m = *it.Media
	}
	f := it.File
	return []any{it.Corp, int64(it.Scene), it.Host, it.Path, string(it.Want), it.WantName,
		int64(f.Device), int64(f.Inode), f.Size, f.MTime, f.CTime,
		it.Name, string(it.Type), it.Size, it.MD5, it.MIME, it.Ext, warnings,
		string(it.Step), ms(it.Due), fault, bit(it.Held()), int64(it.Tries), int64(it.Backs), bit(it.Replace),
		o.Bucket, o.Key, o.URL, ms(o.Staged), b.ID, ms(b.SubmittedAt),
		m.ID, ms(m.CreatedAt), ms(m.ExpiresAt), history, now, rev}, nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// change is what turns the row was into now: the groups of columns that
// differ, and their values. (An index of a column that is set is written, even
// if the value stays.)
func change(was, now []any) (set string, args []any) {
	for _, group := range []string{identity, progress, trouble, object, job, media, always} {
		if group == always || differ(was, now, group) {
			set += `,` + setting(group)
			args = append(args, part(now, group)...)
		}
	}
	return set[1:], args
}

func differ(was, now []any, group string) bool {
	return !slices.Equal(part(was, group), part(now, group))
}

// part are the values of one group.
func part(row []any, group string) []any {
	from := strings.Count(columns[:strings.Index(columns, group)], `,`)
	return row[from : from+strings.Count(group, `,`)+1]
}

// scanItem reads the columns of all.
func scanItem(s scanner, more ...any) (pipeline.Item, error) {
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

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, read func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func readItem(s scanner) (pipeline.Item, error) {
	it, err := scanItem(s)
	it.Claim = pipeline.Claim{} // whoever has it, it is not the reader
	return it, err
}

// Items returns those that q selects, by ID, or by Rev where Since is set.
func (j *Journal) Items(ctx context.Context, q pipeline.Query) (_ []pipeline.Item, err error) {
	defer j.name(&err)
	query, args := selection(q)
	rows, err := j.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, readItem)
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
		and(`id IN (SELECT value FROM json_each(?))`, jsonIDs(q.IDs))
	}
	if q.Held {
		and(`held=1`)
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
		and(`EXISTS (SELECT 1 FROM files WHERE item=items.id)`)
	}
	if len(q.Steps) > 0 {
		b, _ := json.Marshal(q.Steps)
		and(`held=0 AND step IN (SELECT value FROM json_each(?))`, string(b))
	}
	if q.Code != "" {
		and(`fault<>'' AND instr(fault,?)>0`, `"Code":"`+q.Code+`"`)
	}
	if q.Search != "" {
		like := `%` + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q.Search) + `%`
		and(`(name LIKE ? ESCAPE '\' OR path LIKE ? ESCAPE '\')`, like, like)
	}
	if q.Since > 0 {
		and(`rev>?`, q.Since)
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
	case !q.Expiring.IsZero() || q.Media != "":
		query += ` ORDER BY +id` // by the index of media_expires or media, not by a walk over all
	default:
		query += ` ORDER BY id`
	}
	if q.Limit > 0 {
		query += ` LIMIT ?`
		args = append(args, q.Limit)
	}
	return query, args
}

// stats counts what has a fault by its rows, which are few, and what has none
// by an index alone.
const stats = `WITH faults AS (
		SELECT step, coalesce(json_extract(fault,'$.Code'),'') AS code, held, count(*) AS n
		FROM items WHERE corp=? AND fault<>'' GROUP BY 1,2,3),
	well AS (
		SELECT step, '' AS code, 0 AS held,
			count(*) - coalesce((SELECT sum(n) FROM faults WHERE faults.step=items.step AND faults.held=0),0) AS n
		FROM items WHERE corp=? AND held=0 GROUP BY step)
	SELECT * FROM (SELECT * FROM well UNION ALL SELECT * FROM faults) WHERE n>0 ORDER BY 1,2,3`

// Stats counts the Items of a corp by step and fault.
func (j *Journal) Stats(ctx context.Context, corp string) (_ []pipeline.Stat, err error) {
	defer j.name(&err)
	rows, err := j.read.QueryContext(ctx, stats, corp, corp)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s scanner) (st pipeline.Stat, err error) {
		return st, s.Scan(&st.Step, &st.Code, &st.Held, &st.N)
	})
}

// qualify puts the alias i before each column.
func qualify(columns string) string { return `i.` + strings.ReplaceAll(columns, `,`, `,i.`) }

func jsonIDs(ids []int64) string {
	b, _ := json.Marshal(ids) // numbers
	return string(b)
}
