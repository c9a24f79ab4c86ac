package journal_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
)

// million fills a ledger with done Items, one in ten on its way, each with
// its file and its object.
const million = `
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000000)
INSERT INTO items (corp,scene,host,path,want,want_name,dev,ino,fsize,mtime,ctime,name,type,size,md5,mime,ext,warnings,
	step,due,fault,held,tries,backs,renew,bucket,object,url,staged,job,submitted,media,media_created,media_expires,created,updated,rev)
SELECT 'corp',1,'here','/srv/videos/folder/'||i||'.mp4','auto','',1,i,1000,?1-i,?1-i,i||'.mp4','video',1000,printf('%032x',i),'video/mp4','.mp4','',
	CASE WHEN i%1000=0 THEN 'stage' WHEN i%1000=1 THEN 'inspect' ELSE 'done' END,
	CASE WHEN i%1000<2 THEN ?1-i ELSE ?1+3600000+i*200 END,
	CASE WHEN i%2000=0 THEN '{"Step":"stage","Code":"storage/changed","Message":{"zh":"a","en":"a"}}' ELSE '' END, i%2000=0, 0,0,0,
	's3://b','media/'||printf('%032x',i)||'.mp4','https://b.example.com/media/'||printf('%032x',i)||'.mp4',?1-i*200,
	'jobid_S0MrnndvRG5fadSlLwiBqiDDbM143UqTmKP3152FZk4'||i,?1-i*200,'3*1*G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0'||i,?1-i*200,?1-i*200+259200000,
	?1,?1,i FROM n;
INSERT INTO files (corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime,item,seen)
SELECT corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime,id,?1 FROM items;
INSERT INTO objects (bucket,key,md5,made) SELECT bucket,object,md5,staged FROM items;
UPDATE counter SET rev=1000000;`

// BenchmarkMillion is what one call costs in a ledger of a million Items. It
// leaves the ledger at WEDROP_BENCH_LEDGER where that is set.
func BenchmarkMillion(b *testing.B) {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "l.db")
	if p := os.Getenv("WEDROP_BENCH_LEDGER"); p != "" {
		path = p
	}
	j, err := journal.Open(ctx, path, journal.Options{})
	require.NoError(b, err)
	now := time.Now()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	require.NoError(b, err)
	_, err = db.Exec(million, now.UnixMilli())
	require.NoError(b, err)
	_, err = db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	require.NoError(b, err)
	require.NoError(b, db.Close())
	b.Cleanup(func() { j.Close() })
	file := func(i int) pipeline.File {
		at := now.UnixMilli() - int64(i)
		return pipeline.File{Path: fmt.Sprintf("/srv/videos/folder/%d.mp4", i), Type: inspect.Auto,
			ID: inspect.FileID{Device: 1, Inode: uint64(i), Size: 1000, MTime: at, CTime: at}}
	}
	items := func(q pipeline.Query, want int) func() {
		return func() {
			q.Corp = "corp"
			got, err := j.Items(ctx, q)
			require.NoError(b, err)
			require.GreaterOrEqual(b, len(got), want)
			require.LessOrEqual(b, len(got), want+500)
		}
	}
	claim := func(w pipeline.Want, least int) func() {
		w.Corp, w.Hosts = "corp", []string{"here"}
		return func() {
			got, err := j.Claim(ctx, w)
			require.NoError(b, err)
			require.GreaterOrEqual(b, len(got), least)
			b.StopTimer()
			require.NoError(b, j.Release(ctx, got))
			b.StartTimer()
		}
	}
	next := 2_000_000
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"claim inspect", claim(pipeline.Want{Steps: []pipeline.Step{pipeline.Inspect}, Limit: 4}, 4)},
		{"claim stage", claim(pipeline.Want{Steps: []pipeline.Step{pipeline.Stage}, Limit: 4}, 4)},
		{"claim done, none due", claim(pipeline.Want{Steps: []pipeline.Step{pipeline.Done}, Limit: 100}, 0)},
		{"claim by id", claim(pipeline.Want{Steps: []pipeline.Step{pipeline.Stage}, IDs: []int64{501_000, 777_000}, Limit: 4}, 1)},
		{"claim by id, none", claim(pipeline.Want{Steps: []pipeline.Step{pipeline.Submit}, IDs: []int64{3, 4}, Limit: 4}, 0)},
		{"claim and record", func() {
			got, err := j.Claim(ctx, pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{pipeline.Stage}, Limit: 1})
			require.NoError(b, err)
			got[0].Due = got[0].Due.Add(time.Millisecond)
			_, err = j.Record(ctx, got[0], false)
			require.NoError(b, err)
		}},
		{"beat", func() { _, err := j.Beat(ctx); require.NoError(b, err) }},
		{"finished", func() { require.NoError(b, j.Finished(ctx, "nobody's")) }},
		{"get by path", items(pipeline.Query{Named: "/srv/videos/folder/123456.mp4", Current: true}, 1)},
		{"get by name", items(pipeline.Query{Named: "123456.mp4", Current: true}, 1)},
		{"get by md5", items(pipeline.Query{Named: fmt.Sprintf("%032x", 123456)}, 1)},
		{"get by id", items(pipeline.Query{IDs: []int64{123456}}, 1)},
		{"get what is not there", items(pipeline.Query{Named: "nobody.mp4"}, 0)},
		{"since", items(pipeline.Query{Since: 999_990}, 10)},
		{"since, none", items(pipeline.Query{Since: 1_000_000 << 20, Limit: 1000}, 0)},
		{"page", items(pipeline.Query{After: 500_000, Limit: 100}, 100)},
		{"page of those current", items(pipeline.Query{After: 500_000, Limit: 100, Current: true}, 100)},
		{"held", items(pipeline.Query{Held: true}, 500)},
		{"expiring", items(pipeline.Query{Expiring: now.Add(72*time.Hour - 199_980*time.Second), Limit: 100}, 100)},
		{"alive", items(pipeline.Query{Alive: now, Limit: 100}, 100)},
		{"known", func() {
			got, err := j.Known(ctx, "corp", "here", []pipeline.File{file(123456), file(2_000_000)})
			require.NoError(b, err)
			require.EqualValues(b, 123456, got[0].Item.ID)
		}},
		{"enter", func() {
			next++
			_, err := j.Enter(ctx, "corp", "there", []pipeline.File{file(next)})
			require.NoError(b, err)
		}},
		{"moved", func() {
			f := file(123456)
			require.NoError(b, j.Moved(ctx, "here", f.Path, "/done/x", f.ID))
			require.NoError(b, j.Moved(ctx, "here", "/done/x", f.Path, f.ID))
		}},
		{"stats", func() { _, err := j.Stats(ctx, "corp"); require.NoError(b, err) }},
		{"doom, none", func() {
			got, err := j.Doom(ctx, "s3://b", 10000*time.Hour)
			require.NoError(b, err)
			require.Empty(b, got)
		}},
		{"doom some", func() { _, err := j.Doom(ctx, "s3://b", 50*time.Hour); require.NoError(b, err) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.do()
			}
		})
	}
}
