package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// beaten is a ledger of which only the beat is heard.
type beaten struct {
	Journal
	lost []int64
}

func (b beaten) Beat(context.Context) ([]int64, error) { return b.lost, nil }
func (b beaten) Lease() time.Duration                  { return time.Minute }

// A beat that tells of lost claims prolongs the others. What was under way, or
// about to begin, with those that are lost must see so at once, however late
// the end of its context reaches it: a machine that had slept submitted what
// another one had submitted.
func TestALostClaimNeverHoldsAgain(t *testing.T) {
	c := newCrew(&Pipeline{Journal: beaten{lost: []int64{7}}}, nil)
	asleep := machineTime().Add(-2 * time.Minute)
	require.False(t, c.holds(7, asleep))
	require.False(t, c.holds(8, asleep))

	told := make(chan []int64, 1)
	go func() { told <- <-c.lost }()
	require.NoError(t, c.beatOnce(t.Context(), time.Minute))
	require.Equal(t, []int64{7}, <-told)

	require.False(t, c.holds(7, asleep), "another machine has it")
	require.True(t, c.holds(8, asleep), "the beat prolonged it")
	require.True(t, c.holds(7, machineTime().Add(time.Millisecond)), "claimed anew")
}

// One beat tells of all claims of the process, and of each loss once: the
// others who work for the same Pipeline see it too.
func TestWhatOneBeatLostHoldsForNoOtherCrew(t *testing.T) {
	p := &Pipeline{Journal: beaten{}}
	serving, run := newCrew(p, nil), newCrew(p, nil)
	asleep := machineTime().Add(-2 * time.Minute)

	p.Journal = beaten{lost: []int64{7}}
	go func() { <-serving.lost }()
	require.NoError(t, serving.beatOnce(t.Context(), time.Minute))
	p.Journal = beaten{}
	require.NoError(t, run.beatOnce(t.Context(), time.Minute))

	require.False(t, run.holds(7, asleep), "another machine has it")
	require.True(t, run.holds(8, asleep))
}
