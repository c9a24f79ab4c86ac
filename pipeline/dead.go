package pipeline

import (
	"context"
	"errors"
	"strconv"
	"time"

	"wedrop/wecom"
)

// DeadMedia reports whether an error says that WeCom does not know a media_id
// (any more): 40007, as the answer to a call or as the Fault of an Item.
func DeadMedia(err error) bool {
	var answer *wecom.Error
	var held *FaultError
	switch {
	case errors.As(err, &answer):
		return answer.Kind == wecom.KindAnswer && answer.Code == wecom.CodeBadMediaID
	case errors.As(err, &held):
		return held.Item.Fault != nil && held.Item.Fault.Code == "wecom/"+strconv.Itoa(int(wecom.CodeBadMediaID))
	}
	return false
}

// discardTries and discardPause bound how long Discard waits for an Item that
// somebody works on: a renewal under way replaces the media_id anyway.
const (
	discardTries = 40
	discardPause = 100 * time.Millisecond
)

// Discard takes a media_id out of use: nothing in the ledger has it any more,
// and what had it is made anew by whoever works on the ledger. other says that
// WeCom holds other bytes under it, so the public copy is sent anew, too; else
// it is merely dead. It returns the Items as they stand, none if the ledger
// does not know the media_id. Errors: ctx's, the journal's.
func (p *Pipeline) Discard(ctx context.Context, media string, other bool) ([]Item, error) {
	if media == "" {
		return nil, nil
	}
	items, err := p.Journal.Items(ctx, Query{Corp: p.Corp, Media: media})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	ids := make([]int64, len(items))
	for n, it := range items {
		ids[n] = it.ID
	}
	for try := 1; ; try++ {
		now, err := p.Journal.Now(ctx)
		if err != nil {
			return nil, err
		}
		items, err = p.Journal.Amend(ctx, ids, func(it *Item) bool { return it.discard(media, other, now) })
		if err != nil {
			return nil, err
		}
		left := false
		for _, it := range items {
			left = left || it.Media != nil && it.Media.ID == media
		}
		if !left || try == discardTries {
			p.ring()
			return items, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(discardPause):
		}
	}
}

// discard takes the media_id away, and sends an Item that is done along the
// line again.
func (it *Item) discard(media string, other bool, now time.Time) bool {
	if it.Media == nil || it.Media.ID != media {
		return false
	}
	it.Media = nil
	it.Replace = it.Replace || other
	switch {
	case it.Step == Done:
		renew(it, now, other)
	case other && (it.Step == Submit || it.Step == Await):
		renew(it, now, true)
	}
	return true
}

// ReplaceMedia is Discard, and returns the Item with the media_id that takes
// the other's place, for which it works and waits until ctx ends. Errors are as
// of Media; *NotFoundError: the ledger does not know the media_id.
func (p *Pipeline) ReplaceMedia(ctx context.Context, media string, other bool) (Item, error) {
	items, err := p.Discard(ctx, media, other)
	if err != nil {
		return Item{}, err
	}
	if len(items) == 0 {
		return Item{}, &NotFoundError{media}
	}
	return p.Media(ctx, "id:"+strconv.FormatInt(items[0].ID, 10), 0)
}
