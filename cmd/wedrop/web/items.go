package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wedrop/pipeline"
)

type listInput struct {
	Spoken
	State  string `query:"state" enum:"working,done,held,expiring" doc:"Those alone that are on their way, done, waiting for a person, or whose media_id dies soon."`
	Q      string `query:"q" maxLength:"1024" doc:"Those alone with this in their name or path, or with this MD5 or media_id."`
	After  int64  `query:"after" minimum:"0" doc:"Those alone with a higher ID."`
	Before int64  `query:"before" minimum:"0" doc:"Those alone with a lower ID."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
	Order  string `query:"order" enum:"new,old" default:"new" doc:"By ID, the newest or the oldest first."`
	Match  string `header:"If-None-Match"`
}

type listOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   listJSON
}

type listJSON struct {
	Items   []itemView   `json:"items" nullable:"false"`
	Next    *int64       `json:"next" doc:"For before (order=new) or after (order=old), where there are more; else null."`
	Rev     int64        `json:"rev" doc:"Grows with every change in the ledger."`
	Now     time.Time    `json:"now" doc:"By the ledger's clock, which decides when a media_id dies."`
	Counts  countsJSON   `json:"counts" doc:"Of all items, whatever was asked for."`
	Flights []flightJSON `json:"flights" nullable:"false" doc:"What this server works on at this moment."`

	Blocked []blockJSON   `json:"blocked" nullable:"false" doc:"Faults of the configuration that items are held by and others wait for: a person has to mend it. Items that wait have the fault, with retry."`
	Waiting []waitingJSON `json:"waiting" nullable:"false" doc:"Files in the folders that are not written to their end: they are no items yet."`
}

type blockJSON struct {
	Code    string    `json:"code" example:"wecom/60020"`
	Message string    `json:"message"`
	Remedy  string    `json:"remedy"`
	Items   int       `json:"items" doc:"How many are held by it or wait for it."`
	At      time.Time `json:"at"`
}

type waitingJSON struct {
	Path    string    `json:"path"`
	Name    string    `json:"name"`
	Size    int64     `json:"size" doc:"In bytes, as last seen."`
	Since   time.Time `json:"since" doc:"When it was first seen as it is."`
	Message string    `json:"message"`
	Remedy  string    `json:"remedy"`
}

// maxWaiting are shown of the files that are not finished.
const maxWaiting = 200

type countsJSON struct {
	Working  int `json:"working"`
	Done     int `json:"done"`
	Held     int `json:"held"`
	Expiring int `json:"expiring"`
}

type flightJSON struct {
	ID    int64     `json:"id" doc:"Of the item."`
	Step  string    `json:"step" enum:"inspect,stage,submit,await"`
	Done  int64     `json:"done" doc:"Bytes read (inspect) or sent (stage) so far."`
	Total int64     `json:"total" doc:"Bytes in all; 0 if that is not known."`
	Since time.Time `json:"since" doc:"When this step began."`
}

func (s *Site) listOperation(api huma.API, r huma.Registry) {
	op := operation(r, "list-items", http.MethodGet, "/api/items", "The ledger, the newest first")
	op.Responses["304"] = &huma.Response{Description: "Nothing has changed since the answer with that ETag"}
	huma.Register(api, op, s.listItems)
}

func (s *Site) listItems(ctx context.Context, in *listInput) (*listOutput, error) {
	out, err := s.list(ctx, in)
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	return out, nil
}

func (s *Site) list(ctx context.Context, in *listInput) (*listOutput, error) {
	j := s.pipe.Journal
	now, err := j.Now(ctx)
	if err != nil {
		return nil, err
	}
	rev, err := j.Rev(ctx) // before the items: what changes meanwhile is asked for again
	if err != nil {
		return nil, err
	}
	counts, blocks, err := s.counts(ctx, rev, now)
	if err != nil {
		return nil, err
	}
	lang := s.lang(in.Lang, in.Accept)
	out := &listOutput{Status: http.StatusOK, Body: listJSON{Rev: rev, Now: wire(now), Counts: counts, Items: []itemView{}, Flights: s.flights(),
		Blocked: blocksIn(blocks, lang), Waiting: s.waiting(lang)}}
	out.ETag = s.tag(in, lang, out.Body, now)
	if matches(in.Match, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	items, err := s.selected(ctx, in, now)
	if err != nil {
		return nil, err
	}
	if len(items) > in.Limit {
		items = items[:in.Limit]
		out.Body.Next = &items[in.Limit-1].ID
	}
	seen := s.sights.of(s.pipe, items)
	for n, it := range items {
		out.Body.Items = append(out.Body.Items, itemView{blocks.Shown(it).In(lang), now, seen[n]})
	}
	return out, nil
}

func blocksIn(blocks pipeline.Blocks, lang string) []blockJSON {
	out := []blockJSON{}
	for _, b := range blocks {
		out = append(out, blockJSON{b.Fault.Code, b.Fault.Message.In(lang), b.Fault.Remedy.In(lang), b.Held + b.Waiting, wire(b.Fault.At)})
	}
	return out
}

// waiting are the files in the folders that are not finished.
func (s *Site) waiting(lang string) []waitingJSON {
	out := []waitingJSON{}
	if s.o.Waiting == nil {
		return out
	}
	for _, w := range s.o.Waiting() {
		if len(out) == maxWaiting {
			break
		}
		out = append(out, waitingJSON{w.Path, filepath.Base(w.Path), w.Size, wire(w.Since), w.Message.In(lang), w.Remedy.In(lang)})
	}
	return out
}

// selected is what the query asks for, and one more where there is more.
func (s *Site) selected(ctx context.Context, in *listInput, now time.Time) ([]pipeline.Item, error) {
	q := pipeline.Query{Corp: s.pipe.Corp, After: in.After, Before: in.Before, Limit: in.Limit + 1, Newest: in.Order != "old"}
	switch in.State {
	case "working":
		q.Steps = working()
	case "done":
		q.Steps = []pipeline.Step{pipeline.Done}
	case "held":
		q.Held = true
	case "expiring":
		q.Alive, q.Expiring = now, now.Add(s.o.RenewBefore)
	}
	wanted := strings.TrimSpace(text(in.Q))
	if b, err := hex.DecodeString(wanted); err == nil && len(b) == 16 {
		q.Named = wanted
		return s.pipe.Journal.Items(ctx, q)
	}
	q.Search = wanted
	items, err := s.searched(ctx, q)
	if err == nil && len(items) == 0 && wanted != "" {
		q.Search, q.Media = "", wanted
		items, err = s.pipe.Journal.Items(ctx, q)
	}
	return items, err
}

// searched are the Items with the text in their name, or in a path that means
// something to people: those of uploads are made of chance.
func (s *Site) searched(ctx context.Context, q pipeline.Query) (out []pipeline.Item, err error) {
	wanted := strings.ToLower(q.Search)
	for {
		items, err := s.pipe.Journal.Items(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if wanted == "" || !s.inbox.has(it.Path) || strings.Contains(strings.ToLower(it.Name), wanted) {
				out = append(out, it)
			}
		}
		if len(items) < q.Limit || len(out) >= q.Limit {
			return out, nil
		}
		if last := items[len(items)-1].ID; q.Newest {
			q.Before = last
		} else {
			q.After = last
		}
	}
}

func working() []pipeline.Step {
	return []pipeline.Step{pipeline.Inspect, pipeline.Stage, pipeline.Submit, pipeline.Await}
}

// counted are the counts as they were last: they change with the ledger, and
// those of expiring ones with the clock.
type counted struct {
	sync.Mutex
	rev    int64
	minute int64
	counts countsJSON
	blocks pipeline.Blocks
}

func (s *Site) counts(ctx context.Context, rev int64, now time.Time) (countsJSON, pipeline.Blocks, error) {
	s.counted.Lock()
	defer s.counted.Unlock()
	minute := now.Unix() / 60
	if s.counted.rev == rev && s.counted.minute == minute {
		return s.counted.counts, s.counted.blocks, nil
	}
	var c countsJSON
	stats, err := s.pipe.Journal.Stats(ctx, s.pipe.Corp)
	if err != nil {
		return c, nil, err
	}
	blocks, err := s.pipe.BlocksIn(ctx, stats)
	if err != nil {
		return c, nil, err
	}
	for _, st := range stats {
		switch {
		case st.Held:
			c.Held += st.N
		case st.Step == pipeline.Done:
			c.Done += st.N
		default:
			c.Working += st.N
		}
	}
	dying, err := s.pipe.Journal.Items(ctx, pipeline.Query{Corp: s.pipe.Corp, Alive: now, Expiring: now.Add(s.o.RenewBefore)})
	if err != nil {
		return c, nil, err
	}
	c.Expiring = len(dying)
	s.counted.rev, s.counted.minute, s.counted.counts, s.counted.blocks = rev, minute, c, blocks
	return c, blocks, nil
}

func (s *Site) flights() []flightJSON {
	out := []flightJSON{}
	for _, f := range s.pipe.Flights() {
		total := f.Item.Size
		if total == 0 {
			total = f.Item.File.Size
		}
		out = append(out, flightJSON{f.Item.ID, string(f.Item.Step), f.Bytes, total, wire(f.Since)})
	}
	return out
}

// tag names an answer: it changes with the ledger, with what is under way, and
// each minute, because time alone brings media_ids nearer to their end. No two
// Sites have the same: the ledger or the program may be another one.
func (s *Site) tag(in *listInput, lang string, l listJSON, now time.Time) string {
	asked := *in
	asked.Match, asked.Lang, asked.Accept = "", lang, ""
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%v|%d|%v|%v|%v|%d", s.name, asked, l.Rev, l.Counts, l.Flights, l.Waiting, now.Unix()/60))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

func matches(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}

// item is the Item with this number.
func (s *Site) item(ctx context.Context, id int64) (pipeline.Item, error) {
	items, err := s.pipe.Journal.Items(ctx, pipeline.Query{Corp: s.pipe.Corp, IDs: []int64{id}})
	if err != nil {
		return pipeline.Item{}, err
	}
	if len(items) == 0 {
		return pipeline.Item{}, noItem(id)
	}
	return items[0], nil
}

// view is an Item as it is shown.
func (s *Site) view(ctx context.Context, it pipeline.Item, sp Spoken) (itemView, error) {
	now, err := s.pipe.Journal.Now(ctx)
	if err == nil && it.Step != pipeline.Done && it.Fault == nil {
		var rev int64
		if rev, err = s.pipe.Journal.Rev(ctx); err == nil {
			_, blocks, e := s.counts(ctx, rev, now)
			it, err = blocks.Shown(it), e
		}
	}
	seen := s.sights.of(s.pipe, []pipeline.Item{it})
	return itemView{it.In(s.lang(sp.Lang, sp.Accept)), now, seen[0]}, err
}

// answer is an Item, or why there is none.
func (s *Site) answer(ctx context.Context, status int, it pipeline.Item, sp Spoken, err error) (*oneItem, error) {
	var v itemView
	if err == nil {
		v, err = s.view(ctx, it, sp)
	}
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	return &oneItem{Status: status, Body: v}, nil
}

func (s *Site) getItem(ctx context.Context, in *byID) (*oneItem, error) {
	it, err := s.item(ctx, in.ID)
	return s.answer(ctx, http.StatusOK, it, in.Spoken, err)
}

type historyOutput struct {
	Body struct {
		Events []eventJSON `json:"events" nullable:"false" doc:"The oldest first; an item keeps its last 30."`
	}
}

func (s *Site) getHistory(ctx context.Context, in *byID) (*historyOutput, error) {
	it, err := s.item(ctx, in.ID)
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	out := &historyOutput{}
	out.Body.Events = eventsOf(it, s.lang(in.Lang, in.Accept))
	return out, nil
}

func (s *Site) retryItem(ctx context.Context, in *byID) (*oneItem, error) {
	it, err := s.item(ctx, in.ID)
	if err == nil {
		var released []pipeline.Item
		released, err = s.pipe.Retry(ctx, []int64{in.ID})
		switch {
		case err == nil && len(released) == 0:
			err = notHeld(it)
		case err == nil:
			it = released[0]
		}
	}
	return s.answer(ctx, http.StatusOK, it, in.Spoken, err)
}
