package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wedrop/pipeline/inspect"
)

// EnterOptions say what is wanted of files that the ledger knows already.
type EnterOptions struct {
	// Force sends again even where a valid media_id is there.
	Force bool
	// Retry releases held Items. Without it only those go on that were held
	// by a fault of the configuration, because a person may have mended it.
	Retry bool
	// RenewBefore renews a media_id that dies within it, besides those that
	// die within MinTTL.
	RenewBefore time.Duration
	// Keep leaves done Items as they are, however old their media_id is.
	Keep bool
}

// Enter puts files into the ledger, each once, and wakes those that have
// something to do. It reads no content and makes no network call.
//
// What is no regular file never comes into the ledger: its Entry has no ID,
// and an Item with the Fault.
func (p *Pipeline) Enter(ctx context.Context, files []File, o EnterOptions) ([]Entry, error) {
	out := make([]Entry, len(files))
	var known []File
	var at []int // where they stand in files
	for n, f := range files {
		byName := f.ID == (inspect.FileID{}) // nobody found it in a folder
		f, ok := p.identify(f)
		if f.Type != inspect.Auto && f.Type != inspect.Video && f.Type != inspect.File {
			return nil, fmt.Errorf("pipeline: %s: there is no type %q", f.Path, f.Type)
		}
		if !ok {
			it, err := Check(ctx, f)
			if err != nil {
				return nil, err
			}
			out[n] = Entry{File: f, Item: it}
			continue
		}
		known, at = append(known, f), append(at, n)
		if byName {
			if err := p.Access.rememberNamed(f); err != nil {
				return nil, fmt.Errorf("pipeline: %w", err)
			}
		}
	}
	if err := p.Access.Remember(known); err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	entries, err := p.byHost(known, func(host string, files []File) ([]Entry, error) {
		return p.Journal.Enter(ctx, p.Corp, host, files)
	})
	if err != nil {
		return nil, err
	}
	if err := p.wake(ctx, entries, o); err != nil {
		return nil, err
	}
	for n, e := range entries {
		out[at[n]] = e
	}
	p.ring()
	return out, nil
}

// Known returns the Entries of files that the ledger knows as they are now, in
// order, and zero ones for the others. It changes nothing and reads no
// content: what comes back zero is new, or has changed.
func (p *Pipeline) Known(ctx context.Context, files []File) ([]Entry, error) {
	asked := make([]File, len(files))
	for n, f := range files {
		asked[n], _ = p.identify(f)
	}
	return p.byHost(asked, func(host string, files []File) ([]Entry, error) {
		return p.Journal.Known(ctx, p.Corp, host, files)
	})
}

// byHost asks for the files of each host, and returns the answers in order.
func (p *Pipeline) byHost(files []File, ask func(host string, files []File) ([]Entry, error)) ([]Entry, error) {
	if len(p.Shares) == 0 {
		return ask(p.host(), files)
	}
	at := map[string][]int{}
	for n, f := range files {
		host := p.hostOf(f.Path)
		at[host] = append(at[host], n)
	}
	out := make([]Entry, len(files))
	for host, places := range at {
		some := make([]File, len(places))
		for i, n := range places {
			some[i] = files[n]
		}
		entries, err := ask(host, some)
		if err != nil {
			return nil, err
		}
		for i, n := range places {
			out[n] = entries[i]
		}
	}
	return out, nil
}

// identify completes what is known of a file without reading it. It reports
// false for what is no regular file, or not there.
func (p *Pipeline) identify(f File) (File, bool) {
	f = plain(f)
	if f.ID != (inspect.FileID{}) {
		f.ID = known(p.hostOf(f.Path), f.ID)
		return f, true
	}
	fi, err := os.Stat(f.Path)
	if err != nil || !fi.Mode().IsRegular() {
		return f, false
	}
	f.ID = p.FileID(f.Path, fi)
	return f, true
}

// plain is f as the ledger names it.
func plain(f File) File {
	f.Path = abs(f.Path)
	if f.Type == "" {
		f.Type = inspect.Auto
	}
	return f
}

// abs is path as the ledger has it.
func abs(path string) string {
	a, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	return a
}

// wake sets those Items of entries going that have something to do.
func (p *Pipeline) wake(ctx context.Context, entries []Entry, o EnterOptions) error {
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return err
	}
	var ids []int64
	files := map[int64]File{}
	for _, e := range entries {
		it := e.Item
		if _, twice := files[it.ID]; !twice && p.rouseFor(e.File, &it, now, o) {
			ids = append(ids, it.ID)
			files[it.ID] = e.File
		}
	}
	changed := map[int64]Item{}
	for len(ids) > 0 {
		some := ids[:min(500, len(ids))]
		ids = ids[len(some):]
		items, err := p.Journal.Amend(ctx, some, func(it *Item) bool { return p.rouseFor(files[it.ID], it, now, o) })
		if err != nil {
			return err
		}
		looked := false
		for _, it := range items {
			changed[it.ID] = it
			// A daemon looks at it just now, whether to renew it.
			if again := it; it.Step == Done && p.rouse(&again, now, o) {
				ids, looked = append(ids, it.ID), true
			}
		}
		if looked {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	for n := range entries {
		it := &entries[n].Item
		if c, ok := changed[it.ID]; ok {
			*it = c
		}
		it.Reused = it.Step == Done && it.Valid(now, 0)
	}
	return nil
}

// rouseFor is rouse for somebody who has a file of the Item's content. Where
// that is another one than the Item was made from, it takes its place: it is
// there, as its entry was just made or found, and a fault of the other one is
// none of its own.
func (p *Pipeline) rouseFor(f File, it *Item, now time.Time, o EnterOptions) bool {
	other := f.Path != "" && f.Path != it.Path
	o.Retry = o.Retry || other && it.Held() && it.Step == Inspect
	if !p.rouse(it, now, o) {
		return false
	}
	if other {
		it.Host, it.Path, it.File, it.Want, it.WantName = p.hostOf(f.Path), f.Path, f.ID, f.Type, f.Name
	}
	return true
}

// rouse changes an Item so that it goes on, and reports whether it did.
func (p *Pipeline) rouse(it *Item, now time.Time, o EnterOptions) bool {
	switch {
	case it.Step == Done:
		if o.Keep && !o.Force || !o.Force && it.Valid(now, max(p.minTTL(), o.RenewBefore)) {
			return false
		}
		renew(it, now, o.Force)
		return true
	case it.Held():
		if !o.Retry && !o.Force && !it.Fault.Config {
			return false
		}
		release(it, now)
		return true
	case it.Fault != nil && it.Due.After(now): // somebody asks now: do not sit out the pause
		it.Due = now
		return true
	}
	return false
}

// renew sends a done Item through the line again: from its Object, or, where
// that is gone or in doubt, from the file.
func renew(it *Item, now time.Time, doubt bool) {
	it.Step, it.Due, it.Fault, it.Tries, it.Backs = Submit, now, nil, 0, 0
	if it.Object == nil || doubt {
		it.Step = Stage
	}
	what := Renewing
	if doubt {
		what = SentAgain
	}
	it.tell(now, what)
}

// release lets a held Item go on, with all its tries.
func release(it *Item, now time.Time) {
	it.Fault, it.Due, it.Tries, it.Backs = nil, now, 0, 0
	it.tell(now, Retried)
}

func (p *Pipeline) minTTL() time.Duration { return orElse(p.MinTTL, 5*time.Minute) }

// Check reads a file and returns the Item as it would stand before Stage, or
// with the Fault for which it is refused. It needs no ledger and no network.
// Its error is ctx's.
func Check(ctx context.Context, f File) (Item, error) {
	f = plain(f)
	it := Item{Path: f.Path, Want: f.Type, WantName: f.Name, Name: filepath.Base(f.Path), Step: Inspect}
	facts, err := inspect.Read(ctx, f.Path, inspect.Options{Type: f.Type, Name: f.Name, Ahead: true})
	if err != nil {
		if ctx.Err() != nil {
			return it, ctx.Err()
		}
		it.File, it.Size = facts.File, facts.Size
		fault := faultOf(err, Inspect, time.Now())
		it.Fault = &fault
		return it, nil
	}
	it.take(facts)
	it.Step = Stage
	return it, nil
}

// Plan reads a file and tells what Enter and Run would do, without a network
// call and without a change of the ledger: the Item as it would stand after
// Inspect, with the Object that it would have, or the Item that is there.
func (p *Pipeline) Plan(ctx context.Context, f File, o EnterOptions) (Item, error) {
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return Item{}, err
	}
	it, err := Check(ctx, f)
	if err != nil || it.Fault != nil {
		return it, err
	}
	same, err := p.Journal.Items(ctx, Query{Corp: p.Corp, Named: it.MD5})
	if err != nil {
		return it, err
	}
	for _, s := range same {
		if s.Type == it.Type && s.Name == it.Name {
			s.Path = it.Path
			s.Reused = !p.rouse(&s, now, o) && s.Step == Done
			return s, nil
		}
	}
	if p.Bucket != nil {
		w := p.Bucket.Where(p.blob(it))
		it.Object = &Object{Bucket: w.Bucket, Key: w.Key, URL: w.URL}
	}
	return it, nil
}
