package web

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wedrop/pipeline"
)

const (
	sweepEvery = 10 * time.Minute
	// An upload that nobody goes on with is kept for so long, and so is a
	// file that the ledger does not know.
	idleKeeps = 24 * time.Hour
	// A held Item's file is kept for so long, for somebody to retry it.
	heldKeeps = 7 * 24 * time.Hour
	// The file of a done Item is kept as long as its media_id lives, for the
	// preview, and so much longer, for somebody who comes back after a
	// weekend and renews it though its public copy is gone.
	deadKeeps = 72 * time.Hour
	// A file that another one serves for: long enough for who just sent it.
	spareKeeps = time.Hour
)

// sweep removes what nobody needs. Nothing goes that an Item on its way may
// still read.
func (b *inbox) sweep(ctx context.Context, now time.Time) error {
	found, err := os.ReadDir(b.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range found {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		id, _, _ := strings.Cut(e.Name(), ".")
		if !isID(id) {
			continue // not ours
		}
		path := filepath.Join(b.dir, e.Name())
		fi, err := e.Info()
		if err != nil {
			continue // gone meanwhile
		}
		idle := now.Sub(fi.ModTime())
		if part, err := os.Stat(b.part(id)); err == nil { // the note is as young as the bytes
			idle = min(idle, now.Sub(part.ModTime()))
		}
		if e.IsDir() {
			if idle, err = b.idleFolder(ctx, path, idle); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		if idle > idleKeeps {
			errs = append(errs, os.RemoveAll(path))
		}
	}
	return errors.Join(errs...)
}

// idleFolder is for how long nobody needs a folder with a file: less than
// idleKeeps as long as somebody does.
func (b *inbox) idleFolder(ctx context.Context, dir string, age time.Duration) (time.Duration, error) {
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		return age, err
	}
	path := filepath.Join(dir, files[0].Name())
	items, err := b.pipe.Journal.Items(ctx, pipeline.Query{Corp: b.pipe.Corp, Named: path})
	if err != nil || len(items) == 0 {
		return age, err
	}
	now, err := b.pipe.Journal.Now(ctx)
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(items, func(it pipeline.Item) bool { return b.needs(it, path, age, now) }) {
		return 0, nil
	}
	return idleKeeps + 1, nil
}

// needs reports whether the Item may still want the file at path, or a person
// may.
func (b *inbox) needs(it pipeline.Item, path string, age time.Duration, now time.Time) bool {
	switch {
	case it.Path != path && it.MD5 != "" && b.served(it):
		return age < spareKeeps
	case it.Held():
		return now.Sub(it.Fault.At) < heldKeeps
	case it.Step != pipeline.Done:
		return true
	}
	return it.Media == nil || now.Sub(it.Media.ExpiresAt) < deadKeeps
}
