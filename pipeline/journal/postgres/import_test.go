package postgres_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// used is a ledger on SQLite with something of everything in it.
func used(t *testing.T) *journal.Journal {
	ctx := context.Background()
	j, err := journal.Open(ctx, filepath.Join(t.TempDir(), "l.db"), journal.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	var files []pipeline.File
	for n := range 5 {
		files = append(files, pipeline.File{Path: fmt.Sprintf("/收件/%d.mp4", n), Type: inspect.Auto,
			ID: inspect.FileID{Device: 1 << 63, Inode: 5, Size: 10, MTime: int64(n)}})
	}
	_, err = j.Enter(ctx, "corp", "here", files)
	require.NoError(t, err)
	got, err := j.Claim(ctx, pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{pipeline.Inspect}, Limit: 5})
	require.NoError(t, err)
	require.Len(t, got, 5)
	now := time.Now().Truncate(time.Millisecond)
	for n, it := range got {
		it.Size, it.Name, it.Type, it.Step = 10, "开场.mp4", inspect.Video, pipeline.Stage
		it.MD5 = fmt.Sprintf("%032x", n/2) // two pairs and one
		it.Object = &pipeline.Object{Bucket: "s3://b", Key: it.MD5, URL: "https://b/" + it.MD5, Staged: now}
		require.NoError(t, j.Staging(ctx, "s3://b", it.MD5, it.MD5))
		switch n {
		case 0:
			it.Step, it.Due = pipeline.Done, now.Add(time.Hour)
			it.Media = &pipeline.Media{ID: "m", CreatedAt: now, ExpiresAt: now.Add(72 * time.Hour)}
			it.Warnings = []pipeline.Warning{{Code: "c", Message: pipeline.Text{ZH: "编码", EN: "codec"}}}
		case 2:
			it.Fault = &pipeline.Fault{Code: "wecom/1", Message: pipeline.Text{ZH: "a", EN: "b"}}
			it.Replace = true
		case 4:
			it.Step, it.Job = pipeline.Await, &pipeline.Job{ID: "job", SubmittedAt: now}
			it.History = []pipeline.Event{{At: now.UTC(), What: pipeline.Failed, N: 2}}
		}
		_, err := j.Record(ctx, it, false)
		require.NoError(t, err)
	}
	require.NoError(t, j.Finished(ctx, "another"))
	require.NoError(t, j.PutTemplate(ctx, pipeline.Template{Corp: "corp", ID: "t", Content: []byte(`{"text":{"content":"欢迎"}}`), Item: 1}))
	return j
}

// told is everything that a ledger tells, without what is a ledger's own.
func told(t *testing.T, j pipeline.Journal) (items []pipeline.Item, entries []pipeline.Entry, templates []pipeline.Template) {
	ctx := context.Background()
	items, err := j.Items(ctx, pipeline.Query{})
	require.NoError(t, err)
	entries, err = j.Entries(ctx, []int64{1, 2, 3, 4, 5})
	require.NoError(t, err)
	templates, err = j.Templates(ctx, "corp")
	require.NoError(t, err)
	for n := range items {
		items[n].Rev = 0
	}
	for n := range entries {
		entries[n].Item.Rev = 0
	}
	return items, entries, templates
}

func TestImport(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	from, to := used(t), open(t, pgtest.Start(t), postgres.Options{})
	n, err := to.Import(ctx, from)
	require.NoError(t, err)
	require.Equal(t, postgres.Counts{Items: 3, Files: 5, Objects: 3, Callbacks: 1, Templates: 1}, n)
	items, entries, templates := told(t, from)
	items2, entries2, templates2 := told(t, to)
	require.Equal(t, items, items2)
	require.Equal(t, entries, entries2)
	require.Equal(t, templates, templates2)

	next := pipeline.File{Path: "/new.mp4", Type: inspect.Auto}
	e, err := to.Enter(ctx, "corp", "here", []pipeline.File{next})
	require.NoError(t, err)
	require.EqualValues(t, 6, e[0].ID, "ids go on where they were")
	require.EqualValues(t, 6, e[0].Item.ID, "also after Items that are gone")
	got, err := to.Claim(ctx, pipeline.Want{Corp: "corp", Steps: []pipeline.Step{pipeline.Await}, Limit: 5})
	require.NoError(t, err)
	require.Len(t, got, 1, "work goes on")
	known, err := to.Known(ctx, "corp", "here", []pipeline.File{entries[0].File})
	require.NoError(t, err)
	require.Equal(t, entries[0].ID, known[0].ID, "a file that was sent is not sent again")

	_, err = to.Import(ctx, from)
	require.ErrorIs(t, err, postgres.ErrNotEmpty)
}

// What is claimed would be recorded on SQLite after it was carried over.
func TestImportOfALedgerInUse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	from, to := used(t), open(t, pgtest.Start(t), postgres.Options{})
	got, err := from.Claim(ctx, pipeline.Want{Corp: "corp", Steps: []pipeline.Step{pipeline.Await}, Limit: 5})
	require.NoError(t, err)
	require.Len(t, got, 1)
	_, err = to.Import(ctx, from)
	require.ErrorIs(t, err, journal.ErrInUse)
	require.NoError(t, from.Release(ctx, got))
	other, err := journal.Open(ctx, from.Path(), journal.Options{})
	require.NoError(t, err)
	_, err = to.Import(ctx, from)
	require.ErrorIs(t, err, journal.ErrInUse, "another process is there")
	require.NoError(t, other.Close())
	items, _, _ := told(t, to)
	require.Empty(t, items)
	_, err = to.Import(ctx, from)
	require.NoError(t, err)
}

func TestImportThatIsCutOff(t *testing.T) {
	t.Parallel()
	from, to := used(t), open(t, pgtest.Start(t), postgres.Options{})
	_, err := to.Pool().Exec(context.Background(), `ALTER TABLE templates ADD CHECK (shown<>'')`) // the last one to come
	require.NoError(t, err)
	_, err = to.Import(context.Background(), from)
	var e *postgres.Error
	require.ErrorAs(t, err, &e)
	items, _, _ := told(t, to)
	require.Empty(t, items, "whole or not at all")
}
