package postgres

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

// Claim takes Items that are due. If the answer to its COMMIT is lost, what it
// may have claimed is left alone, and lapses.
func (j *Journal) Claim(ctx context.Context, w pipeline.Want) ([]pipeline.Item, error) {
	if w.IDs == nil || w.Limit < len(w.IDs) {
		return j.claimSome(ctx, w)
	}
	got, err := j.claimEach(ctx, w)
	if err != nil || len(got) == len(w.IDs) || !slices.Contains(w.Steps, pipeline.Stage) {
		return got, err
	}
	// Most Items are staged by whoever read them, so few are left to look at.
	rest := w
	rest.Steps, rest.IDs = []pipeline.Step{pipeline.Stage}, without(w.IDs, got)
	more, err := j.claimSome(ctx, rest)
	if len(got) > 0 {
		err = nil // what is left is claimed another time
	}
	return append(got, more...), err
}

func without(ids []int64, got []pipeline.Item) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
		return slices.ContainsFunc(got, func(it pipeline.Item) bool { return it.ID == id })
	})
}

// claimOne claims an Item that is not to be staged. By its id alone, so that
// its plan is made once: with a list of ids it would be made anew each time,
// which takes longer than the claim.
var claimOne = dollars(`UPDATE items SET owner=?, fence=fence+1, lease=? WHERE id=(SELECT id FROM items
	WHERE id=? AND corp=? AND NOT held AND due<=? AND lease<=? AND step=ANY(?) AND (step<>'inspect' OR host=ANY(?))
	FOR UPDATE SKIP LOCKED) RETURNING ` + all)

// claimEach claims those of w.IDs that are not to be staged.
func (j *Journal) claimEach(ctx context.Context, w pipeline.Want) (got []pipeline.Item, err error) {
	var steps []string
	for _, s := range w.Steps {
		if s != pipeline.Stage {
			steps = append(steps, string(s))
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	ids := slices.Compact(slices.Sorted(slices.Values(w.IDs)))
	err = j.alone(ctx, noRow, func(b *pgx.Batch, now int64) error {
		got = nil
		for _, id := range ids {
			args := params([]any{j.owner, now + Lease.Milliseconds(), id, w.Corp, now, now, steps, w.Hosts})
			b.Queue(claimOne, args...).Query(func(rows pgx.Rows) error {
				some, err := claimedOf(rows, now)
				got = append(got, some...)
				return err
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(got, byDue)
	j.holds(got...)
	return got, nil
}

// claimSome claims what is due, the steps in w's order.
func (j *Journal) claimSome(ctx context.Context, w pipeline.Want) (got []pipeline.Item, err error) {
	err = j.retry(ctx, false, func() error {
		return j.attempt(context.WithoutCancel(ctx), func(t *tx) error {
			got = nil
			for _, step := range w.Steps {
				some, err := t.claim(w, step, w.Limit-len(got))
				if err != nil {
					return err
				}
				got = append(got, some...)
			}
			t.after = append(t.after, func() { j.holds(got...) })
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

// claimed is what this process knows of an Item that it has claimed.
type claimed struct {
	fence int64
	md5   string         // as recorded: nobody else changes it meanwhile
	file  inspect.FileID // as it was claimed
}

// holds notes claims that Beat prolongs.
func (j *Journal) holds(items ...pipeline.Item) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, it := range items {
		j.held[it.ID] = claimed{it.Claim.Fence, it.MD5, it.File}
	}
}

// drops is the inverse, for claims that are over.
func (j *Journal) drops(items ...pipeline.Item) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, it := range items {
		if j.held[it.ID].fence == it.Claim.Fence {
			delete(j.held, it.ID)
		}
	}
}

func (t *tx) claim(w pipeline.Want, step pipeline.Step, limit int) ([]pipeline.Item, error) {
	if limit <= 0 {
		return nil, nil
	}
	due := `SELECT id,md5 FROM items i WHERE corp=? AND step=? AND NOT held AND due<=? AND lease<=?`
	args := []any{w.Corp, string(step), t.now, t.now}
	if w.IDs != nil {
		// By their ids alone: written so that no other index serves. A new table
		// has no statistics, and the planner would look through all that is due.
		due = `SELECT id,md5 FROM items i WHERE corp||''=? AND step||''=? AND NOT held AND due+0<=? AND lease<=? AND id=ANY(?)`
		args = append(args, w.IDs)
	}
	if step == pipeline.Inspect || step == pipeline.Stage {
		due += ` AND host=ANY(?)`
		args = append(args, w.Hosts)
	}
	if step == pipeline.Stage {
		due += ` AND NOT ` + busy
		args = append(args, t.now, t.now)
	}
	due += ` ORDER BY due LIMIT ? FOR UPDATE SKIP LOCKED`
	args = append(args, limit)
	if step == pipeline.Stage {
		return t.claimStaged(due, args)
	}
	return t.take(`SELECT id FROM (`+due+`) d`, args)
}

// candidate is an Item that may be staged.
type candidate struct {
	id  int64
	md5 string
}

func readCandidate(s pgx.Row) (c candidate, err error) { return c, s.Scan(&c.id, &c.md5) }

func (t *tx) claimStaged(due string, args []any) ([]pipeline.Item, error) {
	rows, err := t.rows(due, args...)
	if err != nil {
		return nil, err
	}
	all, err := collect(rows, readCandidate)
	if err != nil {
		return nil, err
	}
	return t.claimEqual(all)
}

// claimEqual claims, of equal content, one Item: see the package's words on
// equal content. What is locked is looked at again, because it may have been
// claimed since the first look.
func (t *tx) claimEqual(all []candidate) ([]pipeline.Item, error) {
	if len(all) == 0 {
		return nil, nil
	}
	byMD5 := map[string]int64{}
	var md5s []string
	for _, c := range all {
		if _, twice := byMD5[c.md5]; !twice {
			byMD5[c.md5] = c.id
			md5s = append(md5s, c.md5)
		}
	}
	mine, err := t.lock(md5s)
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	ids := make([]int64, len(mine))
	for n, m := range mine {
		ids[n] = byMD5[m]
	}
	return t.take(`SELECT id FROM items i WHERE id=ANY(?) AND NOT `+busy, []any{ids, t.now, t.now})
}

// equals is the class of the advisory locks on equal content.
const equals = 0x77656472

// lock locks what is done with equal content until the end of the
// transaction. It returns those that nobody else had locked.
func (t *tx) lock(md5s []string) ([]string, error) {
	rows, err := t.rows(`SELECT m FROM unnest(?::text[]) m WHERE pg_try_advisory_xact_lock(?, hashtext(m))`, md5s, int32(equals))
	if err != nil {
		return nil, err
	}
	return collect(rows, readString)
}

func readString(s pgx.Row) (v string, err error) { return v, s.Scan(&v) }

// busy says of an Item i that equal content is being staged, or removed.
const busy = `(EXISTS (SELECT 1 FROM items o WHERE o.md5=i.md5 AND o.md5<>'' AND o.step='stage' AND o.lease>? AND o.id<>i.id)
	OR EXISTS (SELECT 1 FROM objects o WHERE o.md5=i.md5 AND o.doomed>0 AND o.doomed>?))`

// take claims the Items whose ids a query selects.
func (t *tx) take(ids string, args []any) ([]pipeline.Item, error) {
	rows, err := t.rows(`UPDATE items SET owner=?, fence=fence+1, lease=? WHERE id=ANY(ARRAY(`+ids+`)) RETURNING `+all,
		append([]any{t.owner, t.now + Lease.Milliseconds()}, args...)...)
	if err != nil {
		return nil, err
	}
	got, err := claimedOf(rows, t.now)
	slices.SortFunc(got, byDue)
	return got, err
}

// claimedOf reads Items that were claimed at that time.
func claimedOf(rows pgx.Rows, now int64) ([]pipeline.Item, error) {
	return collect(rows, func(s pgx.Row) (pipeline.Item, error) {
		it, err := scanItem(s)
		it.Claim.At = from(now)
		return it, err
	})
}

// byDue has the most overdue first.
func byDue(a, b pipeline.Item) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) }

func byID(a, b pipeline.Item) int { return cmp.Compare(a.ID, b.ID) }

// over ends a claim that has lapsed, when somebody else changes its Item: the
// clock of a machine that slept may not know for some seconds that it did.
const over = `,lease=0,owner=''`

// mine is the condition of a claim that still holds.
const mine = `id=? AND owner=? AND fence=? AND lease>?`

func (t *tx) mine(it pipeline.Item) []any {
	return []any{it.ID, t.owner, it.Claim.Fence, t.now}
}

// Beat prolongs the claims of this process that it knows of.
func (j *Journal) Beat(ctx context.Context) ([]int64, error) {
	j.mu.Lock()
	had := make(map[int64]int64, len(j.held))
	ids := make([]int64, 0, len(j.held))
	for id, c := range j.held {
		had[id] = c.fence
		ids = append(ids, id)
	}
	j.mu.Unlock()
	if len(ids) == 0 {
		return nil, nil
	}
	var kept []int64
	err := j.retry(ctx, true, func() error {
		return j.attempt(context.WithoutCancel(ctx), func(t *tx) error {
			// In the order of ids, so that two beats wait for each other and no more.
			rows, err := t.rows(`UPDATE items SET lease=? WHERE id IN (SELECT id FROM items WHERE id=ANY(?) AND owner=? AND lease>? ORDER BY id FOR UPDATE)
				RETURNING id`, t.now+Lease.Milliseconds(), ids, t.owner, t.now)
			if err != nil {
				return err
			}
			kept, err = collect(rows, func(s pgx.Row) (id int64, err error) { return id, s.Scan(&id) })
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return j.lost(had, kept), nil
}

// lost are those claims out of had that were not kept and that did not end
// well meanwhile. They are forgotten.
func (j *Journal) lost(had map[int64]int64, kept []int64) (lost []int64) {
	for _, id := range kept {
		delete(had, id)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for id, fence := range had {
		if j.held[id].fence == fence {
			delete(j.held, id)
			lost = append(lost, id)
		}
	}
	return lost
}

// Release ends claims without a change.
func (j *Journal) Release(ctx context.Context, items []pipeline.Item) error {
	sorted := slices.SortedFunc(slices.Values(items), byID) // see byRow
	err := j.write(ctx, func(t *tx) error {
		for _, it := range sorted {
			freed, err := readItem(t.row(`UPDATE items SET lease=0, owner='' WHERE `+mine+` RETURNING `+all, t.mine(it)...))
			if errors.Is(err, pgx.ErrNoRows) {
				continue
			} else if err != nil {
				return err
			}
			t.wake(freed)
		}
		return nil
	})
	j.drops(items...)
	return err
}

// freeAll ends all claims of this process that it knows of.
func (j *Journal) freeAll(t *tx) error {
	j.mu.Lock()
	ids := slices.Collect(maps.Keys(j.held))
	j.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	rows, err := t.rows(`UPDATE items SET lease=0, owner='' WHERE id=ANY(?) AND owner=? RETURNING `+all, ids, t.owner)
	if err != nil {
		return err
	}
	freed, err := collect(rows, readItem)
	for _, it := range freed {
		t.wake(it)
	}
	return err
}

// Finished makes the Item of a job due at once.
func (j *Journal) Finished(ctx context.Context, job string) error {
	return j.write(ctx, func(t *tx) error {
		if err := t.lockJob(job); err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO callbacks (job,at) VALUES (?,?) ON CONFLICT DO NOTHING`, job, t.now); err != nil {
			return err
		}
		rows, err := t.rows(`UPDATE items SET due=?`+over+` WHERE job=? AND step='await' AND lease<=? RETURNING `+all, t.now, job, t.now)
		if err != nil {
			return err
		}
		found, err := collect(rows, readItem)
		if err != nil {
			return err
		}
		for _, it := range found {
			t.wake(it)
		}
		if len(found) > 0 {
			return t.exec(`DELETE FROM callbacks WHERE job=?`, job)
		}
		return t.exec(`DELETE FROM callbacks WHERE at<?`, t.now-2*wecom.JobLife.Milliseconds())
	})
}

// Amend changes Items that nobody has claimed.
func (j *Journal) Amend(ctx context.Context, ids []int64, edit func(*pipeline.Item) bool) ([]pipeline.Item, error) {
	var found map[int64]pipeline.Item
	sorted := slices.Sorted(slices.Values(ids)) // see byRow
	err := j.write(ctx, func(t *tx) error {
		found = map[int64]pipeline.Item{}
		for _, id := range sorted {
			it, err := t.amend(id, edit)
			if errors.Is(err, pgx.ErrNoRows) {
				continue // merged into another meanwhile
			} else if err != nil {
				return err
			}
			found[id] = it
		}
		return nil
	})
	var out []pipeline.Item
	for _, id := range ids {
		if it, ok := found[id]; ok {
			out = append(out, it)
		}
	}
	return out, err
}

func (t *tx) amend(id int64, edit func(*pipeline.Item) bool) (pipeline.Item, error) {
	var lease int64
	it, err := scanItem(t.row(`SELECT `+all+`,lease FROM items WHERE id=? FOR UPDATE`, id), &lease)
	it.Claim = pipeline.Claim{}
	if err != nil || lease > t.now || !edit(&it) {
		return it, err
	}
	if it, err = t.save(it, over); err == nil {
		t.wake(it)
	}
	return it, err
}

// lapsedFor is how long an Item has been due before Lapsed tells of it.
const lapsedFor = 5 * time.Second

// lapsed goes from step to step along the index of what is due, past the
// millions that are not.
const lapsed = `SELECT d.id,d.due,d.host,d.step FROM unnest(ARRAY['inspect','stage','submit','await','done']) s(step),
		LATERAL (SELECT id,due,host,step FROM items i WHERE i.corp=$4 AND i.step=s.step AND NOT held AND due<=$1 AND lease<=$2
			ORDER BY due LIMIT $3) d
	ORDER BY d.due LIMIT $3`

// Lapsed returns Items of a corp that have been due for some seconds and that
// nobody has claimed, the most overdue first.
func (j *Journal) Lapsed(ctx context.Context, corp string, limit int) (out []Wake, err error) {
	now, err := j.Now(ctx)
	if err != nil {
		return nil, err
	}
	err = j.read(ctx, func(ctx context.Context) error {
		rows, err := j.pool.Query(ctx, lapsed,
			ms(now.Add(-lapsedFor)), ms(now), limit, corp)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(s pgx.Row) (w Wake, err error) {
			var due int64
			err = s.Scan(&w.Item, &due, &w.Host, &w.Step)
			w.At = from(due)
			restore(&w.Host)
			return w, err
		})
		return err
	})
	return out, err
}
