package journal_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
)

func TestDump(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "l.db")
	j := open(t, path, journal.Options{})
	files := []pipeline.File{{Path: "/a.mp4", Type: inspect.Auto}, {Path: "/b.mp4", Type: inspect.Auto}}
	_, err := j.Enter(ctx, "corp", "here", files)
	require.NoError(t, err)

	dump := func() (map[string]int, error) {
		rows := map[string]int{}
		return rows, j.Dump(ctx, func(t *journal.Table) error {
			rows[t.Name] = 0
			for t.Next() {
				v, err := t.Values()
				if err != nil || len(v) != len(t.Columns) {
					return fmt.Errorf("%v %w", v, err)
				}
				rows[t.Name]++
			}
			return t.Err()
		})
	}
	got, err := dump()
	require.NoError(t, err)
	require.Equal(t, map[string]int{"items": 2, "files": 2, "objects": 0, "callbacks": 0, "templates": 0, "sqlite_sequence": 2}, got)

	other := open(t, path, journal.Options{})
	_, err = dump()
	require.ErrorIs(t, err, journal.ErrInUse, "another process would go on with this ledger")
	require.NoError(t, other.Close())
	_, err = dump()
	require.NoError(t, err)

	items, err := j.Claim(ctx, pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{pipeline.Inspect}, Limit: 1})
	require.NoError(t, err)
	require.Len(t, items, 1)
	_, err = dump()
	require.ErrorIs(t, err, journal.ErrInUse, "what is being worked on would be recorded here alone")
	require.NoError(t, j.Release(ctx, items))
	_, err = dump()
	require.NoError(t, err)
}
