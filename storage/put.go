package storage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Put makes sure that a copy of blob is in the bucket and returns it. It sends
// nothing if a copy of the same size is there whose MD5 is the blob's or
// unknown (Prove decides then); a copy that differs is replaced. Whether the
// copy can be read by everybody is for Prove to say.
//
// It looks first whether a copy is there. After some looks in a row that found
// nothing, files of up to 256 KiB are sent without one, on the condition that
// nothing is there.
//
// It returns an *Error, of Kind Changed if the content is no longer what the
// blob says. Errors of Blob.Open and of the reader which have a FaultCode of
// their own, errors of Blob.Starting, and ctx.Err() are returned as they are.
//
// Of concurrent calls with the same key one sends, and the others wait for it.
func (b *Bucket) Put(ctx context.Context, blob Blob) (Object, error) {
	if err := blob.check(); err != nil {
		return Object{}, err
	}
	obj := b.Where(blob)
	if err := b.checkLink("put", obj); err != nil {
		return Object{}, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return Object{}, err
		}
		f, first := b.board(obj.Key)
		if first {
			return b.lead(ctx, f, obj, blob)
		}
		select {
		case <-ctx.Done():
			return Object{}, ctx.Err()
		case <-f.done:
		}
		if got, err, ok := f.shared(blob); ok {
			return got, err
		}
	}
}

// A flight is an upload of one key that is under way in this process.
type flight struct {
	done chan struct{}
	obj  Object
	err  error
}

func (b *Bucket) board(key string) (f *flight, first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.flights[key]; f != nil {
		return f, false
	}
	f = &flight{done: make(chan struct{})}
	b.flights[key] = f
	return f, true
}

// errPanicked is what those who wait see of one who never came back.
var errPanicked = errors.New("storage: an upload panicked")

func (b *Bucket) lead(ctx context.Context, f *flight, obj Object, blob Blob) (got Object, err error) {
	err = errPanicked
	defer func() { b.land(obj.Key, f, got, err) }()
	return b.ensure(ctx, obj, blob)
}

func (b *Bucket) land(key string, f *flight, obj Object, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.obj, f.err = obj, err
	delete(b.flights, key)
	close(f.done)
}

// shared is the outcome for a caller who waited, if it holds for him: not the
// other caller's cancelled context or changed file, and not a copy that was
// there before if this caller doubts it.
func (f *flight) shared(blob Blob) (Object, error, bool) {
	if f.err == nil {
		ok := f.obj.Uploaded || !blob.Replace
		obj := f.obj
		obj.Uploaded = false
		return obj, nil, ok
	}
	var e *Error
	if errors.As(f.err, &e) && e.Kind != Changed {
		return Object{}, f.err, true
	}
	return Object{}, nil, false
}

// ensure looks, and sends if need be.
func (b *Bucket) ensure(ctx context.Context, obj Object, blob Blob) (Object, error) {
	ifAbsent := !blob.Replace
	blind := ifAbsent && b.habit.sends(blob)
	if ifAbsent && !blind {
		there, err := b.look(ctx, obj, blob)
		if err != nil || there == same {
			return obj, err
		}
		ifAbsent = there != other
	}
	if blob.Starting != nil {
		if err := blob.Starting(ctx, obj); err != nil {
			return obj, err
		}
	}
	s := &sending{Bucket: b, obj: obj, blob: blob, ifAbsent: ifAbsent}
	err := b.again(ctx, s.try)
	if blind {
		err = s.doubt(ctx, err)
	}
	if err != nil {
		return Object{}, err
	}
	obj.Uploaded = s.sent
	return obj, nil
}

// doubt looks at what kept a file from being stored that was sent without
// looking. If it is another it is replaced, and if it is gone the file is sent
// again. A service that refuses before it has read the body resets the
// connection: where no answer came, something may be there, too.
func (s *sending) doubt(ctx context.Context, failed error) error {
	var e *Error
	lost := s.maybe && errors.As(failed, &e) && e.Kind == Unreachable
	if !s.found && !lost {
		return failed
	}
	there, err := s.look(ctx, s.obj, s.blob)
	if lost && (err != nil || there == nothing) {
		return failed
	}
	if err != nil || there == same {
		return err
	}
	s.ifAbsent, s.sent, s.maybe = there != other, false, false
	return s.again(ctx, s.try)
}

// A finding is what is under a key.
type finding int

const (
	nothing finding = iota // or the service does not let us look
	same
	other // poisoned: it would be trusted by its name
)

func (b *Bucket) look(ctx context.Context, obj Object, blob Blob) (found finding, err error) {
	err = b.again(ctx, func(ctx context.Context) (error, bool) {
		ctx, cancel := context.WithTimeout(ctx, b.stall)
		defer cancel()
		a, err := b.driver.Head(ctx, obj.Key)
		if err == nil {
			found = other
			if a.Size == blob.Size && (a.MD5 == "" || strings.EqualFold(a.MD5, blob.MD5)) {
				found = same
			}
			return nil, false
		}
		f := b.driver.Classify(err)
		if f.passes() || f.Cause == CauseClock {
			return b.fault("head", obj, f, err), f.passes()
		}
		// Not found. Or refused: without the right to list, S3 answers 403
		// for a missing key, and no answer to HEAD has a body to say why.
		// The PUT's has.
		found = nothing
		return nil, false
	})
	if err == nil {
		b.habit.looked(found)
	}
	return found, err
}

// A sending is one Put that has found nothing and sends.
type sending struct {
	*Bucket
	obj      Object
	blob     Blob
	ifAbsent bool

	sent  bool // our bytes are there
	found bool // something was there
	maybe bool // they may be: a try ended without an answer
	asked bool // the service was asked for the reason of a reset
}

// try is one round of again: mostly one PUT, two if the first shows that the
// service takes no ACLs.
func (s *sending) try(ctx context.Context) (error, bool) {
	acl := s.sendsACL() || s.blob.reopen
	f, err := s.put(ctx, acl)
	if err == nil {
		if acl {
			s.noACL.Store(false)
		}
		s.sent = true
		return nil, false
	}
	if own := source(err); own != nil {
		return s.sourceError("put", s.obj, own), false
	}
	if !acl && f.Cause == CauseNoACL {
		f.Cause = CauseBadRequest // something else that the service does not have
	}
	reached := f.passes() && !neverReached(err)
	s.maybe = s.maybe || reached
	if reached && f.Cause != CauseBusy && f.Status == 0 && !s.asked && !errors.Is(err, errStalled) && ctx.Err() == nil {
		s.asked = true
		if g, answer := s.ask(ctx, acl); answer != nil && !g.passes() {
			f, err = g, answer
		}
	}
	if s.blob.reopen && mayBeACL(f) {
		return errStaysPrivate, false
	}
	if acl && s.access == AccessACL && f.Cause == CauseDenied && mayBeACL(f) {
		// The same answer as to wrong keys: a byte without an ACL tells.
		if _, refused := s.ask(ctx, false); refused == nil {
			f.Cause = CauseNoACL
		}
	}
	if acl && s.access == AccessAuto && mayBeACL(f) {
		g, err2 := s.put(ctx, false)
		if err2 == nil {
			s.noACL.Store(true)
			s.sent = true
			return nil, false
		}
		if own := source(err2); own != nil {
			return s.sourceError("put", s.obj, own), false
		}
		if f.Cause == CauseNoACL {
			s.noACL.Store(true)
			f, err = g, err2
		}
	}
	if f.Cause == CauseExists && s.ifAbsent {
		s.sent, s.found = s.maybe, true
		return nil, false
	}
	return s.fault("put", s.obj, f, err), f.passes()
}

func (b *Bucket) sendsACL() bool {
	return b.access == AccessACL || b.access == AccessAuto && !b.noACL.Load()
}

// mayBeACL says whether the same request without an ACL may succeed. A bucket
// with public access blocked, and credentials without PutObjectAcl, answer
// with the same AccessDenied as one without any rights.
func mayBeACL(f Fault) bool {
	return f.Cause == CauseNoACL ||
		f.Cause == CauseDenied && f.Status == http.StatusForbidden && f.Code == "AccessDenied"
}

// put is one PUT with the file opened anew.
func (s *sending) put(ctx context.Context, acl bool) (Fault, error) {
	file, err := s.blob.Open()
	if err != nil {
		return Fault{}, &sourceErr{err}
	}
	defer file.Close()
	ctx, body := newBody(ctx, file, s.blob, s.stall)
	defer body.stop()
	contentType, disposition := s.blob.served()
	err = s.driver.Put(ctx, PutRequest{
		Key:         s.obj.Key,
		Body:        body,
		Size:        s.blob.Size,
		MD5:         s.blob.MD5,
		CRC32C:      s.blob.CRC32C,
		ContentType: contentType,
		Disposition: disposition,
		ACL:         acl,
		IfAbsent:    s.ifAbsent,
	})
	switch {
	case err == nil:
		return Fault{}, nil
	case body.err() != nil:
		return Fault{}, &sourceErr{body.err()}
	case errors.Is(context.Cause(ctx), errStalled):
		return Fault{Cause: CauseUnreachable}, fmt.Errorf("%w: %w", errStalled, err)
	}
	return s.driver.Classify(err), err
}

// A sourceErr came from the local file, not from the service.
type sourceErr struct{ error }

func source(err error) error {
	if e, ok := err.(*sourceErr); ok {
		return e.error
	}
	return nil
}
