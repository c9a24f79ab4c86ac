package postgres

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
)

const (
	couriers = 2  // that are on their way at once: one more, and two changes of a kind seldom meet
	bagful   = 64 // notes that one takes along
)

// A note is a change that is some statements, none of which needs the answer to
// another: they are one round trip, and a transaction without being told.
type note struct {
	row   int64 // that it waits for; noRow if it waits for none
	queue func(b *pgx.Batch, now int64) error
	done  chan error // has room for one
}

// noRow comes after all rows.
const noRow = math.MaxInt64

// byRow is the order of notes in a transaction. All who change several rows take
// them in the order of their ids (as Beat does), or they would wait in a circle.
func byRow(a, b note) int { return cmp.Compare(a.row, b.row) }

// errApart is the answer to a note that was not made because of another one.
var errApart = errors.New("journal: a change made together with this one failed")

// alone is write for a change that needs no answers in between. queue adds its
// statements to a batch; that they find no row is no error of the batch. It is
// called again where the change is made again. Those that come while others are
// under way go together, in one transaction. row is the Item's that it changes.
func (j *Journal) alone(ctx context.Context, row int64, queue func(b *pgx.Batch, now int64) error) error {
	together := true
	return j.retry(ctx, true, func() error {
		n := note{row, queue, make(chan error, 1)}
		if together {
			together = false
			j.hand(n)
			if err := <-n.done; err != errApart {
				return err
			}
		}
		return j.send([]note{n})
	})
}

// hand gives a note to a courier.
func (j *Journal) hand(n note) {
	j.post.Lock()
	defer j.post.Unlock()
	j.notes = append(j.notes, n)
	if j.couriers < couriers {
		j.couriers++
		go j.courier()
	}
}

// courier makes changes as long as there are any: all that have gathered
// meanwhile at once.
func (j *Journal) courier() {
	for {
		j.post.Lock()
		some := j.notes[:min(len(j.notes), bagful)]
		j.notes = j.notes[len(some):]
		if len(some) == 0 {
			j.notes = nil
			j.couriers--
		}
		j.post.Unlock()
		if len(some) == 0 {
			return
		}
		slices.SortStableFunc(some, byRow)
		err := j.send(some)
		if err != nil && len(some) > 1 && !isBroken(err) {
			err = errApart
		}
		for _, n := range some {
			n.done <- err
		}
	}
}

// send makes changes, all or none.
func (j *Journal) send(notes []note) error {
	ctx, cancel := context.WithTimeout(context.Background(), oneTime)
	defer cancel()
	now, err := j.Now(ctx)
	if err != nil {
		return err
	}
	var b pgx.Batch
	for _, n := range notes {
		if err := n.queue(&b, ms(now)); err != nil {
			return err
		}
	}
	return j.pool.SendBatch(ctx, &b).Close()
}
