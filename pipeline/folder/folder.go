// Package folder takes files out of drop folders: the ones that somebody has
// finished putting there.
//
// Scan lists what a folder holds; leave out what the ledger already knows
// unchanged, and give the rest to Settle, which hands on what stands still and
// is whole, and names what is still being written.
//
// The policy behind it:
//
//   - Nothing is watched, the folder is read again: events do not come over
//     SMB and NFS, and no event says that a writer has finished.
//   - Standing still is not enough (a stalled copy stands still), so a file
//     must also be structurally whole. What is not whole has not failed: it
//     waits, and only after half an hour is it handed on, to be refused with
//     the reason.
//   - A folder that cannot be read is "not mounted", never "all deleted".
//   - Nothing in a folder is moved, renamed or written.
package folder

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wedrop/pipeline/inspect"
)

// A Folder is where people drop files.
type Folder struct {
	Path      string // made absolute by Scan
	Type      inspect.Type
	Recursive bool // folders within it too
}

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
// followed, except that the folder itself may be one.
//
// It opens no file. If the folder itself cannot be read it returns a
// *NotMounted and no lists. A folder within it that cannot be read is Skipped,
// so a file that is in neither list need not be gone.
func Scan(ctx context.Context, f Folder) ([]Candidate, []Skipped, error) {
	root, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, nil, &NotMounted{Path: f.Path, Err: err}
	}
	s := &scan{ctx: ctx, folder: f}
	if err := s.dir(root); err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, &NotMounted{Path: root, Err: err}
	}
	slices.SortFunc(s.found, func(a, b Candidate) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(s.skipped, func(a, b Skipped) int { return cmp.Compare(a.Path, b.Path) })
	return s.found, s.skipped, nil
}

type scan struct {
	ctx     context.Context
	folder  Folder
	found   []Candidate
	skipped []Skipped
}

// dir lists one folder; its error is that of reading the folder itself.
func (s *scan) dir(path string) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	open := opened(entries)
	for _, e := range entries {
		if err := s.entry(filepath.Join(path, e.Name()), e, open); err != nil {
			return err
		}
	}
	return nil
}

// entry takes one name. Its only error is the context's.
func (s *scan) entry(path string, e fs.DirEntry, open func(string) bool) error {
	name := e.Name()
	switch reason := ignored(name, e.IsDir()); {
	case reason == Silent:
	case reason != "":
		s.skip(path, reason, nil)
	case e.Type()&fs.ModeSymlink != 0:
		s.skip(path, Symlink, nil)
	case e.IsDir() && s.folder.Recursive:
		if err := s.dir(path); err != nil {
			if s.ctx.Err() != nil {
				return s.ctx.Err()
			}
			s.skip(path, Unreadable, err)
		}
	case e.IsDir():
	case !e.Type().IsRegular():
		s.skip(path, Special, nil)
	case open(name):
		s.skip(path, Open, nil)
	default:
		s.file(path, e)
	}
	return nil
}

func (s *scan) file(path string, e fs.DirEntry) {
	seen := time.Now()
	fi, err := e.Info() // lstat
	switch {
	case errors.Is(err, fs.ErrNotExist): // gone since the folder was read
	case err != nil:
		s.skip(path, Unreadable, err)
	case fi.Mode().IsRegular(): // and not replaced by something else since
		s.found = append(s.found, Candidate{Path: path, Type: s.folder.Type, ID: inspect.ID(fi), Seen: seen})
	}
}

func (s *scan) skip(path string, r Reason, err error) {
	s.skipped = append(s.skipped, Skipped{Path: path, Reason: r, Err: err})
}
