package folder

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
)

func TestTimesProveThatAFileStoodStill(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(age time.Duration) int64 { return now.Add(-age).UnixNano() }
	for _, c := range []struct {
		name         string
		mtime, ctime int64
		older, gone  bool // for 2 s; abandoned
	}{
		{"both just now", at(0), at(0), false, false},
		{"both old", at(time.Minute), at(time.Minute), true, false},
		{"both very old", at(time.Hour), at(time.Hour), true, true},
		{"an old time kept by a copy that has just ended", at(time.Hour), at(time.Second), false, true},
		{"a time in the future", at(-time.Hour), at(time.Minute), false, false},
		{"a time in the future of a very old file", at(-time.Hour), at(time.Hour), false, true},
		{"a system without ctime", at(time.Minute), 0, false, false},
		{"a very old file on a system without ctime", at(time.Hour), 0, false, true},
		{"a time in the future without ctime", at(-time.Hour), 0, false, false},
	} {
		id := inspect.FileID{MTime: c.mtime, CTime: c.ctime}
		require.Equal(t, c.older, older(id, now, 2*time.Second), c.name)
		require.Equal(t, c.gone, abandoned(id, now, patience), c.name)
	}
}

func TestThePauseIsAQuarterOfSettleWithinBounds(t *testing.T) {
	t.Parallel()
	for settle, want := range map[time.Duration]time.Duration{0: minPause, time.Second: 250 * time.Millisecond,
		2 * time.Second: 500 * time.Millisecond, time.Minute: maxPause} {
		require.Equal(t, want, pause(settle), "%v", settle)
	}
}
