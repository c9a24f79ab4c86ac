package dirbucket_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/storage/storagetest"
	"wedrop/storage/storagetest/nobody"
)

func TestConformance(t *testing.T) {
	if nobody.Run(t) { // the rights of a folder do not bind root
		return
	}
	// A folder has neither credentials nor ACLs.
	without := []storagetest.Situation{storagetest.ACLs, storagetest.ACLsRefused, storagetest.ACLsBlocked, storagetest.ACLsIgnored, storagetest.WrongSecret}
	storagetest.Run(t, storagetest.Harness{Without: without, NoFaults: true, Open: func(t *testing.T, s storagetest.Situation) storagetest.Bucket {
		folder := t.TempDir()
		d := open(t, folder)
		switch s {
		case storagetest.Open:
		case storagetest.NoBucket:
			require.NoError(t, os.RemoveAll(folder))
		case storagetest.ReadOnly:
			require.NoError(t, os.Chmod(folder, 0o555))
		}
		srv := httptest.NewServer(d.Handler())
		t.Cleanup(srv.Close)
		return storagetest.Bucket{Driver: d, PublicURL: srv.URL}
	}})
}

func open(t *testing.T, folder string) *dirbucket.Driver {
	t.Helper()
	d, err := dirbucket.Open("dir:///" + strings.TrimPrefix(filepath.ToSlash(folder), "/"))
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func request(key, content string) storage.PutRequest {
	sum := md5.Sum([]byte(content))
	return storage.PutRequest{
		Key:  key,
		Body: bytes.NewReader([]byte(content)),
		Size: int64(len(content)),
		MD5:  hex.EncodeToString(sum[:]),
	}
}

func TestOpenRefusesWhatIsNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, raw := range []string{
		"dir://relative", "dir:/x", "s3://bucket", "", "dir:///no/such/folder/at/all",
		"dir://" + filepath.ToSlash(file), "dir://" + filepath.ToSlash(t.TempDir()) + "?region=x",
	} {
		_, err := dirbucket.Open(raw)
		var e *storage.Error
		require.ErrorAs(t, err, &e, raw)
		require.Equal(t, storage.BadConfig, e.Kind, raw)
		_, remedy := e.Explain("zh")
		require.NotEmpty(t, remedy, raw)
	}
}

func TestOpenTakesAPathAsPeopleTypeIt(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"素材 库", "100%", "a+b"} {
		folder := filepath.Join(base, name)
		require.NoError(t, os.Mkdir(folder, 0o755))
		require.NoError(t, open(t, folder).Put(t.Context(), request("a.mp4", "hello")))
		require.FileExists(t, filepath.Join(folder, "a.mp4"))
	}
}

func TestNothingButTheFileIsLeft(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder)
	require.NoError(t, d.Put(t.Context(), request("a.mp4", "hello")))
	bad := request("b.mp4", "hello")
	bad.Size++
	require.Error(t, d.Put(t.Context(), bad))
	twice := request("a.mp4", "hello")
	twice.IfAbsent = true
	require.Equal(t, storage.CauseExists, d.Classify(d.Put(t.Context(), twice)).Cause)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, d.Put(ctx, request("c.mp4", "hello")), context.Canceled)
	require.Equal(t, []string{"a.mp4"}, names(t, folder))
}

func TestLeftoversOfACrashAreSwept(t *testing.T) {
	folder := t.TempDir()
	left, fresh := filepath.Join(folder, ".wedrop-OLD.part"), filepath.Join(folder, ".wedrop-NEW.part")
	for _, name := range []string{left, fresh} {
		require.NoError(t, os.WriteFile(name, []byte("half"), 0o600))
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(left, yesterday, yesterday))
	require.NoError(t, open(t, folder).Put(t.Context(), request("a.mp4", "hello")))
	require.Equal(t, []string{".wedrop-NEW.part", "a.mp4"}, names(t, folder))
}

func names(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestKeysNeverLeadOutOfTheFolder(t *testing.T) {
	base := t.TempDir()
	folder := filepath.Join(base, "public")
	require.NoError(t, os.Mkdir(folder, 0o755))
	secret := filepath.Join(base, "secret.mp4")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	if runtime.GOOS != "windows" {
		require.NoError(t, os.Symlink(base, filepath.Join(folder, "out")))
		require.NoError(t, os.Symlink(secret, filepath.Join(folder, "link.mp4")))
	}
	d := open(t, folder)
	srv := httptest.NewServer(d.Handler())
	defer srv.Close()
	for _, key := range []string{"../secret.mp4", "a/../../secret.mp4", "/etc/passwd", "out/secret.mp4", "out/new.mp4", `..\secret.mp4`, "", ".", "a//b", ".hidden", "a/.hidden"} {
		require.Error(t, d.Put(t.Context(), request(key, "x")), key)
		_, err := d.Head(t.Context(), key)
		require.Error(t, err, key)
		_ = d.Delete(t.Context(), key)
		require.NotEqual(t, http.StatusOK, status(t, srv.URL+"/"+storage.EscapeKey(key)), key)
	}
	require.NotEqual(t, http.StatusOK, status(t, srv.URL+"/link.mp4"))
	content, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "secret", string(content))
	require.NoFileExists(t, filepath.Join(base, "new.mp4"))
}

func status(t *testing.T, link string) int {
	t.Helper()
	resp, err := http.Get(link)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestHeadNoticesAFileThatWasReplaced(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder)
	r := request("a.mp4", "hello")
	require.NoError(t, d.Put(t.Context(), r))
	a, err := d.Head(t.Context(), "a.mp4")
	require.NoError(t, err)
	require.Equal(t, storage.Attrs{Size: 5, MD5: r.MD5}, a)
	name := filepath.Join(folder, "a.mp4")
	require.NoError(t, os.WriteFile(name, []byte("jello"), 0o644))
	later := time.Now().Add(time.Second)
	require.NoError(t, os.Chtimes(name, later, later))
	a, err = d.Head(t.Context(), "a.mp4")
	require.NoError(t, err)
	require.Equal(t, storage.Attrs{Size: 5, MD5: request("", "jello").MD5}, a)
}

func TestClassify(t *testing.T) {
	d := open(t, t.TempDir())
	for err, want := range map[error]storage.Cause{
		&os.PathError{Op: "open", Path: "/secret/place", Err: syscall.EACCES}: storage.CauseDenied,
		&os.PathError{Err: syscall.EROFS}:                                     storage.CauseDenied,
		&os.PathError{Err: syscall.ENOSPC}:                                    storage.CauseFull,
		&os.PathError{Err: syscall.ENOENT}:                                    storage.CauseNotFound,
		&os.LinkError{Err: syscall.EEXIST}:                                    storage.CauseExists,
		&os.PathError{Err: syscall.EIO}:                                       storage.CauseUnreachable,
		errors.New("what"):                                                    storage.CauseUnreachable,
	} {
		f := d.Classify(err)
		require.Equal(t, want, f.Cause, err)
		require.NotContains(t, f.Message, "/secret/place")
	}
}

func TestHandlerServesForWeComAndNobodyElse(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder)
	require.NoError(t, d.Put(t.Context(), request("m/page.html", "<script>")))
	require.NoError(t, d.Put(t.Context(), request("m/clip.mp4", "0123456789")))
	srv := httptest.NewServer(d.Handler())
	defer srv.Close()

	resp, err := http.Get(srv.URL + "/m/page.html")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, "application/octet-stream", resp.Header.Get("Content-Type"))
	require.Equal(t, "attachment", resp.Header.Get("Content-Disposition"))
	require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))

	req, err := http.NewRequest(http.MethodGet, srv.URL+"/m/clip.mp4", nil)
	require.NoError(t, err)
	req.Header.Set("Range", "bytes=2-4")
	resp, err = http.DefaultClient.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusPartialContent, resp.StatusCode)
	require.Equal(t, "234", string(body))
	require.Equal(t, "video/mp4", resp.Header.Get("Content-Type"))

	for _, where := range []string{"/", "/m", "/m/"} {
		require.Equal(t, http.StatusNotFound, status(t, srv.URL+where), where)
	}
	resp, err = http.Post(srv.URL+"/m/new.mp4", "video/mp4", strings.NewReader("x"))
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}
