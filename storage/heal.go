package storage

import (
	"context"
	"errors"
)

// PutPublic is Put and then Prove. Where a copy was there already and is
// whole in the bucket but not public, it is sent once more before that is said:
// an object that was stored while ACLs were refused stays private after the
// bucket takes them, and nothing but another PUT opens it. The errors are those
// of Put and Prove; of one that cannot be opened so, Prove's.
func (b *Bucket) PutPublic(ctx context.Context, blob Blob) (Object, error) {
	obj, err := b.Put(ctx, blob)
	if err != nil {
		return obj, err
	}
	err = b.Prove(ctx, obj, blob)
	if obj.Uploaded || !b.opensAnew(err) {
		return obj, err
	}
	blob.Replace, blob.reopen = true, true
	again, failed := b.Put(ctx, blob)
	switch {
	case errors.Is(failed, errStaysPrivate):
		return obj, err
	case failed != nil:
		return obj, failed
	}
	return again, b.Prove(ctx, again, blob)
}

// opensAnew reports whether a copy that failed its proof may be public once it
// is sent again. A link that leads nowhere is another matter, and where a
// policy opens the prefix another PUT changes nothing.
func (b *Bucket) opensAnew(err error) bool {
	var e *Error
	return b.access != AccessPolicy && errors.As(err, &e) && e.Kind == NotPublic && e.Detail != notFound
}

// errStaysPrivate: the service takes no ACL, so sending the file would only
// make another private copy.
var errStaysPrivate = errors.New("storage: the service takes no ACL")
