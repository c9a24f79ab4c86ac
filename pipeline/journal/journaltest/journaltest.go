// Package journaltest is what every pipeline.Journal must do. Each rule says
// what breaks if it is not kept.
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

// A Clock that tests set.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock returns one that stands at a whole second.
func NewClock() *Clock { return &Clock{t: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)} }

// Now is the time that was set last.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance sets the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A Harness opens journals.
type Harness struct {
	// Open opens the ledger of this test once more, as another process
	// would; each is closed by the harness at the end of the test.
	Open  func(t *testing.T) pipeline.Journal
	Clock *Clock
	// Lease is how long a claim lasts.
	Lease time.Duration
}

const (
	corp = "wwcorp"
	host = "here"
)

var ctx = context.Background()

// Run runs all rules, each on a new ledger.
func Run(t *testing.T, harness func(t *testing.T) Harness) {
	for _, rule := range []struct {
		name string
		why  string
		test func(*tester)
	}{
		{"a file is entered once", "four runs over one folder would send everything four times", enterOnce},
		{"changed content is a new item", "a replaced file would go on with its old media_id", enterChanged},
		{"a file that was never read keeps its item", "each save of a file would leave a row for ever", enterUnread},
		{"an item is claimed once", "two workers would submit the same file", claimOnce},
		{"only what is due is claimed", "WeCom would be asked for a result without a pause", claimDue},
		{"held and foreign items are not claimed", "a refused file would be tried for ever", claimHeld},
		{"equal content is staged by one at a time", "the same bytes would be uploaded twice", claimTwins},
		{"a kept claim to equal content ends", "the same bytes would be uploaded twice", recordTwins},
		{"a lapsed claim writes nothing", "a worker that slept would overwrite what another did", lapsed},
		{"a taken-over claim writes nothing", "a worker that slept would overwrite what another did", takenOver},
		{"a beat keeps a claim", "a slow upload would be started again by somebody else", beat},
		{"a released claim can be claimed at once", "an interrupted run would leave its files waiting", released},
		{"everything is read back as it was recorded", "a restart would go on with something else", roundTrip},
		{"equal content, type and name become one item", "a file in two folders would be submitted twice", merged},
		{"the same content under another name is its own item", "the receiver would see the wrong name", notMerged},
		{"an amendment leaves claimed items alone", "a retry would disturb a running upload", amended},
		{"a callback makes its item due", "the media_id would come with the next poll, half a minute late", called},
		{"a callback before the record is not lost", "the media_id would come with the next poll, half a minute late", calledEarly},
		{"a file that was moved keeps its item", "a file in the done folder would be sent again", movedFile},
		{"a file that is replaced while it is read is read again", "its old content would be sent", replacedWhileRead},
		{"files whose content parts have items of their own", "a file would get the media_id of another one", parted},
		{"a move tells nothing about what the file was before", "an old media_id would stand for a file with other content", movedReplaced},
		{"changes are told in order", "a run would wait for ever for what another process finished", changes},
		{"items are found by name, path, MD5", "the welcome tool could not ask for a media_id", found},
		{"items are listed as a page asks for them", "the page would show something else than there is", listed},
		{"a rate is one for all processes", "the corp would be over WeCom's limit", turns},
		{"templates are remembered", "WeCom has no list of them", templates},
		{"what nothing is left of can be forgotten", "the ledger would grow for ever", forgotten},
		{"an object that is needed is not doomed", "WeCom would find nothing behind the link", doomNeeded},
		{"an object that nobody needs is doomed once", "public copies would stay for ever", doomed},
		{"an object that the ledger did not make is never doomed", "somebody else's file would be deleted", doomForeign},
		{"what is doomed is not staged", "an object would be removed just after it was found there", doomBlocks},
		{"a removal that comes too late forgets nothing", "an object that was staged anew would stay for ever", removedLate},
		{"many workers lose nothing and do nothing twice", "that is what the ledger is for", many},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			h := harness(t)
			rule.test(&tester{T: t, why: rule.why, h: h, Journal: h.Open(t)})
		})
	}
}

// tester is a test with a ledger at hand.
type tester struct {
	*testing.T
	pipeline.Journal
	why string
	h   Harness
}

func (t *tester) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func (t *tester) check(ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Fatalf("%s\n(else %s)", fmt.Sprintf(format, args...), t.why)
	}
}

func file(path string, version int64) pipeline.File {
	return pipeline.File{Path: path, Type: inspect.Auto, ID: inspect.FileID{Device: 1, Inode: 1<<63 + 5, Size: 10, MTime: version, CTime: version}}
}

func (t *tester) enter(files ...pipeline.File) []pipeline.Entry {
	t.Helper()
	e, err := t.Enter(ctx, corp, host, files)
	t.must(err)
	t.check(len(e) == len(files), "%d entries for %d files", len(e), len(files))
	return e
}

var everyStep = []pipeline.Step{pipeline.Inspect, pipeline.Stage, pipeline.Submit, pipeline.Await, pipeline.Done}

func (t *tester) claim(steps ...pipeline.Step) []pipeline.Item {
	t.Helper()
	if steps == nil {
		steps = everyStep
	}
	items, err := t.Claim(ctx, pipeline.Want{Corp: corp, Hosts: []string{host}, Steps: steps, Limit: 100})
	t.must(err)
	return items
}

func (t *tester) record(it pipeline.Item, keep bool) pipeline.Item {
	t.Helper()
	it, err := t.Record(ctx, it, keep)
	t.must(err)
	return it
}

func (t *tester) get(id int64) pipeline.Item {
	t.Helper()
	items, err := t.Items(ctx, pipeline.Query{IDs: []int64{id}})
	t.must(err)
	t.check(len(items) == 1, "item %d is gone", id)
	return items[0]
}

const (
	md5a = "0cc175b9c0f1b6a831c399e269772661"
	md5b = "92eb5ffee6ae2fec3ad71c777531578f"
)

// read is it after its reading.
func read(it pipeline.Item, md5, name string) pipeline.Item {
	it.MD5, it.Name, it.Type, it.Size, it.Step = md5, name, inspect.Video, 10, pipeline.Stage
	return it
}

func staged(it pipeline.Item) pipeline.Item {
	it.Object = &pipeline.Object{Bucket: "s3://b", Key: it.MD5 + ".mp4", URL: "https://b/" + it.MD5 + ".mp4"}
	it.Step = pipeline.Submit
	return it
}

func done(it pipeline.Item, at time.Time) pipeline.Item {
	it.Step = pipeline.Done
	it.Media = &pipeline.Media{ID: "m-" + it.MD5, CreatedAt: at, ExpiresAt: at.Add(72 * time.Hour)}
	it.Due = at.Add(60 * time.Hour)
	return it
}

func enterOnce(t *tester) {
	a := t.enter(file("/a.mp4", 1))[0]
	other := &tester{T: t.T, why: t.why, h: t.h, Journal: t.h.Open(t.T)}
	b := other.enter(file("/a.mp4", 1))[0]
	t.check(a.ID == b.ID && a.Item.ID == b.Item.ID, "entered twice: %+v, %+v", a, b)
	known, err := t.Known(ctx, corp, host, []pipeline.File{file("/x.mp4", 1), file("/a.mp4", 1), file("/a.mp4", 2)})
	t.must(err)
	t.check(known[0].ID == 0 && known[1].ID == a.ID && known[2].ID == 0, "known as it is now is /a.mp4 alone: %+v", known)
	t.check(a.Item.Step == pipeline.Inspect && !a.Item.Due.After(t.h.Clock.Now()), "a new item is due at inspect: %+v", a.Item)
	t.check(a.Item.Path == "/a.mp4" && a.Item.Name == "a.mp4", "path and name: %+v", a.Item)
	two := t.enter(file("/b.mp4", 1), file("/b.mp4", 1))
	t.check(two[0].Item.ID == two[1].Item.ID, "one path twice in a call is one item")
	as := file("/a.mp4", 1)
	as.Type = inspect.File
	t.check(t.enter(as)[0].Item.ID != a.Item.ID, "the same file as another type is another item")
}

func enterChanged(t *tester) {
	a := t.enter(file("/a.mp4", 1))[0]
	t.record(read(t.claim()[0], md5a, "a.mp4"), false)
	b := t.enter(file("/a.mp4", 2))[0]
	t.check(b.ID == a.ID && b.Item.ID != a.Item.ID, "the file has a new item: %+v, was %+v", b, a)
	t.check(b.Item.Step == pipeline.Inspect, "which waits to be read: %s", b.Item.Step)
	now, err := t.Entries(ctx, []int64{a.ID})
	t.must(err)
	t.check(now[0].Item.ID == b.Item.ID, "the entry has the new item")
	t.check(t.get(a.Item.ID).MD5 == md5a, "the old item is kept")
}

func enterUnread(t *tester) {
	a := t.enter(file("/a.mp4", 1))[0]
	it := t.claim()[0]
	it.Fault = &pipeline.Fault{Code: "inspect/truncated-mp4"}
	t.record(it, false)
	b := t.enter(file("/a.mp4", 2))[0]
	t.check(b.Item.ID == a.Item.ID && b.Item.Fault == nil, "the same item is read again without its fault: %+v", b.Item)
	t.check(len(t.claim()) == 1, "and is due")
}

func claimOnce(t *tester) {
	t.enter(file("/a.mp4", 1))
	other := t.h.Open(t.T)
	t.check(len(t.claim()) == 1, "a due item is claimed")
	t.check(len(t.claim()) == 0, "the same process claimed it again")
	again, err := other.Claim(ctx, pipeline.Want{Corp: corp, Hosts: []string{host}, Steps: everyStep, Limit: 10})
	t.must(err)
	t.check(len(again) == 0, "another process claimed it again")
}

func claimDue(t *tester) {
	t.enter(file("/a.mp4", 1))
	it := read(t.claim()[0], md5a, "a.mp4")
	it.Due = t.h.Clock.Now().Add(time.Minute)
	t.record(it, false)
	t.check(len(t.claim()) == 0, "claimed a minute early")
	t.h.Clock.Advance(time.Minute)
	t.check(len(t.claim(pipeline.Submit)) == 0, "claimed for another step")
	other, err := t.Claim(ctx, pipeline.Want{Corp: "another", Hosts: []string{host}, Steps: everyStep, Limit: 1})
	t.must(err)
	t.check(len(other) == 0, "claimed for another corp")
	other, err = t.Claim(ctx, pipeline.Want{Corp: corp, Hosts: []string{"there"}, Steps: everyStep, Limit: 1})
	t.must(err)
	t.check(len(other) == 0, "claimed by a machine that does not see the file")
	got := t.claim()
	t.check(len(got) == 1, "not claimed when it was due")
	t.check(got[0].Claim.At.Equal(t.h.Clock.Now()), "Claim.At is the ledger's time")
}

func claimHeld(t *tester) {
	t.enter(file("/a.mp4", 1))
	it := t.claim()[0]
	it.Fault = &pipeline.Fault{Code: "inspect/not-mp4", Retry: false}
	t.record(it, false)
	t.check(len(t.claim()) == 0, "claimed while held")
	held, err := t.Items(ctx, pipeline.Query{Corp: corp, Held: true})
	t.must(err)
	t.check(len(held) == 1 && held[0].Fault.Code == "inspect/not-mp4", "the held are listed: %+v", held)
}

// twins enters two files of equal content and other names, read and due at
// Stage.
func (t *tester) twins() {
	t.enter(file("/a.mp4", 1), file("/b.mp4", 1))
	for n, it := range t.claim() {
		t.record(read(it, md5a, fmt.Sprint(n, ".mp4")), false)
	}
}

func claimTwins(t *tester) {
	t.twins()
	got := t.claim(pipeline.Stage)
	t.check(len(got) == 1, "%d claimed at once", len(got))
	t.check(len(t.claim(pipeline.Stage)) == 0, "the other was claimed meanwhile")
	t.record(staged(got[0]), false)
	t.check(len(t.claim(pipeline.Stage)) == 1, "the other was not claimed afterwards")
}

func recordTwins(t *tester) {
	t.enter(file("/a.mp4", 1), file("/b.mp4", 1))
	both := t.claim()
	one := t.record(read(both[0], md5a, "a.mp4"), true)
	two := t.record(read(both[1], md5a, "b.mp4"), true)
	t.check(one.Claim.Fence != 0, "the first keeps its claim")
	t.check(two.Claim.Fence == 0, "the second keeps its claim")
}

func lapsed(t *tester) {
	t.enter(file("/a.mp4", 1))
	it := t.claim()[0]
	t.h.Clock.Advance(t.h.Lease + time.Second)
	_, err := t.Record(ctx, read(it, md5a, "a.mp4"), false)
	t.check(errors.Is(err, pipeline.ErrLost), "recorded after the lease lapsed: %v", err)
	t.check(t.get(it.ID).Step == pipeline.Inspect, "and it was written")
}

func takenOver(t *tester) {
	t.enter(file("/a.mp4", 1))
	it := t.claim()[0]
	t.h.Clock.Advance(t.h.Lease + time.Second)
	other := &tester{T: t.T, why: t.why, h: t.h, Journal: t.h.Open(t.T)}
	got := other.claim()
	t.check(len(got) == 1, "a lapsed claim is free")
	_, err := t.Record(ctx, read(it, md5a, "a.mp4"), false)
	t.check(errors.Is(err, pipeline.ErrLost), "recorded though another has it: %v", err)
	t.must(t.Release(ctx, []pipeline.Item{it}))
	other.record(read(got[0], md5b, "a.mp4"), false)
	t.check(t.get(it.ID).MD5 == md5b, "what the second wrote stands")
}

func beat(t *tester) {
	t.enter(file("/a.mp4", 1))
	it := t.claim()[0]
	for range 5 {
		t.h.Clock.Advance(t.h.Lease / 2)
		lost, err := t.Beat(ctx)
		t.must(err)
		t.check(len(lost) == 0, "lost %v", lost)
	}
	t.record(read(it, md5a, "a.mp4"), true)
	t.h.Clock.Advance(t.h.Lease * 2)
	lost, err := t.Beat(ctx)
	t.must(err)
	t.check(len(lost) == 1 && lost[0] == it.ID, "a beat that comes too late tells what is lost: %v", lost)
	t.check(len(t.claim()) == 1, "and it is free")
}

func released(t *tester) {
	t.enter(file("/a.mp4", 1))
	it := t.claim()[0]
	t.must(t.Release(ctx, []pipeline.Item{it}))
	_, err := t.Record(ctx, read(it, md5a, "a.mp4"), false)
	t.check(errors.Is(err, pipeline.ErrLost), "recorded after it was released: %v", err)
	t.check(len(t.claim()) == 1, "not claimed again")
	other := t.h.Open(t.T)
	t.must(t.Close())
	got, err := other.Claim(ctx, pipeline.Want{Corp: corp, Hosts: []string{host}, Steps: everyStep, Limit: 1})
	t.must(err)
	t.check(len(got) == 1, "closing the journal did not end its claims")
}

func roundTrip(t *tester) {
	t.enter(file("/目录/a b?%.mp4", 1))
	it := t.claim()[0]
	now := t.h.Clock.Now()
	it = done(staged(read(it, md5a, "开场.mp4")), now)
	it.Job = &pipeline.Job{ID: "jobid_1", SubmittedAt: now.Add(-time.Second)}
	it.Object.Staged = now
	it.MIME, it.Ext = "video/mp4", ".mp4"
	it.Warnings = []pipeline.Warning{{Code: "codec", Message: pipeline.Text{ZH: "编码", EN: "codec"}}}
	it.Fault = &pipeline.Fault{Step: pipeline.Await, Code: "wecom/-1", Message: pipeline.Text{ZH: "忙", EN: "busy"}, Retry: true, At: now}
	it.Tries, it.Backs, it.Replace = 2, 1, true
	it.Fault.Remedy = pipeline.Text{ZH: "等", EN: "wait"}
	it.History = []pipeline.Event{{At: now.UTC(), What: pipeline.Failed, Step: pipeline.Await, Code: "wecom/-1", N: 2}}
	t.record(it, false)
	got := t.get(it.ID)
	t.check(got.Rev > it.Rev, "Rev grows: %d, was %d", got.Rev, it.Rev)
	it.Rev, it.Updated, it.Claim = got.Rev, got.Updated, pipeline.Claim{}
	t.check(show(got) == show(it), "got\n%s\nwant\n%s", show(got), show(it))
}

// show is everything about an Item, with all times in UTC.
func show(it pipeline.Item) string {
	for _, at := range []*time.Time{&it.Due, &it.Created, &it.Updated, &it.Object.Staged, &it.Job.SubmittedAt,
		&it.Media.CreatedAt, &it.Media.ExpiresAt, &it.Fault.At} {
		*at = at.UTC()
	}
	o, b, m, f := *it.Object, *it.Job, *it.Media, *it.Fault
	it.Object, it.Job, it.Media, it.Fault = nil, nil, nil, nil
	return fmt.Sprintf("%+v\n%+v %+v %+v %+v", it, o, b, m, f)
}

func merged(t *tester) {
	a := t.enter(file("/a/x.mp4", 1))[0]
	it := t.record(done(staged(read(t.claim()[0], md5a, "x.mp4")), t.h.Clock.Now()), false)
	b := t.enter(file("/b/x.mp4", 7))[0]
	got := t.record(read(t.claim()[0], md5a, "x.mp4"), true)
	t.check(got.ID == it.ID && got.Step == pipeline.Done && got.Claim.Fence == 0, "the first item takes over: %+v", got)
	t.check(got.Path == "/b/x.mp4", "with the newest path: %s", got.Path)
	now, err := t.Entries(ctx, []int64{a.ID, b.ID})
	t.must(err)
	t.check(now[0].Item.ID == it.ID && now[1].Item.ID == it.ID, "both files have it: %+v", now)
	t.check(t.enter(file("/b/x.mp4", 7))[0].Item.ID == it.ID, "and the file is known")
}

func notMerged(t *tester) {
	t.twins()
	items, err := t.Items(ctx, pipeline.Query{Corp: corp, Named: md5a})
	t.must(err)
	t.check(len(items) == 2, "%d items", len(items))
}

func amended(t *tester) {
	t.enter(file("/a.mp4", 1), file("/b.mp4", 1))
	ids := []int64{}
	for _, it := range t.claim() {
		ids = append(ids, it.ID)
	}
	one := t.get(ids[0])
	t.must(t.Close())
	t.Journal = t.h.Open(t.T)
	got, err := t.Claim(ctx, pipeline.Want{Corp: corp, Hosts: []string{host}, Steps: everyStep, IDs: ids[:1], Limit: 9})
	t.must(err)
	t.check(len(got) == 1 && got[0].ID == one.ID, "a claim takes those asked for: %+v", got)
	items, err := t.Amend(ctx, append(ids, 999), func(it *pipeline.Item) bool { it.Tries = 7; return true })
	t.must(err)
	t.check(len(items) == 2 && items[0].Tries == 0 && items[1].Tries == 7, "amended: %+v", items)
	t.check(t.get(ids[1]).Tries == 7 && t.get(ids[0]).Tries == 0, "as recorded")
	_, err = t.Amend(ctx, ids, func(it *pipeline.Item) bool { it.Tries = 9; return false })
	t.must(err)
	t.check(t.get(ids[1]).Tries == 7, "unchanged when the edit says so")
}

// awaiting enters a file and brings it to Await, due in a minute.
func (t *tester) awaiting(record bool) pipeline.Item {
	t.enter(file("/a.mp4", 1))
	it := staged(read(t.claim()[0], md5a, "a.mp4"))
	it.Step, it.Job = pipeline.Await, &pipeline.Job{ID: "job1", SubmittedAt: t.h.Clock.Now()}
	it.Due = t.h.Clock.Now().Add(time.Minute)
	if record {
		return t.record(it, false)
	}
	return it
}

func called(t *tester) {
	t.awaiting(true)
	t.check(len(t.claim()) == 0, "not due yet")
	t.must(t.Finished(ctx, "job2"))
	t.check(len(t.claim()) == 0, "due by the callback of another job")
	t.must(t.Finished(ctx, "job1"))
	t.must(t.Finished(ctx, "job1"))
	t.check(len(t.claim()) == 1, "due by its callback")
}

func calledEarly(t *tester) {
	it := t.awaiting(false)
	t.must(t.Finished(ctx, "job1"))
	got := t.record(it, false)
	t.check(!got.Due.After(t.h.Clock.Now()), "recorded as due: %s", got.Due)
	got = t.claim()[0] // a query is under way, and WeCom calls once more
	t.must(t.Finished(ctx, "job1"))
	got.Due = t.h.Clock.Now().Add(time.Minute)
	t.record(got, false)
	t.check(len(t.claim()) == 1, "the callback during a query is not lost")
}

func movedFile(t *tester) {
	a := t.enter(file("/in/a.mp4", 1))[0]
	t.record(done(staged(read(t.claim()[0], md5a, "a.mp4")), t.h.Clock.Now()), false)
	to := file("/done/a.mp4", 2)
	t.must(t.Moved(ctx, host, "/in/a.mp4", to.Path, to.ID))
	b := t.enter(to)[0]
	t.check(b.ID == a.ID && b.Item.ID == a.Item.ID && b.Item.Path == to.Path, "known at its new path: %+v", b)
	c := t.enter(file("/in/a.mp4", 3))[0]
	t.check(c.ID != a.ID && c.Item.Step == pipeline.Inspect, "another file at the old path is new: %+v", c)
	t.must(t.Moved(ctx, host, "/in/a.mp4", to.Path, file("", 3).ID))
	now, err := t.Entries(ctx, []int64{c.ID})
	t.must(err)
	t.check(now[0].File.Path == to.Path, "and may take the place of the first: %+v", now)
	stats, err := t.Stats(ctx, corp)
	t.must(err)
	t.check(len(stats) == 2 && stats[0].N == 1 && stats[0].Step == pipeline.Done && stats[1].Step == pipeline.Inspect, "counted: %+v", stats)
}

func replacedWhileRead(t *tester) {
	t.enter(file("/a.mp4", 1))
	it := t.claim()[0]
	t.enter(file("/a.mp4", 2))
	_, err := t.Record(ctx, read(it, md5a, "a.mp4"), true)
	t.check(errors.Is(err, pipeline.ErrLost), "recorded what the file was before: %v", err)
	got := t.claim()
	t.check(len(got) == 1 && got[0].File == file("", 2).ID, "to be read as it is now: %+v", got)
}

func parted(t *tester) {
	a := t.enter(file("/a/x.mp4", 1))[0]
	t.record(read(t.claim(pipeline.Inspect)[0], md5a, "x.mp4"), false)
	b := t.enter(file("/b/x.mp4", 7))[0]
	it := t.record(read(t.claim(pipeline.Inspect)[0], md5a, "x.mp4"), false)
	t.check(it.Path == "/b/x.mp4", "one item of both: %+v", it)
	it = t.claim(pipeline.Stage)[0]
	it.Step, it.Due = pipeline.Inspect, t.h.Clock.Now()
	it = t.record(it, true) // the file at its path has changed
	it.File = file("", 8).ID
	it = t.record(read(it, md5b, "x.mp4"), false)
	now, err := t.Entries(ctx, []int64{a.ID, b.ID})
	t.must(err)
	t.check(now[1].Item.ID == it.ID && now[1].Item.MD5 == md5b, "the file that was replaced has the item: %+v", now[1])
	t.check(now[1].File.ID == it.File, "as it is now")
	own := now[0].Item
	t.check(own.ID != it.ID && own.Step == pipeline.Inspect && own.MD5 == "" && own.Path == "/a/x.mp4", "the other is read again: %+v", own)
	got := t.claim(pipeline.Inspect)
	t.check(len(got) == 1 && got[0].ID == own.ID, "and is due")
}

func movedReplaced(t *tester) {
	as := func(want inspect.Type, path string, version int64) pipeline.File {
		f := file(path, version)
		f.Type = want
		return f
	}
	t.enter(as(inspect.Video, "/in/a.mp4", 1))
	old := t.record(done(staged(read(t.claim()[0], md5a, "a.mp4")), t.h.Clock.Now()), false)
	t.h.Clock.Advance(time.Second)
	b := t.enter(as(inspect.Auto, "/in/a.mp4", 2))[0] // replaced, and sent in another way
	it := t.record(done(staged(read(t.claim()[0], md5b, "a.mp4")), t.h.Clock.Now()), false)
	t.must(t.Moved(ctx, host, "/in/a.mp4", "/in/a.mp4", file("", 3).ID)) // touched where it is
	t.check(t.enter(as(inspect.Auto, "/in/a.mp4", 3))[0].ID == b.ID, "it is known where it was")
	t.must(t.Moved(ctx, host, "/in/a.mp4", "/done/a.mp4", file("", 4).ID))
	t.check(t.enter(as(inspect.Auto, "/done/a.mp4", 4))[0].Item.ID == it.ID, "known at its new path")
	got := t.enter(as(inspect.Video, "/done/a.mp4", 4))[0].Item
	t.check(got.ID != old.ID && got.Step == pipeline.Inspect, "what was sent before it was replaced: %+v", got)
	t.check(t.get(old.ID).File == file("", 1).ID, "an item keeps the identity that its content was read under")
}

func changes(t *tester) {
	rev, err := t.Rev(ctx)
	t.must(err)
	t.enter(file("/a.mp4", 1), file("/b.mp4", 1))
	got := t.claim()
	other := t.h.Open(t.T)
	before, err := other.Items(ctx, pipeline.Query{Corp: corp, Since: max(rev, 1)})
	t.must(err)
	t.record(read(got[0], md5a, "a.mp4"), false)
	for _, it := range before {
		rev = max(rev, it.Rev)
	}
	after, err := other.Items(ctx, pipeline.Query{Corp: corp, Since: rev})
	t.must(err)
	t.check(len(after) == 1 && after[0].ID == got[0].ID && after[0].MD5 == md5a, "the change and nothing else: %+v", after)
	now, err := other.Rev(ctx)
	t.must(err)
	t.check(now == after[0].Rev, "Rev is that of the newest change")
}

func found(t *tester) {
	t.enter(file("/a/开场.mp4", 1))
	it := t.record(done(staged(read(t.claim()[0], md5a, "开场.mp4")), t.h.Clock.Now()), false)
	for _, name := range []string{"/a/开场.mp4", "开场.mp4", md5a, "0CC175B9C0F1B6A831C399E269772661"} {
		got, err := t.Items(ctx, pipeline.Query{Corp: corp, Named: name})
		t.must(err)
		t.check(len(got) == 1 && got[0].ID == it.ID, "%s: %+v", name, got)
	}
	none, err := t.Items(ctx, pipeline.Query{Corp: corp, Named: "%"})
	t.must(err)
	t.check(len(none) == 0, "names are no patterns")
	soon, err := t.Items(ctx, pipeline.Query{Corp: corp, Expiring: it.Media.ExpiresAt})
	t.must(err)
	t.check(len(soon) == 0, "not expiring before its end")
	soon, err = t.Items(ctx, pipeline.Query{Corp: corp, Expiring: it.Media.ExpiresAt.Add(time.Second)})
	t.must(err)
	t.check(len(soon) == 1, "expiring")
	for ttl, want := range map[time.Duration]int{-time.Second: 1, 0: 0} {
		alive, err := t.Items(ctx, pipeline.Query{Corp: corp, Alive: it.Media.ExpiresAt.Add(ttl)})
		t.must(err)
		t.check(len(alive) == want, "alive %v after its end: %d", ttl, len(alive))
	}
	for id, want := range map[string]int{it.Media.ID: 1, "another": 0} {
		got, err := t.Items(ctx, pipeline.Query{Media: id})
		t.must(err)
		t.check(len(got) == want, "with the media_id %s: %d", id, len(got))
	}
	t.enter(file("/a/开场.mp4", 2)) // replaced
	old, err := t.Items(ctx, pipeline.Query{Corp: corp, Named: md5a, Current: true})
	t.must(err)
	t.check(len(old) == 0, "an item that no file has now is not current: %+v", old)
}

func listed(t *tester) {
	var files []pipeline.File
	for n := range 5 {
		files = append(files, file(fmt.Sprintf("/Folder_%d/%d%%.mp4", n, n), 1))
	}
	t.enter(files...)
	got := t.claim(pipeline.Inspect)
	t.check(len(got) == 5, "%d claimed", len(got))
	it := got[0]
	it.Fault = &pipeline.Fault{Step: pipeline.Inspect, Code: "inspect/too-small"}
	t.record(it, false)
	md5s := []string{md5a, md5b}
	for n, md5 := range md5s {
		it := staged(read(got[n+1], md5, fmt.Sprintf("%d%%.mp4", n+1)))
		if n == 1 {
			it = done(it, t.h.Clock.Now())
		}
		t.record(it, false)
	}
	ids := func(q pipeline.Query) (ids []int64) {
		q.Corp = corp
		items, err := t.Items(ctx, q)
		t.must(err)
		for _, it := range items {
			ids = append(ids, it.ID)
		}
		return ids
	}
	for _, row := range []struct {
		what string
		q    pipeline.Query
		want []int64
	}{
		{"all", pipeline.Query{}, []int64{1, 2, 3, 4, 5}},
		{"newest first", pipeline.Query{Newest: true, Limit: 2}, []int64{5, 4}},
		{"the next page", pipeline.Query{Newest: true, Limit: 2, Before: 4}, []int64{3, 2}},
		{"held", pipeline.Query{Held: true}, []int64{got[0].ID}},
		{"waiting for a step and no person", pipeline.Query{Steps: []pipeline.Step{pipeline.Inspect, pipeline.Submit}, Newest: true},
			[]int64{got[4].ID, got[3].ID, got[1].ID}},
		{"a fault", pipeline.Query{Code: "inspect/too-small"}, []int64{got[0].ID}},
		{"a fault that nobody has", pipeline.Query{Code: "inspect/too"}, nil},
		{"done", pipeline.Query{Steps: []pipeline.Step{pipeline.Done}}, []int64{got[2].ID}},
		{"a part of the name", pipeline.Query{Search: "2%"}, []int64{3}},
		{"a part of the path", pipeline.Query{Search: "folder_3/"}, []int64{4}},
		{"no pattern", pipeline.Query{Search: "_%"}, nil},
	} {
		got := ids(row.q)
		t.check(fmt.Sprint(got) == fmt.Sprint(row.want), "%s: got %v, want %v", row.what, got, row.want)
	}
}

func turns(t *tester) {
	other := t.h.Open(t.T)
	take := func(j pipeline.Journal, key string, n int) (int, time.Duration) {
		t.Helper()
		got, wait, err := j.Turns(ctx, key, n, 100*time.Millisecond, 5)
		t.must(err)
		return got, wait
	}
	got, _ := take(t, "a", 3)
	t.check(got == 3, "after a pause %d of 3", got)
	got, _ = take(other, "a", 3)
	t.check(got == 2, "what is left of the burst is 2, not %d", got)
	got, wait := take(t, "a", 1)
	t.check(got == 0 && wait == 100*time.Millisecond, "none is left for 100ms: %d, %v", got, wait)
	got, _ = take(t, "b", 9)
	t.check(got == 5, "another key has its own: %d", got)
	t.h.Clock.Advance(150 * time.Millisecond)
	got, _ = take(other, "a", 9)
	t.check(got == 1, "one comes every 100ms: %d after 150ms", got)
	got, wait = take(t, "a", 9)
	t.check(got == 0 && wait == 50*time.Millisecond, "the next one in 50ms: %d, %v", got, wait)
	t.h.Clock.Advance(time.Hour)
	got, _ = take(t, "a", 9)
	t.check(got == 5, "an hour's worth does not gather: %d", got)
	t.h.Clock.Advance(-2 * time.Hour)
	got, _ = take(t, "a", 1)
	t.check(got == 1, "a clock that was set back blocks nobody")
}

func templates(t *tester) {
	want := pipeline.Template{Corp: corp, ID: "t1", Content: []byte(`{"text":{"content":"欢迎"}}`), Item: 7, MD5: md5a, Media: "m1", Shown: "s1"}
	t.must(t.PutTemplate(ctx, want))
	t.must(t.PutTemplate(ctx, pipeline.Template{Corp: "another", ID: "t1", Content: []byte(`{}`)}))
	created := t.h.Clock.Now()
	t.h.Clock.Advance(time.Minute)
	t.must(t.PutTemplate(ctx, pipeline.Template{Corp: corp, ID: "t0", Content: []byte(`{}`)}))
	want.MD5, want.Shown = md5b, ""
	want.Media, want.Fault = "m2", &pipeline.Fault{Code: "wecom/40007", Message: pipeline.Text{ZH: "无效", EN: "invalid"}}
	t.must(t.PutTemplate(ctx, want))
	other := t.h.Open(t.T)
	got, err := other.Templates(ctx, corp)
	t.must(err)
	t.check(len(got) == 2 && got[0].ID == "t1" && got[1].ID == "t0", "two, the oldest first: %+v", got)
	g := got[0]
	t.check(string(g.Content) == string(want.Content) && g.Item == 7 && g.MD5 == md5b && g.Media == "m2" && g.Shown == "" && g.Corp == corp && g.Fault != nil && *g.Fault == *want.Fault,
		"as it was put last: %+v", g)
	t.check(g.Created.Equal(created) && g.Updated.Equal(created.Add(time.Minute)), "made %v, changed %v", g.Created, g.Updated)
	t.must(t.DropTemplate(ctx, corp, "t1"))
	t.must(t.DropTemplate(ctx, corp, "t1"))
	got, err = t.Templates(ctx, corp)
	t.must(err)
	t.check(len(got) == 1, "forgotten: %+v", got)
}

func forgotten(t *tester) {
	now := t.h.Clock.Now()
	old := func(it pipeline.Item) pipeline.Item {
		it = done(staged(it), now)
		it.Object = nil
		return it
	}
	t.enter(file("/a.mp4", 1), file("/b.mp4", 1), file("/c.mp4", 1), file("/d.mp4", 1), file("/e.mp4", 1))
	claimed := t.claim()
	a := t.record(old(read(claimed[0], md5a, "a.mp4")), false)
	t.record(read(claimed[1], md5a, "a.mp4"), false) // the same content: one Item with two files
	withObject := t.record(done(staged(read(claimed[2], md5b, "c.mp4")), now), false)
	inTemplate := t.record(old(read(claimed[3], "4a8a08f09d37b73795649038408b5f33", "d.mp4")), false)
	t.must(t.PutTemplate(ctx, pipeline.Template{Corp: corp, ID: "t", Content: []byte(`{}`), Item: inTemplate.ID}))
	dies := a.Media.ExpiresAt
	past, err := t.Past(ctx, corp, dies, 0, 10)
	t.must(err)
	t.check(len(past) == 0, "it has just died: %+v", past)
	before := dies.Add(time.Second)
	past, err = t.Past(ctx, corp, before, 0, 1)
	t.must(err)
	t.check(len(past) == 2 && past[0].Item == a.ID && past[1].Item == a.ID && past[0].Host == host &&
		past[0].Path != past[1].Path, "one Item with both files: %+v", past)
	none, err := t.Past(ctx, "another", before, 0, 10)
	t.must(err)
	rest, err := t.Past(ctx, corp, before, a.ID, 10)
	t.must(err)
	t.check(len(none) == 0 && len(rest) == 0, "what a template, an object or a worker has is not past: %+v %+v", none, rest)
	t.must(t.Forget(ctx, corp, before, []int64{a.ID, withObject.ID, inTemplate.ID, claimed[4].ID}))
	left, err := t.Items(ctx, pipeline.Query{Corp: corp})
	t.must(err)
	t.check(len(left) == 3, "one of four is forgotten: %+v", left)
	again := t.enter(file("/a.mp4", 1))[0]
	t.check(again.Item.ID != a.ID && again.Item.Step == pipeline.Inspect, "its file is a new one: %+v", again)
}

// made enters a file whose object the ledger made.
func (t *tester) made(path, md5 string, next func(pipeline.Item) pipeline.Item) pipeline.Item {
	t.Helper()
	t.enter(file(path, 1))
	it := t.record(read(t.claim(pipeline.Inspect)[0], md5, path[1:]), true)
	t.must(t.Staging(ctx, "s3://b", md5+".mp4", md5))
	return t.record(next(staged(it)), false)
}

func (t *tester) doom(keep time.Duration) []pipeline.Doomed {
	t.Helper()
	d, err := t.Doom(ctx, "s3://b", keep)
	t.must(err)
	return d
}

func doomNeeded(t *tester) {
	same := func(it pipeline.Item) pipeline.Item { return it }
	it := t.made("/a.mp4", md5a, same)
	t.check(len(t.doom(0)) == 0, "doomed before its submit")
	it = t.claim(pipeline.Submit)[0]
	t.check(len(t.doom(0)) == 0, "doomed during its submit")
	it.Step, it.Job = pipeline.Await, &pipeline.Job{ID: "j", SubmittedAt: t.h.Clock.Now()}
	it = t.record(it, false)
	t.h.Clock.Advance(time.Minute)
	t.check(len(t.doom(0)) == 0, "doomed while WeCom fetches it")
	it = t.claim(pipeline.Await)[0]
	it.Fault = &pipeline.Fault{Code: "wecom/99999"}
	it = t.record(it, false)
	t.check(len(t.doom(0)) == 0, "doomed while a job of a held item may still read it")
	items, err := t.Amend(ctx, []int64{it.ID}, func(it *pipeline.Item) bool { it.Fault = nil; it.Step = pipeline.Submit; return true })
	t.must(err)
	t.check(items[0].Fault == nil, "released")
	it = t.claim(pipeline.Submit)[0]
	t.record(done(it, t.h.Clock.Now()), false)
	t.h.Clock.Advance(71 * time.Hour)
	t.check(len(t.doom(72*time.Hour)) == 0, "doomed before keep was over")
}

func doomed(t *tester) {
	now := t.h.Clock.Now()
	it := t.made("/a.mp4", md5a, func(it pipeline.Item) pipeline.Item { return done(it, now) })
	t.h.Clock.Advance(time.Second)
	d := t.doom(0)
	t.check(len(d) == 1 && d[0] == pipeline.Doomed{Bucket: "s3://b", Key: md5a + ".mp4"}, "doomed: %+v", d)
	t.check(t.get(it.ID).Object == nil, "the item forgets it, so that a renewal stages anew")
	t.check(len(t.doom(0)) == 0, "doomed twice")
	t.must(t.Removed(ctx, d[0]))
	t.h.Clock.Advance(time.Hour)
	t.check(len(t.doom(0)) == 0, "doomed after it was removed")

	// A removal that was cut off is made again.
	t.made("/b.mp4", md5b, func(it pipeline.Item) pipeline.Item { return done(it, now) })
	t.check(len(t.doom(0)) == 1, "doomed")
	t.h.Clock.Advance(time.Hour)
	t.check(len(t.doom(0)) == 1, "given up for ever after a crash")
}

func doomForeign(t *tester) {
	t.enter(file("/a.mp4", 1))
	now := t.h.Clock.Now()
	t.record(done(staged(read(t.claim()[0], md5a, "a.mp4")), now), false) // it was there already
	t.h.Clock.Advance(1000 * time.Hour)
	t.check(len(t.doom(0)) == 0, "doomed though another made it")
	t.made("/b.mp4", md5b, func(it pipeline.Item) pipeline.Item { return done(it, now) })
	d, err := t.Doom(ctx, "s3://other", 0)
	t.must(err)
	t.check(len(d) == 0, "doomed in another bucket")
}

func doomBlocks(t *tester) {
	now := t.h.Clock.Now()
	t.made("/a.mp4", md5a, func(it pipeline.Item) pipeline.Item { return done(it, now) })
	t.h.Clock.Advance(time.Second)
	d := t.doom(0)
	t.enter(file("/b.mp4", 1))
	it := t.record(read(t.claim(pipeline.Inspect)[0], md5a, "b.mp4"), true)
	t.check(it.Claim.Fence == 0, "a claim was kept to stage what is being removed")
	t.check(len(t.claim(pipeline.Stage)) == 0, "claimed to stage what is being removed")
	t.must(t.Removed(ctx, d[0]))
	t.check(len(t.claim(pipeline.Stage)) == 1, "not claimed after the removal")
}

func removedLate(t *tester) {
	now := t.h.Clock.Now()
	t.made("/a.mp4", md5a, func(it pipeline.Item) pipeline.Item { return done(it, now) })
	t.h.Clock.Advance(time.Second)
	d := t.doom(0)
	t.h.Clock.Advance(pipeline.DoomLasts - time.Second)
	t.check(len(t.doom(0)) == 0, "its doom was over before its time")
	t.h.Clock.Advance(2 * time.Second)
	t.must(t.Staging(ctx, "s3://b", md5a+".mp4", md5a))
	t.must(t.Removed(ctx, d[0]))
	t.check(len(t.doom(0)) == 1, "the object is unknown")
}

// many has four processes with four workers each carry 200 files through all
// steps, each step counted.
func many(t *tester) {
	const files = 200
	var all []pipeline.File
	for n := range files {
		all = append(all, file(fmt.Sprintf("/%d.mp4", n), 1))
	}
	var mu sync.Mutex
	count := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		j := t.h.Open(t.T)
		_, err := j.Enter(ctx, corp, host, all)
		t.must(err)
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					items, err := j.Claim(ctx, pipeline.Want{Corp: corp, Hosts: []string{host}, Steps: everyStep[:4], Limit: 7})
					if err != nil {
						t.Error(err)
						return
					}
					for _, it := range items {
						mu.Lock()
						count[fmt.Sprint(it.ID, it.Step)]++
						mu.Unlock()
						if _, err := j.Record(ctx, next(it, t.h.Clock.Now()), false); err != nil {
							t.Error(err)
						}
					}
					if len(items) == 0 {
						left, err := j.Items(ctx, pipeline.Query{Corp: corp})
						if err != nil || allDone(left) {
							return
						}
						time.Sleep(time.Millisecond)
					}
				}
			}()
		}
	}
	wg.Wait()
	t.check(len(count) == 4*files, "%d steps were done, want %d", len(count), 4*files)
	for step, n := range count {
		t.check(n == 1, "%s was done %d times", step, n)
	}
}

func next(it pipeline.Item, now time.Time) pipeline.Item {
	switch it.Step {
	case pipeline.Inspect:
		return read(it, fmt.Sprintf("%032x", it.ID), "x.mp4")
	case pipeline.Stage:
		return staged(it)
	case pipeline.Submit:
		it.Step, it.Job = pipeline.Await, &pipeline.Job{ID: "j", SubmittedAt: now}
		return it
	}
	return done(it, now)
}

func allDone(items []pipeline.Item) bool {
	for _, it := range items {
		if it.Step != pipeline.Done {
			return false
		}
	}
	return true
}
