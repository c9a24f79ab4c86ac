package inspect_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
)

// Whether a second goroutine reads ahead changes nothing but the time. (These
// tests run alone: others measure how much memory is asked for.)
func TestReadingAheadEstablishesTheSame(t *testing.T) {
	const mb = 1 << 20
	for _, row := range []struct {
		about   string
		content []byte
		opt     inspect.Options
	}{
		{"small", inspecttest.MP4(20_000, 1), inspect.Options{}},
		{"as large as it takes", inspecttest.MP4(4*mb, 2), inspect.Options{}},
		{"one byte into another piece", inspecttest.MP4(4*mb+1, 3), inspect.Options{Type: inspect.Video}},
		{"one byte less than a piece more", inspecttest.MP4(9*mb/2-1, 4), inspect.Options{}},
		{"no video", bytes.Repeat([]byte("text "), mb), inspect.Options{Type: inspect.File}},
		{"cut off", inspecttest.Truncated(6*mb, 10, 5), inspect.Options{Type: inspect.Video}},
		{"no MP4", bytes.Repeat([]byte{0x1a, 0x45, 0xdf, 0xa3}, 2*mb), inspect.Options{}},
	} {
		t.Run(row.about, func(t *testing.T) {
			path := write(t, "a.mp4", row.content)
			facts, err := read(path, row.opt)
			var seen atomic.Int64
			var also bytes.Buffer
			row.opt.Ahead, row.opt.Read, row.opt.Also = true, &seen, &also
			got, gotErr := read(path, row.opt)
			require.Equal(t, facts, got)
			require.Equal(t, err, gotErr)
			if err == nil {
				require.True(t, bytes.Equal(row.content, also.Bytes()))
				require.EqualValues(t, len(row.content), seen.Load())
			}
		})
	}
}

func TestReadingAheadNoticesWhatGoesWrong(t *testing.T) {
	content := inspecttest.MP4(8<<20, 7)
	for _, row := range []struct {
		about string
		do    func(path string, cancel func()) error
		want  func(*testing.T, error)
	}{
		{"cut off", func(path string, _ func()) error { return os.Truncate(path, 1<<20) },
			func(t *testing.T, err error) { requireRefused(t, err, inspect.Changed) }},
		{"appended to", func(path string, _ func()) error { return os.Truncate(path, 9<<20) },
			func(t *testing.T, err error) { requireRefused(t, err, inspect.Changed) }},
		{"removed", func(path string, _ func()) error { return os.Remove(path) },
			func(t *testing.T, err error) { requireRefused(t, err, inspect.Changed) }},
		{"given up", func(_ string, cancel func()) error { cancel(); return nil },
			func(t *testing.T, err error) { require.Equal(t, context.Canceled, err) }},
	} {
		t.Run(row.about, func(t *testing.T) {
			path := write(t, "a.mp4", content)
			require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			steps := &stepContext{Context: ctx, at: 3, do: func() { require.NoError(t, row.do(path, cancel)) }}
			_, err := inspect.Read(steps, path, inspect.Options{Ahead: true})
			row.want(t, err)
		})
	}
}

// Who asked for the content and cannot take it ends the reading.
func TestReadingEndsWithWhoAlsoReads(t *testing.T) {
	full := errors.New("no room")
	for _, ahead := range []bool{false, true} {
		_, err := read(write(t, "a.mp4", inspecttest.MP4(8<<20, 9)), inspect.Options{Ahead: ahead, Also: refuses{full}})
		require.ErrorIs(t, err, full)
	}
}

type refuses struct{ err error }

func (r refuses) Write([]byte) (int, error) { return 0, r.err }
