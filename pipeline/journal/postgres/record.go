package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
)

// Record writes a claimed Item. See pipeline.Journal.
func (j *Journal) Record(ctx context.Context, it pipeline.Item, keep bool) (pipeline.Item, error) {
	out, err := j.short(ctx, it, keep)
	if errors.Is(err, errLong) {
		err = j.write(ctx, func(t *tx) (err error) {
			out, err = t.record(it, keep)
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

// errLong is returned for an Item that only the long way can record.
var errLong = errors.New("journal: more is to be done than can be said at once")

// short records an Item in one round trip: one whose content is what it was, or
// one that was read for the first time and whose content nobody else has.
func (j *Journal) short(ctx context.Context, it pipeline.Item, keep bool) (out pipeline.Item, err error) {
	c, ok := j.claim(it)
	m := &move{it: it, keep: keep, owner: j.owner}
	first := ok && c.md5 == "" && it.MD5 != "" && c.file == it.File && it.Step != pipeline.Await
	wakes := !keep && !it.Held() && !j.noted(it)
	switch {
	case first && !wakes:
		if out, err = m.outcome(j.alone(ctx, it.ID, m.identify)); errors.Is(err, pipeline.ErrLost) {
			return it, errLong // it may also be that another Item has this content
		}
	case !ok || c.md5 != it.MD5 || it.Step == pipeline.Stage:
		return it, errLong
	case wakes:
		err = j.write(ctx, func(t *tx) (err error) {
			if out, err = m.outcome(t.make(m.advance)); err == nil {
				t.wake(out)
			}
			return err
		})
		return out, err
	default:
		out, err = m.outcome(j.alone(ctx, it.ID, m.advance))
	}
	// Equal content kept it from going on, or a callback was first. (Where none
	// was, what was noted holds, and one that has come since has said more.)
	other := err == nil && !m.kept && (keep || ms(out.Due) != ms(it.Due))
	if other && !it.Held() && !j.noted(out) {
		err = j.write(ctx, func(t *tx) error { t.wake(out); return nil })
	}
	return out, err
}

// noted reports whether nobody has to be woken for an Item that is released,
// because this process looks at it again by itself.
func (j *Journal) noted(it pipeline.Item) bool {
	return j.o.Wake == nil || j.o.Noted != nil && j.o.Noted(Wake{it.ID, it.Due, it.Host, it.Step})
}

// claim is what this process knows of it since it was claimed, or recorded.
func (j *Journal) claim(it pipeline.Item) (claimed, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.held[it.ID]
	return c, ok && c.fence == it.Claim.Fence
}

// A move is the record of an Item in one batch.
type move struct {
	it    pipeline.Item
	keep  bool
	owner string
	// What came of it:
	now, due, rev int64
	found, kept   bool
}

// begin returns the item's columns, and the condition that it is ours.
func (m *move) begin(now int64) (columns, mine []any, err error) {
	m.now, m.found = now, false
	columns, err = values(m.it, now)
	return columns, []any{m.it.ID, m.owner, m.it.Claim.Fence, now}, err
}

func (m *move) end(b *pgx.Batch, statement string, args []any) {
	b.Queue(statement, params(args)...).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&m.due, &m.rev, &m.kept)
		m.found = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
}

func (m *move) outcome(err error) (pipeline.Item, error) {
	it := m.it
	if err == nil && !m.found {
		err = pipeline.ErrLost
	}
	if err != nil {
		return it, err
	}
	it.Due, it.Updated, it.Rev = from(m.due), from(m.now), m.rev
	if !m.kept {
		it.Claim = pipeline.Claim{}
	}
	return it, nil
}

var (
	step = `UPDATE items SET ` + set + `%s WHERE ` + mine + ` RETURNING due,rev,lease<>0`
	// called also takes what a callback has left: it is due since then, by the
	// clock of whoever was told, who may look at once. (least passes over NULL.)
	called = `WITH called AS (DELETE FROM callbacks WHERE job=? AND EXISTS (SELECT 1 FROM items WHERE ` + mine + `) RETURNING at)
		UPDATE items SET ` + strings.Replace(set, `due=?`, `due=least(?::bigint,(SELECT at FROM called))`, 1) + `%s WHERE ` + mine + ` RETURNING due,rev,lease<>0`
	going  = [...]string{dollars(fmt.Sprintf(step, ``)), dollars(fmt.Sprintf(called, ``))}
	ending = [...]string{dollars(fmt.Sprintf(step, over)), dollars(fmt.Sprintf(called, over))}
)

// advance is for an Item whose content is what it was.
func (m *move) advance(b *pgx.Batch, now int64) error {
	args, mine, err := m.begin(now)
	if err != nil {
		return err
	}
	args = append(args, mine...)
	statements, which := ending, 0
	if m.keep {
		statements = going
	}
	if m.it.Step == pipeline.Await {
		which = 1
		args = append(append([]any{m.it.Job.ID}, mine...), args...)
		queue(b, lockJob, int32(calling), m.it.Job.ID)
	}
	m.end(b, statements[which], args)
	return nil
}

// identified is for an Item that was never identified before: its claim goes on
// as far as it may. It finds none if another Item has the content.
var identified = dollars(`WITH goes AS MATERIALIZED (
		SELECT CASE WHEN NOT ?::bool THEN false WHEN NOT ?::bool THEN true ELSE current_setting('wedrop.locked')='true' AND NOT ` + busy + ` END AS on
		FROM (SELECT ?::text AS md5, ?::bigint AS id) i)
	UPDATE items SET ` + set + `, lease=CASE WHEN (SELECT goes.on FROM goes) THEN lease ELSE 0 END, owner=CASE WHEN (SELECT goes.on FROM goes) THEN owner ELSE '' END
	WHERE ` + mine + ` AND md5='' AND NOT EXISTS (SELECT 1 FROM items o WHERE o.corp=? AND o.scene=? AND o.md5=? AND o.type=? AND o.name=? AND o.md5<>'')
	RETURNING due,rev,lease<>0`)

// lockEqualNoted is lockEqual, and tells later statements of the transaction.
const lockEqualNoted = `SELECT set_config('wedrop.locked', pg_try_advisory_xact_lock($1, hashtext($2))::text, true)`

// identify is for an Item that was just read for the first time, from the file
// as it was entered.
func (m *move) identify(b *pgx.Batch, now int64) error {
	columns, mine, err := m.begin(now)
	if err != nil {
		return err
	}
	staged := m.it.Step == pipeline.Stage
	if m.keep && staged {
		b.Queue(lockEqualNoted, int32(equals), m.it.MD5)
	}
	it := m.it
	m.end(b, identified, slices.Concat([]any{m.keep, staged, now, now, it.MD5, it.ID}, columns, mine,
		[]any{it.Corp, it.Scene, it.MD5, string(it.Type), it.Name}))
	return nil
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
		var called bool
		queueOne(&b, &called, func(row pgx.Row) error {
			var at int64
			err := row.Scan(&at)
			if err == nil {
				it.Due = from(min(at, ms(it.Due)))
			}
			return err
		}, `DELETE FROM callbacks WHERE job=? RETURNING at`, it.Job.ID)
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
