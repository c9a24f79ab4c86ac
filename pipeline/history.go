package pipeline

import "time"

// An Event is a line of an Item's history.
type Event struct {
	At   time.Time `json:"at"`
	What What      `json:"what"`
	Step Step      `json:"step"`           // that the Item waits for since then
	Code string    `json:"code,omitempty"` // of the Fault, where What tells of one
	N    int       `json:"n"`              // how often in a row, At being the last time
}

// What happened to an Item.
type What string

// The values of What. When the Item came into the ledger is Item.Created.
const (
	MovedOn   What = "moved_on"   // a step went well; Step is the next one
	Failed    What = "failed"     // a step failed and is tried again by itself
	WentBack  What = "went_back"  // to an earlier step, by itself
	Stopped   What = "stopped"    // it is held since then
	Retried   What = "retried"    // somebody released it
	Renewing  What = "renewing"   // for a new media_id
	SentAgain What = "sent_again" // somebody wants it sent again, whatever is there
)

// maxHistory is how many Events an Item keeps, the newest.
const maxHistory = 30

// tell adds an Event. What happens again in the same way is counted.
func (it *Item) tell(at time.Time, what What) {
	e := Event{At: wire(at), What: what, Step: it.Step, N: 1}
	if it.Fault != nil {
		e.Code = it.Fault.Code
	}
	h := it.History
	if n := len(h); n > 0 && h[n-1].What == e.What && h[n-1].Step == e.Step && h[n-1].Code == e.Code {
		e.N += h[n-1].N
		h = h[:n-1]
	}
	h = append(h[:len(h):len(h)], e) // others may hold the old one
	it.History = h[max(0, len(h)-maxHistory):]
}

// told adds what settle made of a step that was waited for at was.
func (it *Item) told(was Step, now time.Time) {
	switch {
	case it.Held():
		it.tell(now, Stopped)
	case it.Fault != nil && it.Step != was:
		it.tell(now, WentBack)
	case it.Fault != nil:
		it.tell(now, Failed)
	case it.Step != was:
		it.tell(now, MovedOn)
	}
}
