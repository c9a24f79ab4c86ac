package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage/dirbucket"
	"wedrop/wecom/wecomtest"
)

// A desk runs commands in this process.
type desk struct {
	t   *testing.T
	we  *wecomtest.Server
	env map[string]string
	out bytes.Buffer
	err bytes.Buffer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	we, err := wecomtest.Start(wecomtest.Options{CorpID: testCorp, Secret: testSecret})
	require.NoError(t, err)
	t.Cleanup(we.Close)
	dir := t.TempDir()
	bucket, err := dirbucket.Open("dir://" + dir)
	require.NoError(t, err)
	served := httptest.NewServer(bucket.Handler())
	t.Cleanup(func() { served.Close(); bucket.Close() })
	return &desk{t: t, we: we, env: map[string]string{
		"WEDROP_CONFIG":             empty(t),
		"WEDROP_WECOM_BASE_URL":     we.URL,
		"WEDROP_WECOM_CORP_ID":      testCorp,
		"WEDROP_WECOM_SECRET":       testSecret,
		"WEDROP_STORAGE":            "dir://" + dir,
		"WEDROP_STORAGE_PUBLIC_URL": served.URL,
		"WEDROP_JOURNAL":            filepath.Join(t.TempDir(), "wedrop.db"),
		"WEDROP_SETTLE":             "60ms",
		"WEDROP_POLL_MIN":           "10ms",
	}}
}

func empty(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "wedrop.yaml")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	return path
}

// run is one call of the program whose files may take so long to settle.
func (d *desk) run(patience time.Duration, args ...string) exit {
	d.out.Reset()
	d.err.Reset()
	a := newApp(args, func(name string) string { return d.env[name] }, &d.out, &d.err)
	a.patience = patience
	return a.run(context.Background())
}

// A file whose copy has stalled is left to the next run, which is no failure;
// others do not wait for it. When it is whole it goes.
func TestFilesThatAreStillBeingWritten(t *testing.T) {
	t.Parallel()
	d, folder := newDesk(t), t.TempDir()
	clip := filepath.Join(folder, "clip.mp4")
	whole := inspecttest.MP4(30_000, 1)
	require.NoError(t, os.WriteFile(clip, whole[:20_000], 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "ready.txt"), []byte("something"), 0o600))

	require.Equal(t, exitDone, d.run(500*time.Millisecond, "sync", folder), d.err.String())
	require.Equal(t, 1, strings.Count(d.out.String(), "\n"))
	require.Contains(t, d.out.String(), "ready.txt")
	require.Contains(t, d.err.String(), "clip.mp4")
	require.Equal(t, 1, d.we.Count("media/upload_by_url"))

	copied := make(chan error, 1)
	go func() { // the copy goes on while sync looks on
		time.Sleep(100 * time.Millisecond)
		copied <- os.WriteFile(clip, whole, 0o600)
	}()
	require.Equal(t, exitDone, d.run(20*time.Second, "sync", folder), d.err.String())
	require.NoError(t, <-copied)
	require.Contains(t, d.out.String(), clip)
	require.Equal(t, 2, d.we.Count("media/upload_by_url"))
}

// A second run over many unchanged files makes no call.
func TestManyUnchangedFilesCostNoCall(t *testing.T) {
	t.Parallel()
	d, folder := newDesk(t), t.TempDir()
	const files = 200
	for i := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.txt", i)), fmt.Appendf(nil, "file %d", i), 0o600))
	}
	require.Equal(t, exitDone, d.run(20*time.Second, "sync", folder), d.err.String())
	require.Equal(t, files, strings.Count(d.out.String(), "\n"))
	calls := len(d.we.Calls())
	fetches := len(d.we.Fetches())
	require.Equal(t, exitDone, d.run(0, "sync", folder), d.err.String())
	require.Empty(t, d.out.String())
	require.Len(t, d.we.Calls(), calls)
	require.Len(t, d.we.Fetches(), fetches)
}

// renew: which media_ids a sync keeps alive.
func TestRenewal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		renew   string
		submits int // by the second sync, over one file that stays and one that is gone
	}{{"off", 0}, {"folders", 1}, {"all", 2}} {
		t.Run(c.renew, func(t *testing.T) {
			t.Parallel()
			d, folder := newDesk(t), t.TempDir()
			d.env["WEDROP_RENEW"] = c.renew
			for _, name := range []string{"stays.txt", "goes.txt"} {
				require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600))
			}
			require.Equal(t, exitDone, d.run(20*time.Second, "sync", folder), d.err.String())
			require.NoError(t, os.Remove(filepath.Join(folder, "goes.txt")))
			d.env["WEDROP_RENEW_BEFORE"] = "71h59m59s"
			require.Eventually(t, func() bool { // until a second of its life is over
				return d.run(0, "list", "--expiring", "71h59m59s", "--json") == exitDone && strings.Count(d.out.String(), "\n") == 2
			}, 10*time.Second, 100*time.Millisecond)
			before := d.we.Count("media/upload_by_url")
			require.Equal(t, exitDone, d.run(20*time.Second, "sync", folder), d.err.String())
			require.Equal(t, c.submits, d.we.Count("media/upload_by_url")-before)
			require.Equal(t, c.submits, strings.Count(d.out.String(), "\n"), "each new media_id is a line")
		})
	}
}

// A stdout that cannot be written to is an error although the work is done.
func TestResultsThatNobodyGets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "a.txt")
	require.NoError(t, os.WriteFile(path, []byte("something"), 0o600))
	a := newApp([]string{"push", path}, func(name string) string { return d.env[name] },
		writerFunc(func([]byte) (int, error) { return 0, os.ErrClosed }), &d.err)
	require.Equal(t, exitFailed, a.run(context.Background()))
	require.Contains(t, d.err.String(), "results cannot be written")
}

// The log is the last place where a secret could be told.
func TestVerboseTellsNoSecret(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	path := filepath.Join(t.TempDir(), "a.txt")
	require.NoError(t, os.WriteFile(path, []byte("something"), 0o600))
	require.Equal(t, exitDone, d.run(0, "push", "-v", path), d.err.String())
	require.NotContains(t, d.err.String(), testSecret)
	require.NotContains(t, d.err.String(), "access_token=")

	var b bytes.Buffer
	a := newApp(nil, environment(), &b, &b)
	newLog(a.console, true).Info("x", "access_token", "HUSH", "corpsecret", "HUSH", "name", "shown")
	require.NotContains(t, b.String(), "HUSH")
	require.Contains(t, b.String(), "shown")
}
