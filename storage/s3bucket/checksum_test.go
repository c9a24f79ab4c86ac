package s3bucket_test

import (
	"context"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/s3bucket"
	"wedrop/storage/s3bucket/s3test"
)

const large = 9 << 20

func largeRequest(key string) storage.PutRequest {
	content := strings.Repeat("0123456789abcdef", large/16)
	r := request(key, content)
	r.CRC32C = crc32.Checksum([]byte(content), crc32.MakeTable(crc32.Castagnoli))
	return r
}

// Whoever compares the CRC32C is spared the second MD5; whoever does not gets
// Content-MD5 as before. Either was found out with one byte.
func TestALargeBodyGoesWithWhatTheServiceCompares(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  s3test.Settings
		crc  bool
		puts int // for two objects
	}{
		"it compares":            {s3test.Settings{}, true, 3},
		"it ignores checksums":   {s3test.Settings{NoChecksums: true}, false, 3},
		"ETags are no MD5s, too": {s3test.Settings{KMS: true}, true, 3},
	} {
		srv := serve(t, c.set)
		d := open(t, srv.URL("m"))
		for _, key := range []string{"m/1.mp4", "m/2.mp4"} {
			require.NoError(t, d.Put(t.Context(), largeRequest(key)), name)
			h := srv.PutHeader(key)
			require.Equal(t, c.crc, h.Get("X-Amz-Checksum-Crc32c") != "", name)
			require.Equal(t, c.crc, h.Get("Content-Md5") == "", name)
		}
		require.Equal(t, c.puts, srv.Faults.Requests(http.MethodPut), name)
		require.ElementsMatch(t, []string{"m/1.mp4", "m/2.mp4"}, srv.Keys(), "%s: nothing of the question stays", name)
	}
}

// A question that got no answer is asked again, and the file goes with its MD5
// meanwhile.
func TestTheQuestionForChecksumsMayFail(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{})
	d := open(t, srv.URL("m"))
	srv.Faults.Busy(1, time.Second)
	require.NoError(t, d.Put(t.Context(), largeRequest("m/1.mp4")))
	require.NotEmpty(t, srv.PutHeader("m/1.mp4").Get("Content-Md5"))
	require.NoError(t, d.Put(t.Context(), largeRequest("m/2.mp4")))
	require.Empty(t, srv.PutHeader("m/2.mp4").Get("Content-Md5"))
}

func TestSmallBodiesAskNothing(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{})
	d := open(t, srv.URL("m"))
	r := request("m/1.mp4", "hello")
	r.CRC32C = crc32.Checksum([]byte("hello"), crc32.MakeTable(crc32.Castagnoli))
	require.NoError(t, d.Put(t.Context(), r))
	unknown := largeRequest("m/2.mp4")
	unknown.CRC32C = 0
	require.NoError(t, d.Put(t.Context(), unknown))
	require.Equal(t, 2, srv.Faults.Requests(http.MethodPut))
	require.NotEmpty(t, srv.PutHeader("m/1.mp4").Get("Content-Md5"))
	require.NotEmpty(t, srv.PutHeader("m/2.mp4").Get("Content-Md5"))
}

// A real server refuses the lie in a way that is understood.
func TestARealServerComparesChecksums(t *testing.T) {
	gateway.start(t)
	name := gateway.name()
	gateway.makeBucket(t, name, "")
	d := open(t, "s3://"+name+"/?region=us-east-1&endpoint="+gateway.endpoint+"&path_style=true")
	require.True(t, s3bucket.Compares(d, t.Context(), "m/1.mp4"))
	_, err := d.Head(t.Context(), "m/wedrop-ask")
	require.Equal(t, storage.CauseNotFound, d.Classify(err).Cause)
	require.NoError(t, d.Put(t.Context(), largeRequest("m/1.mp4")))
	a, err := d.Head(t.Context(), "m/1.mp4")
	require.NoError(t, err)
	require.Equal(t, storage.Attrs{Size: large, MD5: largeRequest("m/1.mp4").MD5}, a)
}

// A question that hangs holds up the file for which it is asked, and no other.
func TestTheQuestionForChecksumsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	sums := make(chan string, 2)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/wedrop-ask") {
			close(asked)
			<-answer
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		sums <- r.Header.Get("Content-Md5")
	}))
	t.Cleanup(srv.Close)
	d := open(t, "s3://bucket/m?region="+s3test.Region+"&path_style=true&endpoint="+url.QueryEscape(srv.URL))
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- d.Put(context.Background(), largeRequest("m/1.mp4")) }()
	<-asked
	go func() { second <- d.Put(context.Background(), largeRequest("m/2.mp4")) }()
	select {
	case err := <-second:
		require.NoError(t, err)
		require.NotEmpty(t, <-sums, "nothing is known yet")
	case <-time.After(10 * time.Second):
		t.Error("it waits for another file's question")
	}
	close(answer)
	require.NoError(t, <-first)
}
