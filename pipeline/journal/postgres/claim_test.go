package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

var bg = context.Background()

func one(t *testing.T, j *postgres.Journal, path string) pipeline.Item {
	t.Helper()
	e, err := j.Enter(bg, "corp", "here", []pipeline.File{{Path: path, Type: inspect.Auto, ID: inspect.FileID{Size: 10, MTime: 1}}})
	require.NoError(t, err)
	return e[0].Item
}

func claimOne(t *testing.T, j *postgres.Journal, step pipeline.Step) pipeline.Item {
	t.Helper()
	got, err := j.Claim(bg, pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{step}, Limit: 1})
	require.NoError(t, err)
	require.Len(t, got, 1)
	return got[0]
}

func TestASleeperWritesNothingOverWhatOthersDid(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	start := time.Now()
	asleep := open(t, db, postgres.Options{Now: func() time.Time { return start }})
	awake := open(t, db, postgres.Options{Now: func() time.Time { return start.Add(2 * postgres.Lease) }})
	one(t, asleep, "/a.mp4")
	it := claimOne(t, asleep, pipeline.Inspect)
	got, err := awake.Amend(bg, []int64{it.ID}, func(it *pipeline.Item) bool {
		it.Fault = &pipeline.Fault{Step: it.Step, Code: "wedrop/cancelled"}
		return true
	})
	require.NoError(t, err)
	require.True(t, got[0].Held())
	_, err = asleep.Record(bg, it, false)
	require.ErrorIs(t, err, pipeline.ErrLost)
	now, err := awake.Items(bg, pipeline.Query{IDs: []int64{it.ID}})
	require.NoError(t, err)
	require.True(t, now[0].Held(), "a person cancelled it")
}
