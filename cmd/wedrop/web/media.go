package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// Who was told 202 may ask again after so long, or when the item goes on.
const (
	again       = 2 * time.Second
	againAtMost = time.Minute
)

// fetching is how old a new media_id may be when it is asked for. If more than
// the rest of its life were wanted, one would be made after the other.
const fetching = 5 * time.Minute

type mediaInput struct {
	Spoken
	Name   string `query:"name" required:"true" minLength:"1" maxLength:"4096" doc:"A shown name, a path, an MD5, or id: and the number of an item."`
	MinTTL string `query:"min_ttl" example:"1h" doc:"How long the media_id has to live at least; 5m if it is left out, 71h55m at most."`
}

func (s *Site) mediaOperation(api huma.API, r huma.Registry) {
	op := operation(r, "get-media", http.MethodGet, "/api/media", "A media_id that is valid now")
	op.Responses["200"] = itemResponse(r, "The item, with a media_id that is valid now")
	op.Responses["202"] = itemResponse(r, "It is being made: ask again after Retry-After")
	op.Responses["202"].Headers = map[string]*huma.Param{"Retry-After": {Schema: &huma.Schema{Type: "integer"}, Description: "In seconds"}}
	huma.Register(api, op, s.getMedia)
}

// getMedia answers from the ledger. Where that has a media_id that is not valid
// any more it wakes the item, and whoever serves the ledger does the work.
func (s *Site) getMedia(ctx context.Context, in *mediaInput) (*oneItem, error) {
	ttl, err := time.ParseDuration(orElse(in.MinTTL, "5m"))
	if err != nil || ttl < 0 || ttl > wecom.MediaLife-fetching {
		return nil, wrongRequest("min_ttl 要写成 1h、90m 这样的时长，最长 71h55m（media_id 一共只有 72 小时）", "min_ttl has to be a duration such as 1h or 90m, 71h55m at most: a media_id lives for 72 hours in all")
	}
	it, after, err := s.media(ctx, text(in.Name), ttl)
	if after == 0 {
		return s.answer(ctx, http.StatusOK, it, in.Spoken, err)
	}
	out, err := s.answer(ctx, http.StatusAccepted, it, in.Spoken, err)
	if err == nil {
		out.RetryAfter = strconv.Itoa(int(math.Ceil(after.Seconds())))
	}
	return out, err
}

// media is the Item of that name, and when to ask again: zero where its
// media_id is valid. One that is on its way is left to it, pauses included.
func (s *Site) media(ctx context.Context, name string, ttl time.Duration) (it pipeline.Item, after time.Duration, err error) {
	items, err := s.pipe.Find(ctx, name)
	switch {
	case err != nil:
		return it, 0, err
	case len(items) == 0:
		return it, 0, &pipeline.NotFoundError{Name: name}
	case len(items) > 1:
		return it, 0, &pipeline.AmbiguousError{Name: name, Items: items}
	}
	it = items[0]
	now, err := s.pipe.Journal.Now(ctx)
	switch {
	case err != nil:
		return it, 0, err
	case it.Valid(now, ttl):
		it.Reused = true
		return it, 0, nil
	case it.Held():
		no := heldBack(it)
		if it.Fault.Config { // the server tries by itself whether it was mended
			no.after = againAtMost
		}
		return it, 0, no
	case it.Step != pipeline.Done && it.Fault != nil:
		return it, min(max(it.Due.Sub(now), again), againAtMost), nil
	case it.Step != pipeline.Done:
		return it, again, nil
	}
	it, err = s.wake(ctx, it, pipeline.EnterOptions{RenewBefore: ttl})
	return it, again, err
}

// renewItem lets a done Item go along the line again. One that is on its way
// is left to it.
func (s *Site) renewItem(ctx context.Context, in *byID) (*oneItem, error) {
	it, err := s.item(ctx, in.ID)
	switch {
	case err == nil && it.Held():
		err = heldBack(it)
	case err == nil:
		it, err = s.wake(ctx, it, pipeline.EnterOptions{RenewBefore: 2 * wecom.MediaLife})
	}
	return s.answer(ctx, http.StatusAccepted, it, in.Spoken, err)
}

// wake sets an Item going. Its file goes with it as the ledger knows it.
func (s *Site) wake(ctx context.Context, it pipeline.Item, o pipeline.EnterOptions) (pipeline.Item, error) {
	entries := []pipeline.Entry{{Item: it}}
	if err := s.pipe.Wake(ctx, entries, o); err != nil {
		return it, err
	}
	return entries[0].Item, nil
}
