package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Past is an Item whose media_id died long ago, with one of the files that
// it was made from. An Item without files has one Past without a Path.
type Past struct {
	Item       int64
	Host, Path string
}

const (
	pastAfter = 90 * 24 * time.Hour // since the media_id died
	pastPage  = 500
)

// thin forgets Items of which nothing is left: the media_id died ninety days
// ago, the public copy is removed, no template has it, and none of its files
// is there any more. A file of another machine counts as there, and so does
// one in a folder that is empty or cannot be read: it may be a drive that is
// not mounted.
func (p *Pipeline) thin(ctx context.Context) error {
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return err
	}
	before, hosts := now.Add(-pastAfter), p.Hosts()
	for after := int64(0); ; {
		past, err := p.Journal.Past(ctx, p.Corp, before, after, pastPage)
		if err != nil || len(past) == 0 {
			return err
		}
		after = past[len(past)-1].Item
		there := map[int64]bool{}
		for _, f := range past {
			there[f.Item] = there[f.Item] || !gone(f, hosts)
		}
		var ids []int64
		for id, yes := range there {
			if !yes {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		if err := p.Journal.Forget(ctx, p.Corp, before, ids); err != nil {
			return err
		}
	}
}

// gone reports whether a file is not there for sure.
func gone(f Past, hosts []string) bool {
	if f.Path == "" {
		return true
	}
	if !slices.Contains(hosts, f.Host) {
		return false
	}
	if _, err := os.Lstat(f.Path); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	d, err := os.Open(filepath.Dir(f.Path))
	if err != nil {
		return false
	}
	defer d.Close()
	names, _ := d.Readdirnames(1)
	return len(names) > 0
}
