package journal

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

// With a million Items in the ledger no change reads a whole table: every
// process would wait for it.
func TestNoChangeReadsAWholeTable(t *testing.T) {
	ctx := context.Background()
	j, err := Open(ctx, filepath.Join(t.TempDir(), "l.db"), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	drive(t, j)
	queries := map[string]bool{}
	require.NoError(t, j.write(ctx, func(tx *tx) error {
		for q := range tx.prepared {
			queries[q] = true
		}
		return nil
	}))
	require.Greater(t, len(queries), 30)
	for q := range queries {
		for _, step := range plan(t, j, q) {
			require.False(t, scans(step), "%s\n%s", step, q)
			if strings.Contains(q, `json_each`) && strings.Contains(q, `fence+1`) {
				require.NotContains(t, step, "items_due", "a claim of few walks over all that are due: %s", q)
			}
		}
	}
}

func TestNoQuestionReadsAWholeTable(t *testing.T) {
	j, err := Open(context.Background(), filepath.Join(t.TempDir(), "l.db"), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	for name, q := range map[string]pipeline.Query{
		"ids":      {IDs: []int64{1}},
		"held":     {Held: true},
		"expiring": {Expiring: time.Now()},
		"some":     {Expiring: time.Now(), Limit: 10},
		"named":    {Named: "a"},
		"current":  {Named: "a", Current: true},
		"media":    {Media: "m"},
		"since":    {Since: 7, Limit: 10},
		"page":     {After: 7, Limit: 10},
	} {
		q.Corp = "corp"
		query, _ := selection(q)
		for _, step := range plan(t, j, query) {
			require.False(t, scans(step), "%s: %s\n%s", name, step, query)
			if !q.Expiring.IsZero() {
				require.NotContains(t, step, "PRIMARY KEY", query)
			}
		}
	}
	for _, query := range []string{known, entriesOf, unneeded, stats} {
		for _, step := range plan(t, j, query) {
			require.False(t, scans(step), "%s\n%s", step, query)
		}
	}
}

// scans reports whether a step of a plan reads all rows of a table.
func scans(step string) bool {
	what, ok := strings.CutPrefix(step, "SCAN ")
	if !ok || strings.Contains(what, "COVERING INDEX") {
		return false
	}
	for _, small := range []string{"json_each", "counter", "faults", "well", "CONSTANT ROW", "(subquery", "(join"} {
		if what == small || strings.HasPrefix(what, small+" ") || strings.HasPrefix(small, "(") && strings.HasPrefix(what, small) {
			return false
		}
	}
	return true
}

// plan tells how SQLite would do it.
func plan(t *testing.T, j *Journal, query string) (steps []string) {
	t.Helper()
	if f := strings.Fields(query)[0]; f != "SELECT" && f != "UPDATE" && f != "DELETE" && f != "WITH" {
		return nil
	}
	rows, err := j.read.Query(`EXPLAIN QUERY PLAN `+query, make([]any, strings.Count(query, "?"))...)
	require.NoError(t, err, query)
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	require.NoError(t, rows.Err())
	return steps
}

// drive calls everything that changes the ledger.
func drive(t *testing.T, j *Journal) {
	ctx := context.Background()
	claim := func(ids []int64, steps ...pipeline.Step) []pipeline.Item {
		got, err := j.Claim(ctx, pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: steps, IDs: ids, Limit: 9})
		require.NoError(t, err)
		return got
	}
	record := func(it pipeline.Item, keep bool) pipeline.Item {
		it, err := j.Record(ctx, it, keep)
		require.NoError(t, err)
		return it
	}
	id := inspect.FileID{Size: 9}
	for _, path := range []string{"/a", "/b"} {
		_, err := j.Enter(ctx, "corp", "here", []pipeline.File{{Path: path, Type: inspect.Auto, ID: id}})
		require.NoError(t, err)
		_, err = j.Enter(ctx, "corp", "here", []pipeline.File{{Path: path, Type: inspect.Auto, ID: inspect.FileID{Size: 10}}})
		require.NoError(t, err)
	}
	claim([]int64{1, 2}, pipeline.Submit, pipeline.Await, pipeline.Stage, pipeline.Done)
	require.NoError(t, j.Release(ctx, claim([]int64{1}, pipeline.Inspect)))
	for _, it := range claim(nil, pipeline.Inspect, pipeline.Stage, pipeline.Submit) {
		it.MD5, it.Name, it.Type, it.Step = strings.Repeat("a", 32), "x", inspect.Video, pipeline.Stage
		it = record(it, true)
		if it.Claim.Fence == 0 {
			continue // merged
		}
		it.MD5 = strings.Repeat("b", 32) // it has other content by now
		if it = record(it, true); it.Claim.Fence == 0 {
			continue
		}
		require.NoError(t, j.Staging(ctx, "b", "k", it.MD5))
		it.Object = &pipeline.Object{Bucket: "b", Key: "k", URL: "u"}
		it.Job = &pipeline.Job{ID: "j", SubmittedAt: j.now()}
		it.Step = pipeline.Await
		record(it, true)
	}
	_, err := j.Beat(ctx)
	require.NoError(t, err)
	require.NoError(t, j.Finished(ctx, "j"))
	_, err = j.Amend(ctx, []int64{1, 2, 3}, func(it *pipeline.Item) bool { return true })
	require.NoError(t, err)
	_, err = j.Doom(ctx, "b", 0)
	require.NoError(t, err)
	require.NoError(t, j.write(ctx, func(tx *tx) error { _, err := tx.doom("b", 0, []string{"k"}); return err }))
	require.NoError(t, j.Removed(ctx, pipeline.Doomed{Bucket: "b", Key: "k"}))
	require.NoError(t, j.Moved(ctx, "here", "/a", "/c", id))
	j.buried.at = time.Time{}
	require.NoError(t, j.write(ctx, func(tx *tx) error {
		if err := tx.exec(`INSERT INTO items SELECT 99,corp,scene,host,path,want,want_name,dev,ino,fsize,mtime,ctime,name,type,size,'',mime,ext,warnings,
			'inspect',due,fault,0,0,0,0,'','','',0,'',0,'',0,0,'another',1,?,0,0,0,'' FROM items LIMIT 1`, tx.now+99999); err != nil {
			return err
		}
		return j.bury(tx)
	}))
}
