package wecom_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// stopAt downloads so many bytes, after which WeCom wants to be left alone.
func stopAt(t *testing.T, s *wecomtest.Server, cl *wecom.Client, id, path string, bytes int) {
	t.Helper()
	s.Inject("media/get", wecomtest.Fault{Truncate: bytes}, wecomtest.Fault{Errcode: 45033})
	_, err := cl.DownloadFile(t.Context(), id, path, wecom.DownloadOptions{Chunk: wecom.MaxRange, Pause: time.Millisecond})
	require.Equal(t, wecom.CodeConcurrency, asError(t, err).Code)
	require.NoFileExists(t, path, "a half file under the final name")
}

func parts(t *testing.T, path string) []string {
	t.Helper()
	found, err := filepath.Glob(path + ".part-*")
	require.NoError(t, err)
	return found
}

// What a call has left is not fetched again by the next, the last bytes
// excepted, which a power cut may have spoilt.
func TestDownloadFileGoesOn(t *testing.T) {
	t.Parallel()
	b := content(20<<20 + 11)
	s, cl, id := holding(t, b)
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mp4")
	stopAt(t, s, cl, id, path, 17<<20)
	left := parts(t, path)
	require.Len(t, left, 1)
	info, err := os.Stat(left[0])
	require.NoError(t, err)
	require.EqualValues(t, 17<<20, info.Size())

	spoilt, err := os.OpenFile(left[0], os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = spoilt.WriteAt(make([]byte, 4096), 16<<20) // as a power cut might
	require.NoError(t, err)
	require.NoError(t, spoilt.Close())

	var first int64
	before := s.Count("media/get")
	res, err := cl.DownloadFile(t.Context(), id, path, wecom.DownloadOptions{Progress: func(done, total int64) {
		if first == 0 {
			first = done
			require.EqualValues(t, len(b), total)
		}
	}})
	require.NoError(t, err)
	require.EqualValues(t, 16<<20, res.Resumed)
	require.Greater(t, first, int64(16<<20))
	require.Equal(t, md5Of(b), res.MD5)
	require.EqualValues(t, len(b), res.Size)
	require.Equal(t, 1, s.Count("media/get")-before)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, md5Of(b), md5Of(got))
	onlyFile(t, dir, "clip.mp4")
}

// What was left is dropped where it cannot be the media's beginning.
func TestDownloadFileDropsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	b := content(20 << 20)
	s, cl, id := holding(t, b)
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mp4")
	stopAt(t, s, cl, id, path, 9<<20)
	left := parts(t, path)
	require.Len(t, left, 1)
	require.NoError(t, os.Truncate(left[0], 41<<20))
	res, err := cl.DownloadFile(t.Context(), id, path, wecom.DownloadOptions{})
	require.NoError(t, err)
	require.Zero(t, res.Resumed)
	require.Equal(t, md5Of(b), res.MD5)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, md5Of(b), md5Of(got))
	onlyFile(t, dir, "clip.mp4")

	// Nor is it kept for a media_id that is dead.
	require.NoError(t, os.Remove(path))
	stopAt(t, s, cl, id, path, 17<<20)
	s.Inject("media/get", wecomtest.Fault{Errcode: 40007})
	_, err = cl.DownloadFile(t.Context(), id, path, wecom.DownloadOptions{})
	require.Equal(t, wecom.CodeBadMediaID, asError(t, err).Code)
	require.Empty(t, parts(t, path))
}

// Another media for the same path begins anew, and leaves the first's part.
func TestDownloadFileOfAnotherMedia(t *testing.T) {
	t.Parallel()
	a, b := content(12<<20), content(13 << 20)[1<<20:]
	s, cl, id := holding(t, a)
	other := mediaOf(t, s, cl, "b.bin", b)
	path := filepath.Join(t.TempDir(), "x")
	stopAt(t, s, cl, id, path, 9<<20)
	res, err := cl.DownloadFile(t.Context(), other, path, wecom.DownloadOptions{})
	require.NoError(t, err)
	require.Zero(t, res.Resumed)
	require.Equal(t, md5Of(b), res.MD5)
	require.Len(t, parts(t, path), 1)
}

// Two calls at once for the same media and path do not write into each
// other's file.
func TestDownloadFileTwiceAtOnce(t *testing.T) {
	t.Parallel()
	b := content(9 << 20)
	_, cl, id := holding(t, b)
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mp4")
	var both, done sync.WaitGroup
	both.Add(2)
	for range 2 {
		done.Go(func() {
			var once sync.Once
			res, err := cl.DownloadFile(t.Context(), id, path, wecom.DownloadOptions{Chunk: 3 << 20, Progress: func(int64, int64) {
				once.Do(func() { both.Done(); both.Wait() }) // both have their file
			}})
			if err != nil || res.MD5 != md5Of(b) {
				t.Errorf("got %v, %v", res, err)
			}
		})
	}
	done.Wait()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, md5Of(b), md5Of(got))
	onlyFile(t, dir, "clip.mp4")
}

// Where somebody has put a link in the way of what is beside the file, nothing
// is written through it.
func TestDownloadFileWritesThroughNoLink(t *testing.T) {
	t.Parallel()
	b := content(12 << 20)
	s, cl, id := holding(t, b)
	dir := t.TempDir()
	path := filepath.Join(dir, "clip.mp4")
	stopAt(t, s, cl, id, path, 9<<20)
	left := parts(t, path)
	require.Len(t, left, 1)
	for _, what := range []string{"a file", "nothing"} {
		target := filepath.Join(t.TempDir(), "precious")
		if what == "a file" {
			require.NoError(t, os.WriteFile(target, []byte("of somebody"), 0o600))
		}
		require.NoError(t, os.Remove(left[0]))
		require.NoError(t, os.Symlink(target, left[0]))
		_, err := cl.DownloadFile(t.Context(), id, path, wecom.DownloadOptions{})
		require.NoError(t, err)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, md5Of(b), md5Of(got))
		if what == "nothing" {
			require.NoFileExists(t, target)
			continue
		}
		got, err = os.ReadFile(target)
		require.NoError(t, err)
		require.Equal(t, "of somebody", string(got))
	}
}

// A media_id has characters that a file's name may not have everywhere.
func TestDownloadFileNamesItsPartPlainly(t *testing.T) {
	t.Parallel()
	s, cl, id := holding(t, content(12<<20))
	path := filepath.Join(t.TempDir(), "x")
	stopAt(t, s, cl, id, path, 9<<20)
	for _, p := range parts(t, path) {
		require.Regexp(t, `^x\.part-[0-9a-f]{12}$`, filepath.Base(p))
	}
}
