package journal

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

const entryColumns = `f.id,f.path,f.want,f.want_name,f.dev,f.ino,f.fsize,f.mtime,f.ctime`

// qualified are the columns of all for a join.
var qualified = qualify(all)

func scanEntry(s scanner) (pipeline.Entry, error) {
	var e pipeline.Entry
	var dev, ino int64
	it, err := scanItem(s, &e.ID, &e.File.Path, &e.File.Type, &e.File.Name,
		&dev, &ino, &e.File.ID.Size, &e.File.ID.MTime, &e.File.ID.CTime)
	e.File.ID.Device, e.File.ID.Inode = uint64(dev), uint64(ino)
	it.Claim = pipeline.Claim{}
	e.Item = it
	return e, err
}

// known finds a file by what names it.
var known = `SELECT ` + qualified + `,` + entryColumns + ` FROM files f JOIN items i ON i.id=f.item
	WHERE f.path=? AND f.host=? AND f.corp=? AND f.want=? AND f.want_name=?`

// Enter makes sure that each file has an Item. Files that are known and
// unchanged are only read, without the write lock.
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
	// A few at a time, so that others get the write lock in between.
	for len(fresh) > 0 {
		some := fresh[:min(500, len(fresh))]
		fresh = fresh[len(some):]
		err := j.write(ctx, func(t *tx) error {
			for _, n := range some {
				e, err := t.enter(corp, host, files[n])
				if err != nil {
					return err
				}
				entries[n] = e
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// Known returns the entries of unchanged files, and zero ones for the others.
func (j *Journal) Known(ctx context.Context, corp, host string, files []pipeline.File) (_ []pipeline.Entry, err error) {
	defer j.name(&err)
	s, err := j.read.PrepareContext(ctx, known)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	entries := make([]pipeline.Entry, len(files))
	for n, f := range files {
		e, err := scanEntry(s.QueryRowContext(ctx, f.Path, host, corp, f.Type, f.Name))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if err == nil && e.File.ID == f.ID {
			entries[n] = e
		}
	}
	return entries, nil
}

// enter gives a new or changed file its Item.
func (t *tx) enter(corp, host string, f pipeline.File) (pipeline.Entry, error) {
	e, err := scanEntry(t.row(known, f.Path, host, corp, f.Type, f.Name))
	switch {
	case err == nil && e.File.ID == f.ID: // another process was first
		return e, nil
	case errors.Is(err, sql.ErrNoRows):
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
		if it, err = t.save(it); err == nil {
			err = t.exec(`UPDATE items SET lease=0, owner='' WHERE id=?`, it.ID)
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
		append(append([]any{corp, host, f.Path, f.Type, f.Name}, stat(f.ID)...), it.ID, t.now)...).Scan(&e.ID)
}

// unread is the Item of a file whose content nobody knows.
func (t *tx) unread(corp, host string, f pipeline.File) pipeline.Item {
	return pipeline.Item{
		Corp: corp, Scene: wecom.SceneGroupWelcome, Host: host, Path: f.Path, Want: f.Type, WantName: f.Name,
		File: f.ID, Size: max(f.ID.Size, 0), Name: firstOf(f.Name, filepath.Base(f.Path)),
		Step: pipeline.Inspect, Due: from(t.now), Created: from(t.now),
	}
}

func (t *tx) insert(it pipeline.Item) (pipeline.Item, error) {
	it.Rev, it.Updated = t.next(), from(t.now)
	v, err := values(it, t.now, it.Rev)
	if err != nil {
		return it, err
	}
	return it, t.row(insert, append([]any{ms(it.Created)}, v...)...).Scan(&it.ID)
}

// save writes an Item, whoever has claimed it.
func (t *tx) save(it pipeline.Item) (pipeline.Item, error) {
	it.Rev, it.Updated = t.next(), from(t.now)
	v, err := values(it, t.now, it.Rev)
	if err != nil {
		return it, err
	}
	return it, t.exec(`UPDATE items SET `+set+` WHERE id=?`, append(v, it.ID)...)
}

var entriesOf = `SELECT ` + qualified + `,` + entryColumns +
	` FROM files f JOIN items i ON i.id=f.item WHERE f.id IN (SELECT value FROM json_each(?))`

// Entries returns the files with these ids, in that order.
func (j *Journal) Entries(ctx context.Context, ids []int64) (_ []pipeline.Entry, err error) {
	defer j.name(&err)
	rows, err := j.read.QueryContext(ctx, entriesOf, jsonIDs(ids))
	if err != nil {
		return nil, err
	}
	found, err := collect(rows, scanEntry)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]pipeline.Entry, len(found))
	for _, e := range found {
		byID[e.ID] = e
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
		return t.exec(`UPDATE items SET path=?,dev=?,ino=?,fsize=?,mtime=?,ctime=?,rev=? WHERE path=? AND host=?
			AND id IN (SELECT item FROM files WHERE path=? AND host=? AND dev=? AND ino=? AND fsize=? AND mtime=? AND ctime=?)`,
			append(append(append([]any{to}, stat(id)...), t.next(), from, host, to, host), stat(id)...)...)
	})
}

func stat(f inspect.FileID) []any {
	return []any{int64(f.Device), int64(f.Inode), f.Size, f.MTime, f.CTime}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
