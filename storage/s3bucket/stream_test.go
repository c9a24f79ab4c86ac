package s3bucket_test

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

// zeros is a file of nothing but zeros that takes no memory.
type zeros struct{ at, size int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.at == z.size {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.size-z.at)
	clear(p[:n])
	z.at += n
	return int(n), nil
}

func (z *zeros) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += z.at
	case io.SeekEnd:
		offset += z.size
	}
	if offset < 0 || offset > z.size {
		return z.at, errors.New("outside of the file")
	}
	z.at = offset
	return offset, nil
}

func (*zeros) Close() error { return nil }

// Several files of 200 MiB are on their way at once on a small machine: none
// of them may be held in memory (the SDK's transfermanager takes 465 MB for
// four).
func TestUploadsAreStreamed(t *testing.T) {
	const size = 64 << 20
	h := md5.New()
	_, err := io.Copy(h, &zeros{size: size})
	require.NoError(t, err)
	sum := hex.EncodeToString(h.Sum(nil))
	var header atomic.Pointer[http.Header]
	endpoint := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		got := r.Header.Clone()
		header.Store(&got)
		io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"`+sum+`"`)
	})
	b, err := storage.New(open(t, "s3://bucket/m?endpoint="+endpoint), storage.Options{Prefix: "m"})
	require.NoError(t, err)
	var sent atomic.Int64
	blob := storage.Blob{
		Open: func() (io.ReadSeekCloser, error) { return &zeros{size: size}, nil },
		Size: size, MD5: sum, Ext: ".mp4", ContentType: "video/mp4", Sent: &sent,
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = b.Put(t.Context(), blob)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.EqualValues(t, size, sent.Load())
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "bytes allocated for a file of 64 MiB")

	// What COS, OSS and others refuse, and what would hash the file again.
	got := *header.Load()
	require.Equal(t, "UNSIGNED-PAYLOAD", got.Get("X-Amz-Content-Sha256"))
	require.Empty(t, got.Get("X-Amz-Trailer"))
	require.Empty(t, got.Get("Content-Encoding"))
	require.NotEmpty(t, got.Get("Content-MD5"))
	for name := range got {
		require.NotContains(t, name, "X-Amz-Checksum")
	}
}
