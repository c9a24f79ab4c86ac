package pipeline_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

// A file of a machine that is switched off says so, and goes on when that
// machine is back.
func TestAFileOfAMachineThatIsAwaySaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here, there := on(w.pipe(), "here"), on(w.pipe(), "there")
	entries, err := there.Enter(context.Background(), w.files(2), pipeline.EnterOptions{})
	require.NoError(t, err)
	own, err := here.Enter(context.Background(), []pipeline.File{{Path: w.file("own.mp4", 99)}}, pipeline.EnterOptions{})
	require.NoError(t, err)
	ids := []int64{entries[0].Item.ID, entries[1].Item.ID, own[0].Item.ID}
	require.NoError(t, here.Away(context.Background(), ids))
	items, err := here.Journal.Items(context.Background(), pipeline.Query{IDs: ids})
	require.NoError(t, err)
	for _, it := range items[:2] {
		require.Equal(t, "wedrop/host-away", it.Fault.Code)
		require.True(t, it.Fault.Retry, "nobody has to release it")
		for _, lang := range []string{"zh", "en"} {
			require.Contains(t, it.Fault.Message.In(lang), "there")
			require.NotEmpty(t, it.Fault.Remedy.In(lang))
		}
	}
	require.Nil(t, items[2].Fault, "its machine is this one")

	require.NoError(t, here.Back(context.Background(), []string{"here"}))
	require.NotNil(t, w.until(here, ids[0], func(pipeline.Item) bool { return true }).Fault)
	require.NoError(t, there.Back(context.Background(), there.Hosts()))
	w.serve(there, pipeline.ServeOptions{Keep: -1})
	for _, e := range entries {
		require.Nil(t, w.until(there, e.Item.ID, isDone).Fault)
	}
}
