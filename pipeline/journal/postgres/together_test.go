package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// Changes that are made at the same time share transactions, and each has its
// own outcome all the same.
func TestChangesMadeTogetherHaveTheirOwnOutcomes(t *testing.T) {
	t.Parallel()
	js := machines(t, 2)
	const n = 60
	_, err := js[0].Enter(bg, "corp", "here", files(n))
	require.NoError(t, err)
	items, err := js[0].Claim(bg, want(pipeline.Inspect, n))
	require.NoError(t, err)
	require.Len(t, items, n)
	outcomes := make([]error, n)
	var all sync.WaitGroup
	for i, it := range items {
		all.Go(func() {
			it = known(it, fmt.Sprintf("%032x", i), fmt.Sprint(i, ".mp4"))
			switch i % 10 {
			case 3:
				it.Step = pipeline.Done // without a media_id: the ledger refuses it
			case 7:
				it.Claim.Fence++ // another one's claim
			}
			_, outcomes[i] = js[0].Record(bg, it, true)
			if err := js[0].Staging(bg, "s3://b", fmt.Sprint("key", i), it.MD5); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, err := range outcomes {
		now, e := js[1].Items(bg, pipeline.Query{IDs: []int64{items[i].ID}})
		require.NoError(t, e)
		switch i % 10 {
		case 3:
			require.Error(t, err)
			require.NotErrorIs(t, err, pipeline.ErrLost)
		case 7:
			require.ErrorIs(t, err, pipeline.ErrLost)
		default:
			require.NoError(t, err, "%d", i)
			require.Equal(t, pipeline.Stage, now[0].Step)
			continue
		}
		require.Equal(t, pipeline.Inspect, now[0].Step)
	}
}

// Of Items that turn out to have equal content while others are recorded, one
// goes on to be staged.
func TestEqualContentFoundTogetherIsStagedOnce(t *testing.T) {
	t.Parallel()
	js := machines(t, 2)
	const n, contents = 60, 4
	_, err := js[0].Enter(bg, "corp", "here", files(n))
	require.NoError(t, err)
	var mu sync.Mutex
	going := map[string]int{}
	var all sync.WaitGroup
	for _, j := range js {
		items, err := j.Claim(bg, want(pipeline.Inspect, n/2))
		require.NoError(t, err)
		for i, it := range items {
			all.Go(func() {
				// A name of its own: so it stays an Item of its own.
				it, err := j.Record(bg, known(it, fmt.Sprintf("%032x", i%contents), fmt.Sprint(it.ID, ".mp4")), true)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if it.Claim.Fence != 0 {
					going[it.MD5]++
				}
			})
		}
	}
	all.Wait()
	for md5, n := range going {
		require.Equal(t, 1, n, md5)
	}
	require.NotEmpty(t, going)
}

// Who changes several rows takes them in the order of their ids, whoever it is:
// in a circle all would stand still for a second until the server breaks it.
func TestNobodyWaitsInACircle(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	j, other := open(t, db, postgres.Options{}), open(t, db, postgres.Options{})
	const n, rounds = 60, 15
	_, err := j.Enter(bg, "corp", "here", files(2*n))
	require.NoError(t, err)
	items, err := j.Claim(bg, want(pipeline.Inspect, n))
	require.NoError(t, err)
	newest := make([]int64, n)
	for i, it := range items {
		newest[n-1-i] = it.ID
	}
	var records, others sync.WaitGroup
	over := make(chan struct{})
	for _, do := range []func() error{
		func() error { _, err := j.Beat(bg); return err },
		func() error {
			_, err := other.Amend(bg, newest, func(*pipeline.Item) bool { return false })
			return err
		},
		func() error {
			some, err := j.Claim(bg, want(pipeline.Inspect, n))
			slices.Reverse(some)
			return errors.Join(err, j.Release(bg, some))
		},
	} {
		others.Go(func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(time.Millisecond):
				}
				if err := do(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, it := range items {
		records.Go(func() {
			for range rounds {
				it.Tries++
				if _, err := j.Record(bg, it, true); err != nil {
					t.Errorf("Item %d: %v", it.ID, err)
				}
			}
		})
	}
	records.Wait()
	close(over)
	others.Wait()
	require.NoError(t, errors.Join(j.Close(), other.Close())) // a connection that ends has told what it met
	last := open(t, db, postgres.Options{})
	var open, circles int
	require.Eventually(t, func() bool {
		err := last.Pool().QueryRow(bg, `SELECT (SELECT count(*) FROM pg_stat_activity a WHERE a.datname=d.datname), deadlocks
			FROM pg_stat_database d WHERE datname=current_database()`).Scan(&open, &circles)
		return err == nil && open == 1
	}, 20*time.Second, 10*time.Millisecond)
	require.Zero(t, circles)
}
