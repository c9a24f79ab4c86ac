// Package folder takes files out of drop folders, the ones that somebody has
// finished putting there, and leaves the results where people look.
//
// For a daemon, fill in a Watcher and call Run: it hands on each file once,
// when it is finished, and again when its content is replaced. For a single
// run call Scan, which lists what a folder holds, and Settle, which hands on
// what stands still and is whole and names what is still being written. Both
// go by the same rule. WriteCSV puts the results into the folder; a Mover
// puts away files that are done or refused, where Folder.After says so.
//
// The policy behind it:
//
//   - Nothing is watched by events, the folder is read again: events do not
//     come over SMB and NFS, and no event says that a writer has finished.
//   - Standing still is not enough (a stalled copy stands still), so a file
//     must also be structurally whole. What is not whole has not failed: it
//     waits, and only after half an hour is it handed on, to be refused with
//     the reason. Where a finished file may look the same it waits a minute.
//   - A folder that cannot be read is "not mounted", never "all deleted".
//     A file that is deleted is forgotten here, and nothing else.
//   - No file of other people is written, and none is moved but by a Mover,
//     which overwrites nothing and removes nothing before a verified copy of
//     it is safe.
package folder

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"wedrop/pipeline/beneath"
	"wedrop/pipeline/inspect"
)

// A Folder is where people drop files.
type Folder struct {
	Path      string // made absolute by Scan
	Type      inspect.Type
	Recursive bool   // folders within it too
	After     string // what becomes of a file that is done or refused: Keep (if empty) or Move
}

// What becomes of files that are done or refused.
const (
	Keep = "keep" // they stay where they are
	Move = "move" // a Mover puts them into DoneFolder and RefusedFolder
)

// A Candidate is a file that may be taken.
type Candidate struct {
	Path string         // absolute
	Type inspect.Type   // the Folder's
	ID   inspect.FileID // as of Seen
	Seen time.Time
}

// Scan lists the files of a folder, in the order of their paths. What it
// leaves out and somebody may miss is in the second list; hidden files, those
// of the system and our own are left out in silence. Symbolic links are not
// followed, except that the folder itself may be one; a folder that is
// replaced by a link while it is read leads nowhere else either.
//
// It opens no file. If the folder itself cannot be read it returns a
// *NotMounted and no lists. A folder within it that cannot be read is Skipped,
// so a file that is in neither list need not be gone.
func Scan(ctx context.Context, f Folder) ([]Candidate, []Skipped, error) {
	root, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, nil, &NotMounted{Path: f.Path, Err: err}
	}
	var found []Candidate
	s := &scan{ctx: ctx, folder: f, visit: func(c Candidate) { found = append(found, c) }}
	if err := s.root(root); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(found, byPath)
	slices.SortFunc(s.skipped, func(a, b Skipped) int { return cmp.Compare(a.Path, b.Path) })
	return found, s.skipped, nil
}

// ScanPutAway lists what a Mover put away in a folder, in the order of their
// paths. A link in the place of one of our folders is not followed. The error
// is the context's or a *NotMounted.
func ScanPutAway(ctx context.Context, f Folder) ([]Candidate, error) {
	root, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, &NotMounted{Path: f.Path, Err: err}
	}
	top, err := beneath.Root(root)
	if err != nil {
		return nil, &NotMounted{Path: root, Err: err}
	}
	defer top.Close()
	f.Recursive = true
	var found []Candidate
	s := &scan{ctx: ctx, folder: f, visit: func(c Candidate) { found = append(found, c) }}
	for _, own := range ownFolders {
		if err := s.sub(top, own); err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		} // else there is none
	}
	slices.SortFunc(found, byPath)
	return found, nil
}

func byPath(a, b Candidate) int { return cmp.Compare(a.Path, b.Path) }

// scan is one reading of a folder.
type scan struct {
	ctx     context.Context
	folder  Folder
	visit   func(Candidate)
	skipped []Skipped
}

// root lists the folder itself. Its error is the context's or a *NotMounted.
func (s *scan) root(path string) error {
	d, err := beneath.Root(path)
	if err == nil {
		defer d.Close()
		err = s.dir(d)
	}
	if err != nil && s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if err != nil {
		return &NotMounted{Path: path, Err: err}
	}
	return nil
}

// dir lists one folder; its error is that of reading the folder itself.
func (s *scan) dir(d *beneath.Dir) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	entries, err := d.ReadDir()
	if err != nil {
		return err
	}
	open := opened(entries)
	for _, e := range entries {
		if err := s.entry(d, e, open); err != nil {
			return err
		}
	}
	return nil
}

// entry takes one name. Its only error is the context's.
func (s *scan) entry(d *beneath.Dir, e fs.DirEntry, open func(string) bool) error {
	name := e.Name()
	switch reason := ignored(name, e.IsDir()); {
	case reason == Silent:
	case reason != "":
		s.skip(d.Join(name), reason, nil)
	case e.Type()&fs.ModeSymlink != 0:
		s.skip(d.Join(name), Symlink, nil)
	case e.IsDir() && s.folder.Recursive:
		if err := s.sub(d, name); err != nil {
			if s.ctx.Err() != nil {
				return s.ctx.Err()
			}
			reason := Unreadable
			if errors.Is(err, beneath.ErrLink) {
				reason = Symlink
			}
			s.skip(d.Join(name), reason, err)
		}
	case e.IsDir():
	case !e.Type().IsRegular():
		s.skip(d.Join(name), Special, nil)
	case open(name):
		s.skip(d.Join(name), Open, nil)
	default:
		s.file(d, name)
	}
	return nil
}

func (s *scan) sub(d *beneath.Dir, name string) error {
	sub, err := d.Sub(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	return s.dir(sub)
}

func (s *scan) file(d *beneath.Dir, name string) {
	seen := time.Now()
	fi, err := d.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // gone since the folder was read
	case err != nil:
		s.skip(d.Join(name), Unreadable, err)
	case fi.Mode().IsRegular(): // and not replaced by something else since
		s.visit(Candidate{Path: d.Join(name), Type: s.folder.Type, ID: inspect.ID(fi), Seen: seen})
	}
}

func (s *scan) skip(path string, r Reason, err error) {
	s.skipped = append(s.skipped, Skipped{Path: path, Reason: r, Err: err})
}
