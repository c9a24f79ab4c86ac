package main

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"wedrop/pipeline/inspect"
	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/storage/s3bucket"
	"wedrop/wecom/wecomtest"
)

// bareMD5 is the least that hashing can cost in Go.
func bareMD5(paths []string) error {
	buf := make([]byte, 256<<10)
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		sum := md5.New()
		if _, err := io.CopyBuffer(sum, struct{ io.Reader }{f}, buf); err != nil {
			return err
		}
		f.Close()
		fmt.Printf("%x  %s\n", sum.Sum(nil), path)
	}
	return nil
}

// readAll inspects what is in a folder, as many files at once as the daemon
// does.
func readAll(ctx context.Context, dir string) error {
	return each(dir, func(path string) (func() error, error) {
		_, err := inspect.Read(ctx, path, inspect.Options{})
		return nil, err
	})
}

// stageAll inspects and stages what is in a folder, as the daemon does, or
// without the proof that the objects can be fetched.
func stageAll(ctx context.Context, dir, url string, prove bool) error {
	where, err := storage.SplitURL(url)
	if err != nil {
		return err
	}
	d, err := s3bucket.Open(ctx, url)
	if err != nil {
		return err
	}
	b, err := storage.New(d, storage.Options{Prefix: where.Prefix})
	if err != nil {
		return err
	}
	return each(dir, func(path string) (func() error, error) {
		sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
		facts, err := inspect.Read(ctx, path, inspect.Options{Also: sum})
		if err != nil {
			return nil, err
		}
		return func() error {
			blob := storage.Blob{
				Open: func() (io.ReadSeekCloser, error) { return os.Open(path) },
				Size: facts.Size, MD5: facts.MD5, Ext: facts.Ext, ContentType: facts.MIME, CRC32C: sum.Sum32(),
			}
			o, err := b.Put(ctx, blob)
			if err != nil || !prove {
				return err
			}
			return b.Prove(ctx, o, blob)
		}, nil
	})
}

// each calls read for the files of a folder, one for each processor at once and
// without a pause between them (a hand-over costs as much as a small file),
// and eight at once of what it returns.
func each(dir string, read func(string) (func() error, error)) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	paths, ready, errs := make(chan string, 64), make(chan func() error, 64), make(chan error, 64)
	var reading, sending sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		reading.Go(func() {
			for path := range paths {
				next, err := read(path)
				if next == nil {
					errs <- err
				} else {
					ready <- next
				}
			}
		})
	}
	for range 8 {
		sending.Go(func() {
			for next := range ready {
				errs <- next()
			}
		})
	}
	go func() {
		for _, e := range entries {
			paths <- filepath.Join(dir, e.Name())
		}
		close(paths)
		reading.Wait()
		close(ready)
		sending.Wait()
		close(errs)
	}()
	for e := range errs {
		if e != nil && err == nil {
			err = e
		}
	}
	return err
}

// places is what a world tells of itself when it is there.
type places struct{ WeCom, Bucket string }

// counts is what a world tells when its standard input ends.
type counts struct{ Token, Submit, Result int }

// world is a WeCom and the web server of a folder bucket, until its standard
// input ends. The WeCom tells callback of a job's end if that is a URL.
func world(dir, jobTime, callback string) error {
	took, err := time.ParseDuration(jobTime)
	if err != nil {
		return err
	}
	d, err := dirbucket.Open("dir://" + dir)
	if err != nil {
		return err
	}
	web := httptest.NewServer(d.Handler())
	defer web.Close()
	s, err := wecomtest.Start(wecomtest.Options{JobTime: took, Callback: wecomtest.Callback{URL: callback, Token: callbackToken, AESKey: callbackKey}})
	if err != nil {
		return err
	}
	defer s.Close()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(places{s.URL, web.URL}); err != nil {
		return err
	}
	io.Copy(io.Discard, os.Stdin)
	return out.Encode(counts{s.Count("gettoken"), s.Count("media/upload_by_url"), s.Count("media/get_upload_by_url_result")})
}
