package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage/dirbucket"
	"wedrop/wecom/wecomtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wedrop": main, "wedrop-on-another-clock": onAnotherClock})
}

// TestScripts runs the real program against a simulated WeCom and a folder
// that is served over HTTP. Each script has its own of both, fully configured
// by the environment.
func TestScripts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the scripts use the paths and signals of Unix")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setUp,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"signals": signals,
			"inject":  inject,
			"calls":   calls,
			"bucket":  bucketIs,
			"fetches": fetches,
			"mark":    mark,
			"nocalls": noCalls,
			"jobtime": jobTime,
			"trusts":  trusts,
			"file":    makeFile,
			"hidden":  hidden,
			"appends": appends,

			"templates": templates,
			"corrupt":   corrupt,
			"kills":     kills,
			"noless":    noLess,
			"demos":     demos,
			"occupies":  occupies,
		},
	})
}

// Secrets of every script; hidden looks for them.
const (
	testCorp   = "wwtest"
	testSecret = "S3CRET-of-the-app-0123456789"
)

// A site is the world of one script.
type site struct {
	we     *wecomtest.Server
	bucket *httptest.Server
	mode   atomic.Value // what the bucket does: "", "deny", "norange"
	gets   atomic.Int64
	env    *testscript.Env
	marked [2]int // calls and fetches at the last mark
}

func setUp(env *testscript.Env) error {
	we, err := wecomtest.Start(wecomtest.Options{CorpID: testCorp, Secret: testSecret, KeepMedia: true})
	if err != nil {
		return err
	}
	env.Defer(we.Close)
	dir := filepath.Join(env.WorkDir, ".bucket")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	d, err := dirbucket.Open("dir://" + dir)
	if err != nil {
		return err
	}
	s := &site{we: we, env: env}
	s.mode.Store("")
	s.bucket = httptest.NewServer(s.publish(d.Handler()))
	env.Defer(func() { s.bucket.Close(); d.Close() })
	env.Values["site"] = s
	for name, value := range map[string]string{
		"HOME":                      filepath.Join(env.WorkDir, ".home"),
		"XDG_STATE_HOME":            "",
		"XDG_CONFIG_HOME":           "",
		"LANG":                      "C.UTF-8",
		"LC_ALL":                    "",
		"WEDROP_WECOM_BASE_URL":     we.URL,
		"WEDROP_WECOM_CORP_ID":      testCorp,
		"WEDROP_WECOM_SECRET":       testSecret,
		"WEDROP_STORAGE":            "dir://" + dir,
		"WEDROP_STORAGE_PUBLIC_URL": s.bucket.URL,
		"WEDROP_SETTLE":             "50ms",
		"WEDROP_POLL_MIN":           "20ms",
		"WEDROP_POLL_MAX":           "100ms",
	} {
		env.Setenv(name, value)
	}
	return nil
}

func (s *site) publish(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.gets.Add(1)
		switch s.mode.Load() {
		case "deny":
			http.Error(w, "AccessDenied", http.StatusForbidden)
			return
		case "norange":
			r.Header.Del("Range")
		}
		h.ServeHTTP(w, r)
	})
}

func siteOf(ts *testscript.TestScript) *site { return ts.Value("site").(*site) }

// exits CODE PROGRAM ARG...: runs a program that has to end with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var ee *exec.ExitError
	switch {
	case errors.As(err, &ee):
		got = ee.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if want := count(ts, args[0]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// signals SIGNAL CODE PROGRAM ARG...: runs a program, sends it the signal when
// WeCom has taken a job of it, and checks its exit code. What it wrote is in
// the files signal.out and signal.err.
func signals(ts *testscript.TestScript, neg bool, args []string) {
	s := siteOf(ts)
	path := ""
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, args[2]); path == "" && exists(p) {
			path = p
		}
	}
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), s.env.Vars
	out, err1 := os.Create(ts.MkAbs("signal.out"))
	errs, err2 := os.Create(ts.MkAbs("signal.err"))
	ts.Check(errors.Join(err1, err2))
	defer out.Close()
	defer errs.Close()
	cmd.Stdout, cmd.Stderr = out, errs
	before := s.we.Count("media/upload_by_url")
	ts.Check(cmd.Start())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	werr := s.we.WaitCalls(ctx, "media/upload_by_url", before+1)
	sig := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}[args[0]]
	ts.Check(errors.Join(werr, cmd.Process.Signal(sig)))
	_ = cmd.Wait()
	if got, want := cmd.ProcessState.ExitCode(), count(ts, args[1]); got != want {
		text, _ := os.ReadFile(ts.MkAbs("signal.err"))
		ts.Fatalf("exit code %d, want %d\n%s", got, want, text)
	}
}

// inject API KEY=VALUE...: what WeCom does at the next call of the API.
func inject(ts *testscript.TestScript, neg bool, args []string) {
	var f wecomtest.Fault
	for _, kv := range args[1:] {
		k, v, _ := strings.Cut(kv, "=")
		switch k {
		case "errcode":
			f.Errcode = count(ts, v)
		case "job":
			f.JobErrcode = count(ts, v)
		case "status":
			f.Status = count(ts, v)
		case "forever":
			f.JobForever = true
		case "times":
			f.Times = count(ts, v)
		default:
			ts.Fatalf("inject: %s?", k)
		}
	}
	siteOf(ts).we.Inject(args[0], f)
}

// calls API N: how often WeCom was called, of all APIs with "all".
func calls(ts *testscript.TestScript, neg bool, args []string) {
	api, got := args[0], 0
	if we := siteOf(ts).we; api == "all" {
		got = len(we.Calls())
	} else {
		got = we.Count(api)
	}
	if want := count(ts, args[1]); (got == want) == neg {
		ts.Fatalf("%s was called %d times, want %s%d", api, got, map[bool]string{true: "not "}[neg], want)
	}
}

// fetches N: how often the public links were asked for, by anybody.
func fetches(ts *testscript.TestScript, neg bool, args []string) {
	if got, want := int(siteOf(ts).gets.Load()), count(ts, args[0]); got != want {
		ts.Fatalf("%d requests for public links, want %d", got, want)
	}
}

// mark remembers what was called and fetched; nocalls wants nothing since.
func mark(ts *testscript.TestScript, neg bool, args []string) {
	s := siteOf(ts)
	s.marked = [2]int{len(s.we.Calls()), int(s.gets.Load())}
}

func noCalls(ts *testscript.TestScript, neg bool, args []string) {
	s := siteOf(ts)
	if now := [2]int{len(s.we.Calls()), int(s.gets.Load())}; now != s.marked {
		ts.Fatalf("calls and fetches %v, want %v as before", now, s.marked)
	}
}

// bucket MODE: "ok", "deny" (403 to everybody) or "norange".
func bucketIs(ts *testscript.TestScript, neg bool, args []string) {
	siteOf(ts).mode.Store(strings.TrimPrefix(args[0], "ok"))
}

func jobTime(ts *testscript.TestScript, neg bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	siteOf(ts).we.SetJobTime(d)
}

// trusts IP...: the addresses that WeCom takes calls from.
func trusts(ts *testscript.TestScript, neg bool, args []string) {
	siteOf(ts).we.SetTrustedIPs(args...)
}

// appends FILE TEXT
func appends(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString(args[1])
	ts.Check(errors.Join(err, f.Close()))
}

// hidden PATH...: no secret of the script, and no token, is in the files, in
// files below the folders, or in what the last command wrote.
func hidden(ts *testscript.TestScript, neg bool, args []string) {
	look := func(where string, text []byte) {
		for _, s := range []string{testSecret, "access_token"} {
			if strings.Contains(string(text), s) {
				ts.Fatalf("%s holds %q", where, s)
			}
		}
	}
	look("stdout", []byte(ts.ReadFile("stdout")))
	look("stderr", []byte(ts.ReadFile("stderr")))
	for _, arg := range args {
		ts.Check(filepath.WalkDir(ts.MkAbs(arg), func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			look(path, data)
			return err
		}))
	}
}

func count(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

// makeFile KIND FILE [SIZE]: a file of that kind.
func makeFile(ts *testscript.TestScript, neg bool, args []string) {
	kind, path, n := args[0], ts.MkAbs(args[1]), int64(0)
	if len(args) > 2 {
		n = int64(count(ts, args[2]))
	}
	var err error
	switch kind {
	case "sparse":
		if err = os.WriteFile(path, nil, 0o600); err == nil {
			err = os.Truncate(path, n)
		}
	case "text":
		err = os.WriteFile(path, []byte(strings.Repeat("wedrop ", int(n/7)+1)[:n]), 0o600)
	case "many":
		err = manyFiles(path, int(n))
	default:
		data := media(kind, max(n, 4000))
		if data == nil {
			ts.Fatalf("file: %s?", kind)
		}
		err = os.WriteFile(path, data, 0o600)
	}
	ts.Check(err)
}

func media(kind string, n int64) []byte {
	switch kind {
	case "mp4":
		return inspecttest.MP4(n, 1)
	case "mov":
		return inspecttest.MOV(n, 1)
	case "mkv":
		return inspecttest.MKV()
	case "html":
		return inspecttest.HTML()
	case "pdf":
		return inspecttest.PDF()
	case "truncated":
		return inspecttest.Truncated(n, n/3, 1)
	case "noindex":
		return inspecttest.NoIndex(n, 1)
	case "encrypted":
		return inspecttest.Encrypted(n, 1)
	case "sound":
		return inspecttest.SoundOnly(n, 1)
	}
	return nil
}

// manyFiles are n files of different content in a folder.
func manyFiles(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.txt", i)), []byte(fmt.Sprintf("file number %d\n", i)), 0o600); err != nil {
			return err
		}
	}
	return nil
}
