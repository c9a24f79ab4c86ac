package pipeline

import (
	"context"
	"errors"
	"time"

	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

// A File is what somebody wants to have sent.
type File struct {
	Path string         // made absolute by Pipeline.Enter
	Type inspect.Type   // Auto if empty
	Name string         // to show instead of the file's own
	ID   inspect.FileID // as last seen; filled in by Pipeline.Enter where it is zero
}

// An Entry ties a file to the Item that carries its content now. Two files
// of equal content, type and name share an Item.
type Entry struct {
	ID   int64 // of the file in the ledger
	File File
	Item Item
}

// ErrLost is returned when a worker's claim was over before it recorded:
// nothing was written.
var ErrLost = errors.New("journal: the claim on this item is over")

// A Query selects Items.
type Query struct {
	Corp     string
	IDs      []int64   // these
	Held     bool      // those that wait for a person
	Expiring time.Time // those whose media_id dies before it
	Alive    time.Time // those whose media_id dies after it
	Named    string    // whose shown name, path or MD5 it is
	Media    string    // that have this media_id, alive or not
	Current  bool      // that some file in the ledger has now
	Steps    []Step    // that wait for one of these, and for no person
	Code     string    // whose Fault has this Code
	Search   string    // whose shown name or path has it somewhere, in whatever case (of ASCII letters)
	Since    int64     // changed after this Rev
	After    int64     // paging: with a higher ID
	Before   int64     // paging: with a lower ID
	Newest   bool      // the newest first, that is by falling ID
	Limit    int       // 0: all
}

// A Want says which Items a worker would take.
type Want struct {
	Corp  string
	Hosts []string // takes items of these alone at inspect and stage: they read the file
	Steps []Step   // waiting for one of these
	IDs   []int64  // of these only; nil: of all
	Limit int
}

// A Stat is how many Items wait for a step, stopped by a fault or not.
type Stat struct {
	Step Step
	Code string // of the Fault; "" without one
	Held bool
	N    int
}

// A Doomed object is one that nobody needs any more. Nobody stages its
// content while it is doomed.
type Doomed struct{ Bucket, Key string }

// DoomLasts is how long an object stays doomed at least, unless Removed ends
// it. What was not removed by then may be staged anew.
const DoomLasts = 2 * time.Minute

// A Journal is the ledger: the truth about every Item, and for several
// processes at once the place where they agree who does what. Its clock
// decides about due times and claims. All methods may be called
// concurrently. Package journal has them.
type Journal interface {
	wecom.TokenStore

	// Now is the ledger's clock. It is asked often: a journal on another
	// machine answers from a measured difference.
	Now(ctx context.Context) (time.Time, error)
	// Rev is that of the newest change.
	Rev(ctx context.Context) (int64, error)

	// Known returns the Entries of files that the ledger knows as they are
	// now (path, type, name and FileID), in order, and zero ones for the
	// others. It changes nothing.
	Known(ctx context.Context, corp, host string, files []File) ([]Entry, error)
	// Enter makes sure that each file has an Item: the one it had, if the
	// file (path, type, name and FileID) is known and unchanged; else a new
	// one at Inspect. It returns as many Entries, in order.
	Enter(ctx context.Context, corp, host string, files []File) ([]Entry, error)
	// Entries returns the files with these ids as they stand now.
	Entries(ctx context.Context, ids []int64) ([]Entry, error)
	// Items returns those that q selects, by ID (by Rev where Since is set).
	Items(ctx context.Context, q Query) ([]Item, error)

	// Claim takes up to w.Limit Items that are due, not held and not
	// claimed, the most overdue first. Two Items of equal content are
	// never claimed at Stage at once, nor is one whose object is doomed.
	Claim(ctx context.Context, w Want) ([]Item, error)
	// Record writes a claimed Item. With keep the claim goes on, else it
	// ends. If the Item turns out to have the same corp, content, type and
	// name as another one, that one takes over its files and is returned,
	// without a claim; the recorded one is gone. If it has other content
	// than it had, files at other paths that shared it get Items of their
	// own at Inspect. ErrLost: the claim was over.
	Record(ctx context.Context, it Item, keep bool) (Item, error)
	// Lease is how long a claim lasts without a Beat.
	Lease() time.Duration
	// Beat prolongs all claims of this process and returns those that it
	// has no more.
	Beat(ctx context.Context) (lost []int64, err error)
	// Release ends claims without a change.
	Release(ctx context.Context, items []Item) error
	// Finished tells that WeCom called a job ended: its Item is due at once.
	// It may come before the submit's answer was recorded, twice, or for a
	// job that nobody knows.
	Finished(ctx context.Context, job string) error
	// Amend changes Items that nobody has claimed: edit is called for each
	// inside a transaction and reports whether it changed it. It returns
	// the Items as they stand, in the order of ids, claimed ones unchanged.
	Amend(ctx context.Context, ids []int64, edit func(*Item) bool) ([]Item, error)

	// Staging notes, before the first byte is sent, that the ledger makes
	// this object.
	Staging(ctx context.Context, bucket, key, md5 string) error
	// Doom returns some objects in bucket that the ledger made and nobody
	// needs: no Item is on its way with it, and every media_id made from it
	// is older than keep. The Items forget them in the same transaction.
	// Called again it returns further ones.
	Doom(ctx context.Context, bucket string, keep time.Duration) ([]Doomed, error)
	// Moved tells that a file of this host has another path now, with the
	// same content.
	Moved(ctx context.Context, host, from, to string, id inspect.FileID) error
	// Stats counts the Items of a corp by step and fault.
	Stats(ctx context.Context, corp string) ([]Stat, error)

	// Removed ends an object's doom: it is gone. It changes nothing if
	// somebody has staged it anew.
	Removed(ctx context.Context, d Doomed) error

	// Past returns, by ID, up to limit done Items after one, with their
	// files, whose media_id died before then, and which no template, no
	// worker and no object needs. An Item's files come together.
	Past(ctx context.Context, corp string, before time.Time, after int64, limit int) ([]Past, error)
	// Forget removes those of the Items that Past would still return, and
	// their files.
	Forget(ctx context.Context, corp string, before time.Time, ids []int64) error

	// Turns takes up to n of the turns that a rate of one per every allows
	// key, after a pause up to burst at once (GCRA). If there is none it
	// returns 0 and how long until there is one. All processes that share
	// the ledger share the rate.
	Turns(ctx context.Context, key string, n int, every time.Duration, burst int) (got int, wait time.Duration, err error)

	// PutTemplate remembers a template, in the place of what was remembered
	// of the same Corp and ID. Created and Updated are the ledger's to set.
	PutTemplate(ctx context.Context, t Template) error
	// Templates returns what is remembered for a corp, by Created.
	Templates(ctx context.Context, corp string) ([]Template, error)
	// DropTemplate forgets one; it is no error if there is none.
	DropTemplate(ctx context.Context, corp, id string) error

	Close() error
}
