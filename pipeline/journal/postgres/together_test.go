package postgres_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
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
