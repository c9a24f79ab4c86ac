package journal

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// Claim takes Items that are due. What dead processes of this machine had
// claimed is free at once.
func (j *Journal) Claim(ctx context.Context, w pipeline.Want) ([]pipeline.Item, error) {
	var got []pipeline.Item
	err := j.write(ctx, func(t *tx) error {
		got = nil
		if err := j.bury(t); err != nil {
			return err
		}
		for _, step := range w.Steps {
			some, err := t.claim(w, step, w.Limit-len(got))
			if err != nil {
				return err
			}
			got = append(got, some...)
		}
		return nil
	})
	return got, err
}

func (t *tx) claim(w pipeline.Want, step pipeline.Step, limit int) ([]pipeline.Item, error) {
	if step != pipeline.Stage {
		return t.take(w, step, limit)
	}
	// One at a time, for each changes what the next may be.
	var got []pipeline.Item
	for len(got) < limit {
		one, err := t.take(w, step, 1)
		if err != nil || len(one) == 0 {
			return got, err
		}
		got = append(got, one...)
	}
	return got, nil
}

func (t *tx) take(w pipeline.Want, step pipeline.Step, limit int) ([]pipeline.Item, error) {
	if limit <= 0 {
		return nil, nil
	}
	corp := `corp`
	if w.IDs != nil {
		corp = `+corp` // by their ids: not by a walk over all that is due
	}
	due := `SELECT id FROM items i WHERE ` + corp + `=? AND step=` + literal(step) + ` AND held=0 AND due<=? AND lease<=?`
	args := []any{t.owner, t.now + Lease.Milliseconds(), w.Corp, t.now, t.now}
	if step == pipeline.Inspect || step == pipeline.Stage {
		due += ` AND host IN (''` + strings.Repeat(`,?`, len(w.Hosts)) + `)`
		for _, h := range w.Hosts {
			args = append(args, h)
		}
	}
	if step == pipeline.Stage {
		due += ` AND NOT ` + twin + ` AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.md5=i.md5 AND o.doomed>0 AND o.doomed>?)`
		args = append(args, t.now, t.now)
	}
	if w.IDs != nil {
		due += ` AND id IN (SELECT value FROM json_each(?))`
		args = append(args, jsonIDs(w.IDs))
	}
	rows, err := t.rows(`UPDATE items SET owner=?, fence=fence+1, lease=? WHERE id IN (`+due+
		` ORDER BY due LIMIT +?) RETURNING `+all, append(args, limit)...)
	if err != nil {
		return nil, err
	}
	got, err := collect(rows, func(s scanner) (pipeline.Item, error) { return scanItem(s) })
	for n := range got {
		got[n].Claim.At, got[n].Claim.Shifted = from(t.now), t.shifted
	}
	return got, err
}

// literal is a step for the text of a statement. SQLite prepares a statement
// anew, with all its planning, each time that it is given a parameter which it
// compared with the condition of a partial index (step = 'await', lease > 0).
// For the same reason lease stands with a + before it where it is compared with
// one by >, and so does the parameter of LIMIT, whose value SQLite plans with.
func literal(s pipeline.Step) string {
	switch s {
	case pipeline.Inspect, pipeline.Stage, pipeline.Submit, pipeline.Await, pipeline.Done:
		return `'` + string(s) + `'`
	}
	return `''` // nobody waits for it
}

// twin says that equal content is being staged already.
const twin = `EXISTS (SELECT 1 FROM items o WHERE o.md5=i.md5 AND o.md5<>'' AND o.step='stage' AND +o.lease>? AND o.id<>i.id)`

// mine is the condition of a claim that still holds.
const mine = `id=? AND owner=? AND fence=? AND +lease>?`

func (t *tx) mine(it pipeline.Item) []any {
	return []any{it.ID, t.owner, it.Claim.Fence, t.now}
}

// Record writes a claimed Item. See pipeline.Journal. That a job was taken is
// written at once: the next submit waits for it.
func (j *Journal) Record(ctx context.Context, it pipeline.Item, keep bool) (pipeline.Item, error) {
	var out pipeline.Item
	write := j.writePatiently
	if it.Step == pipeline.Await {
		write = j.write
	}
	err := write(ctx, func(t *tx) (err error) {
		out, err = t.record(it, keep)
		return err
	})
	return out, err
}

// record writes what has changed, and no more: each index that it leaves alone
// saves about as much as the row itself costs.
func (t *tx) record(it pipeline.Item, keep bool) (pipeline.Item, error) {
	md5, was, err := t.claimed(it)
	if err != nil {
		return it, err
	}
	it = t.moved(it)
	if it.Step == pipeline.Await {
		called, err := t.changed(`DELETE FROM callbacks WHERE job=?`, it.Job.ID)
		if err != nil {
			return it, err
		}
		if called {
			it.Due = from(t.now)
		}
	}
	claim := it.Claim
	it.Claim, it.Rev, it.Updated = pipeline.Claim{}, t.next(), from(t.now)
	now, err := values(it, t.now, it.Rev)
	if err != nil {
		return it, err
	}
	if differ(was, now, identity) {
		if other, ok, err := t.identify(it, md5); err != nil {
			return it, err
		} else if ok {
			return t.merge(it, other)
		}
	}
	if keep && it.Step == pipeline.Stage {
		busy, err := t.staging(it)
		if err != nil {
			return it, err
		}
		keep = !busy
	}
	set, args := change(was, now)
	if keep {
		it.Claim = claim
	} else {
		set += `,lease=0,owner=''`
	}
	return it, t.exec(`UPDATE items SET `+set+` WHERE id=?`, append(args, it.ID)...)
}

// claimed returns an Item's row as it stands, or ErrLost if the claim is over.
func (t *tx) claimed(it pipeline.Item) (md5 string, row []any, err error) {
	row = make([]any, strings.Count(columns, `,`)+1)
	into := make([]any, len(row)+1)
	into[0] = &md5
	for n := range row {
		into[n+1] = &row[n]
	}
	err = t.row(`SELECT md5,`+columns+` FROM items WHERE `+mine, t.mine(it)...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		err = pipeline.ErrLost
	}
	return md5, row, err
}

// identify does what follows from what was learned of an Item's file. It
// returns the other Item, if there is one, that it turned out to be.
func (t *tx) identify(it pipeline.Item, was string) (pipeline.Item, bool, error) {
	if was != "" && it.MD5 != was {
		if err := t.split(it); err != nil {
			return it, false, err
		}
	}
	other, ok, err := t.same(it)
	if err != nil || ok || it.MD5 == "" {
		return other, ok, err
	}
	return it, false, t.exec(`UPDATE files SET dev=?,ino=?,fsize=?,mtime=?,ctime=? WHERE item=? AND path=?`,
		append(stat(it.File), it.ID, it.Path)...)
}

// split gives the files new Items that shared it's until the one that it was
// read from got other content.
func (t *tx) split(it pipeline.Item) error {
	rows, err := t.rows(`SELECT id,corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime FROM files
		WHERE item=? AND NOT (path=? AND host=? AND want=? AND want_name=?)`, it.ID, it.Path, it.Host, it.Want, it.WantName)
	if err != nil {
		return err
	}
	type share struct {
		id         int64
		corp, host string
		file       pipeline.File
	}
	shares, err := collect(rows, func(s scanner) (f share, err error) {
		var dev, ino int64
		id := &f.file.ID
		err = s.Scan(&f.id, &f.corp, &f.host, &f.file.Path, &f.file.Type, &f.file.Name, &dev, &ino, &id.Size, &id.MTime, &id.CTime)
		id.Device, id.Inode = uint64(dev), uint64(ino)
		return f, err
	})
	if err != nil {
		return err
	}
	for _, f := range shares {
		own, err := t.insert(t.unread(f.corp, f.host, f.file))
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE files SET item=? WHERE id=?`, own.ID, f.id); err != nil {
			return err
		}
	}
	return nil
}

// staging reports whether equal content is being staged, or removed.
func (t *tx) staging(it pipeline.Item) (bool, error) {
	var busy bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM items o WHERE o.md5=? AND o.md5<>'' AND o.step='stage' AND +o.lease>? AND o.id<>?)
		OR EXISTS (SELECT 1 FROM objects o WHERE o.md5=? AND o.doomed>0 AND o.doomed>?)`, it.MD5, t.now, it.ID, it.MD5, t.now).Scan(&busy)
	return busy, err
}

// same finds the other Item of the same corp, content, type and name.
func (t *tx) same(it pipeline.Item) (pipeline.Item, bool, error) {
	if it.MD5 == "" {
		return it, false, nil
	}
	other, err := readItem(t.row(`SELECT `+all+` FROM items WHERE corp=? AND scene=? AND md5=? AND type=? AND name=? AND md5<>'' AND id<>?`,
		it.Corp, it.Scene, it.MD5, it.Type, it.Name, it.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return it, false, nil
	}
	return other, err == nil, err
}

// merge lets other take over it's files: the newest path is the one that is
// most likely still there when the content has to be staged again.
func (t *tx) merge(it, other pipeline.Item) (pipeline.Item, error) {
	if err := t.exec(`UPDATE files SET item=?,dev=?,ino=?,fsize=?,mtime=?,ctime=? WHERE item=?`,
		append(append([]any{other.ID}, stat(it.File)...), it.ID)...); err != nil {
		return it, err
	}
	if err := t.exec(`DELETE FROM items WHERE id=?`, it.ID); err != nil {
		return it, err
	}
	other.Path, other.Host, other.File, other.Want, other.WantName = it.Path, it.Host, it.File, it.Want, it.WantName
	return t.save(other)
}

// Lease is how long a claim lasts without a Beat.
func (j *Journal) Lease() time.Duration { return Lease }

// Beat prolongs all claims of this process.
func (j *Journal) Beat(ctx context.Context) ([]int64, error) {
	var lost []int64
	err := j.write(ctx, func(t *tx) error {
		rows, err := t.rows(`SELECT id FROM items WHERE owner=? AND lease>0 AND lease<=?`, t.owner, t.now)
		if err != nil {
			return err
		}
		lost, err = collect(rows, func(s scanner) (id int64, err error) { return id, s.Scan(&id) })
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE items SET lease=0, owner='' WHERE owner=? AND lease>0 AND lease<=?`, t.owner, t.now); err != nil {
			return err
		}
		return t.exec(`UPDATE items SET lease=? WHERE owner=? AND lease>0`, t.now+Lease.Milliseconds(), t.owner)
	})
	return lost, err
}

// Release ends claims without a change.
func (j *Journal) Release(ctx context.Context, items []pipeline.Item) error {
	return j.write(ctx, func(t *tx) error {
		for _, it := range items {
			if err := t.exec(`UPDATE items SET lease=0, owner='' WHERE `+mine, t.mine(it)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Finished makes the Item of a job due at once.
func (j *Journal) Finished(ctx context.Context, job string) error {
	return j.write(ctx, func(t *tx) error {
		found, err := t.changed(`UPDATE items SET due=? WHERE job=? AND step='await' AND lease<=?`, t.now, job, t.now)
		if err != nil || found {
			return err
		}
		if err := t.exec(`DELETE FROM callbacks WHERE at<?`, t.now-2*wecom.JobLife.Milliseconds()); err != nil {
			return err
		}
		return t.exec(`INSERT OR IGNORE INTO callbacks (job,at) VALUES (?,?)`, job, t.now)
	})
}

// Amend changes Items that nobody has claimed.
func (j *Journal) Amend(ctx context.Context, ids []int64, edit func(*pipeline.Item) bool) ([]pipeline.Item, error) {
	var out []pipeline.Item
	err := j.write(ctx, func(t *tx) error {
		out = nil
		if err := j.bury(t); err != nil {
			return err
		}
		for _, id := range ids {
			it, err := t.amend(id, edit)
			if errors.Is(err, sql.ErrNoRows) {
				continue // merged into another meanwhile
			} else if err != nil {
				return err
			}
			out = append(out, it)
		}
		return nil
	})
	return out, err
}

func (t *tx) amend(id int64, edit func(*pipeline.Item) bool) (pipeline.Item, error) {
	var lease int64
	it, err := scanItem(t.row(`SELECT `+all+`,lease FROM items WHERE id=?`, id), &lease)
	it.Claim = pipeline.Claim{}
	if err != nil || lease > t.now || !edit(&it) {
		return it, err
	}
	return t.save(it)
}
