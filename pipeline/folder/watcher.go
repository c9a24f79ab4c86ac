package folder

import (
	"context"
	"sync"
	"time"
)

// The pause after a reading of the folders is so many times what the reading
// cost, so that an idle daemon stays below 2 % of one core (with room for what
// a reading costs elsewhere, in the collector of garbage, and for the rest of
// the daemon), but no longer than a person would wait.
const (
	leisure  = 100
	maxQuiet = time.Minute
)

// A Watcher hands on the files of drop folders, each once when it is finished
// (see Settle), and again when its content is replaced. The same holds for
// what is there when it starts. Folders and Found are required. No field is
// changed after Run is called.
type Watcher struct {
	Folders []Folder // a file in two of them is the first one's

	// Settle is how long a file stands still before it is taken; 2 s if zero.
	Settle time.Duration
	// Interval is the least pause between two readings of the folders; 1 s if
	// zero. Longer readings make for longer pauses.
	Interval time.Duration

	// Known tells which of these files are in the ledger unchanged, in
	// order. It is asked once for each file as it is; after an error, again
	// with the next reading. Nil: none is known.
	Known func(context.Context, []Candidate) ([]bool, error)
	// Found takes finished files, to be entered into the ledger. After an
	// error all of them are offered again with the next reading, as far as
	// they are unchanged then: it must not matter if it had taken some.
	Found func(context.Context, []Candidate) error
	// State is told of each folder after its first reading, and when it
	// becomes readable or unreadable: err is nil or a *NotMounted. Nothing is
	// known then about the files in it; they are not gone. Nil is allowed.
	State func(f Folder, err error)

	Now func() time.Time // time.Now if nil

	mu    sync.Mutex
	shown Snapshot
}

// Run watches until ctx ends, and returns its error. The calls to Known, Found
// and State are made by this goroutine, one at a time. It is called once.
//
// A network drive that hangs instead of failing holds it up, with all
// folders; Snapshot.Read tells of that.
func (w *Watcher) Run(ctx context.Context) error {
	r := newRounds(w)
	for {
		if err := r.read(ctx); err != nil {
			return err
		}
		end := time.Now().Add(max(orElse(w.Interval, time.Second), quiet(r.cost)))
		r.ask(ctx)
		if err := r.settle(ctx, end); err != nil {
			return err
		}
	}
}

func quiet(cost time.Duration) time.Duration { return min(leisure*cost, maxQuiet) }

func (w *Watcher) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
