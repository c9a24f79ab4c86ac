package pipeline_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/wecom"
)

// Programs that import the pipeline choose their own ledger and bucket: it
// brings no SDK and no SQL with it.
func TestImportsNoSDKAndNoSQL(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "wedrop/pipeline", "wedrop/wecom", "wedrop/storage").Output()
	require.NoError(t, err)
	for _, pkg := range strings.Fields(string(out)) {
		for _, heavy := range []string{"database/sql", "modernc.org/", "github.com/jackc/", "github.com/riverqueue/", "github.com/aws/", "github.com/tencentyun/"} {
			require.False(t, strings.HasPrefix(pkg, heavy), pkg)
		}
	}
}

// The welcome tool is built from the public packages alone, and does its work:
// it adds a template, leaves it alone, and edits it.
func TestWelcomeTool(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a program")
	}
	bin := filepath.Join(t.TempDir(), "welcometool")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", bin, "wedrop/testdata/welcometool").CombinedOutput()
	require.NoError(t, err, string(out))
	s := newSite()
	t.Cleanup(s.Close)
	run := func(ok bool, args ...string) string {
		t.Helper()
		c := exec.Command(bin, args...)
		c.Dir = t.TempDir()
		c.Env = append(os.Environ(), "TOOL_BUCKET=dir://"+s.path("public"), "TOOL_PUBLIC_URL="+s.public.URL,
			"TOOL_LEDGER="+s.path("tool.db"), "TOOL_WECOM="+s.wecom.URL, "TOOL_CORP_ID=wwtest", "TOOL_SECRET=secret")
		out, err := c.CombinedOutput()
		require.Equal(t, ok, err == nil, string(out))
		return strings.TrimSpace(string(out))
	}
	id, ok := strings.CutPrefix(run(true, "欢迎 %NICKNAME%", s.path("clip.mp4")), "added ")
	require.True(t, ok)
	require.Equal(t, "unchanged "+id, run(true, "欢迎 %NICKNAME%", s.path("clip.mp4")))
	require.Equal(t, "edited "+id, run(true, "你好", s.path("clip.mp4")))
	there, _ := s.wecom.Template(id)
	require.Equal(t, "你好", there.Text)
	require.Equal(t, "video", there.Shown)
	require.Len(t, s.wecom.Templates(), 1)
	require.Zero(t, s.wecom.Notified())
	require.Equal(t, 1, s.wecom.Count("media/upload_by_url"))
	require.Contains(t, run(false, strings.Repeat("长", 1001), s.path("clip.mp4")), "3000 字节")
	require.Contains(t, run(false, "hi", s.path("nowhere.mp4")), "→ ")
}

// A media that WeCom holds as the file is, and one that it does not.
func TestVerify(t *testing.T) {
	t.Parallel()
	w := newWorldKeeping(t)
	p := w.pipe()
	it, err := w.push(p, w.file("a.mp4", 1))
	require.NoError(t, err)
	var read int64
	got, err := p.Verify(context.Background(), it, func(done, _ int64) { read = done })
	require.NoError(t, err)
	require.True(t, *got.Verified)
	require.Nil(t, got.Fault)
	require.Equal(t, it.Size, read)

	m, _ := w.wecom.Media(it.Media.ID)
	m.Body[7] ^= 1
	got, err = p.Verify(context.Background(), it, nil)
	require.ErrorAs(t, err, new(*pipeline.FaultError))
	require.False(t, *got.Verified)
	require.Equal(t, "wedrop/verify-failed", got.Fault.Code)
	require.False(t, got.Fault.Retry)
	require.NotEmpty(t, got.Fault.Remedy.ZH)

	w.clock.Advance(wecom.MediaLife)
	got, err = p.Verify(context.Background(), it, nil)
	require.Error(t, err)
	require.Nil(t, got.Verified, "nothing was compared")
	require.Equal(t, "wecom/40007", got.Fault.Code)

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	got, err = p.Verify(ended, it, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, got.Verified)
	require.Equal(t, "wedrop/interrupted", got.Fault.Code)
	require.True(t, got.Fault.Retry)
}
