package postgres

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

const entryColumns = `f.id,f.path,f.want,f.want_name,f.dev,f.ino,f.fsize,f.mtime,f.ctime`

func scanEntry(s pgx.Row, more ...any) (pipeline.Entry, error) {
	var e pipeline.Entry
	var dev, ino int64
	it, err := scanItem(s, append([]any{&e.ID, &e.File.Path, &e.File.Type, &e.File.Name,
		&dev, &ino, &e.File.ID.Size, &e.File.ID.MTime, &e.File.ID.CTime}, more...)...)
	e.File.ID.Device, e.File.ID.Inode = uint64(dev), uint64(ino)
	restore(&e.File.Path, &e.File.Name)
	it.Claim = pipeline.Claim{}
	e.Item = it
	return e, err
}

// known finds a file by what names it.
var known = `SELECT ` + qualified + `,` + entryColumns + ` FROM files f JOIN items i ON i.id=f.item
	WHERE f.path=? AND f.host=? AND f.corp=? AND f.want=? AND f.want_name=?`

// knownAll finds many files by their paths; n is the place of each.
var knownAll = `SELECT ` + qualified + `,` + entryColumns + `,a.n FROM unnest(?::text[],?::text[],?::text[]) WITH ORDINALITY a(path,want,want_name,n)
	JOIN files f ON f.path=a.path AND f.host=? AND f.corp=? AND f.want=a.want AND f.want_name=a.want_name JOIN items i ON i.id=f.item`

// enterAtOnce is how many files are entered in a transaction.
const enterAtOnce = 200

// Enter makes sure that each file has an Item. Files that are known and
// unchanged are only read.
func (j *Journal) Enter(ctx context.Context, corp, host string, files []pipeline.File) ([]pipeline.Entry, error) {
	entries, err := j.Known(ctx, corp, host, files)
	if err != nil {
		return nil, err
	}
	var fresh []int
	for n, e := range entries {
		if e.ID == 0 {
			fresh = append(fresh, n)
		}
	}
	for len(fresh) > 0 {
		some := fresh[:min(enterAtOnce, len(fresh))]
		fresh = fresh[len(some):]
		err := j.write(ctx, func(t *tx) error { return t.enterAll(corp, host, files, some, entries) })
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// Known returns the entries of unchanged files, and zero ones for the others.
func (j *Journal) Known(ctx context.Context, corp, host string, files []pipeline.File) ([]pipeline.Entry, error) {
	entries := make([]pipeline.Entry, len(files))
	const page = 2000
	for from := 0; from < len(files); from += page {
		some := files[from:min(from+page, len(files))]
		if err := j.read(ctx, func(ctx context.Context) error {
			return j.knownOf(ctx, corp, host, some, entries[from:])
		}); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func (j *Journal) knownOf(ctx context.Context, corp, host string, files []pipeline.File, into []pipeline.Entry) error {
	paths, wants, names := make([]string, len(files)), make([]string, len(files)), make([]string, len(files))
	for n, f := range files {
		paths[n], wants[n], names[n] = f.Path, string(f.Type), f.Name
	}
	rows, err := j.pool.Query(ctx, dollars(knownAll), params([]any{paths, wants, names, host, corp})...)
	if err != nil {
		return err
	}
	type found struct {
		e pipeline.Entry
		n int
	}
	all, err := collect(rows, func(s pgx.Row) (f found, err error) {
		f.e, err = scanEntry(s, &f.n)
		return f, err
	})
	for _, f := range all {
		if f.e.File.ID == files[f.n-1].ID {
			into[f.n-1] = f.e
		}
	}
	return err
}

// enterAll enters the files at the places given: what is wholly new in one
// go, as a folder is that is seen for the first time, and the rest one by one.
func (t *tx) enterAll(corp, host string, files []pipeline.File, places []int, into []pipeline.Entry) error {
	fresh, others, err := t.parted(corp, host, files, places)
	if err != nil {
		return err
	}
	var b pgx.Batch
	for _, n := range fresh {
		it := t.unread(corp, host, files[n])
		it.Updated = from(t.now)
		v, err := values(it, t.now)
		if err != nil {
			return err
		}
		b.Queue(insertBoth, params(append(append([]any{t.now}, v...), files[n].Path, string(files[n].Type), files[n].Name))...).QueryRow(func(row pgx.Row) error {
			e := &into[n]
			e.File = files[n]
			err := row.Scan(&e.ID, &it.ID, &it.Rev)
			e.Item = it
			t.wake(it)
			return err
		})
	}
	if err := t.tx.SendBatch(t.ctx, &b).Close(); err != nil {
		return err
	}
	for _, n := range others {
		if into[n], err = t.enter(corp, host, files[n]); err != nil {
			return err
		}
	}
	return nil
}

// insertBoth makes an Item and its file, whose path, type and name are those
// that it was asked for with.
var insertBoth = dollars(`WITH i AS (` + insert + `) INSERT INTO files (corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime,item,seen)
	SELECT $2,$4,?::text,?::text,?::text,$8::bigint,$9::bigint,$10::bigint,$11::bigint,$12::bigint,i.id,$1::bigint FROM i RETURNING id,item,(SELECT rev FROM i)`)

// parted tells files that the ledger has never seen from the others. One that
// is there twice is new once. In the order of paths, so that two who enter the
// same files wait for each other and no more.
func (t *tx) parted(corp, host string, files []pipeline.File, places []int) (fresh, others []int, err error) {
	type name struct{ path, want, name string }
	of := func(f pipeline.File) name { return name{f.Path, string(f.Type), f.Name} }
	var paths, wants, names []string
	for _, n := range places {
		f := of(files[n])
		paths, wants, names = append(paths, f.path), append(wants, f.want), append(names, f.name)
	}
	rows, err := t.rows(`SELECT f.path,f.want,f.want_name FROM unnest(?::text[],?::text[],?::text[]) a(path,want,want_name)
		JOIN files f ON f.path=a.path AND f.host=? AND f.corp=? AND f.want=a.want AND f.want_name=a.want_name`, paths, wants, names, host, corp)
	if err != nil {
		return nil, nil, err
	}
	known, err := collect(rows, func(s pgx.Row) (n name, err error) {
		err = s.Scan(&n.path, &n.want, &n.name)
		restore(&n.path, &n.name)
		return n, err
	})
	if err != nil {
		return nil, nil, err
	}
	seen := map[name]bool{}
	for _, n := range known {
		seen[n] = true
	}
	for _, n := range places {
		if f := of(files[n]); seen[f] {
			others = append(others, n)
		} else {
			seen[f] = true
			fresh = append(fresh, n)
		}
	}
	byPath := func(a, b int) int { return cmp.Compare(files[a].Path, files[b].Path) }
	slices.SortStableFunc(fresh, byPath)
	slices.SortStableFunc(others, byPath)
	return fresh, others, nil
}

// enter gives a new or changed file its Item. If another process enters the
// same new file at this moment the transaction meets its row, and is made
// again.
func (t *tx) enter(corp, host string, f pipeline.File) (pipeline.Entry, error) {
	e, err := scanEntry(t.row(known+` FOR UPDATE`, f.Path, host, corp, string(f.Type), f.Name))
	switch {
	case err == nil && e.File.ID == f.ID: // another process was first
		return e, nil
	case errors.Is(err, pgx.ErrNoRows):
		e = pipeline.Entry{}
	case err != nil:
		return e, err
	}
	it := t.unread(corp, host, f)
	if e.ID != 0 && e.Item.Step == pipeline.Inspect && e.Item.MD5 == "" {
		// Never identified: the same Item is read again. Who reads it now
		// reads what it was before.
		it.ID = e.Item.ID
		it.Created = e.Item.Created
		if it, err = t.save(it, over); err == nil {
			t.wake(it)
		}
	} else {
		it, err = t.insert(it)
	}
	if err != nil {
		return e, err
	}
	e.File, e.Item = f, it
	if e.ID != 0 {
		return e, t.exec(`UPDATE files SET dev=?,ino=?,fsize=?,mtime=?,ctime=?,item=?,seen=? WHERE id=?`,
			append(stat(f.ID), it.ID, t.now, e.ID)...)
	}
	return e, t.row(`INSERT INTO files (corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime,item,seen)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id`,
		append(append([]any{corp, host, f.Path, string(f.Type), f.Name}, stat(f.ID)...), it.ID, t.now)...).Scan(&e.ID)
}

// unread is the Item of a file whose content nobody knows.
func (t *tx) unread(corp, host string, f pipeline.File) pipeline.Item {
	return pipeline.Item{
		Corp: corp, Scene: wecom.SceneGroupWelcome, Host: host, Path: f.Path, Want: f.Type, WantName: f.Name,
		File: f.ID, Size: max(f.ID.Size, 0), Name: cmp.Or(f.Name, filepath.Base(f.Path)),
		Step: pipeline.Inspect, Due: from(t.now), Created: from(t.now),
	}
}

func (t *tx) insert(it pipeline.Item) (pipeline.Item, error) {
	it.Updated = from(t.now)
	v, err := values(it, t.now)
	if err != nil {
		return it, err
	}
	if err := t.row(insert, append([]any{ms(it.Created)}, v...)...).Scan(&it.ID, &it.Rev); err != nil {
		return it, err
	}
	t.wake(it)
	return it, nil
}

// save writes an Item, whoever has claimed it, and what more says.
func (t *tx) save(it pipeline.Item, more string) (pipeline.Item, error) {
	it.Updated = from(t.now)
	v, err := values(it, t.now)
	if err != nil {
		return it, err
	}
	return it, t.row(`UPDATE items SET `+set+more+` WHERE id=? RETURNING rev`, append(v, it.ID)...).Scan(&it.Rev)
}

var entriesOf = `SELECT ` + qualified + `,` + entryColumns + ` FROM files f JOIN items i ON i.id=f.item WHERE f.id=ANY($1)`

// Entries returns the files with these ids, in that order.
func (j *Journal) Entries(ctx context.Context, ids []int64) ([]pipeline.Entry, error) {
	byID := make(map[int64]pipeline.Entry, len(ids))
	err := j.read(ctx, func(ctx context.Context) error {
		rows, err := j.pool.Query(ctx, entriesOf, ids)
		if err != nil {
			return err
		}
		found, err := collect(rows, func(s pgx.Row) (pipeline.Entry, error) { return scanEntry(s) })
		for _, e := range found {
			byID[e.ID] = e
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]pipeline.Entry, len(ids))
	for n, id := range ids {
		out[n] = byID[id]
	}
	return out, nil
}

// Moved gives a file its new path. What the ledger had at that path, if
// anything, has been replaced. Where a path was entered in several ways, only
// those move that knew the file as it was last.
func (j *Journal) Moved(ctx context.Context, host, from, to string, id inspect.FileID) error {
	return j.write(ctx, func(t *tx) error {
		if err := t.exec(`DELETE FROM files WHERE path=? AND host=? AND path<>? AND EXISTS (SELECT 1 FROM files o
			WHERE o.path=? AND o.host=files.host AND o.corp=files.corp AND o.want=files.want AND o.want_name=files.want_name)`,
			to, host, from, from); err != nil {
			return err
		}
		if err := t.exec(`UPDATE files SET path=?,dev=?,ino=?,fsize=?,mtime=?,ctime=? WHERE path=? AND host=?
			AND (dev,ino,fsize,mtime,ctime) = (SELECT dev,ino,fsize,mtime,ctime FROM files
				WHERE path=? AND host=? ORDER BY ctime DESC, mtime DESC, seen DESC LIMIT 1)`,
			append(append([]any{to}, stat(id)...), from, host, from, host)...); err != nil {
			return err
		}
		return t.exec(`UPDATE items SET path=?,dev=?,ino=?,fsize=?,mtime=?,ctime=?,rev=`+revNow+` WHERE path=? AND host=?
			AND id IN (SELECT item FROM files WHERE path=? AND host=? AND dev=? AND ino=? AND fsize=? AND mtime=? AND ctime=?)`,
			append(append(append([]any{to}, stat(id)...), from, host, to, host), stat(id)...)...)
	})
}

func stat(f inspect.FileID) []any {
	return []any{int64(f.Device), int64(f.Inode), f.Size, f.MTime, f.CTime}
}
