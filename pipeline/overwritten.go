package pipeline

import (
	"context"
	"os"

	"wedrop/pipeline/inspect"
)

// Overwritten reports whether name is the path of a regular file on this
// machine that has other content by now than the Item found under that name,
// and returns the file as it is to be sent then. A file that the ledger knows
// as it is costs one look; only one that was written since is read. A file that
// is gone, or that may not be read, is not overwritten.
func (p *Pipeline) Overwritten(ctx context.Context, name string, it Item) (File, bool, error) {
	path := abs(name)
	if fi, err := os.Lstat(path); err != nil || !fi.Mode().IsRegular() || it.MD5 == "" {
		return File{}, false, nil
	}
	at, err := p.Journal.Items(ctx, Query{Corp: p.Corp, Named: path, IDs: []int64{it.ID}})
	if err != nil || len(at) == 0 { // found by its shown name: the path is another file's
		return File{}, false, err
	}
	asked := []File{{Path: path, Type: it.Want, Name: it.WantName}}
	for _, kind := range []inspect.Type{inspect.Auto, inspect.Video, inspect.File} {
		asked = append(asked, File{Path: path, Type: kind, Name: it.WantName}, File{Path: path, Type: kind})
	}
	known, err := p.Known(ctx, asked)
	if err != nil {
		return File{}, false, err
	}
	for _, e := range known {
		if e.ID != 0 {
			return File{}, false, nil
		}
	}
	now, err := Check(ctx, asked[0])
	if err != nil || now.MD5 == it.MD5 {
		return File{}, false, err
	}
	return asked[0], true, nil
}
