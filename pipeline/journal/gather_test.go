package journal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What can wait waits for company, what cannot takes it along, and nothing
// waits for what is not there.
func TestPatientChangesWaitForOthers(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	for _, c := range []struct {
		name  string
		comes []bool // patient or not, in order
		until time.Time
		want  int
	}{
		{"one that cannot wait goes at once", []bool{false}, later, 1},
		{"patient ones go with it", []bool{true, true, false}, later, 3},
		{"a patient one alone goes when its time is over", []bool{true}, time.Now().Add(20 * time.Millisecond), 1},
		{"and at once after a quiet while", []bool{true}, time.Time{}, 1},
		{"as many as there is room for go at once", []bool{true, true, true, true, true}, later, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := &store{ops: make(chan op, 4), quit: make(chan struct{})}
			go func() {
				for _, patient := range c.comes {
					j.ops <- op{patient: patient}
				}
			}()
			require.Len(t, j.gather(c.until, nil), c.want)
			for range len(c.comes) - c.want {
				<-j.ops
			}
		})
	}
}

// A ledger that is closed leaves no change in the air.
func TestClosedLedgerWaitsForNobody(t *testing.T) {
	t.Parallel()
	j := &store{ops: make(chan op, 4), quit: make(chan struct{})}
	j.ops <- op{patient: true}
	closed := time.AfterFunc(10*time.Millisecond, func() { close(j.quit) })
	defer closed.Stop()
	got := j.gather(time.Now().Add(time.Hour), nil)
	if len(got) == 0 { // it was closed before the change was seen
		return
	}
	require.Len(t, got, 1)
	require.Empty(t, j.gather(time.Now().Add(time.Hour), nil))
}
