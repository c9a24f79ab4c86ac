package pipeline

import (
	"log/slog"
	"os"
	"sync"
	"time"

	"wedrop/storage"
	"wedrop/wecom"
)

// A Pipeline carries files to their media_ids. Corp, Journal, Bucket and
// WeCom are required for sending; what only looks at the ledger needs Corp
// and Journal. The other fields have useful zero values. No field is changed
// after the first call; all methods may be called concurrently.
type Pipeline struct {
	Corp    string
	Journal Journal
	Bucket  *storage.Bucket
	WeCom   *wecom.Client

	Host string // name of this machine in the ledger; os.Hostname if empty
	// Shares are folders that several machines see under the same path.
	// Their files are read by whichever machine sees them, see Hosts.
	Shares []string

	// Access says which files may be opened. Nil: every path that is entered,
	// and every one in the ledger; that is for ledgers which nobody else may
	// write.
	Access *Access

	// How many Items are worked on at once in a step.
	Readers int // Inspect: CPU-bound; GOMAXPROCS if zero
	Uploads int // Stage: network-bound; 8 if zero
	Queries int // Await; 4 if zero
	// Submits is also the most that a kill -9 may repeat: WeCom has no
	// idempotency key, so a submit at the instant of death is made twice.
	// 1 if zero.
	Submits int

	PollMin, PollMax time.Duration // first and longest pause between queries for a job; 1 s and 30 s if zero

	// MinTTL is the least life of a media_id that counts as valid; 5
	// minutes if zero.
	MinTTL time.Duration
	// RenewBefore is how long before its media_id dies a done Item is due
	// again; 12 hours if zero.
	RenewBefore time.Duration

	Log *slog.Logger // nowhere if nil; never sees a secret

	// Observe is called after each step that this process did, with how
	// long it took and, if it did not go well, the Fault. Nil is allowed.
	Observe func(step Step, took time.Duration, f *Fault)

	// Changed is called after each change that this process recorded, from
	// several goroutines. Nil is allowed.
	Changed func(Item)

	flights flights
	sights  sights
	debts   debts
	losses  losses
	hung    sync.Once
	rung    chan struct{} // see bell
}

// A StopError is a fault of the configuration that ended a run: nothing can
// succeed until a person mends it.
type StopError struct{ Fault Fault }

func (e *StopError) Error() string { return e.Fault.Code + ": " + e.Fault.Message.EN }

// A Flight is an Item that this process works on now.
type Flight struct {
	Item  Item
	Bytes int64     // read (Inspect) or sent (Stage) so far
	Since time.Time // when this step began
}

func (p *Pipeline) host() string {
	if p.Host != "" {
		return p.Host
	}
	h, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return h
}

func (p *Pipeline) log() *slog.Logger {
	if p.Log != nil {
		return p.Log
	}
	return slog.New(slog.DiscardHandler)
}

func (p *Pipeline) policy() policy {
	return policy{
		pollMin:     orElse(p.PollMin, time.Second),
		pollMax:     max(orElse(p.PollMax, 30*time.Second), orElse(p.PollMin, time.Second)),
		renewBefore: orElse(p.RenewBefore, 12*time.Hour),
	}
}
