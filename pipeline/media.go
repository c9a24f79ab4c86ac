package pipeline

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"wedrop/pipeline/inspect"
)

// A NotFoundError says that the ledger has no Item of that name.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string { return "nothing in the ledger is called " + e.Name }

// An AmbiguousError says that a name stands for several contents.
type AmbiguousError struct {
	Name  string
	Items []Item
}

func (e *AmbiguousError) Error() string { return "several files are called " + e.Name }

// A FaultError is an Item that is held.
type FaultError struct{ Item Item }

func (e *FaultError) Error() string {
	return e.Item.Fault.Code + ": " + e.Item.Fault.Message.EN
}

// Find returns the Items that name stands for, the newest first: an absolute
// or relative path, a shown name, an MD5, or "id:" and the number in the
// ledger. Where a path stands for several (sent under other names, too) and
// the shown name for one, that one is meant. Where all have one content, that
// is meant which was sent under its own name, by its own type, or the newest
// of them. Items whose files have other content by now are left out, unless
// there are no others.
func (p *Pipeline) Find(ctx context.Context, name string) ([]Item, error) {
	var several []Item
	for _, q := range p.queries(name) {
		items, err := p.Journal.Items(ctx, q)
		if err != nil {
			return nil, err
		}
		slices.Reverse(items)
		if len(items) == 1 {
			return items, nil
		}
		if several == nil {
			several = items
		}
	}
	return meant(several), nil
}

// meant is one of Items whose content is the same, the newest of those that
// were asked for as their file is (and are not held, if any is not); and all of
// others.
func meant(items []Item) []Item {
	for _, it := range items {
		if it.MD5 == "" || it.MD5 != items[0].MD5 {
			return items
		}
	}
	for _, plain := range []func(Item) bool{
		func(it Item) bool { return !it.Held() && it.WantName == "" && it.Want == inspect.Auto },
		func(it Item) bool { return !it.Held() && it.WantName == "" },
		func(it Item) bool { return !it.Held() },
	} {
		if i := slices.IndexFunc(items, plain); i >= 0 {
			return items[i : i+1]
		}
	}
	return items[:min(1, len(items))]
}

func (p *Pipeline) queries(name string) []Query {
	if id, ok := strings.CutPrefix(name, "id:"); ok {
		n, _ := strconv.ParseInt(id, 10, 64)
		return []Query{{Corp: p.Corp, IDs: []int64{n}}}
	}
	return []Query{
		{Corp: p.Corp, Named: abs(name), Current: true},
		{Corp: p.Corp, Named: name, Current: true},
		{Corp: p.Corp, Named: name},
	}
}

// Media returns the Item of that name with a media_id that lives for longer
// than minTTL (p.MinTTL if zero). One that does answers from the ledger
// without a network call; else it is renewed first, for which Media works and
// waits until ctx ends. Where name is the path of a file that has other content
// by now, that is sent. Errors: *NotFoundError, *AmbiguousError, *FaultError
// (the Item is held), *StopError, ctx's, the journal's.
func (p *Pipeline) Media(ctx context.Context, name string, minTTL time.Duration) (Item, error) {
	if minTTL <= 0 {
		minTTL = p.minTTL()
	}
	items, err := p.Find(ctx, name)
	switch {
	case err != nil:
		return Item{}, err
	case len(items) == 0:
		return Item{}, &NotFoundError{name}
	case len(items) > 1:
		return Item{}, &AmbiguousError{name, items}
	}
	it := items[0]
	f, other, err := p.Overwritten(ctx, name, it)
	if err != nil {
		return it, err
	}
	if other {
		return p.PushFile(ctx, f)
	}
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return it, err
	}
	if it.Valid(now, minTTL) { // also while it is being renewed, or if that failed
		it.Reused = true
		return it, nil
	}
	again := EnterOptions{RenewBefore: minTTL}
	entries, err := p.entry(ctx, it)
	if err != nil {
		return it, err
	}
	if err := p.wake(ctx, entries, again); err != nil {
		return it, err
	}
	err = p.Run(ctx, entries, RunOptions{Again: again})
	it = entries[0].Item
	if err == nil && it.Held() {
		err = &FaultError{it}
	}
	return it, err
}

// entry is an Item as Run wants it: with the file whose content it carries, so
// that it is found again should it be merged into another one.
func (p *Pipeline) entry(ctx context.Context, it Item) ([]Entry, error) {
	known, err := p.Journal.Known(ctx, it.Corp, it.Host, []File{{Path: it.Path, Type: it.Want, Name: it.WantName, ID: it.File}})
	if err != nil {
		return nil, err
	}
	if known[0].Item.ID == it.ID {
		return known, nil
	}
	return []Entry{{Item: it}}, nil
}

// PushFile is Enter and Run for one file: it returns the Item with its
// media_id. Errors: *FaultError (the file is refused, or failed for good),
// *StopError, ctx's, the journal's.
func (p *Pipeline) PushFile(ctx context.Context, f File) (Item, error) {
	again := EnterOptions{Retry: true}
	entries, err := p.Enter(ctx, []File{f}, again)
	if err != nil {
		return Item{}, err
	}
	err = p.Run(ctx, entries, RunOptions{Again: again})
	it := entries[0].Item
	if err == nil && it.Fault != nil {
		err = &FaultError{it}
	}
	return it, err
}

// Retry releases held Items, all of them if ids is empty, and returns those
// that it released.
func (p *Pipeline) Retry(ctx context.Context, ids []int64) ([]Item, error) {
	if len(ids) == 0 {
		ids = nil
	}
	return p.releaseHeld(ctx, ids, func(Item) bool { return true })
}

// releaseHeld releases those held Items that which wants, out of ids or, if
// that is nil, of all, and returns those that it released.
func (p *Pipeline) releaseHeld(ctx context.Context, ids []int64, which func(Item) bool) ([]Item, error) {
	held, err := p.Journal.Items(ctx, Query{Corp: p.Corp, Held: true, IDs: ids})
	if err != nil {
		return nil, err
	}
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return nil, err
	}
	ids = nil
	for _, it := range held {
		if which(it) {
			ids = append(ids, it.ID)
		}
	}
	released := map[int64]bool{}
	items, err := p.Journal.Amend(ctx, ids, func(it *Item) bool {
		if !it.Held() || !which(*it) {
			return false
		}
		released[it.ID] = true
		release(it, now)
		return true
	})
	p.ring()
	return slices.DeleteFunc(items, func(it Item) bool { return !released[it.ID] }), err
}

// Clean removes the public objects that the ledger made and that no job and
// no renewal needs any more, keep after their last media_id came. It returns
// how many it removed, and the first error; the others are tried all the same.
// What nothing is left of, ninety days after its media_id died, is forgotten.
func (p *Pipeline) Clean(ctx context.Context, keep time.Duration) (int, error) {
	n := 0
	for {
		since, err := p.Journal.Now(ctx)
		if err != nil {
			return n, err
		}
		doomed, err := p.Journal.Doom(ctx, p.Bucket.ID(), keep)
		if err != nil {
			return n, err
		}
		if len(doomed) == 0 {
			return n, p.thin(ctx)
		}
		some, err := p.remove(ctx, doomed, since)
		n += some
		if err != nil || some == 0 {
			return n, err
		}
	}
}

// remove removes doomed objects as long as their doom lasts for sure: what
// is left then may be staged anew by others, and is doomed another time.
func (p *Pipeline) remove(ctx context.Context, doomed []Doomed, since time.Time) (n int, failed error) {
	for _, d := range doomed {
		now, err := p.Journal.Now(ctx)
		if err != nil {
			return n, err
		}
		left := DoomLasts*3/4 - now.Sub(since)
		if left <= 0 {
			break
		}
		soon, cancel := context.WithTimeout(ctx, left)
		err = p.Bucket.Remove(soon, d.Key)
		cancel()
		if err == nil {
			err = p.Journal.Removed(ctx, d)
		}
		if err == nil {
			n++
		} else if failed == nil {
			failed = err
		}
	}
	return n, failed
}
