package callback

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m memory
	now := time.Unix(1_795_348_800, 0)
	for i := range 3 * maxRecent {
		d, first := m.claim("s"+strconv.Itoa(i), "j"+strconv.Itoa(i), now)
		require.True(t, first)
		m.end(d)
	}
	require.Len(t, m.seen.known, maxRecent)
	require.Len(t, m.seen.order, maxRecent)
	require.Len(t, m.jobs.known, maxRecent)
	_, first := m.claim("s"+strconv.Itoa(3*maxRecent-1), "", now)
	require.False(t, first, "the latest is remembered")
	_, first = m.claim("s0", "", now)
	require.True(t, first, "the oldest gave way")

	m.claim("last", "last", now.Add(seenLife))
	require.Len(t, m.seen.known, 1, "what is over two hours old is gone")
	require.Len(t, m.jobs.known, 1)
}

func TestMemoryOfFailures(t *testing.T) {
	t.Parallel()
	var m memory
	now := time.Unix(1_795_348_800, 0)
	d, first := m.claim("one", "job", now)
	require.True(t, first)
	same, first := m.claim("two", "job", now)
	require.False(t, first)
	require.Same(t, d, same, "who comes meanwhile waits for the same end")
	d.err = errors.New("disk full")
	m.end(d)
	<-d.done
	for _, signature := range []string{"one", "two"} {
		d, first := m.claim(signature, "job", now)
		require.True(t, first, signature)
		d.err = errors.New("disk full")
		m.end(d)
	}
	require.Empty(t, m.seen.known)
	require.Empty(t, m.jobs.known)
}

// A clock that was wrong for a while does not silence a job for long.
func TestMemoryOfAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	var m memory
	now := time.Unix(1_795_348_800, 0)
	m.claim("one", "job", now.AddDate(1, 0, 0))
	_, first := m.claim("one", "job", now)
	require.True(t, first)
}
