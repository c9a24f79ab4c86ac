package postgres_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

func TestANameThatIsNoUTF8StopsNobody(t *testing.T) {
	t.Parallel()
	j := open(t, pgtest.Start(t), postgres.Options{})
	files := []pipeline.File{
		{Path: "/srv/\xca\xd3\xc6\xb5.mp4", Type: inspect.Auto, ID: inspect.FileID{Size: 10, MTime: 1}},
		{Path: "/srv/b.mp4", Type: inspect.Auto, ID: inspect.FileID{Size: 10, MTime: 2}}}
	entries, err := j.Enter(bg, "corp", "here", files)
	require.NoError(t, err)
	require.Equal(t, files[0].Path, entries[0].Item.Path)
	again, err := j.Enter(bg, "corp", "here", files)
	require.NoError(t, err)
	require.Equal(t, entries[0].ID, again[0].ID)
	found, err := j.Items(bg, pipeline.Query{Named: files[0].Path})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, files[0].Path, found[0].Path)
}

func TestAFaultWithANulIsCounted(t *testing.T) {
	t.Parallel()
	j := open(t, pgtest.Start(t), postgres.Options{})
	one(t, j, "/a.mp4")
	it := claimOne(t, j, pipeline.Inspect)
	it.Fault = &pipeline.Fault{Step: it.Step, Code: "storage/other", Message: pipeline.Text{EN: "it said \x00\xff"}}
	_, err := j.Record(bg, it, false)
	require.NoError(t, err)
	stats, err := j.Stats(bg, "corp")
	require.NoError(t, err)
	require.Equal(t, []pipeline.Stat{{Step: pipeline.Inspect, Code: "storage/other", Held: true, N: 1}}, stats)
}

// The ledger on SQLite takes any name, and is carried over with it.
func TestANameThatIsNoUTF8IsCarriedOver(t *testing.T) {
	t.Parallel()
	l, err := journal.Open(bg, filepath.Join(t.TempDir(), "l.db"), journal.Options{})
	require.NoError(t, err)
	defer l.Close()
	f := pipeline.File{Path: "/srv/\xca\xd3\xc6\xb5.mp4", Type: inspect.Auto, ID: inspect.FileID{Size: 10, MTime: 1}}
	_, err = l.Enter(bg, "corp", "here", []pipeline.File{f})
	require.NoError(t, err)
	j := open(t, pgtest.Start(t), postgres.Options{})
	_, err = j.Import(bg, l)
	require.NoError(t, err)
	known, err := j.Known(bg, "corp", "here", []pipeline.File{f})
	require.NoError(t, err)
	require.Equal(t, f.Path, known[0].File.Path)
	require.Equal(t, f.Path, known[0].Item.Path)
}

// Nothing says what WeCom's ids may hold; one that PostgreSQL does not take must
// not keep an Item from being recorded.
func TestAJobWithANulIsRecorded(t *testing.T) {
	t.Parallel()
	j := open(t, pgtest.Start(t), postgres.Options{})
	one(t, j, "/in/a.mp4")
	it, err := j.Record(bg, known(claimOne(t, j, pipeline.Inspect), strings.Repeat("a", 32), "x.mp4"), true)
	require.NoError(t, err)
	it.Object = &pipeline.Object{Bucket: "s3://b", Key: it.MD5, URL: "https://b"}
	it.Step, it.Job, it.Due = pipeline.Await, &pipeline.Job{ID: "job\x00", SubmittedAt: time.Now()}, time.Now().Add(time.Hour)
	_, err = j.Record(bg, it, false)
	require.NoError(t, err)
	require.NoError(t, j.Finished(bg, "job\x00"))
	claimOne(t, j, pipeline.Await) // it is due
}
