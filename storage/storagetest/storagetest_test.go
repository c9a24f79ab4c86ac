package storagetest_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/s3bucket"
	"wedrop/storage/s3bucket/s3test"
	"wedrop/storage/storagetest"
)

// broken are drivers with one fault each, by the rule that has to find it.
var broken = map[string]func(storage.Driver) storage.Driver{
	"a body that differs from its MD5 is not stored":             func(d storage.Driver) storage.Driver { return credulous{d} },
	"a body that differs from its MD5 replaces nothing":          func(d storage.Driver) storage.Driver { return deletes{d} },
	"a body that is too short is not stored":                     func(d storage.Driver) storage.Driver { return credulous{d} },
	"the body is left open":                                      func(d storage.Driver) storage.Driver { return closes{d} },
	"IfAbsent replaces nothing":                                  func(d storage.Driver) storage.Driver { return replaces{d} },
	"Head knows size and MD5":                                    func(d storage.Driver) storage.Driver { return misjudges{d} },
	"Delete removes the object":                                  func(d storage.Driver) storage.Driver { return keeps{d} },
	"Delete of a missing object is no error":                     func(d storage.Driver) storage.Driver { return strict{d} },
	"content type and disposition are served":                    func(d storage.Driver) storage.Driver { return typeless{d} },
	"an ACL makes an object public, and its absence does not":    func(d storage.Driver) storage.Driver { return exposes{d} },
	"a bucket that refuses ACLs gets by with its policy":         func(d storage.Driver) storage.Driver { return vague{d} },
	"a busy service is tried again by the Bucket alone":          func(d storage.Driver) storage.Driver { return eager{d} },
	"a busy service says when to come back":                      func(d storage.Driver) storage.Driver { return vague{d} },
	"an ETag that is not the MD5 is an error and leaves nothing": func(d storage.Driver) storage.Driver { return trusting{d} },
	"a context that ends stops the upload and leaves nothing":    func(d storage.Driver) storage.Driver { return deaf{d} },
	"ID names no endpoint and no secret":                         func(d storage.Driver) storage.Driver { return talkative{d} },
	"wrong credentials are denied":                               func(d storage.Driver) storage.Driver { return vague{d} },
	"Chinese and reserved characters in keys are kept":           func(d storage.Driver) storage.Driver { return plain{d} },
	"a policy opens the prefix and nothing else":                 func(d storage.Driver) storage.Driver { return generous{d} },
	"a refusal before the body is read arrives as what it is":    func(d storage.Driver) storage.Driver { return vague{d} },
	"a reset amid the body is unreachable and leaves nothing":    func(d storage.Driver) storage.Driver { return eager{d} },
	"a poisoned object is replaced":                              func(d storage.Driver) storage.Driver { return first{d} },
	"a stored object is served to everybody in ranges":           func(d storage.Driver) storage.Driver { return plain{d} },
	"a body that breaks is not stored":                           func(d storage.Driver) storage.Driver { return patient{d} },
	"a bucket that blocks public ACLs gets by with its policy":   func(d storage.Driver) storage.Driver { return vague{d} },
	"Head of a missing object is not-found":                      func(d storage.Driver) storage.Driver { return optimist{d} },
}

const child = "STORAGETEST_BROKEN"

// Every rule above has to find its driver. The suite fails a test, which
// nothing within the process can undo, so it runs in processes of its own.
func TestTheSuiteFindsBrokenDrivers(t *testing.T) {
	if os.Getenv(child) != "" {
		return // this is the process of its own
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for rule := range broken {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			name := strings.ReplaceAll(rule, " ", "_")
			cmd := exec.Command(self, "-test.run=^TestBroken$/^"+name+"$")
			cmd.Env = append(os.Environ(), child+"="+rule)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "the driver passed:\n%s", out)
			require.Contains(t, string(out), "--- FAIL: TestBroken/"+name)
			require.Contains(t, string(out), "why it matters: ")
		})
	}
}

func TestBroken(t *testing.T) {
	spoil := broken[os.Getenv(child)]
	if spoil == nil {
		return // it is run by TestTheSuiteFindsBrokenDrivers
	}
	for k, v := range (s3test.Settings{}).Env() {
		os.Setenv(k, v)
	}
	storagetest.Run(t, storagetest.Harness{Open: func(t *testing.T, s storagetest.Situation) storagetest.Bucket {
		srv := s3test.New("bucket", s3test.Settings{})
		t.Cleanup(srv.Close)
		good, err := s3bucket.Open(t.Context(), srv.URL(""))
		require.NoError(t, err)
		d := spoil(good)
		srv.Set(func(set *s3test.Settings) {
			if s != storagetest.ACLs {
				set.Policy = d.Policy(storagetest.Prefix)
			}
			set.OwnerEnforced = s == storagetest.ACLsRefused
			set.BlockPublicACLs = s == storagetest.ACLsBlocked
			if s == storagetest.WrongSecret {
				set.Secret = "another"
			}
		})
		return storagetest.Bucket{Driver: d, Faults: srv.Faults}
	}})
}

type (
	credulous struct{ storage.Driver } // believes the body, not the MD5
	deletes   struct{ storage.Driver } // makes room before it writes
	closes    struct{ storage.Driver }
	replaces  struct{ storage.Driver }
	misjudges struct{ storage.Driver }
	keeps     struct{ storage.Driver }
	strict    struct{ storage.Driver }
	typeless  struct{ storage.Driver }
	exposes   struct{ storage.Driver }
	vague     struct{ storage.Driver }
	eager     struct{ storage.Driver }
	trusting  struct{ storage.Driver } // looks at no ETag: here, puts it right
	deaf      struct{ storage.Driver }
	talkative struct{ storage.Driver }
	plain     struct{ storage.Driver } // links keys unescaped and without their folder
	generous  struct{ storage.Driver }
	patient   struct{ storage.Driver } // fills up a body that breaks
	optimist  struct{ storage.Driver }
	first     struct{ storage.Driver } // the first one stays
)

func (d credulous) Put(ctx context.Context, r storage.PutRequest) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return d.Driver.Put(ctx, refilled(r, b))
}

func refilled(r storage.PutRequest, b []byte) storage.PutRequest {
	sum := md5.Sum(b)
	r.Body, r.Size, r.MD5 = bytes.NewReader(b), int64(len(b)), hex.EncodeToString(sum[:])
	return r
}

func (d deletes) Put(ctx context.Context, r storage.PutRequest) error {
	if err := d.Delete(ctx, r.Key); err != nil {
		return err
	}
	return d.Driver.Put(ctx, r)
}

func (d closes) Put(ctx context.Context, r storage.PutRequest) error {
	if c, ok := r.Body.(io.Closer); ok {
		defer c.Close()
	}
	return d.Driver.Put(ctx, r)
}

func (d replaces) Put(ctx context.Context, r storage.PutRequest) error {
	r.IfAbsent = false
	return d.Driver.Put(ctx, r)
}

func (d first) Put(ctx context.Context, r storage.PutRequest) error {
	r.IfAbsent = true
	return d.Driver.Put(ctx, r)
}

func (d misjudges) Head(ctx context.Context, key string) (storage.Attrs, error) {
	a, err := d.Driver.Head(ctx, key)
	a.Size, a.MD5 = 40_000, ""
	return a, err
}

func (keeps) Delete(context.Context, string) error { return nil }

func (d strict) Delete(ctx context.Context, key string) error {
	if _, err := d.Head(ctx, key); err != nil {
		return err
	}
	return d.Driver.Delete(ctx, key)
}

func (d typeless) Put(ctx context.Context, r storage.PutRequest) error {
	r.ContentType, r.Disposition = "text/html", ""
	return d.Driver.Put(ctx, r)
}

func (d exposes) Put(ctx context.Context, r storage.PutRequest) error {
	r.ACL = true
	return d.Driver.Put(ctx, r)
}

func (d vague) Classify(err error) storage.Fault {
	if d.Driver.Classify(err).Cause == storage.CauseNotFound {
		return storage.Fault{Cause: storage.CauseNotFound}
	}
	return storage.Fault{Cause: storage.CauseBadRequest}
}

func (d eager) Put(ctx context.Context, r storage.PutRequest) (err error) {
	for range 3 {
		if err = d.Driver.Put(ctx, r); err == nil {
			return nil
		}
		if _, err := r.Body.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	return err
}

func (d trusting) Put(ctx context.Context, r storage.PutRequest) error {
	err := d.Driver.Put(ctx, r)
	if err != nil && d.Classify(err).Cause == storage.CauseBadDigest {
		return nil
	}
	return err
}

func (d deaf) Put(_ context.Context, r storage.PutRequest) error {
	return d.Driver.Put(context.Background(), r)
}

func (talkative) ID() string { return "s3://key:secret@bucket?region=r" }

func (d plain) URL(key string) string {
	base := strings.TrimSuffix(d.Driver.URL(""), "/")
	return base + "/" + key[strings.LastIndex(key, "/")+1:]
}

func (d generous) Policy(string) string { return d.Driver.Policy("") }

func (d patient) Put(ctx context.Context, r storage.PutRequest) error {
	b, err := io.ReadAll(r.Body)
	if err == nil {
		return d.Driver.Put(ctx, r)
	}
	if len(b) == 0 {
		return errors.New("nothing to fill up")
	}
	return d.Driver.Put(ctx, refilled(r, append(b, make([]byte, r.Size-int64(len(b)))...)))
}

func (d optimist) Head(ctx context.Context, key string) (storage.Attrs, error) {
	a, err := d.Driver.Head(ctx, key)
	if err != nil && d.Classify(err).Cause == storage.CauseNotFound {
		return storage.Attrs{}, nil
	}
	return a, err
}
