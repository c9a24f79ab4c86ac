package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage/s3bucket/s3test"
	"wedrop/wecom/wecomtest"
)

// office is a machine with the real program, a folder of files, a WeCom and
// an S3 that count.
type office struct {
	t      testing.TB
	we     *wecomtest.Server
	s3     *s3test.Server
	folder string
	env    []string

	program string // "wedrop" if empty
}

func newOffice(t testing.TB, files int) *office {
	return newOfficeWith(t, files, wecomtest.Options{JobTime: 50 * time.Millisecond})
}

func newOfficeWith(t testing.TB, files int, w wecomtest.Options) *office {
	we, err := wecomtest.Start(w)
	require.NoError(t, err)
	t.Cleanup(func() { we.Close() })
	o := &office{t: t, we: we, s3: s3test.New("bucket", s3test.Settings{}), folder: t.TempDir()}
	t.Cleanup(o.s3.Close)
	for n := range files {
		path := filepath.Join(o.folder, fmt.Sprintf("%03d.mp4", n))
		require.NoError(t, os.WriteFile(path, inspecttest.MP4(20_000, uint64(n+1)), 0o644))
		old := time.Now().Add(-time.Minute)
		require.NoError(t, os.Chtimes(path, old, old))
	}
	o.env = append(os.Environ(),
		"HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir(), "XDG_CONFIG_HOME=",
		"WEDROP_WECOM_BASE_URL="+we.URL, "WEDROP_WECOM_CORP_ID=wwtest", "WEDROP_WECOM_SECRET=secret",
		"WEDROP_STORAGE="+o.s3.URL("media"), "WEDROP_SETTLE=10ms", "WEDROP_POLL_MIN=20ms", "WEDROP_POLL_MAX=100ms", "LANG=C")
	for k, v := range o.s3.Env() {
		o.env = append(o.env, k+"="+v)
	}
	return o
}

func (o *office) wedrop(args ...string) *exec.Cmd {
	c := exec.Command(cmp.Or(o.program, "wedrop"), args...)
	c.Env, c.Dir = o.env, o.folder
	return c
}

// check requires that every file is done and was staged once, and returns how
// many submits were repeated.
func (o *office) check(files int) int {
	o.t.Helper()
	out, err := o.wedrop("list", "--json").Output()
	require.NoError(o.t, err)
	done := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); done++ {
		var it struct {
			Step  pipeline.Step
			Media *pipeline.Media
			Path  string
		}
		require.NoError(o.t, dec.Decode(&it))
		require.Equal(o.t, pipeline.Done, it.Step, it.Path)
		require.NotEmpty(o.t, it.Media.ID)
	}
	require.Equal(o.t, files, done)
	require.Len(o.t, o.s3.Keys(), files)
	for _, key := range o.s3.Keys() {
		require.Equal(o.t, 1, o.s3.Puts(key), "%s was staged more than once", key)
	}
	return o.we.Count("media/upload_by_url") - files
}

// kill -9 at any instant, then the same command again: everything ends done,
// nothing is staged twice, and at most one submit is repeated per kill: the
// one that was under way, for WeCom has no idempotency key.
func TestKilledRunsGoOn(t *testing.T) {
	t.Parallel()
	const files = 300
	o := newOffice(t, files)
	kills := 0
	for kills < 40 {
		c := o.wedrop("sync", o.folder)
		require.NoError(t, c.Start())
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		select {
		case <-ended:
		case <-time.After(time.Duration(20+rand.IntN(100)) * time.Millisecond):
			require.NoError(t, c.Process.Kill())
			<-ended
			kills++
			continue
		}
		require.Equal(t, 0, c.ProcessState.ExitCode())
		break
	}
	began := time.Now()
	out, err := o.wedrop("sync", o.folder).CombinedOutput()
	require.NoError(t, err, "%s", out)
	last := time.Since(began)
	repeated := o.check(files)
	t.Logf("%d files, %d kills, %d submits repeated, %d gettoken, last run %s",
		files, kills, repeated, o.we.Count("gettoken"), last.Round(time.Millisecond))
	require.Greater(t, kills, 3, "the machine was too fast for this test")
	require.LessOrEqual(t, repeated, kills)
}

// Four runs at once over one folder: each file is submitted once, and one
// token is fetched in all.
func TestOverlappingSyncs(t *testing.T) {
	t.Parallel()
	const files = 150
	o := newOffice(t, files)
	var runs []*exec.Cmd
	var outs []*bytes.Buffer
	for range 4 {
		c := o.wedrop("sync", o.folder)
		out := &bytes.Buffer{}
		c.Stderr = out
		require.NoError(t, c.Start())
		runs, outs = append(runs, c), append(outs, out)
	}
	for n, c := range runs {
		require.NoError(t, c.Wait(), "%s", outs[n])
	}
	require.Zero(t, o.check(files))
	require.Equal(t, 1, o.we.Count("gettoken"))
}

type listed struct {
	ID    int64
	Path  string
	Step  string
	Fault *struct{ Code, Remedy string }
}

func (o *office) list() []listed {
	o.t.Helper()
	out, err := o.wedrop("list", "--json").Output()
	require.NoError(o.t, err)
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var it listed
		require.NoError(o.t, dec.Decode(&it))
		all = append(all, it)
	}
	return all
}
