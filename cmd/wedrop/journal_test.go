package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// The ledger goes on in the database where it was in the file, and does not
// go there twice.
func TestJournalMove(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	to := pgtest.Start(t)
	path := filepath.Join(t.TempDir(), "old.db")
	j, err := journal.Open(ctx, path, journal.Options{})
	require.NoError(t, err)
	_, err = j.Enter(ctx, "wwtest", "here", []pipeline.File{{Path: "/a.mp4", Type: inspect.Auto}, {Path: "/b.mp4", Type: inspect.Auto}})
	require.NoError(t, err)

	run := func(where string, args ...string) (exit, string, string) {
		var out, errs bytes.Buffer
		env := map[string]string{"WEDROP_JOURNAL": where, "WEDROP_WECOM_CORP_ID": "wwtest", "WEDROP_LANG": "en", "HOME": t.TempDir()}
		code := newApp(args, func(k string) string { return env[k] }, &out, &errs).run(ctx)
		return code, out.String(), errs.String()
	}
	code, _, errs := run(path, "journal", "move", "--to", to)
	require.Equal(t, exitConfig, code)
	require.Contains(t, errs, "is in use", "somebody has it open")
	require.NoError(t, j.Close())

	code, out, errs := run(path, "journal", "move", "--to", to)
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, "carried over: 2 items, 2 files, 0 public objects, 0 welcome templates\n", out)
	require.Contains(t, errs, path)
	require.Contains(t, errs, "journal: postgres://")

	code, _, errs = run(path, "journal", "move", "--to", to)
	require.Equal(t, exitConfig, code)
	require.Contains(t, errs, "nothing was carried over")

	for _, args := range [][]string{{"list"}, {"journal", "backup", filepath.Join(t.TempDir(), "b.db")}} {
		code, out, errs = run(path, args...)
		require.Equal(t, exitConfig, code, "the old ledger is not used any more")
		require.Empty(t, out)
		require.Contains(t, errs, "was carried away to postgres://")
	}

	code, out, errs = run(to, "list", "--json")
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, 2, strings.Count(out, `"path":"/`), out)
}
