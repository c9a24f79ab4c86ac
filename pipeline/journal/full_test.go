package journal

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

func TestAFullDiskIsCalledThat(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "l.db")
	j, err := Open(ctx, path, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	var pages int
	require.NoError(t, j.conn.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages))
	_, err = j.conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count=%d`, pages+5))
	require.NoError(t, err)
	for n := 0; err == nil && n < 10_000; n++ {
		_, err = j.Enter(ctx, "corp", "here", []pipeline.File{{Path: fmt.Sprintf("/f/%d.mp4", n), Type: inspect.Auto}})
	}
	var full *FullError
	require.ErrorAs(t, err, &full)
	require.Equal(t, path, full.Path)
	_, err = j.conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count=%d`, pages+500))
	require.NoError(t, err)
	_, err = j.Enter(ctx, "corp", "here", []pipeline.File{{Path: "/f/more.mp4", Type: inspect.Auto}})
	require.NoError(t, err, "there is room again")
}
