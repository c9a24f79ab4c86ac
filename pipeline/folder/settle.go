package folder

import (
	"context"
	"time"
)

// Bounds of the pause between two looks.
const (
	minPause = 50 * time.Millisecond
	maxPause = time.Second
)

// Settle waits until the candidates are finished, at most for max, and returns
// those that are, as they are now, and those that are not, each in the order
// given. One that is gone meanwhile is in neither.
//
// A file is finished when its size, mtime and ctime have stood still for the
// time settle and inspect.Complete finds it whole. Where both times are older
// than settle at the first look, it has stood still already; times in the
// future, times of a network drive (another clock) and a system that has no
// ctime prove nothing, so such a file is watched for the whole of settle.
//
// One that stands still, is not whole and was last written over half an hour
// ago is returned as finished: inspection refuses it with the reason. After a
// minute so is one of which inspect.Complete only guesses that something is
// missing, and at once one that cannot be read.
//
// The error is that of ctx.
func Settle(ctx context.Context, c []Candidate, settle, max time.Duration) (ready []Candidate, busy []Busy, err error) {
	finished := make(map[string]Candidate, len(c))
	busy, err = SettleEach(ctx, c, settle, max, func(c Candidate) { finished[c.Path] = c })
	if err != nil {
		return nil, nil, err
	}
	for _, asked := range c {
		if c, ok := finished[asked.Path]; ok {
			ready = append(ready, c)
		}
	}
	return ready, busy, nil
}

// SettleEach is Settle for a caller who does not wait for the slowest: it
// calls ready for each file as soon as it is finished, one call at a time.
func SettleEach(ctx context.Context, c []Candidate, settle, max time.Duration, ready func(Candidate)) ([]Busy, error) {
	w := &watch{settle: settle, now: time.Now, ready: func(f *watched) { ready(f.Candidate) }}
	begin := time.Now()
	for _, c := range c {
		w.add(c, begin)
	}
	for end := begin.Add(max); ; {
		if err := w.look(ctx); err != nil {
			return nil, err
		}
		left := time.Until(end)
		if len(w.pending) == 0 || left <= 0 {
			return w.busy(), nil
		}
		if err := sleep(ctx, min(pause(settle), left)); err != nil {
			return nil, err
		}
	}
}

// pause is the time between two looks at files that settle.
func pause(settle time.Duration) time.Duration {
	return min(max(settle/4, minPause), maxPause)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (w *watch) busy() []Busy {
	var out []Busy
	for _, f := range w.pending {
		out = append(out, Busy{Candidate: f.Candidate, Why: f.why})
	}
	return out
}
