package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

// stageAll puts and proves n small files whose content begins with name.
func stageAll(t *testing.T, b *storage.Bucket, name string, n int) {
	t.Helper()
	for i := range n {
		blob := blobOf(fmt.Sprint(name, i))
		obj, err := b.Put(t.Context(), blob)
		require.NoError(t, err)
		require.True(t, obj.Uploaded)
		require.NoError(t, b.Prove(t.Context(), obj, blob))
	}
}

func TestManySmallFilesAskForLess(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int32
	var f *fake
	f = serve(t, func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		f.mu.Lock()
		o := f.objects[strings.TrimPrefix(r.URL.Path, "/")]
		f.mu.Unlock()
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(o))
	})
	b := bucketOver(t, f)
	stageAll(t, b, "new", 30)
	require.Equal(t, 8, f.heads, "then it is the habit that nothing is there")
	require.EqualValues(t, 8*2+22, fetched.Load(), "then one request proves a small file")

	large := blobOf(strings.Repeat("large", 100_000))
	_, err := b.Put(t.Context(), large)
	require.NoError(t, err)
	require.Equal(t, 9, f.heads, "to send a large one for nothing is dear")

	// What is there is found, and looked for from then on.
	there := blobOf("there")
	f.objects[b.Where(there).Key] = []byte("there")
	obj, err := b.Put(t.Context(), there)
	require.NoError(t, err)
	require.False(t, obj.Uploaded)
	require.Equal(t, 10, f.heads)
	puts := len(f.requests())
	_, err = b.Put(t.Context(), there)
	require.NoError(t, err)
	require.Len(t, f.requests(), puts, "nothing is sent")
	require.Equal(t, 11, f.heads)
}

func TestASmallFileThatWasSentBlindlyReplacesAnother(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, f)
	stageAll(t, b, "new", 10)
	poisoned := blobOf("content")
	key := b.Where(poisoned).Key
	f.objects[key] = []byte("CONTENT")
	obj, err := b.Put(t.Context(), poisoned)
	require.NoError(t, err)
	require.True(t, obj.Uploaded)
	require.Equal(t, "content", string(f.objects[key]))
	require.Equal(t, 9, f.heads)
}

// One request is as strict as two: it finds another last byte, another size,
// and a server that has stopped to serve ranges.
func TestOneRequestProvesASmallFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		served string
		plain  bool
		kind   storage.Kind
	}{
		"another last byte":   {"hellO", false, storage.Changed},
		"another second byte": {"hEllo", false, storage.Changed},
		"longer":              {"hello!", false, storage.Changed},
		"without ranges":      {"hello", true, storage.NoRange},
	} {
		var spoilt atomic.Bool
		var f *fake
		f = serve(t, func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			o := f.objects[strings.TrimPrefix(r.URL.Path, "/")]
			f.mu.Unlock()
			if spoilt.Load() {
				o = []byte(c.served)
				if c.plain {
					r.Header.Del("Range")
				}
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(o))
		})
		b := bucketOver(t, f)
		stageAll(t, b, "new", 10)
		spoilt.Store(true)
		blob := blobOf("hello")
		obj, err := b.Put(t.Context(), blob)
		require.NoError(t, err)
		require.Equal(t, c.kind, kindOf(t, b.Prove(t.Context(), obj, blob)).Kind, name)
	}
}

// What was there before is proven from its first byte on, whatever the habit:
// nobody has compared it with its MD5.
func TestAFoundCopyIsProvenFromItsFirstByte(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	f.hide = true
	b := bucketOver(t, f)
	stageAll(t, b, "new", 10)
	blob := blobOf("content")
	f.objects[b.Where(blob).Key] = []byte("Content")
	obj, err := b.Put(t.Context(), blob)
	require.NoError(t, err)
	require.False(t, obj.Uploaded)
	require.Equal(t, storage.Changed, kindOf(t, b.Prove(t.Context(), obj, blob)).Kind)
}

// A copy that kept a blind PUT from being stored, and is removed before anybody
// looks, is no copy.
func TestACopyThatVanishesIsSentAnew(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, f)
	stageAll(t, b, "new", 10)
	blob := blobOf("content")
	var once sync.Once
	f.before = func(int, storage.PutRequest) (err error) {
		once.Do(func() { err = failing(storage.CauseExists, "PreconditionFailed", 412) })
		return err
	}
	obj, err := b.Put(t.Context(), blob)
	require.NoError(t, err)
	require.True(t, obj.Uploaded)
	require.Equal(t, "content", string(f.objects[obj.Key]))
}

// A service that refuses before it has read the body resets the connection, and
// its answer is lost. A file that is sent without looking is looked for then.
func TestALostRefusalIsNoFailure(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, f)
	stageAll(t, b, "new", 10)
	blob := blobOf("content")
	key := b.Where(blob).Key
	f.objects[key] = []byte("content")
	f.before = func(_ int, r storage.PutRequest) error {
		if r.Key == key {
			return errors.New("connection reset")
		}
		return nil
	}
	obj, err := b.Put(t.Context(), blob)
	require.NoError(t, err)
	require.False(t, obj.Uploaded)
	absent := blobOf("absent")
	key = b.Where(absent).Key
	_, err = b.Put(t.Context(), absent)
	require.Equal(t, storage.Unreachable, kindOf(t, err).Kind)
}
