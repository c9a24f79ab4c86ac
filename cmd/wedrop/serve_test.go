package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/wecom/wecomtest"
)

const (
	testToken  = "QDG6eK"
	testAESKey = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	patience   = 60 * time.Second // longer than anything here takes
)

// served is a running "wedrop serve".
type served struct {
	t       testing.TB
	cmd     *exec.Cmd
	journal string
	url     string
	log     *lines
	ended   chan struct{}

	patience time.Duration // how long it is waited for
}

// lines is what a program wrote so far.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) tail() string {
	all := strings.Split(l.String(), "\n")
	return strings.Join(all[max(0, len(all)-30):], "\n")
}

// journal gives the office's runs a ledger, and a free port to serve at.
func (o *office) journal() string {
	path := filepath.Join(o.t.TempDir(), "ledger.db")
	o.env = append(o.env, "WEDROP_JOURNAL="+path, "WEDROP_LISTEN=127.0.0.1:0")
	return path
}

// serve starts the daemon and waits until it can be reached.
func (o *office) serve(journal string, args ...string) *served {
	o.t.Helper()
	if runtime.GOOS == "windows" {
		o.t.Skip("the signals of Unix")
	}
	s := &served{t: o.t, cmd: o.wedrop(append([]string{"serve"}, args...)...), journal: journal, log: &lines{}, ended: make(chan struct{}), patience: patience}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	require.NoError(o.t, s.cmd.Start())
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	o.t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.ended })
	s.until("an address", func() bool { return s.at() != "" })
	return s
}

// at is where the daemon is, by what it wrote beside its journal.
func (s *served) at() string {
	data, _ := os.ReadFile(s.journal + ".serve")
	var pid, address string
	_, _ = fmt.Sscanf(string(data), "pid %s\naddress %s", &pid, &address)
	if pid != fmt.Sprint(s.cmd.Process.Pid) {
		return ""
	}
	s.url = address
	return address
}

// until waits for something that the daemon does.
func (s *served) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(s.patience); !ok(); time.Sleep(5 * time.Millisecond) {
		select {
		case <-s.ended:
			s.t.Fatalf("the daemon ended before there was %s:\n%s", what, s.log.tail())
		default:
		}
		if time.Now().After(end) {
			s.t.Fatalf("no %s:\n%s", what, s.log.tail())
		}
	}
}

func (s *served) says(text string) func() bool {
	return func() bool { return strings.Contains(s.log.String(), text) }
}

// stop ends the daemon as systemd does, and requires that it ends well.
func (s *served) stop() {
	s.t.Helper()
	begin := time.Now()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	<-s.ended
	require.Equal(s.t, 0, s.cmd.ProcessState.ExitCode(), s.log.String())
	require.Less(s.t, time.Since(begin), 10*time.Second)
}

func (s *served) get(path, token string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	require.NoError(s.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp.StatusCode, string(body)
}

// table is the folder's table of results.
func (o *office) table(dir string) string {
	data, _ := os.ReadFile(filepath.Join(dir, "wedrop-media.csv"))
	return string(data)
}

func (o *office) drop(dir, name string, content []byte) string {
	path := filepath.Join(dir, name)
	require.NoError(o.t, os.WriteFile(path, content, 0o644))
	return path
}

func TestServeSendsWhatIsDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	s := o.serve(j)
	s.until("media_ids in the table", func() bool { return strings.Count(o.table(o.folder), "3*1*") == 2 })
	o.drop(o.folder, "late.mp4", inspecttest.MP4(30_000, 77))
	o.drop(o.folder, "renamed.mp4", []byte("this is only text"))
	s.until("three media_ids and a refusal", func() bool {
		table := o.table(o.folder)
		return strings.Count(table, "3*1*") == 3 && strings.Contains(table, "renamed.mp4,,,stopped,")
	})
	require.Contains(t, s.log.String(), `"msg":"done"`)
	require.Contains(t, s.log.String(), `"code":"inspect/not-mp4"`)
	require.NoError(t, os.Remove(filepath.Join(o.folder, "renamed.mp4")))
	s.until("a table without the file that is gone", func() bool { return !strings.Contains(o.table(o.folder), "renamed") })
	s.stop()
	require.NotContains(t, s.log.String(), "WEDROP", "no secrets, no environment")

	again := o.serve(j) // everything is known
	again.until("a reading of the folders", func() bool { code, _ := again.get("/readyz", ""); return code == 200 })
	again.stop()
	require.Equal(t, 3, o.we.Count("media/upload_by_url"))
}

// A folder with after: move is empty when all is done; what was refused can be
// put back, to be tried again.
func TestServePutsAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1)
	j := o.journal()
	config := o.drop(t.TempDir(), "wedrop.yaml", []byte("folders: [{path: "+o.folder+", after: move}]\n"))
	o.drop(o.folder, "bad.mp4", []byte("this is only text"))
	s := o.serve(j, "--config", config)
	month := time.Now().Format("2006-01")
	done, refused := filepath.Join(o.folder, "_已完成", month, "000.mp4"), filepath.Join(o.folder, "_失败", "bad.mp4")
	s.until("both put away", func() bool { return exists(done) && exists(refused) && exists(refused+".原因.txt") })
	reason, err := os.ReadFile(refused + ".原因.txt")
	require.NoError(t, err)
	require.Contains(t, string(reason), "is not an MP4 video")
	s.until("a table with both", func() bool {
		return strings.Contains(o.table(o.folder), "000.mp4,3*1*") && strings.Contains(o.table(o.folder), "bad.mp4,,,stopped")
	})
	// The ledger knows where the file is: it is not sent again, and renewed.
	out, err := o.wedrop("get", done).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "3*1*")

	require.NoError(t, os.Rename(refused, filepath.Join(o.folder, "bad.mp4")))
	s.until("the file tried again", func() bool { return exists(refused) })
	require.Equal(t, 2, strings.Count(s.log.String(), `"code":"inspect/not-mp4"`))
	s.stop()
	require.Equal(t, 1, o.we.Count("media/upload_by_url"))
}

// What WeCom's verdict held is tried again when somebody moves it back.
func TestMovedBackIsARetry(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	j := o.journal()
	config := o.drop(t.TempDir(), "wedrop.yaml", []byte("folders: [{path: "+o.folder+", after: move}]\n"))
	o.we.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 40058})
	o.drop(o.folder, "clip.mp4", inspecttest.MP4(20_000, 5))
	s := o.serve(j, "--config", config)
	refused := filepath.Join(o.folder, "_失败", "clip.mp4")
	s.until("a refusal", func() bool { return exists(refused) })
	require.NoError(t, os.Rename(refused, filepath.Join(o.folder, "clip.mp4")))
	s.until("a media_id", func() bool { return strings.Contains(o.table(o.folder), "clip.mp4,3*1*") })
	s.until("the file put away", func() bool {
		return exists(filepath.Join(o.folder, "_已完成", time.Now().Format("2006-01"), "clip.mp4"))
	})
}

// With callbacks the result is there at once, though the first query is due in
// half an hour.
func TestServeTakesCallbacks(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 3)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder, "WEDROP_POLL_MIN=30m", "WEDROP_POLL_MAX=30m",
		"WEDROP_CALLBACK_TOKEN="+testToken, "WEDROP_CALLBACK_AES_KEY="+testAESKey)
	o.we.SetJobTime(100 * time.Millisecond)
	bare := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.Mkdir(bare, 0o755))
	files := o.folder
	o.env = append(o.env, "WEDROP_FOLDERS="+bare)
	s := o.serve(j)
	require.NoError(t, o.we.SetCallback(wecomtest.Callback{URL: s.url + "/callback", Token: testToken, AESKey: testAESKey}))
	require.NoError(t, o.we.CheckURL(context.Background()))
	for _, f := range []string{"000.mp4", "001.mp4", "002.mp4"} {
		data, err := os.ReadFile(filepath.Join(files, f))
		require.NoError(t, err)
		o.drop(bare, f, data)
	}
	s.until("media_ids", func() bool { return strings.Count(o.table(bare), "3*1*") == 3 })
	require.Equal(t, 3, o.we.Count("media/get_upload_by_url_result"), "each was asked for once, when WeCom had called")
}

func TestServeWithoutCallbacksSaysHow(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	s := o.serve(o.journal())
	code, body := s.get("/callback", "")
	require.Equal(t, http.StatusNotFound, code)
	require.Contains(t, body, "callback.token")
}

func TestASecondDaemonIsPolite(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	s := o.serve(o.journal())
	out, err := o.wedrop("serve").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), fmt.Sprintf("process %d", s.cmd.Process.Pid))
	require.Contains(t, string(out), s.url)
	require.Equal(t, 4, err.(*exec.ExitError).ExitCode())
	require.NoError(t, s.cmd.Process.Kill())
	<-s.ended
	o.serve(s.journal).stop() // a dead one is in nobody's way
}

func TestServeReloads(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1)
	j := o.journal()
	other := t.TempDir()
	o.drop(other, "other.mp4", inspecttest.MP4(25_000, 9))
	config := filepath.Join(t.TempDir(), "wedrop.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(config, []byte(text), 0o600)) }
	write("folders: [" + o.folder + "]\n")
	s := o.serve(j, "--config", config)
	s.until("the first folder's result", func() bool { return strings.Contains(o.table(o.folder), "3*1*") })
	address := s.url

	write("folders: [" + other + "]\nsettel: 3s\n")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.until("a refusal of the configuration", s.says("the old one goes on"))
	require.Contains(t, s.log.String(), "wedrop.yaml:2")
	require.Contains(t, s.log.String(), "did you mean settle?")
	code, _ := s.get("/healthz", "")
	require.Equal(t, 200, code)
	require.Empty(t, o.table(other))

	write("folders: [" + other + "]\npage_token: open-sesame\n")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	s.until("the other folder's result", func() bool { return strings.Contains(o.table(other), "3*1*") })
	require.Equal(t, address, s.at(), "the address is kept")
	code, _ = s.get("/metrics", "")
	require.Equal(t, http.StatusUnauthorized, code)
	_, figures := s.get("/metrics", "open-sesame")
	require.Contains(t, figures, `wedrop_files_total{code="",result="done"} 2`, "counters outlive a reload")
	require.Contains(t, figures, `wedrop_reloads_total{result="refused"} 1`)
	s.stop()
}

// Uploads that SIGTERM interrupts are made once in all.
func TestServeStopsDuringUploads(t *testing.T) {
	t.Parallel()
	const files = 40
	o := newOffice(t, files)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	for n := range 4 {
		s := o.serve(j)
		if o.we.Count("media/upload_by_url") < files {
			s.until("a submit", func() bool { return o.we.Count("media/upload_by_url") > min(n*4, files-1) })
		}
		s.stop()
	}
	s := o.serve(j)
	s.until("all media_ids", func() bool { return strings.Count(o.table(o.folder), "3*1*") == files })
	s.stop()
	require.Zero(t, o.check(files), "each is submitted once")
}

// kill -9 at any instant: everything ends done, nothing is staged twice, and
// at most one submit is repeated per kill.
func TestKilledDaemonsGoOn(t *testing.T) {
	t.Parallel()
	const files = 300
	o := newOffice(t, files)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	kills := 0
	for kills < 12 && o.we.Count("media/upload_by_url") < files {
		c := o.wedrop("serve")
		require.NoError(t, c.Start())
		before := o.we.Count("media/upload_by_url")
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(500+rand.IntN(500))*time.Millisecond)
		_ = o.we.WaitCalls(ctx, "media/upload_by_url", before+1+rand.IntN(30))
		cancel()
		time.Sleep(rand.N(10 * time.Millisecond)) // a kill at any instant, not at that of a submit
		require.NoError(t, c.Process.Kill())
		_ = c.Wait()
		kills++
	}
	s := o.serve(j)
	// Not by the table: who is killed while writing it leaves a file behind
	// that is respected for a minute.
	s.until("all media_ids", func() bool {
		time.Sleep(50 * time.Millisecond)
		_, figures := s.get("/metrics", "")
		return strings.Contains(figures, fmt.Sprintf("wedrop_items{code=\"\",held=\"false\",step=\"done\"} %d\n", files))
	})
	s.stop()
	repeated := o.check(files)
	t.Logf("%d files, %d kills, %d submits repeated, %d gettoken", files, kills, repeated, o.we.Count("gettoken"))
	require.Greater(t, kills, 3, "the machine was too fast for this test")
	require.LessOrEqual(t, repeated, kills)
}

func TestServeAnswers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1)
	j := o.journal()
	drive := filepath.Join(t.TempDir(), "drive")
	require.NoError(t, os.Rename(o.folder, drive))
	require.NoError(t, os.Mkdir(o.folder, 0o755))
	o.env = append(o.env, "WEDROP_FOLDERS="+drive, "WEDROP_PAGE_TOKEN=open-sesame")
	s := o.serve(j)
	s.until("a media_id", func() bool { return strings.Contains(o.table(drive), "3*1*") })

	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, "/metrics": 401, "/openapi.json": 401, "/api/items": 401, "/x": 401} {
		code, _ := s.get(path, "")
		require.Equal(t, want, code, path)
	}
	_, page := s.get("/", "")
	require.Contains(t, page, `action="/signin"`)
	for _, wrong := range []string{"open-sesam", "open-sesamee", " ", "x"} {
		code, body := s.get("/metrics", wrong)
		require.Equal(t, 401, code, wrong)
		require.Contains(t, body, "page_token")
	}
	code, figures := s.get("/metrics", "open-sesame")
	require.Equal(t, 200, code)
	for _, line := range []string{
		`wedrop_items{code="",held="false",step="done"} 1`,
		`wedrop_wecom_calls_total{api="media/upload_by_url",errcode="0"} 1`,
		`wedrop_bytes_total{step="stage"}`,
		`wedrop_step_seconds_count{step="inspect"} 1`,
		`wedrop_media_expiring{within="72h"} 1`,
		`wedrop_media_expiring{within="1h"} 0`,
		`wedrop_folder_up{folder="` + drive + `"} 1`,
		`go_goroutines`,
	} {
		require.Contains(t, figures, line)
	}
	require.NotContains(t, figures, "open-sesame")

	require.NoError(t, os.Rename(drive, drive+".gone"))
	var body string
	s.until("503", func() bool { code, body = s.get("/readyz", "open-sesame"); return code == 503 })
	var r readiness
	require.NoError(t, json.Unmarshal([]byte(body), &r))
	for _, c := range r.Checks {
		require.Equal(t, c.Check != "folders", c.OK, body)
		if !c.OK {
			require.Contains(t, c.Message, drive)
			require.NotEmpty(t, c.Remedy)
		}
	}
	_, body = s.get("/readyz", "")
	require.NotContains(t, body, drive, "paths are not for strangers")
	require.NoError(t, os.Rename(drive+".gone", drive))
	s.until("200", func() bool { code, _ := s.get("/readyz", ""); return code == 200 })
	s.stop()
	require.NotContains(t, s.log.String(), "open-sesame")
	require.Equal(t, 1, o.we.Count("media/upload_by_url"), "a drive that comes back is nothing new")
}

func TestServeIsNotReadyWhenWeComRefuses(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 5)
	j := o.journal()
	o.we.SetTrustedIPs("198.51.100.1")
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	s := o.serve(j)
	var body string
	s.until("503", func() bool {
		var code int
		code, body = s.get("/readyz", "")
		return code == 503 && strings.Contains(body, "203.0.113.9")
	})
	s.stop()
	require.Equal(t, 1, o.we.Count("media/upload_by_url"), "one call, then a person has to act")
	o.we.SetTrustedIPs("203.0.113.9")
	s = o.serve(j)
	s.until("all media_ids", func() bool { return strings.Count(o.table(o.folder), "3*1*") == 5 })
	code, _ := s.get("/readyz", "")
	require.Equal(t, 200, code)
}

func TestServeRefusesWhatIsNotSafe(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	o.journal()
	for _, c := range []struct {
		listen, token string
		says          string
	}{
		{"0.0.0.0:0", "", "page_token"},
		{":0", "", "page_token"},
		{"[::]:0", "", "page_token"},
		{"0.0.0.0:0", "secret-15-chars", "WEDROP_PAGE_TOKEN: page_token: too short"},
		{"192.0.2.1:0", "secret-16--chars", "cannot listen"},
	} {
		cmd := o.wedrop("serve")
		cmd.Env = append(o.env, "WEDROP_LISTEN="+c.listen, "WEDROP_PAGE_TOKEN="+c.token)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, c.listen)
		require.Equal(t, 3, err.(*exec.ExitError).ExitCode(), "%s: %s", c.listen, out)
		require.Contains(t, string(out), c.says)
		require.Contains(t, string(out), "→")
	}
	cmd := o.wedrop("serve")
	cmd.Env = append(o.env, "WEDROP_WECOM_SECRET=")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 3, err.(*exec.ExitError).ExitCode(), "%s", out)
}

// One message for a batch with faults. (When there is none: see batch.)
func TestTheGroupIsToldOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder, "WEDROP_LANG=zh", "WEDROP_NOTIFY_WEBHOOK="+o.we.URL+"/cgi-bin/webhook/send?key=k-e-y-0123")
	o.drop(o.folder, "bad.mp4", []byte("this is only text"))
	s := o.serve(j)
	s.until("a message", func() bool { return len(o.we.Messages()) > 0 })
	m := o.we.Messages()[0].Content
	require.Contains(t, m, "素材批次完成：成功 2 失败 1")
	require.Contains(t, m, "bad.mp4")
	require.Contains(t, m, "→")
	s.stop()
	require.Len(t, o.we.Messages(), 1)
	require.NotContains(t, s.log.String(), "k-e-y-0123")
}

// Media_ids that die in two hours are renewed as long as their file is there,
// under whatever path, and then no more. (The simulator's are born old, so
// they are renewed again and again.)
func TestServeRenewsWhatIsInAFolder(t *testing.T) {
	t.Parallel()
	o := newOfficeWith(t, 2, wecomtest.Options{CreatedSkew: -70 * time.Hour})
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	gone, stays := filepath.Join(o.folder, "000.mp4"), filepath.Join(o.folder, "001.mp4")
	sums := map[string]string{}
	for _, path := range []string{gone, stays} {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		sums[path] = fmt.Sprintf("%x", md5.Sum(data))
	}
	s := o.serve(j)
	s.until("renewals of both", func() bool { return o.we.Submits(sums[gone]) > 2 && o.we.Submits(sums[stays]) > 2 })
	require.NoError(t, os.Remove(gone))
	s.until("the end of the one's renewals", func() bool {
		was, other := o.we.Submits(sums[gone]), o.we.Submits(sums[stays])
		s.until("more of the other's", func() bool { return o.we.Submits(sums[stays]) > other+3 })
		return o.we.Submits(sums[gone]) == was
	})
	s.stop()
	for _, key := range o.s3.Keys() {
		require.Equal(t, 1, o.s3.Puts(key), "a renewal needs no second upload")
	}
}

func TestTheGroupIsToldOfMediaThatDie(t *testing.T) {
	t.Parallel()
	o := newOfficeWith(t, 1, wecomtest.Options{CreatedSkew: -70 * time.Hour})
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder, "WEDROP_RENEW=off", "WEDROP_NOTIFY_WEBHOOK="+o.we.URL+"/cgi-bin/webhook/send?key=k-e-y-0123")
	s := o.serve(j)
	s.until("a media_id", func() bool { return strings.Contains(o.table(o.folder), "3*1*") })
	s.stop()
	s = o.serve(j) // it looks at the start, and each minute
	s.until("a message", func() bool { return len(o.we.Messages()) > 0 })
	require.Contains(t, o.we.Messages()[0].Content, "1 about to expire")
	require.Contains(t, o.we.Messages()[0].Content, "000.mp4 expires at")
	s.stop()
	require.Equal(t, 1, o.we.Count("media/upload_by_url"))
}

func TestARobotThatFailsIsToldOfWithoutItsKey(t *testing.T) {
	t.Parallel()
	for name, hook := range map[string]string{
		"nobody there": "http://127.0.0.1:1/send?key=k-e-y",
		"no address":   "http://127.0.0.1:1/%zz?key=k-e-y",
	} {
		r := newRobot(&Config{Webhook: hook})
		err := r.post(context.Background(), "hello")
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "k-e-y", name)
	}
}
