package main

import (
	"context"
	"errors"

	"wedrop/pipeline"
	"wedrop/pipeline/folder"
	"wedrop/pipeline/inspect"
)

// putAway moves the files of a folder that wants it and that have come to
// their end, and tells the ledger where they are, so that nothing is sent
// twice. It returns the entries with the paths that they have now, and the
// first error; the others are tried all the same.
func (d *drops) putAway(ctx context.Context, f *drop, entries []pipeline.Entry) ([]pipeline.Entry, error) {
	if f.After != folder.Move {
		return entries, nil
	}
	m := &folder.Mover{Folder: f.Path}
	var first error
	for n, e := range entries {
		to, err := d.putOneAway(ctx, m, f, e)
		if to.Path != "" && to.Path != e.File.Path {
			entries[n].File.Path = to.Path
			if e := d.line.Moved(ctx, e.File.Path, to.Path, to.ID); e != nil && err == nil {
				err = e
			}
		}
		if err != nil && !errors.Is(err, folder.ErrReplaced) && first == nil { // else it is read again
			first = err
		}
	}
	return entries, first
}

func (d *drops) putOneAway(ctx context.Context, m *folder.Mover, f *drop, e pipeline.Entry) (folder.Moved, error) {
	it := e.Item
	switch {
	case it.Step == pipeline.Done && it.Fault == nil:
		d.forget(f, e.File.Path)
		return m.Done(e.File.Path, d.idOf(e.File), it.Media.CreatedAt)
	case it.Held() && !it.Fault.Config:
		if d.isBack(f, e) {
			_, err := d.line.Retry(ctx, []int64{it.ID})
			return folder.Moved{}, err
		}
		return m.Refused(e.File.Path, d.idOf(e.File), it.Fault.Message.In(d.say.Lang), it.Fault.Remedy.In(d.say.Lang))
	}
	return folder.Moved{}, nil
}

// idOf is what identifies a file of the ledger on this machine: in a shared
// folder the ledger knows less of it. One that was replaced has the ledger's
// own, which fits nothing.
func (d *drops) idOf(f pipeline.File) inspect.FileID {
	if fi, err := d.line.LookAt(f.Path); err == nil && d.line.FileID(f.Path, fi) == f.ID {
		return inspect.ID(fi)
	}
	return f.ID
}

// isBack reports whether a file came in after the fault of its Item: somebody
// has moved it back, which is to say "try again". It says so once.
func (d *drops) isBack(f *drop, e pipeline.Entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := f.entered[e.File.Path]
	delete(f.entered, e.File.Path)
	return ok && e.Item.Fault.At.Before(at)
}

func (d *drops) forget(f *drop, path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(f.entered, path)
}
