package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal/postgres"
	"wedrop/pipeline/journal/postgres/pgtest"
)

// BenchmarkLine carries files through all their steps, by three journals with
// eight workers each, on a server that syncs: what the ledger alone can do.
func BenchmarkLine(b *testing.B) {
	ctx := context.Background()
	url := pgtest.New(b).Database(b)
	var journals [3]*postgres.Journal
	for n := range journals {
		journals[n] = open(b, url, postgres.Options{})
	}
	const files = 3000
	seq := 0
	for b.Loop() {
		b.StopTimer()
		var all []pipeline.File
		for range files {
			seq++
			all = append(all, pipeline.File{Path: fmt.Sprintf("/srv/videos/%d.mp4", seq), Type: inspect.Auto, ID: inspect.FileID{Size: 10, MTime: 1}})
		}
		_, err := journals[0].Enter(ctx, "corp", "here", all)
		require.NoError(b, err)
		b.StartTimer()
		var left atomic.Int64
		left.Store(files)
		var wg sync.WaitGroup
		for _, j := range journals {
			work := make(chan pipeline.Item, 64)
			wg.Go(func() {
				defer close(work)
				for left.Load() > 0 {
					got, err := j.Claim(ctx, pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{pipeline.Inspect}, Limit: 32})
					if err != nil {
						b.Error(err)
						return
					}
					for _, it := range got {
						work <- it
					}
					if len(got) == 0 {
						time.Sleep(5 * time.Millisecond)
					}
				}
			})
			for range 8 {
				wg.Go(func() {
					for it := range work {
						if err := carry(ctx, j, it); err != nil {
							b.Error(err)
						}
						left.Add(-1)
					}
				})
			}
		}
		wg.Wait()
	}
	b.ReportMetric(float64(files*b.N)/b.Elapsed().Seconds(), "files/s")
}

// carry records the steps of a file as a crew does: its claim goes on until it
// must wait.
func carry(ctx context.Context, j *postgres.Journal, it pipeline.Item) (err error) {
	now := time.Now()
	for _, next := range []func(){
		func() {
			it.MD5, it.Name, it.Type, it.Size, it.Step = fmt.Sprintf("%032x", it.ID), "x.mp4", inspect.Video, 10, pipeline.Stage
		},
		func() {
			it.Object = &pipeline.Object{Bucket: "s3://b", Key: "media/" + it.MD5, URL: "https://b.example.com/media/" + it.MD5, Staged: now}
			it.Step = pipeline.Submit
		},
		func() {
			it.Job = &pipeline.Job{ID: "jobid_S0MrnndvRG5fadSlLwiBqiDDbM143UqTmKP3152FZk4" + it.MD5, SubmittedAt: now}
			it.Step = pipeline.Await
		},
		func() { it.Tries++ },
		func() {
			it.Media = &pipeline.Media{ID: "3*1*G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0" + it.MD5, CreatedAt: now, ExpiresAt: now.Add(72 * time.Hour)}
			it.Step, it.Due, it.Tries = pipeline.Done, now.Add(60*time.Hour), 0
		},
	} {
		next()
		if it, err = j.Record(ctx, it, it.Step != pipeline.Done); err != nil {
			return err
		}
	}
	return nil
}

// million fills a ledger with done Items, one in five hundred on its way, each
// with its file and its object.
const million = `
INSERT INTO items (corp,scene,host,path,want,want_name,dev,ino,fsize,mtime,ctime,name,type,size,md5,mime,ext,warnings,
	step,due,fault,held,tries,backs,renew,bucket,object,url,staged,job,submitted,media,media_created,media_expires,history,created,updated,rev)
SELECT 'corp',1,'here','/srv/videos/folder/'||i||'.mp4','auto','',1,i,1000,@now-i,@now-i,i||'.mp4','video',1000,lpad(to_hex(i),32,'0'),'video/mp4','.mp4','',
	CASE WHEN i%1000=0 THEN 'stage' WHEN i%1000=1 THEN 'inspect' ELSE 'done' END,
	CASE WHEN i%1000<2 THEN @now-i ELSE @now+3600000+i*200 END,
	CASE WHEN i%2000=0 THEN '{"Step":"stage","Code":"storage/changed","Message":{"zh":"a","en":"a"}}' ELSE '' END, i%2000=0, 0,0,false,
	's3://b','media/'||lpad(to_hex(i),32,'0')||'.mp4','https://b.example.com/media/'||lpad(to_hex(i),32,'0')||'.mp4',@now-i*200,
	'jobid_S0MrnndvRG5fadSlLwiBqiDDbM143UqTmKP3152FZk4'||i,@now-i*200,'3*1*G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0'||i,@now-i*200,@now-i*200+259200000,
	'',@now,@now,pg_current_xact_id()::text::bigint FROM generate_series(1::bigint,1000000) i;
INSERT INTO files (corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime,item,seen)
SELECT corp,host,path,want,want_name,dev,ino,fsize,mtime,ctime,id,@now FROM items;
INSERT INTO objects (bucket,key,md5,made) SELECT bucket,object,md5,staged FROM items;`

// BenchmarkMillion is what one call costs in a ledger of a million Items.
func BenchmarkMillion(b *testing.B) {
	ctx := context.Background()
	j := open(b, pgtest.Start(b), postgres.Options{})
	now := time.Now()
	c, err := j.Pool().Acquire(ctx)
	require.NoError(b, err)
	_, err = c.Exec(ctx, `SET statement_timeout=0;`+strings.ReplaceAll(million, "@now", fmt.Sprint(now.UnixMilli())))
	require.NoError(b, err)
	for _, s := range []string{`VACUUM ANALYZE items`, `VACUUM ANALYZE files`, `VACUUM ANALYZE objects`, `SET statement_timeout=15000`} {
		_, err = c.Exec(ctx, s)
		require.NoError(b, err)
	}
	c.Release()
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
		{"lapsed", func() { _, err := j.Lapsed(ctx, "corp", 100); require.NoError(b, err) }},
		{"rev", func() { _, err := j.Rev(ctx); require.NoError(b, err) }},
		{"finished", func() { require.NoError(b, j.Finished(ctx, "nobody's")) }},
		{"turns", func() {
			_, _, err := j.Turns(ctx, "k", 16, 10*time.Millisecond, 100)
			require.NoError(b, err)
		}},
		{"get by path", items(pipeline.Query{Named: "/srv/videos/folder/123456.mp4", Current: true}, 1)},
		{"get by name", items(pipeline.Query{Named: "123456.mp4", Current: true}, 1)},
		{"get by md5", items(pipeline.Query{Named: fmt.Sprintf("%032x", 123456)}, 1)},
		{"get by id", items(pipeline.Query{IDs: []int64{123456}}, 1)},
		{"get by media", items(pipeline.Query{Media: "3*1*G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0123456"}, 1)},
		{"get what is not there", items(pipeline.Query{Named: "nobody.mp4"}, 0)},
		{"since, none", items(pipeline.Query{Since: 1 << 50, Limit: 1000}, 0)},
		{"page", items(pipeline.Query{After: 500_000, Limit: 100}, 100)},
		{"page of the newest", items(pipeline.Query{Newest: true, Before: 500_000, Limit: 100}, 100)},
		{"page of those current", items(pipeline.Query{After: 500_000, Limit: 100, Current: true}, 100)},
		{"page of a step", items(pipeline.Query{Steps: []pipeline.Step{pipeline.Done}, Newest: true, Limit: 100}, 100)},
		{"page of few", items(pipeline.Query{Steps: []pipeline.Step{pipeline.Inspect}, Newest: true, Limit: 100}, 100)},
		{"page of a search", items(pipeline.Query{Search: "99.MP4", Newest: true, Limit: 100}, 100)},
		{"page of a search, none", items(pipeline.Query{Search: "nobody", Newest: true, Limit: 100}, 0)},
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
		{"enter 200", func() {
			var files []pipeline.File
			for range 200 {
				next++
				files = append(files, file(next))
			}
			_, err := j.Enter(ctx, "corp", "there", files)
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
