package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

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
	case keep || it.Held() || j.o.Wake == nil: // nobody is to be woken
		err = j.retry(ctx, true, func() (err error) {
			out, err = j.advance(context.WithoutCancel(ctx), it, keep)
			return err
		})
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

// knows reports whether it's content is what was recorded last: then no other
// Item is concerned.
func (j *Journal) knows(it pipeline.Item) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.held[it.ID]
	return ok && c.fence == it.Claim.Fence && c.md5 == it.MD5
}

// advance is the short way for an Item whose content is what it was: one round
// trip, and one transaction all the same.
func (j *Journal) advance(ctx context.Context, it pipeline.Item, keep bool) (pipeline.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, oneTime)
	defer cancel()
	now, err := j.Now(ctx)
	if err != nil {
		return it, err
	}
	return advance(ctx, j.pool, it, keep, ms(now), j.owner)
}

var (
	step = `UPDATE items SET ` + set + `%s WHERE ` + mine + ` RETURNING due,rev`
	// called also takes what a callback has left. (least passes over NULL.)
	called = `WITH called AS (DELETE FROM callbacks WHERE job=? AND EXISTS (SELECT 1 FROM items WHERE ` + mine + `) RETURNING ?::bigint AS at)
		UPDATE items SET ` + strings.Replace(set, `due=?`, `due=least(?::bigint,(SELECT at FROM called))`, 1) + `%s WHERE ` + mine + ` RETURNING due,rev`
	going  = [...]string{dollars(fmt.Sprintf(step, ``)), dollars(fmt.Sprintf(called, ``))}
	ending = [...]string{dollars(fmt.Sprintf(step, over)), dollars(fmt.Sprintf(called, over))}
)

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
		b.Queue(lockJob, int32(calling), it.Job.ID)
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
	if it.Step == pipeline.Await { // before its row, as Finished does
		if err := t.lockJob(it.Job.ID); err != nil {
			return it, err
		}
	}
	var was string
	err := t.row(`SELECT md5 FROM items WHERE `+mine+` FOR UPDATE`, t.mine(it)...).Scan(&was)
	if errors.Is(err, pgx.ErrNoRows) {
		return it, pipeline.ErrLost
	} else if err != nil {
		return it, err
	}
	if it.MD5 != was || it.Step == pipeline.Stage { // just read
		if other, ok, err := t.identify(it, was); err != nil {
			return it, err
		} else if ok {
			return t.merge(it, other)
		}
	}
	if it.Step == pipeline.Await {
		called, err := t.changed(`DELETE FROM callbacks WHERE job=?`, it.Job.ID)
		if err != nil {
			return it, err
		}
		if called {
			it.Due = from(t.now)
		}
	}
	if keep && it.Step == pipeline.Stage {
		free, err := t.mayStage(it)
		if err != nil {
			return it, err
		}
		keep = free
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

// calling is the class of the advisory locks on jobs.
const calling = 0x77656463

// lockJob keeps a callback and the record that it concerns from passing each
// other unseen.
func (t *tx) lockJob(job string) error { return t.exec(lockJob, int32(calling), job) }

const lockJob = `SELECT pg_advisory_xact_lock($1, hashtext($2))`

// mayStage reports whether this claimed Item may go on to be staged.
func (t *tx) mayStage(it pipeline.Item) (bool, error) {
	locked, err := t.lock([]string{it.MD5})
	if err != nil || len(locked) == 0 {
		return false, err
	}
	var n int
	err = t.row(`SELECT count(*) FROM (SELECT ?::text AS md5, ?::bigint AS id) i WHERE NOT `+busy, it.MD5, it.ID, t.now, t.now).Scan(&n)
	return n > 0, err
}

// identify does what follows from what was learned of an Item's file. It
// returns the other Item, if there is one, that it turned out to be.
func (t *tx) identify(it pipeline.Item, was string) (pipeline.Item, bool, error) {
	if was != "" && it.MD5 != was {
		if err := t.split(it); err != nil {
			return it, false, err
		}
	}
	if it.MD5 == "" {
		return it, false, nil
	}
	other, err := readItem(t.row(`SELECT `+all+` FROM items WHERE corp=? AND scene=? AND md5=? AND type=? AND name=? AND md5<>'' AND id<>? FOR UPDATE`,
		it.Corp, it.Scene, it.MD5, string(it.Type), it.Name, it.ID))
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return other, err == nil, err
	}
	return it, false, t.exec(`UPDATE files SET dev=?,ino=?,fsize=?,mtime=?,ctime=? WHERE item=? AND path=?`,
		append(stat(it.File), it.ID, it.Path)...)
}

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
