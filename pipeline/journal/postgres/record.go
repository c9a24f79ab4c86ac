package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"wedrop/pipeline"
)

// Record writes a claimed Item. See pipeline.Journal.
func (j *Journal) Record(ctx context.Context, it pipeline.Item, keep bool) (out pipeline.Item, err error) {
	switch {
	case !j.knows(it) || it.Step == pipeline.Stage:
		err = j.write(ctx, func(t *tx) (err error) {
			out, err = t.record(it, keep)
			return err
		})
	case keep || it.Held() || j.noted(it): // nobody is to be woken
		err = j.alone(ctx, func(ctx context.Context, now int64) (err error) {
			out, err = advance(ctx, j.pool, it, keep, now, j.owner)
			return err
		})
		// A callback was first. (Where none was, what was noted holds, and one
		// that has come since has said more.)
		sooner := err == nil && !keep && ms(out.Due) != ms(it.Due)
		if sooner && !it.Held() && !j.noted(out) {
			err = j.write(ctx, func(t *tx) error { t.wake(out); return nil })
		}
	default:
		err = j.write(ctx, func(t *tx) (err error) {
			if out, err = advance(t.ctx, t.tx, it, keep, t.now, t.owner); err == nil {
				t.wake(out)
			}
			return err
		})
	}
	switch {
	case err == nil && out.Claim.Fence != 0:
		j.holds(out)
	case err == nil, errors.Is(err, pipeline.ErrLost):
		j.drops(it)
	}
	return out, err
}

// noted reports whether nobody has to be woken for an Item that is released,
// because this process looks at it again by itself.
func (j *Journal) noted(it pipeline.Item) bool {
	return j.o.Wake == nil || j.o.Noted != nil && j.o.Noted(Wake{it.ID, it.Due, it.Host, it.Step})
}

// knows reports whether it's content is what was recorded last: then no other
// Item is concerned.
func (j *Journal) knows(it pipeline.Item) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.held[it.ID]
	return ok && c.fence == it.Claim.Fence && c.md5 == it.MD5
}

var (
	step = `UPDATE items SET ` + set + `%s WHERE ` + mine + ` RETURNING due,rev`
	// called also takes what a callback has left. (least passes over NULL.)
	called = `WITH called AS (DELETE FROM callbacks WHERE job=? AND EXISTS (SELECT 1 FROM items WHERE ` + mine + `) RETURNING ?::bigint AS at)
		UPDATE items SET ` + strings.Replace(set, `due=?`, `due=least(?::bigint,(SELECT at FROM called))`, 1) + `%s WHERE ` + mine + ` RETURNING due,rev`
	going  = [...]string{dollars(fmt.Sprintf(step, ``)), dollars(fmt.Sprintf(called, ``))}
	ending = [...]string{dollars(fmt.Sprintf(step, over)), dollars(fmt.Sprintf(called, over))}
)

// advance is the short way for an Item whose content is what it was: one round
// trip, and one transaction all the same.
func advance(ctx context.Context, on interface {
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
}, it pipeline.Item, keep bool, now int64, owner string) (pipeline.Item, error) {
	claim := it.Claim
	it.Claim, it.Updated = pipeline.Claim{}, from(now)
	args, err := values(it, now)
	if err != nil {
		return it, err
	}
	mine := []any{it.ID, owner, claim.Fence, now}
	args = append(args, mine...)
	statements, which := ending, 0
	if keep {
		statements = going
	}
	var b pgx.Batch
	if it.Step == pipeline.Await {
		which = 1
		args = append(append(append([]any{it.Job.ID}, mine...), now), args...)
		queue(&b, lockJob, int32(calling), it.Job.ID)
	}
	var due int64
	b.Queue(statements[which], params(args)...).QueryRow(func(row pgx.Row) error { return row.Scan(&due, &it.Rev) })
	if err := on.SendBatch(ctx, &b).Close(); errors.Is(err, pgx.ErrNoRows) {
		return it, pipeline.ErrLost
	} else if err != nil {
		return it, err
	}
	it.Due = from(due)
	if keep {
		it.Claim = claim
	}
	return it, nil
}

// record is the long way: the Item was just read, and may turn out to be
// another one, or one of several that would be staged.
func (t *tx) record(it pipeline.Item, keep bool) (pipeline.Item, error) {
	was, other, twin, err := t.before(it)
	if err != nil {
		return it, err
	}
	read := it.MD5 != was || it.Step == pipeline.Stage // just now
	if read && was != "" && it.MD5 != was {
		if err := t.split(it); err != nil {
			return it, err
		}
	}
	if read && twin {
		return t.merge(it, other)
	}
	if it, keep, err = t.beside(it, keep, read && it.MD5 != ""); err != nil {
		return it, err
	}
	claim := it.Claim
	it.Claim = pipeline.Claim{}
	if keep {
		it, err = t.save(it, ``)
		it.Claim = claim
		return it, err
	}
	if it, err = t.save(it, over); err == nil {
		t.wake(it)
	}
	return it, err
}

// before locks a claimed Item, and the other one that it turned out to be, if
// there is one. It returns the MD5 as it was recorded.
func (t *tx) before(it pipeline.Item) (was string, other pipeline.Item, twin bool, err error) {
	var b pgx.Batch
	if it.Step == pipeline.Await { // before its row, as Finished does
		queue(&b, lockJob, int32(calling), it.Job.ID)
	}
	there := false
	queueOne(&b, &there, func(row pgx.Row) error { return row.Scan(&was) },
		`SELECT md5 FROM items WHERE `+mine+` FOR UPDATE`, t.mine(it)...)
	if it.MD5 != "" {
		queueOne(&b, &twin, func(row pgx.Row) (err error) { other, err = readItem(row); return err },
			`SELECT `+all+` FROM items WHERE corp=? AND scene=? AND md5=? AND type=? AND name=? AND md5<>'' AND id<>? FOR UPDATE`,
			it.Corp, it.Scene, it.MD5, string(it.Type), it.Name, it.ID)
	}
	if err = t.batch(&b); err == nil && !there {
		err = pipeline.ErrLost
	}
	return was, other, twin, err
}

// beside does what goes with the record of an Item: its file is known now, if
// it was just read; a callback may have been first; and it may go on to be
// staged only if nobody stages equal content.
func (t *tx) beside(it pipeline.Item, keep, read bool) (pipeline.Item, bool, error) {
	var b pgx.Batch
	if read {
		queue(&b, `UPDATE files SET dev=?,ino=?,fsize=?,mtime=?,ctime=? WHERE item=? AND path=?`, append(stat(it.File), it.ID, it.Path)...)
	}
	if it.Step == pipeline.Await {
		queue(&b, `DELETE FROM callbacks WHERE job=?`, it.Job.ID).Exec(func(called pgconn.CommandTag) error {
			if called.RowsAffected() > 0 {
				it.Due = from(t.now)
			}
			return nil
		})
	}
	free := true
	if keep && it.Step == pipeline.Stage {
		var locked, idle bool
		b.Queue(lockEqual, int32(equals), it.MD5).QueryRow(func(row pgx.Row) error { return row.Scan(&locked) })
		queue(&b, `SELECT NOT `+busy+` FROM (SELECT ?::text AS md5, ?::bigint AS id) i`, t.now, t.now, it.MD5, it.ID).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&idle)
			free = locked && idle
			return err
		})
	}
	if b.Len() == 0 {
		return it, keep, nil
	}
	err := t.batch(&b)
	return it, keep && free, err
}

const lockEqual = `SELECT pg_try_advisory_xact_lock($1, hashtext($2))`

// calling is the class of the advisory locks on jobs.
const calling = 0x77656463

// lockJob keeps a callback and the record that it concerns from passing each
// other unseen.
func (t *tx) lockJob(job string) error { return t.exec(lockJob, int32(calling), job) }

const lockJob = `SELECT pg_advisory_xact_lock($1, hashtext($2))`

// split gives the files new Items that shared it's until the one that it was
// read from got other content.
func (t *tx) split(it pipeline.Item) error {
	rows, err := t.rows(`SELECT id,corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime FROM files
		WHERE item=? AND NOT (path=? AND host=? AND want=? AND want_name=?)`, it.ID, it.Path, it.Host, string(it.Want), it.WantName)
	if err != nil {
		return err
	}
	type share struct {
		id         int64
		corp, host string
		file       pipeline.File
	}
	shares, err := collect(rows, func(s pgx.Row) (f share, err error) {
		var dev, ino int64
		id := &f.file.ID
		err = s.Scan(&f.id, &f.corp, &f.host, &f.file.Path, &f.file.Type, &f.file.Name, &dev, &ino, &id.Size, &id.MTime, &id.CTime)
		id.Device, id.Inode = uint64(dev), uint64(ino)
		restore(&f.host, &f.file.Path, &f.file.Name)
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
	other, err := t.save(other, ``)
	if err == nil {
		t.wake(other)
	}
	return other, err
}
