package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// A callback that comes as soon as an Item is recorded makes it due earlier
// than was noted before: what is said last is true.
func TestACallbackMeetsWhatIsNoted(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var said time.Time // as a process knows it that carries the Item
	say := func(w postgres.Wake) {
		mu.Lock()
		defer mu.Unlock()
		said = w.At
	}
	db := pgtest.Start(t)
	var j *postgres.Journal
	finished := sync.OnceFunc(func() { require.NoError(t, j.Finished(bg, "job")) })
	told := 0
	j = open(t, db, postgres.Options{
		Wake: func(_ context.Context, _ pgx.Tx, wakes []postgres.Wake) error {
			for _, w := range wakes {
				say(w)
			}
			return nil
		},
		Noted: func(w postgres.Wake) bool {
			if told++; told == 2 {
				finished()
			}
			say(w)
			return true
		}})
	one(t, j, "/in/a.mp4")
	it := claimOne(t, j, pipeline.Inspect)
	it, err := j.Record(bg, known(it, strings.Repeat("a", 32), "x.mp4"), true)
	require.NoError(t, err)
	it.Object = &pipeline.Object{Bucket: "s3://b", Key: it.MD5, URL: "https://b"}
	it.Step, it.Job, it.Due = pipeline.Await, &pipeline.Job{ID: "job", SubmittedAt: time.Now()}, time.Now().Add(20*time.Minute)
	_, err = j.Record(bg, it, false)
	require.NoError(t, err)
	finished()
	now, err := j.Items(bg, pipeline.Query{IDs: []int64{it.ID}})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), now[0].Due, time.Minute, "the callback made it due")
	require.WithinDuration(t, now[0].Due, said, time.Second, "and that was said last")
}
