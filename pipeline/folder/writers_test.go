//go:build unix

package folder_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"wedrop/pipeline/folder"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
)

// writers are the ways in which programs write a file, each with the name it
// is known by. Rules that only wait until a file is quiet take half files of
// the third, fourth and fifth.
func writers() []writer {
	return []writer{
		{"fast copy", func(path string, b []byte) error { return os.WriteFile(path, b, 0o644) }},
		{"slow copy, 4 s", func(path string, b []byte) error {
			return in(path, func(f *os.File) error { return pieces(f, b, 40, 4*time.Second) })
		}},
		{"stalls of 7 s", func(path string, b []byte) error {
			return in(path, func(f *os.File) error {
				for _, part := range [][]byte{b[:len(b)/3], b[len(b)/3 : len(b)/2], b[len(b)/2:]} {
					if err := pieces(f, part, 4, 200*time.Millisecond); err != nil {
						return err
					}
					if !bytes.HasSuffix(b, part) {
						time.Sleep(7 * time.Second)
					}
				}
				return nil
			})
		}},
		{"full size at once, then by memory map, 8 s", mapped},
		{"opened, appended to and closed, gaps of 2 s and 6 s", func(path string, b []byte) error {
			for n, gap := range []time.Duration{0, 2 * time.Second, 6 * time.Second} {
				time.Sleep(gap)
				f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
				if err != nil {
					return err
				}
				_, err = f.Write(b[n*len(b)/3 : (n+1)*len(b)/3])
				if err := f.Close(); err != nil {
					return err
				}
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"as .part, then renamed", func(path string, b []byte) error {
			if err := in(path+".part", func(f *os.File) error { return pieces(f, b, 20, 4*time.Second) }); err != nil {
				return err
			}
			return os.Rename(path+".part", path)
		}},
	}
}

type writer struct {
	name  string
	write func(path string, content []byte) error
}

func in(path string, write func(*os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// pieces writes b in n pieces over d.
func pieces(f *os.File, b []byte, n int, d time.Duration) error {
	for i := range n {
		if _, err := f.Write(b[i*len(b)/n : (i+1)*len(b)/n]); err != nil {
			return err
		}
		time.Sleep(d / time.Duration(n))
	}
	return nil
}

// mapped is how Explorer's copies look from a server: all the space first,
// the content in pages that nobody sees coming.
func mapped(path string, b []byte) error {
	return in(path, func(f *os.File) error {
		if err := f.Truncate(int64(len(b))); err != nil {
			return err
		}
		m, err := unix.Mmap(int(f.Fd()), 0, len(b), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		const n = 8
		for i := range n {
			copy(m[i*len(b)/n:], b[i*len(b)/n:(i+1)*len(b)/n])
			time.Sleep(8 * time.Second / n)
		}
		return unix.Munmap(m)
	})
}

// delivery is one file by one writer.
type delivery struct {
	writer, layout string
	path           string
	content        []byte
	sum            [md5.Size]byte

	mu    sync.Mutex
	ended time.Time
	err   error
	taken map[string]taking // by who took it
}

type taking struct {
	at   time.Time
	half string // what is wrong with what a reader sees at this moment
}

// take reads what is there, as soon as somebody says it is finished.
func (d *delivery) take(by string, c folder.Candidate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := taking{at: time.Now()}
	b, err := os.ReadFile(d.path)
	switch {
	case err != nil:
		t.half = err.Error()
	case len(b) != len(d.content) || c.ID.Size != int64(len(b)):
		t.half = fmt.Sprintf("%d of %d bytes, said to be %d", len(b), len(d.content), c.ID.Size)
	case md5.Sum(b) != d.sum:
		t.half = "other bytes"
	}
	if old, again := d.taken[by]; again {
		t.half = strings.TrimSpace(old.half + " taken twice " + t.half)
	}
	d.taken[by] = t
}

// Real writers write 20 MB into a folder, each in its way, while a daemon
// watches it and runs of sync come and go. No half file is ever taken.
func TestNoHalfFileIsTakenFromRealWriters(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the writers take 16 s")
	}
	root := t.TempDir()
	all := map[string]*delivery{}
	for n, w := range writers() {
		for layout, o := range map[string]inspecttest.Options{
			"index first": {Size: 20 << 20}, "index last": {Size: 4 << 20, IndexLast: true},
		} {
			o.Seed = uint64(n)
			path := filepath.Join(root, fmt.Sprintf("%d %s.mp4", n, layout))
			content := inspecttest.Make(o)
			all[path] = &delivery{writer: w.name, layout: layout, path: path, content: content, sum: md5.Sum(content), taken: map[string]taking{}}
		}
	}
	const settle = 2 * time.Second
	ctx, cancel := context.WithCancel(t.Context())
	var work, writing sync.WaitGroup
	daemon := &folder.Watcher{Folders: []folder.Folder{{Path: root, Type: inspect.Video}}, Settle: settle,
		Found: func(_ context.Context, c []folder.Candidate) error {
			for _, c := range c {
				all[c.Path].take("daemon", c)
			}
			return nil
		}}
	work.Go(func() { _ = daemon.Run(ctx) })
	for n, w := range writers() {
		for _, d := range all {
			if d.writer == w.name {
				writing.Go(func() {
					time.Sleep(time.Duration(n) * 50 * time.Millisecond)
					err := w.write(d.path, d.content)
					d.mu.Lock()
					defer d.mu.Unlock()
					d.ended, d.err = time.Now(), err
				})
			}
		}
	}
	written := make(chan struct{})
	work.Go(func() { syncAgainAndAgain(t, root, settle, all, written) })
	writing.Wait()
	close(written)
	missing := func() bool {
		return slices.ContainsFunc(values(all), func(d *delivery) bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			_, ok := d.taken["daemon"]
			return !ok
		})
	}
	require.True(t, eventually(func() bool { return !missing() }), "the daemon left some: %v", daemon.Snapshot().Waiting)
	cancel()
	work.Wait()
	judge(t, all)
}

// syncAgainAndAgain begins a run of its own at every second, as cron may,
// until the writers have ended.
func syncAgainAndAgain(t *testing.T, root string, settle time.Duration, all map[string]*delivery, written <-chan struct{}) {
	var runs sync.WaitGroup
	defer runs.Wait()
	for n := 0; ; n++ {
		select {
		case <-written:
			return
		case <-time.After(time.Second):
		}
		runs.Go(func() {
			found, _, err := folder.Scan(t.Context(), folder.Folder{Path: root})
			if err != nil {
				return // the test's own end
			}
			_, _ = folder.SettleEach(t.Context(), found, settle, 3*time.Second, func(c folder.Candidate) {
				all[c.Path].take(fmt.Sprintf("sync %d", n), c)
			})
		})
	}
}

func values(all map[string]*delivery) []*delivery {
	var out []*delivery
	for _, d := range all {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *delivery) int { return strings.Compare(a.path, b.path) })
	return out
}

func judge(t *testing.T, all map[string]*delivery) {
	table := "taken by the daemon after the writer's end, and by runs of sync:\n"
	for _, d := range values(all) {
		require.NoError(t, d.err, d.writer)
		syncs := 0
		for by, got := range d.taken {
			require.Empty(t, got.half, "%s (%s): %s took a half file %v before the writer's end", d.writer, d.layout, by, d.ended.Sub(got.at))
			if by != "daemon" {
				syncs++
			}
		}
		table += fmt.Sprintf("%-52s %-12s %+5.1f s  %2d runs\n", d.writer, d.layout, d.taken["daemon"].at.Sub(d.ended).Seconds(), syncs)
	}
	t.Log(table)
}
