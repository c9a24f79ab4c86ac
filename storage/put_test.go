package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

func TestPutSendsOnce(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, f)
	blob := blobOf("content")
	var sent atomic.Int64
	blob.Sent = &sent
	var started []storage.Object
	blob.Starting = func(_ context.Context, o storage.Object) error { started = append(started, o); return nil }

	obj, err := b.Put(t.Context(), blob)
	require.NoError(t, err)
	require.Equal(t, storage.Object{Bucket: "s3://fake", Key: "m/" + blob.MD5 + ".mp4", URL: f.url + "/m/" + blob.MD5 + ".mp4", Uploaded: true}, obj)
	require.EqualValues(t, 7, sent.Load())
	require.Len(t, started, 1)
	require.Equal(t, obj.URL, started[0].URL)

	obj, err = b.Put(t.Context(), blob)
	require.NoError(t, err)
	require.False(t, obj.Uploaded)
	require.Len(t, f.requests(), 1)
	require.Len(t, started, 1, "Starting is not called if nothing is sent")

	blob.Replace = true
	obj, err = b.Put(t.Context(), blob)
	require.NoError(t, err)
	require.True(t, obj.Uploaded)
	require.Len(t, f.requests(), 2)
}

func TestPutAsksForTheRightHeaders(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, f)
	page := blobOf("<html>")
	page.ContentType, page.Ext = "text/html", ".html"
	_, err := b.Put(t.Context(), page)
	require.NoError(t, err)
	r := f.requests()[0]
	require.Equal(t, "application/octet-stream", r.ContentType)
	require.Equal(t, "attachment", r.Disposition)
	require.True(t, r.ACL)
	require.True(t, r.IfAbsent)
	_, err = b.Put(t.Context(), blobOf("video"))
	require.NoError(t, err)
	require.Equal(t, "video/mp4", f.requests()[1].ContentType)
	require.Empty(t, f.requests()[1].Disposition)
}

func TestPutReplacesWhatIsNotTheFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		there string
		hide  bool
		puts  int
	}{
		"another size":                  {"cont", false, 1},
		"another size, MD5 unknown":     {"cont", true, 1},
		"another MD5":                   {"CONTENT", false, 1},
		"same size, MD5 unknown: trust": {"CONTENT", true, 0},
		"the same":                      {"content", false, 0},
	} {
		f := serve(t, nil)
		f.hide = c.hide
		b := bucketOver(t, f)
		blob := blobOf("content")
		key := b.Where(blob).Key
		f.objects[key] = []byte(c.there)
		_, err := b.Put(t.Context(), blob)
		require.NoError(t, err, name)
		require.Len(t, f.requests(), c.puts, name)
		if c.puts > 0 {
			require.Equal(t, "content", string(f.objects[key]), name)
			require.False(t, f.requests()[0].IfAbsent, name)
		}
	}
}

func TestPutTriesAgainWithTheFileOpenedAnew(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	f.before = func(n int, r storage.PutRequest) error {
		if n < 3 {
			_, _ = io.CopyN(io.Discard, r.Body, 3)
			return failing(storage.CauseBusy, "SlowDown", 503)
		}
		return nil
	}
	blob := blobOf("content")
	var sent atomic.Int64
	blob.Sent = &sent
	opened, started := 0, 0
	open := blob.Open
	blob.Open = func() (io.ReadSeekCloser, error) { opened++; return open() }
	blob.Starting = func(context.Context, storage.Object) error { started++; return nil }
	obj, err := bucketOver(t, f).Put(t.Context(), blob)
	require.NoError(t, err)
	require.True(t, obj.Uploaded)
	require.Equal(t, 3, opened)
	require.Equal(t, 1, started)
	require.EqualValues(t, 7, sent.Load(), "set back when a try begins")
}

func TestPutGivesUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		tries int
		kind  storage.Kind
	}{
		"wrong keys":     {failing(storage.CauseDenied, "SignatureDoesNotMatch", 403), 1, storage.Denied},
		"no bucket":      {failing(storage.CauseNoBucket, "NoSuchBucket", 404), 1, storage.BadConfig},
		"clock":          {failing(storage.CauseClock, "RequestTimeTooSkewed", 403), 1, storage.BadConfig},
		"full":           {failing(storage.CauseFull, "QuotaExceeded", 403), 1, storage.BadConfig},
		"another body":   {failing(storage.CauseBadDigest, "BadDigest", 400), 1, storage.Changed},
		"something else": {failing(storage.CauseBadRequest, "InvalidArgument", 400), 1, storage.BadConfig},
		"busy":           {failing(storage.CauseBusy, "SlowDown", 503), 4, storage.Unreachable},
		"unknown":        {failing(storage.CauseUnknown, "What", 299), 4, storage.Unreachable},
	} {
		f := serve(t, nil)
		f.before = func(int, storage.PutRequest) error { return c.err }
		_, err := bucketOver(t, f).Put(t.Context(), blobOf("content"))
		e := kindOf(t, err)
		require.Equal(t, c.kind, e.Kind, name)
		require.Equal(t, "storage/"+string(c.kind), e.FaultCode(), name)
		require.Equal(t, c.kind == storage.Unreachable, e.Temporary(), name)
		require.Len(t, f.requests(), c.tries, name)
		require.ErrorIs(t, err, c.err, name)
	}
}

func TestPutWaitsAsLongAsTheServiceAsks(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	f.before = func(n int, _ storage.PutRequest) error {
		if n == 1 {
			return &fault{Cause: storage.CauseBusy, RetryAfter: 50 * time.Millisecond}
		}
		return nil
	}
	begin := time.Now()
	_, err := bucketOver(t, f).Put(t.Context(), blobOf("content"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)

	// An hour is for the caller to wait, not for a call to hang.
	f.before = func(int, storage.PutRequest) error {
		return &fault{Cause: storage.CauseBusy, RetryAfter: time.Hour}
	}
	_, err = bucketOver(t, f).Put(t.Context(), blobOf("other"))
	require.Equal(t, time.Hour, kindOf(t, err).Fault.RetryAfter)
	require.Len(t, f.requests(), 3)
}

func TestPutEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	f.before = func(int, storage.PutRequest) error { cancel(); return failing(storage.CauseBusy, "SlowDown", 503) }
	begin := time.Now()
	_, err := bucketOver(t, f, func(o *storage.Options) { o.Pause = time.Hour }).Put(ctx, blobOf("content"))
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(begin), 10*time.Second)
}

// explained is the error of a file that can speak for itself, as inspect's.
type explained struct{}

func (explained) Error() string     { return "changed under us" }
func (explained) FaultCode() string { return "inspect/changed" }

func TestTheLocalFilesErrorsAreItsOwn(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	open := func(content string) func() (io.ReadSeekCloser, error) { return blobOf(content).Open }
	for name, c := range map[string]struct {
		open func() (io.ReadSeekCloser, error)
		puts int
		want error
	}{
		"cannot be opened": {func() (io.ReadSeekCloser, error) { return nil, gone }, 0, gone},
		"was cut":          {open("conten"), 1, io.ErrUnexpectedEOF},
		"has grown":        {open("content and more"), 1, nil},
	} {
		f := serve(t, nil)
		blob := blobOf("content")
		blob.Open = c.open
		_, err := bucketOver(t, f).Put(t.Context(), blob)
		e := kindOf(t, err)
		require.Equal(t, storage.Changed, e.Kind, name)
		require.Equal(t, storage.ReasonSource, e.Reason, name)
		require.Len(t, f.requests(), c.puts, name)
		require.Empty(t, f.objects, name)
		if c.want != nil {
			require.ErrorIs(t, err, c.want, name)
		}
	}
	blob := blobOf("content")
	blob.Open = func() (io.ReadSeekCloser, error) { return nil, fmt.Errorf("open: %w", explained{}) }
	_, err := bucketOver(t, serve(t, nil)).Put(t.Context(), blob)
	var e *storage.Error
	require.NotErrorAs(t, err, &e, "an error with a fault code stays what it is")
	require.ErrorIs(t, err, explained{})
}

func TestPutFailsWithStartings(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	blob, no := blobOf("content"), errors.New("ledger is full")
	blob.Starting = func(context.Context, storage.Object) error { return no }
	_, err := bucketOver(t, f).Put(t.Context(), blob)
	require.ErrorIs(t, err, no)
	require.Empty(t, f.requests())
}

func TestPutFindsThatSomebodyElseWasFaster(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	f.before = func(int, storage.PutRequest) error { return failing(storage.CauseExists, "PreconditionFailed", 412) }
	obj, err := bucketOver(t, f).Put(t.Context(), blobOf("content"))
	require.NoError(t, err)
	require.False(t, obj.Uploaded)
}

// A connection that breaks after the last byte leaves the object there; the
// second try hears "exists" of our own.
func TestPutRecognizesItsOwnEarlierTry(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	blob := blobOf("content")
	f.before = func(n int, r storage.PutRequest) error {
		if n == 1 {
			f.objects[r.Key] = []byte("content")
			return failing(storage.CauseBusy, "InternalError", 500)
		}
		return nil
	}
	obj, err := bucketOver(t, f).Put(t.Context(), blob)
	require.NoError(t, err)
	require.True(t, obj.Uploaded)
}

// Without the right to list, S3 answers HEAD of a missing key with 403.
func TestPutGoesOnIfItMayNotLook(t *testing.T) {
	t.Parallel()
	for _, c := range []error{
		failing(storage.CauseDenied, "Forbidden", 403),
		failing(storage.CauseBadRequest, "BadRequest", 400),
		failing(storage.CauseNoBucket, "MovedPermanently", 301),
	} {
		f := serve(t, nil)
		f.head = func() (storage.Attrs, error) { return storage.Attrs{}, c }
		obj, err := bucketOver(t, f).Put(t.Context(), blobOf("content"))
		require.NoError(t, err)
		require.True(t, obj.Uploaded)
		require.Equal(t, 1, f.heads)
	}
	f := serve(t, nil)
	f.head = func() (storage.Attrs, error) { return storage.Attrs{}, failing(storage.CauseBusy, "", 503) }
	_, err := bucketOver(t, f).Put(t.Context(), blobOf("content"))
	require.Equal(t, "head", kindOf(t, err).Op)
	require.Equal(t, 4, f.heads)
	require.Empty(t, f.requests())
}

func TestAccess(t *testing.T) {
	t.Parallel()
	noACL := failing(storage.CauseNoACL, "AccessControlListNotSupported", 400)
	denied := failing(storage.CauseDenied, "AccessDenied", 403)
	wrong := failing(storage.CauseDenied, "SignatureDoesNotMatch", 403)
	for name, c := range map[string]struct {
		access  storage.Access
		withACL error
		without error
		want    []bool // ACL of the requests for two files
		kind    storage.Kind
	}{
		"auto, ACLs taken":            {storage.AccessAuto, nil, nil, []bool{true, true}, ""},
		"auto, ACLs refused":          {storage.AccessAuto, noACL, nil, []bool{true, false, false}, ""},
		"auto, public ACLs blocked":   {storage.AccessAuto, denied, nil, []bool{true, false, false}, ""},
		"auto, no rights at all":      {storage.AccessAuto, denied, denied, []bool{true, false, true, false}, storage.Denied},
		"auto, wrong secret":          {storage.AccessAuto, wrong, wrong, []bool{true, true}, storage.Denied},
		"auto, no ACLs and no rights": {storage.AccessAuto, noACL, denied, []bool{true, false, false}, storage.Denied},
		"object-acl, ACLs taken":      {storage.AccessACL, nil, nil, []bool{true, true}, ""},
		"object-acl, ACLs refused":    {storage.AccessACL, noACL, nil, []bool{true, true}, storage.BadConfig},
		// Huawei's block of public ACLs reads like wrong keys.
		"object-acl, public ACLs blocked": {storage.AccessACL, denied, nil, []bool{true, false, true, false}, storage.BadConfig},
		"object-acl, no rights at all":    {storage.AccessACL, denied, denied, []bool{true, false, true, false}, storage.Denied},
		"bucket-policy, no ACL is sent":   {storage.AccessPolicy, noACL, nil, []bool{false, false}, ""},
		"bucket-policy, and no rights":    {storage.AccessPolicy, nil, denied, []bool{false, false}, storage.Denied},
		"bucket-policy, not implemented":  {storage.AccessPolicy, nil, failing(storage.CauseNoACL, "NotImplemented", 501), []bool{false, false}, storage.BadConfig},
	} {
		f := serve(t, nil)
		f.before = func(_ int, r storage.PutRequest) error {
			if r.ACL {
				return c.withACL
			}
			return c.without
		}
		b := bucketOver(t, f, func(o *storage.Options) { o.Access = c.access })
		for _, content := range []string{"one", "two"} {
			_, err := b.Put(t.Context(), blobOf(content))
			if c.kind == "" {
				require.NoError(t, err, name)
				continue
			}
			e := kindOf(t, err)
			require.Equal(t, c.kind, e.Kind, name)
			if c.kind == storage.BadConfig && e.Fault.Cause == storage.CauseNoACL {
				require.Equal(t, "POLICY m/*", e.Policy, name)
			}
		}
		var got []bool
		for _, r := range f.requests() {
			got = append(got, r.ACL)
		}
		require.Equal(t, c.want, got, name)
	}
}

// golang/go#67555: the refusal of a big body is lost in the reset.
func TestARefusalThatWasLostInAResetIsAskedFor(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "write", Err: errors.New("connection reset by peer")}
	for name, c := range map[string]struct {
		small error
		tries int
		kind  storage.Kind
	}{
		"denied":                     {failing(storage.CauseDenied, "InvalidAccessKeyId", 403), 2, storage.Denied},
		"no bucket":                  {failing(storage.CauseNoBucket, "NoSuchBucket", 404), 2, storage.BadConfig},
		"a network that breaks":      {nil, 5, storage.Unreachable},
		"a service that is too busy": {failing(storage.CauseBusy, "SlowDown", 503), 5, storage.Unreachable},
	} {
		f := serve(t, nil)
		f.before = func(_ int, r storage.PutRequest) error {
			if r.Size > 1 {
				return reset
			}
			return c.small
		}
		_, err := bucketOver(t, f).Put(t.Context(), blobOf("content"))
		require.Equal(t, c.kind, kindOf(t, err).Kind, name)
		require.Len(t, f.requests(), c.tries, name)
		require.Empty(t, f.objects, name)
	}

	f := serve(t, nil) // a lost "takes no ACLs"
	f.before = func(_ int, r storage.PutRequest) error {
		switch {
		case !r.ACL:
			return nil
		case r.Size > 1:
			return reset
		}
		return failing(storage.CauseNoACL, "AccessControlListNotSupported", 400)
	}
	_, err := bucketOver(t, f).Put(t.Context(), blobOf("content"))
	require.NoError(t, err)
	require.Len(t, f.requests(), 3)

	f = serve(t, nil) // nobody there: nothing to ask
	f.before = func(int, storage.PutRequest) error { return &net.OpError{Op: "dial", Err: errors.New("refused")} }
	_, err = bucketOver(t, f).Put(t.Context(), blobOf("content"))
	require.Equal(t, storage.Unreachable, kindOf(t, err).Kind)
	require.Len(t, f.requests(), 4)
}

func TestAsk(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	require.NoError(t, bucketOver(t, f).Ask(t.Context()))
	require.Empty(t, f.objects)
	f.before = func(int, storage.PutRequest) error { return failing(storage.CauseDenied, "AccessDenied", 403) }
	require.Equal(t, storage.Denied, kindOf(t, bucketOver(t, f).Ask(t.Context())).Kind)
}

// A server that takes no more bytes and says nothing must not hold an upload
// for ever.
func TestPutGivesUpATryThatStandsStill(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, &hanging{fake: f}, func(o *storage.Options) { o.Stall = 20 * time.Millisecond })
	obj, err := b.Put(t.Context(), blobOf("content"))
	require.NoError(t, err)
	require.True(t, obj.Uploaded)
}

// hanging answers the first PUT never.
type hanging struct {
	*fake
	once sync.Once
}

func (h *hanging) Put(ctx context.Context, r storage.PutRequest) error {
	first := false
	h.once.Do(func() { first = true })
	if first {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.fake.Put(ctx, r)
}

func TestConcurrentPutsOfOneKeySendOnce(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, f)
	var wg sync.WaitGroup
	var uploaded atomic.Int32
	for range 20 {
		wg.Go(func() {
			obj, err := b.Put(t.Context(), blobOf("content"))
			if err != nil {
				t.Error(err)
			}
			if obj.Uploaded {
				uploaded.Add(1)
			}
		})
	}
	wg.Wait()
	require.Len(t, f.requests(), 1)
	require.EqualValues(t, 1, uploaded.Load())
}

func TestAWaitingPutHasItsOwnContext(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	sending, goOn := make(chan struct{}), make(chan struct{})
	f.before = func(n int, r storage.PutRequest) error {
		if n == 1 {
			close(sending)
			<-goOn
		}
		return nil
	}
	b := bucketOver(t, f)
	leaderCtx, cancelLeader := context.WithCancel(t.Context())
	leader := make(chan error, 1)
	go func() { _, err := b.Put(leaderCtx, blobOf("content")); leader <- err }()
	<-sending

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Put(ctx, blobOf("content"))
	require.ErrorIs(t, err, context.Canceled, "one who waits can leave")

	follower := make(chan error, 1)
	go func() { _, err := b.Put(t.Context(), blobOf("content")); follower <- err }()
	cancelLeader()
	close(goOn)
	require.ErrorIs(t, <-leader, context.Canceled)
	require.NoError(t, <-follower, "the other's cancelled context is not his")
	require.Len(t, f.requests(), 2)
}

func TestWaitingPutsShareARefusal(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	sending, goOn := make(chan struct{}), make(chan struct{})
	f.before = func(n int, r storage.PutRequest) error {
		if n == 1 {
			close(sending)
		}
		<-goOn
		return failing(storage.CauseDenied, "InvalidAccessKeyId", 403)
	}
	b := bucketOver(t, f)
	errs := make(chan error, 11)
	put := func(ctx context.Context) { _, err := b.Put(ctx, blobOf("content")); errs <- err }
	go put(t.Context())
	<-sending
	for range 10 {
		waits := make(chan struct{})
		go put(&watched{Context: t.Context(), waits: waits})
		<-waits
	}
	close(goOn)
	for range 11 {
		require.Equal(t, storage.Denied, kindOf(t, <-errs).Kind)
	}
	require.Len(t, f.requests(), 1, "wrong keys tried often get an account locked")
}

// A watched context tells when somebody first waits for its end.
type watched struct {
	context.Context
	waits chan struct{}
	once  sync.Once
}

func (w *watched) Done() <-chan struct{} {
	w.once.Do(func() { close(w.waits) })
	return w.Context.Done()
}

func TestABlobThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	for _, spoil := range []func(*storage.Blob){
		func(b *storage.Blob) { b.Open = nil },
		func(b *storage.Blob) { b.Size = 0 },
		func(b *storage.Blob) { b.MD5 = "" },
		func(b *storage.Blob) { b.MD5 = "../../../../etc/passwd0000000000" },
	} {
		blob := blobOf("content")
		spoil(&blob)
		_, err := bucketOver(t, f).Put(t.Context(), blob)
		require.Error(t, err)
		require.Zero(t, f.heads)
	}
}
