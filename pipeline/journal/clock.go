package journal

import (
	"context"
	"time"

	"wedrop/pipeline"
	"wedrop/pipeline/uptime"
)

// The times in the ledger are those of the wall clock, which can be set: by a
// person, by NTP after a start without a battery, by a hypervisor. Whatever
// waits would then wait that much too long, and what was claimed a moment ago
// would seem to be claimed long since. So each transaction that changes
// something notes what the clocks showed, and one that finds the wall clock set
// since then moves what is under way by as much, once for all processes.

// minStep is by how much the wall clock must have been set to count as that.
// NTP's adjustments between two transactions are smaller.
const minStep = 2 * time.Second

// A reading is what the clocks showed at one time.
type reading struct {
	time time.Time
	wall int64  // milliseconds since 1970; 0: there was none yet
	up   int64  // milliseconds since the machine started, its sleep included
	boot string // the run of the machine; empty: up is not known
}

// step is by how many milliseconds the wall clock was set between two
// readings. Of different runs of the machine, or where the system does not tell
// how long it is up, only a clock that goes back can be told from time that
// went by.
func step(was, is reading) int64 {
	d := is.wall - was.wall
	switch {
	case was.wall == 0:
		return 0
	case is.boot != "" && is.boot == was.boot:
		d -= is.up - was.up
	default:
		d = min(d, 0)
	}
	if -minStep.Milliseconds() < d && d < minStep.Milliseconds() {
		return 0
	}
	return d
}

// readUptime is Options.Uptime where the ledger has the system's clock.
func readUptime() (time.Duration, string) {
	up, ok := uptime.Now()
	if !ok {
		return 0, ""
	}
	return up, uptime.Boot()
}

func (j *Journal) clocks() reading {
	now := j.now()
	r := reading{time: now, wall: ms(now)}
	if j.uptime != nil {
		up, boot := j.uptime()
		r.up, r.boot = up.Milliseconds(), boot
	}
	return r
}

// Now is the ledger's clock. If it was set, what is under way has been moved
// before Now returns, but for a ledger that is only read.
func (j *Journal) Now(ctx context.Context) (time.Time, error) {
	is := j.clocks()
	if j.reading || step(j.lastReading(), is) == 0 {
		return is.time, nil
	}
	err := j.write(ctx, func(*tx) error { return nil }) // every transaction looks
	return j.lastReading().time, err
}

func (j *Journal) lastReading() reading {
	j.clock.Lock()
	defer j.clock.Unlock()
	return j.clock.last
}

// checked takes in that a transaction looked at the clocks, and tells the
// process if its clock was set since the last one.
func (j *Journal) checked(is reading) {
	j.clock.Lock()
	by := step(j.clock.last, is)
	j.clock.last = is
	j.clock.Unlock()
	if by != 0 && j.clockSet != nil {
		j.clockSet(time.Duration(by) * time.Millisecond)
	}
}

// checkClock compares the clock with what the ledger noted last. A process that
// starts after the clock was set finds everything moved when it reads. Where
// the ledger cannot be written nothing is: whoever works with it does it then.
func (j *Journal) checkClock(ctx context.Context) error {
	var was reading
	err := j.read.QueryRowContext(ctx, `SELECT wall,up,boot FROM counter`).Scan(&was.wall, &was.up, &was.boot)
	if err != nil {
		return err
	}
	is := j.clocks()
	if j.clock.last = was; was.wall == 0 || step(was, is) == 0 {
		j.clock.last = is
		return nil
	}
	short, cancel := context.WithTimeout(ctx, closeWait)
	defer cancel()
	if err := j.write(short, func(*tx) error { return nil }); err != nil {
		j.clock.Lock()
		defer j.clock.Unlock()
		j.clock.last = is // whoever changes something does it
	}
	return ctx.Err()
}

// readClock takes in what the ledger noted last.
func (t *tx) readClock() error {
	return t.row(`SELECT rev,wall,up,boot,shifted FROM counter`).
		Scan(&t.rev, &t.clock.wall, &t.clock.up, &t.clock.boot, &t.shifted)
}

// adjust moves what is under way if the wall clock was set since the last
// transaction. What WeCom's clock decides stays where it is: the ends of
// media_ids, and so when they are to be renewed. Turns sees to the rates.
func (t *tx) adjust(is reading) error {
	by := step(t.clock, is)
	t.clock = is
	if by == 0 {
		return nil
	}
	t.shifted += by
	for _, query := range []string{
		`UPDATE items SET due=max(due+?1,1), submitted=CASE submitted WHEN 0 THEN 0 ELSE max(submitted+?1,1) END WHERE step<>'done'`,
		`UPDATE items SET lease=max(lease+?1,1) WHERE lease>0`,
		`UPDATE tokens SET lease=CASE lease WHEN 0 THEN 0 ELSE max(lease+?1,1) END,
			expires=CASE expires WHEN 0 THEN 0 ELSE max(expires+?1,1) END,
			refused=CASE refused WHEN 0 THEN 0 ELSE max(refused+?1,1) END`,
		`UPDATE callbacks SET at=at+?1`,
		`UPDATE objects SET doomed=max(doomed+?1,1) WHERE doomed>0`,
	} {
		if err := t.exec(query, by); err != nil {
			return err
		}
	}
	return nil
}

// noteClock writes down the last Rev and what the clocks show.
func (t *tx) noteClock() error {
	return t.exec(`UPDATE counter SET rev=?, wall=?, up=?, boot=?, shifted=?`, t.rev, t.clock.wall, t.clock.up, t.clock.boot, t.shifted)
}

// moved is an Item as it would be had it been claimed after the clock was set:
// what its step made of it reckons with the clock as it was.
func (t *tx) moved(it pipeline.Item) pipeline.Item {
	by := time.Duration(t.shifted-it.Claim.Shifted) * time.Millisecond
	if by == 0 {
		return it
	}
	it.Claim.At, it.Claim.Shifted = it.Claim.At.Add(by), t.shifted
	if it.Step != pipeline.Done && !it.Due.IsZero() {
		it.Due = it.Due.Add(by)
	}
	if it.Job != nil {
		job := *it.Job
		job.SubmittedAt = job.SubmittedAt.Add(by)
		it.Job = &job
	}
	return it
}
