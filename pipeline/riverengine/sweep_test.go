package riverengine

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// A machine that was thought to be away, because it slept or could not reach
// the database, takes its Items up again however long it has been serving.
func TestWhoWasThoughtAwayGoesOn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e, err := New(Options{Corp: "corp"})
	require.NoError(t, err)
	j, err := postgres.Open(ctx, pgtest.Start(t), postgres.Options{Wake: e.Wake})
	require.NoError(t, err)
	defer j.Close()
	require.NoError(t, e.Use(ctx, j))
	on := func(host string) *pipeline.Pipeline { return &pipeline.Pipeline{Corp: "corp", Journal: j, Host: host} }
	entries, err := on("a").Enter(ctx, []pipeline.File{{Path: filepath.Join(t.TempDir(), "x.mp4"), ID: inspect.FileID{Size: 5, MTime: 1}}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	a := &sweeper{e: e, p: on("a"), hosts: map[string]bool{"a": true}} // for hours
	fault := func() *pipeline.Fault {
		items, err := j.Items(ctx, pipeline.Query{IDs: []int64{entries[0].Item.ID}})
		require.NoError(t, err)
		return items[0].Fault
	}
	require.NoError(t, on("b").Away(ctx, []int64{entries[0].Item.ID}))
	require.Equal(t, "wedrop/host-away", fault().Code)
	require.NoError(t, a.here(ctx))
	require.Nil(t, fault())
}

// Unless a sweep's job may be repeated before the lease of a killed machine has
// lapsed, that machine's Items wait for a further minute.
func TestAKilledMachinesJobKeepsNobodyFromWaking(t *testing.T) {
	const least = postgres.Lease * 2 / 3 // a beat was that long ago at most
	require.Less(t, again("q").UniqueOpts.ByPeriod, least)
}

// River's reports of every five seconds are not for a person's log.
func TestRiverIsQuietWhileAllIsWell(t *testing.T) {
	var b bytes.Buffer
	l := riverLogger(slog.New(slog.NewTextHandler(&b, nil))).With("client", "x")
	l.Info("job counts")
	require.Empty(t, b.String())
	l.Warn("no database")
	require.Contains(t, b.String(), "no database")
}
