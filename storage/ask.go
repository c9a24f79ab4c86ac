package storage

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net"
	"strings"
)

// askName is under the prefix. It is always the same, so that at most one
// tiny object stays where the credentials may not delete.
const askName = "wedrop-ask"

// Ask stores and removes an object of one byte and returns what the service
// says to it: nil, or an *Error. It tells whether the credentials may write
// under the prefix, without sending a file.
func (b *Bucket) Ask(ctx context.Context) error {
	obj := Object{Bucket: b.driver.ID(), Key: b.prefix + askName}
	return b.again(ctx, func(ctx context.Context) (error, bool) {
		acl := b.sendsACL()
		f, err := b.ask(ctx, acl)
		if err != nil && acl && b.access == AccessAuto && mayBeACL(f) {
			f, err = b.ask(ctx, false)
		}
		if err == nil {
			return nil, false
		}
		return b.fault("put", obj, f, err), f.passes()
	})
}

// ask is used by Put when a connection ends without an answer. A server that
// refuses before it has read the body closes the connection, and the refusal
// is lost in the reset (golang/go#67555). A request of one byte is over
// before anybody can close it, so its refusal arrives.
func (b *Bucket) ask(ctx context.Context, acl bool) (Fault, error) {
	const content = "?"
	sum := md5.Sum([]byte(content))
	key := b.prefix + askName
	ctx, cancel := context.WithTimeout(ctx, b.stall)
	defer cancel()
	err := b.driver.Put(ctx, PutRequest{
		Key:         key,
		Body:        strings.NewReader(content),
		Size:        int64(len(content)),
		MD5:         hex.EncodeToString(sum[:]),
		ContentType: "application/octet-stream",
		Disposition: "attachment",
		ACL:         acl,
	})
	if err != nil {
		return b.driver.Classify(err), err
	}
	if err := b.driver.Delete(ctx, key); err != nil {
		b.log.DebugContext(ctx, "storage: the tiny object stays", "key", key, "error", err)
	}
	return Fault{}, nil
}

// neverReached says whether the error came before a connection stood: then
// there is nothing to ask.
func neverReached(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
}
