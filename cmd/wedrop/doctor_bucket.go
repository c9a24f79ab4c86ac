package main

import (
	"context"
	"errors"
	"time"

	"wedrop/storage"
)

// A bucketCase is what is known of the bucket so far.
type bucketCase struct {
	*storage.Bucket // nil: there is none to try
	driver          storage.Driver
	err             error // why

	trial *storage.Trial // an object of it may be there
	saw   error          // by the anonymous read
}

// openTrial opens the bucket with less patience than those who send files.
func (d *doctor) openTrial(ctx context.Context) {
	b := &d.bucket
	if d.cfg.Storage.URL == "" {
		return
	}
	where, err := storage.SplitURL(d.cfg.Storage.URL)
	if err == nil {
		b.driver, err = openDriver(ctx, where.Scheme, d.cfg.Storage.URL)
	}
	if err != nil {
		b.driver, b.err = nil, err
		return
	}
	b.Bucket, b.err = storage.New(b.driver, storage.Options{
		Prefix:    where.Prefix,
		PublicURL: d.cfg.Storage.PublicURL,
		Access:    d.cfg.Storage.Access,
		Attempts:  2,
		Pause:     200 * time.Millisecond,
		Stall:     3 * time.Second,
		Log:       d.log,
	})
	if b.err != nil {
		b.Bucket = nil
	}
}

func (b *bucketCase) reason() storage.Reason {
	var e *storage.Error
	if errors.As(b.err, &e) {
		return e.Reason
	}
	return storage.ReasonNone
}

// misconfigured reports whether the fault is in the configuration itself, and
// of no check that comes later.
func (b *bucketCase) misconfigured() bool {
	switch b.reason() {
	case storage.ReasonCredentials, storage.ReasonFolder, storage.ReasonLinkLength:
		return false
	}
	return b.err != nil
}

// blocked is the finding of a check for which there is no bucket.
func (d *doctor) blocked() finding {
	switch d.bucket.reason() {
	case storage.ReasonCredentials:
		return d.needs("secrets")
	case storage.ReasonLinkLength:
		return d.needs("link-length")
	}
	return d.needs("configuration")
}

// write stores a tiny object, in one PUT with its MD5.
func (d *doctor) write(ctx context.Context) finding {
	b := &d.bucket
	switch {
	case b.Bucket == nil && b.reason() == storage.ReasonFolder:
		return d.told(ctx, d.cfg.located(b.err))
	case b.Bucket == nil:
		return d.blocked()
	}
	b.trial = b.Try()
	if err := b.trial.Write(ctx); err != nil {
		f := d.told(ctx, err)
		if unreachable(err) {
			f.Remedy = d.say.Doctor.WriteLostRemedy // nobody tries again by himself, as for a file
		}
		return f
	}
	return good(d.say.Doctor.WriteGood(b.ID()))
}

// read fetches it as a stranger.
func (d *doctor) read(ctx context.Context) finding {
	m, b := &d.say.Doctor, &d.bucket
	if d.found("bucket-write").Status != passed {
		return d.needs("bucket-write")
	}
	fresh, err := b.trial.Read(ctx)
	b.saw = err
	link := b.trial.Object().URL
	var e *storage.Error
	switch {
	case err == nil && !fresh:
		return warning(m.ReadCached, m.ReadCachedRemedy)
	case err == nil:
		return good(m.ReadGood(link))
	case errors.As(err, &e) && aboutRange(e):
		return good(m.ReadGood(link))
	case e != nil && unreachable(e):
		return broken(m.ReadLost(link, e.Detail), m.ReadLostRemedy)
	case e != nil && e.Kind == storage.Changed:
		return broken(m.ReadOther(link, e.Detail), m.ReadOtherRemedy)
	}
	return d.told(ctx, err)
}

func unreachable(err error) bool {
	var e *storage.Error
	return errors.As(err, &e) && e.Kind == storage.Unreachable
}

// aboutRange says whether the link was read, but not in parts as they are.
func aboutRange(e *storage.Error) bool {
	return e.Kind == storage.NoRange || e.Reason == storage.ReasonEncoded
}

// ranges tells what read saw.
func (d *doctor) ranges(ctx context.Context) finding {
	var e *storage.Error
	switch {
	case d.bucket.saw != nil && errors.As(d.bucket.saw, &e) && aboutRange(e):
		return d.told(ctx, d.bucket.saw)
	case !d.found("public-read").OK:
		return d.needs("public-read")
	}
	return good(d.say.Doctor.RangeGood)
}

// listing looks whether strangers see what else is there. It is a warning:
// files go all the same.
func (d *doctor) listing(ctx context.Context) finding {
	m, b := &d.say.Doctor, &d.bucket
	if d.found("bucket-write").Status != passed {
		return d.needs("bucket-write")
	}
	listed, err := b.trial.Listed(ctx)
	switch {
	case err != nil:
		return unproven(m.ListingUnknown, m.NoAnswerRemedy)
	case listed:
		return warning(m.ListingOpen, m.ListingOpenRemedy(b.ID()))
	}
	return good(m.ListingClosed)
}

func (d *doctor) linkLength(ctx context.Context) finding {
	b := &d.bucket
	switch {
	case b.reason() == storage.ReasonLinkLength:
		return d.told(ctx, d.cfg.located(b.err))
	case b.Bucket == nil && b.reason() == storage.ReasonFolder:
		return d.needs("bucket-write")
	case b.Bucket == nil:
		return d.blocked()
	}
	return good(d.say.Doctor.LinkGood(b.LongestLink()))
}

// clean removes the object, and what an earlier doctor left that was killed.
func (d *doctor) clean(ctx context.Context) finding {
	if d.found("bucket-write").Status != passed {
		return d.needs("bucket-write")
	}
	if err := d.bucket.trial.Remove(ctx); err != nil {
		f := d.told(ctx, err)
		f.Message = d.say.Doctor.CleanLeft(d.bucket.trial.Object().Key) + "\n" + f.Message
		return f
	}
	d.bucket.trial = nil
	return good(d.say.Doctor.CleanGood)
}

// abandonTrial removes an object that clean did not get to: after a Ctrl-C, or
// where a write ended without an answer.
func (d *doctor) abandonTrial() {
	if d.bucket.trial == nil || d.found("bucket-clean").Status == failed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = d.bucket.trial.Remove(ctx) // the next doctor's is in the same place
}
