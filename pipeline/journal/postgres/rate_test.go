package postgres_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

func TestARateHoldsWhileManyAskForIt(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	const every, burst = 10 * time.Millisecond, 10
	began := time.Now()
	var taken atomic.Int64
	var asking sync.WaitGroup
	for m := range 3 {
		behind := time.Duration(m) * 20 * time.Millisecond
		j := open(t, db, postgres.Options{Now: func() time.Time { return time.Now().Add(-behind) }})
		for range 3 {
			asking.Go(func() {
				for time.Since(began) < 2*time.Second {
					n, wait, err := j.Turns(bg, "corp/api", 16, every, burst)
					if err != nil {
						t.Error(err)
						return
					}
					taken.Add(int64(n))
					time.Sleep(min(wait, 5*time.Millisecond))
				}
			})
		}
	}
	asking.Wait()
	allowed := int64(time.Since(began)/every) + burst
	t.Logf("%d turns, %d allowed", taken.Load(), allowed)
	require.LessOrEqual(t, taken.Load(), allowed+burst)
}
