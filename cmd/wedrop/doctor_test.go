package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"

	"wedrop/storage/cosbucket/costest"
	"wedrop/storage/dirbucket"
	"wedrop/storage/s3bucket/s3test"
	"wedrop/storage/storagetest/nobody"
	"wedrop/wecom/wecomtest"
)

// A clinic is an office whose doctor is called.
type clinic struct {
	*office
	env map[string]string // over the office's
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the environment and the paths of Unix")
	}
	c := &clinic{newOffice(t, 0), map[string]string{}}
	c.env["WEDROP_JOURNAL"] = filepath.Join(t.TempDir(), "ledger.db")
	c.env["WEDROP_LISTEN"] = "127.0.0.1:0"
	return c
}

// cos gives the clinic a bucket of COS in the place of that of S3.
func (c *clinic) cos(o costest.Options) *costest.Server {
	o.Policy = append(o.Policy, "media/")
	srv, err := costest.New(o)
	require.NoError(c.t, err)
	c.t.Cleanup(srv.Close)
	id, key, _ := srv.Credentials()
	maps.Copy(c.env, map[string]string{"WEDROP_STORAGE": srv.Link("media"), "TENCENTCLOUD_SECRET_ID": id, "TENCENTCLOUD_SECRET_KEY": key, "TENCENTCLOUD_TOKEN": ""})
	return srv
}

func (c *clinic) command(args ...string) *exec.Cmd {
	cmd := c.wedrop(args...)
	for k, v := range c.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd
}

// doctor runs it, and returns its findings by check, and the exit code.
func (c *clinic) doctor(args ...string) (map[string]finding, int) {
	c.t.Helper()
	cmd := c.command(append([]string{"doctor", "--json"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ee := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ee) {
		require.NoError(c.t, err)
	}
	for _, secret := range []string{"S3CRET", "HUSH", s3test.SecretKey, testAESKey, "access_token="} {
		require.NotContains(c.t, out.String()+errs.String(), secret)
	}
	findings := map[string]finding{}
	var order []string
	for line := range strings.Lines(out.String()) {
		var f finding
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		require.NoError(c.t, d.Decode(&f), line)
		require.NotEmpty(c.t, f.Message, line)
		blocked := f.Status == skipped && strings.HasPrefix(f.Message, "not checked: needs ")
		require.Equal(c.t, f.Status == failed || blocked, !f.OK, line)
		require.False(c.t, f.Status == failed && f.Remedy == "", line)
		findings[f.Check] = f
		order = append(order, f.Check)
	}
	require.Equal(c.t, checkNames(), order, "all of them, in order: %s%s", out.String(), errs.String())
	return findings, cmd.ProcessState.ExitCode()
}

func checkNames() (names []string) {
	for _, e := range newDoctor(newApp(nil, os.Getenv, io.Discard, io.Discard)).examinations() {
		names = append(names, e.name)
	}
	return names
}

// healthy is what is found where nothing is wrong.
func healthy() map[string]verdict {
	m := map[string]verdict{}
	for _, name := range checkNames() {
		m[name] = passed
	}
	m["trusted-ip"], m["api-permission"], m["callback"] = unknown, unknown, skipped
	return m
}

// A case is one broken thing, and what is found instead of what is healthy.
type brokenThing struct {
	name  string
	broke func(t *testing.T, c *clinic)
	found map[string]verdict
	says  map[string]string // part of the message or remedy of a check
}

func noBucket(needs verdict) map[string]verdict {
	return map[string]verdict{"bucket-write": needs, "public-read": skipped, "range": skipped, "public-listing": skipped, "bucket-clean": skipped}
}

func noToken() map[string]verdict {
	return map[string]verdict{"token": failed, "trusted-ip": skipped, "api-permission": skipped}
}

func with(m map[string]verdict, more ...any) map[string]verdict {
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1].(verdict)
	}
	return m
}

func (c *clinic) set(kv ...string) {
	for i := 0; i < len(kv); i += 2 {
		c.env[kv[i]] = kv[i+1]
	}
}

// config writes a configuration file and names it.
func (c *clinic) config(mode os.FileMode, content string) {
	path := filepath.Join(c.t.TempDir(), "wedrop.yaml")
	require.NoError(c.t, os.WriteFile(path, []byte(content), mode))
	c.env["WEDROP_CONFIG"] = path
}

var brokenThings = []brokenThing{
	{"nothing", func(*testing.T, *clinic) {}, nil, map[string]string{
		"configuration": "WEDROP_WECOM_SECRET", "api-permission": "not provable from here", "trusted-ip": "errcode 60136",
		"public-listing": "cannot list", "link-length": "WeCom takes 1024"}},

	// Configuration.
	{"a key that nobody knows", func(t *testing.T, c *clinic) { c.config(0o600, "wecom: {secrt: HUSH}\n") },
		with(allSkipped(), "configuration", failed), map[string]string{"configuration": "did you mean wecom.secret"}},
	{"no corp id", func(t *testing.T, c *clinic) { c.set("WEDROP_WECOM_CORP_ID", "") },
		with(noToken(), "configuration", failed, "token", skipped), map[string]string{"configuration": "WEDROP_WECOM_CORP_ID"}},
	{"no secret", func(t *testing.T, c *clinic) { c.set("WEDROP_WECOM_SECRET", "") },
		with(noToken(), "secrets", failed, "token", skipped), map[string]string{"secrets": "WEDROP_WECOM_SECRET"}},
	{"no bucket in the configuration", func(t *testing.T, c *clinic) { c.set("WEDROP_STORAGE", "") },
		with(noBucket(skipped), "configuration", failed, "link-length", skipped), map[string]string{"configuration": "WEDROP_STORAGE"}},
	{"a region that is missing", func(t *testing.T, c *clinic) { c.set("WEDROP_STORAGE", "s3://bucket/media") },
		with(noBucket(skipped), "configuration", failed, "link-length", skipped), map[string]string{"configuration": "region"}},
	{"a folder without a public address", func(t *testing.T, c *clinic) { c.set("WEDROP_STORAGE", "dir://"+t.TempDir()) },
		with(noBucket(skipped), "configuration", failed, "link-length", skipped), map[string]string{"configuration": "WEDROP_STORAGE_PUBLIC_URL"}},
	{"half a callback", func(t *testing.T, c *clinic) { c.set("WEDROP_CALLBACK_TOKEN", testToken) },
		map[string]verdict{"configuration": failed}, map[string]string{"configuration": "WEDROP_CALLBACK_AES_KEY"}},
	{"a configuration that everybody may read", func(t *testing.T, c *clinic) {
		c.config(0o644, "callback: {token: HUSHtoken, aes_key: "+testAESKey+"}\n")
	}, map[string]verdict{"secrets": warned, "callback": warned}, map[string]string{"secrets": "chmod 640"}},
	{"no credentials of S3", func(t *testing.T, c *clinic) { c.set("AWS_ACCESS_KEY_ID", "", "AWS_SECRET_ACCESS_KEY", "") },
		with(noBucket(skipped), "secrets", failed, "link-length", skipped), map[string]string{"secrets": "AWS_ACCESS_KEY_ID"}},
	{"no credentials of COS", func(t *testing.T, c *clinic) {
		c.cos(costest.Options{})
		c.set("TENCENTCLOUD_SECRET_KEY", "")
	}, with(noBucket(skipped), "secrets", failed, "link-length", skipped), map[string]string{"secrets": "TENCENTCLOUD_SECRET_KEY"}},

	// Folders and journal.
	{"a folder that is gone", func(t *testing.T, c *clinic) { c.set("WEDROP_FOLDERS", filepath.Join(t.TempDir(), "gone")) },
		map[string]verdict{"folders": failed}, map[string]string{"folders": "mount the drive"}},
	{"a folder that is a file", func(t *testing.T, c *clinic) { c.set("WEDROP_FOLDERS", c.drop(t.TempDir(), "file", nil)) },
		map[string]verdict{"folders": failed}, nil},
	{"a journal that is none", func(t *testing.T, c *clinic) {
		c.set("WEDROP_JOURNAL", c.drop(t.TempDir(), "notes.txt", bytes.Repeat([]byte("these are notes\n"), 100)))
	}, with(noToken(), "journal", failed, "token", skipped), map[string]string{"journal": "another file"}},
	{"a journal in a file's place", func(t *testing.T, c *clinic) {
		c.set("WEDROP_JOURNAL", filepath.Join(c.drop(t.TempDir(), "file", nil), "ledger.db"))
	}, with(noToken(), "journal", failed, "token", skipped, "daemon", skipped), nil},
	{"a journal that is locked", func(t *testing.T, c *clinic) {
		lock := flock.New(c.env["WEDROP_JOURNAL"] + ".lock")
		require.NoError(t, lock.Lock())
		t.Cleanup(func() { _ = lock.Close() })
	}, with(noToken(), "journal", failed, "token", skipped), map[string]string{"journal": "fuser"}},

	{"a journal of another kind", func(t *testing.T, c *clinic) { c.set("WEDROP_JOURNAL", "postgres://wedrop:HUSH@127.0.0.1:1/wedrop") },
		with(noToken(), "journal", failed, "token", skipped, "daemon", skipped), nil},

	// WeCom.
	{"a wrong secret", func(t *testing.T, c *clinic) { c.set("WEDROP_WECOM_SECRET", "S3CRET") },
		noToken(), map[string]string{"token": "40001"}},
	{"a wrong corp", func(t *testing.T, c *clinic) { c.set("WEDROP_WECOM_CORP_ID", "wwother") },
		noToken(), map[string]string{"token": "40013"}},
	{"a banned IP", func(t *testing.T, c *clinic) { c.we.Inject("gettoken", wecomtest.Fault{Errcode: 45009, Times: -1}) },
		noToken(), map[string]string{"token": "checkCorpSpamBlock"}},
	{"a gettoken that breaks off", func(t *testing.T, c *clinic) { c.we.Inject("gettoken", wecomtest.Fault{ResetBefore: true, Times: -1}) },
		noToken(), map[string]string{"token": "cannot be reached"}},
	{"a WeCom that is not there", func(t *testing.T, c *clinic) { c.set("WEDROP_WECOM_BASE_URL", "http://127.0.0.1:1") },
		noToken(), map[string]string{"clock": "no answer from WeCom", "token": "cannot be reached"}},
	{"a proxy that is not there", func(t *testing.T, c *clinic) { c.set("WEDROP_WECOM_PROXY", "http://HUSH:HUSH@127.0.0.1:1") },
		noToken(), map[string]string{"clock": "no answer from WeCom", "token": "the proxy cannot be reached"}},
	{"a page before WeCom", func(t *testing.T, c *clinic) {
		c.we.Inject("media/get_upload_by_url_result", wecomtest.Fault{Status: 502, Times: -1})
	}, map[string]verdict{"trusted-ip": failed, "api-permission": skipped}, map[string]string{"trusted-ip": "502"}},
	{"an IP that is not trusted", func(t *testing.T, c *clinic) { c.we.SetTrustedIPs("198.51.100.1") },
		map[string]verdict{"trusted-ip": failed, "api-permission": skipped}, map[string]string{"trusted-ip": "203.0.113.9"}},
	{"a permission that is missing", func(t *testing.T, c *clinic) { c.we.SetPermission(false) },
		map[string]verdict{"api-permission": failed}, map[string]string{"api-permission": "48002"}},
	{"an app that is disabled", func(t *testing.T, c *clinic) {
		c.we.Inject("media/get_upload_by_url_result", wecomtest.Fault{Errcode: 50003, Times: -1})
	}, map[string]verdict{"api-permission": failed}, map[string]string{"api-permission": "enable the app"}},
	{"an agent id that is wrong", func(t *testing.T, c *clinic) {
		c.we.Inject("media/get_upload_by_url_result", wecomtest.Fault{Errcode: 40056, Times: -1})
	}, map[string]verdict{"api-permission": failed}, map[string]string{"api-permission": "wecom.agent_id"}},
	{"a busy WeCom", func(t *testing.T, c *clinic) {
		c.we.Inject("media/get_upload_by_url_result", wecomtest.Fault{Errcode: -1, Times: -1})
	}, nil, map[string]string{"api-permission": "not provable now"}},

	// Bucket.
	{"a wrong secret of the bucket", func(t *testing.T, c *clinic) { c.set("AWS_SECRET_ACCESS_KEY", "HUSH") },
		noBucket(failed), map[string]string{"bucket-write": "SignatureDoesNotMatch"}},
	{"credentials that may not write", func(t *testing.T, c *clinic) { c.s3.Set(func(s *s3test.Settings) { s.ReadOnly = true }) },
		noBucket(failed), map[string]string{"bucket-write": "s3:PutObject"}},
	{"a bucket that is not there", func(t *testing.T, c *clinic) {
		c.set("WEDROP_STORAGE", strings.Replace(c.s3.URL("media"), "s3://bucket/", "s3://buckte/", 1))
	}, noBucket(failed), map[string]string{"bucket-write": "NoSuchBucket"}},
	{"a service that is not there", func(t *testing.T, c *clinic) {
		c.set("WEDROP_STORAGE", "s3://bucket/media?region=r&path_style=true&endpoint=http://127.0.0.1:1")
	}, noBucket(failed), map[string]string{"bucket-write": "cannot be reached", "clock": "no answer from the bucket"}},
	{"a bucket that is not public", func(t *testing.T, c *clinic) { c.set("WEDROP_STORAGE_ACCESS", "bucket-policy") },
		map[string]verdict{"public-read": failed, "range": skipped}, map[string]string{"public-read": `"Action": "s3:GetObject"`}},
	{"ACLs that are ignored", func(t *testing.T, c *clinic) { c.s3.Set(func(s *s3test.Settings) { s.IgnorePublicACLs = true }) },
		map[string]verdict{"public-read": failed, "range": skipped}, map[string]string{"public-read": "403 AccessDenied"}},
	{"a server without ranges", func(t *testing.T, c *clinic) { c.s3.Faults.NoRange(true) },
		map[string]verdict{"range": failed}, map[string]string{"range": "200 instead of 206"}},
	{"a public address that is a site", func(t *testing.T, c *clinic) {
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("<p>welcome</p>", 50)))
		}))
		t.Cleanup(site.Close)
		c.set("WEDROP_STORAGE_PUBLIC_URL", site.URL)
	}, map[string]verdict{"public-read": failed, "range": skipped}, map[string]string{"public-read": "storage.public_url"}},
	{"a public address that is not there", func(t *testing.T, c *clinic) { c.set("WEDROP_STORAGE_PUBLIC_URL", "http://127.0.0.1:1") },
		map[string]verdict{"public-read": failed, "range": skipped, "public-listing": unknown}, map[string]string{"public-read": "does not answer"}},
	{"a public address that leads elsewhere", func(t *testing.T, c *clinic) {
		away := httptest.NewServer(http.RedirectHandler("https://login.example/", http.StatusFound))
		t.Cleanup(away.Close)
		c.set("WEDROP_STORAGE_PUBLIC_URL", away.URL)
	}, map[string]verdict{"public-read": failed, "range": skipped}, map[string]string{"public-read": "login.example"}},
	{"a server that compresses", func(t *testing.T, c *clinic) {
		at, err := url.Parse(c.s3.Endpoint() + "/bucket")
		require.NoError(t, err)
		proxy := httputil.NewSingleHostReverseProxy(at)
		proxy.ModifyResponse = func(r *http.Response) error { r.Header.Set("Content-Encoding", "gzip"); return nil }
		cdn := httptest.NewServer(proxy)
		t.Cleanup(cdn.Close)
		c.set("WEDROP_STORAGE_PUBLIC_URL", cdn.URL)
	}, map[string]verdict{"range": failed}, map[string]string{"range": "compression"}},
	{"a cache that keeps old copies", func(t *testing.T, c *clinic) {
		old := "wedrop doctor: a trial of this bucket. It may be removed at any time.\nAAAAAAAAAAAAAAAAAAAAAAAAAA"
		cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, ".bin") {
				http.NotFound(w, r)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(old))
		}))
		t.Cleanup(cdn.Close)
		c.set("WEDROP_STORAGE_PUBLIC_URL", cdn.URL)
	}, map[string]verdict{"public-read": warned}, map[string]string{"public-read": "CDN"}},
	{"a bucket of S3 that everybody may list", func(t *testing.T, c *clinic) { c.s3.Set(func(s *s3test.Settings) { s.PublicList = true }) },
		map[string]verdict{"public-listing": warned}, map[string]string{"public-listing": "s3:GetObject alone"}},
	{"a bucket of COS that everybody may list", func(t *testing.T, c *clinic) { c.cos(costest.Options{PublicList: true}) },
		map[string]verdict{"public-listing": warned}, map[string]string{"public-listing": "private"}},
	{"a COS without fault", func(t *testing.T, c *clinic) { c.cos(costest.Options{}) }, nil, nil},
	{"credentials that may not remove", func(t *testing.T, c *clinic) { c.cos(costest.Options{}).Set(costest.Trouble{Deny: []string{"DELETE"}}) },
		map[string]verdict{"bucket-clean": failed}, map[string]string{"bucket-clean": "media/wedrop-doctor.bin"}},
	{"a clock that is ten minutes off", func(t *testing.T, c *clinic) { c.cos(costest.Options{}).Set(costest.Trouble{Skew: 10 * time.Minute}) },
		map[string]verdict{"clock": failed}, map[string]string{"clock": "behind the bucket"}},
	{"a clock that is two minutes off", func(t *testing.T, c *clinic) { c.s3.Set(func(s *s3test.Settings) { s.Ahead = -2 * time.Minute }) },
		map[string]verdict{"clock": warned}, map[string]string{"clock": "ahead of the bucket"}},
	{"links that are too long", func(t *testing.T, c *clinic) { c.set("WEDROP_STORAGE", c.s3.URL(strings.Repeat("long/", 200)+"x")) },
		with(noBucket(skipped), "link-length", failed), map[string]string{"link-length": "1024"}},
	{"a published folder that is gone", func(t *testing.T, c *clinic) {
		c.set("WEDROP_STORAGE", "dir:///nowhere/at/all", "WEDROP_STORAGE_PUBLIC_URL", "https://media.example")
	}, with(noBucket(failed), "link-length", skipped), map[string]string{"bucket-write": "does not exist"}},

	// What runs.
	{"a port that another program has", func(t *testing.T, c *clinic) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		c.set("WEDROP_LISTEN", l.Addr().String())
	}, map[string]verdict{"daemon": failed}, map[string]string{"daemon": "WEDROP_LISTEN"}},
	{"a daemon that hangs", func(t *testing.T, c *clinic) {
		path := c.env["WEDROP_JOURNAL"] + ".serve"
		require.NoError(t, os.WriteFile(path, []byte("pid 4711\naddress http://127.0.0.1:1\n"), 0o600))
		lock := flock.New(path)
		require.NoError(t, lock.Lock())
		t.Cleanup(func() { _ = lock.Close() })
	}, map[string]verdict{"daemon": failed}, map[string]string{"daemon": "4711"}},
	{"no token for a page that others reach", func(t *testing.T, c *clinic) { c.set("WEDROP_LISTEN", "0.0.0.0:0") },
		map[string]verdict{"page-token": failed}, map[string]string{"page-token": "openssl rand"}},
	{"a token that is too short", func(t *testing.T, c *clinic) { c.set("WEDROP_LISTEN", "0.0.0.0:0", "WEDROP_PAGE_TOKEN", "letmein") },
		map[string]verdict{"page-token": failed}, map[string]string{"page-token": "openssl rand"}},
	{"a token that is easy to guess", func(t *testing.T, c *clinic) {
		c.set("WEDROP_LISTEN", "0.0.0.0:0", "WEDROP_PAGE_TOKEN", "banana-banana-banana")
	},
		map[string]verdict{"page-token": warned}, map[string]string{"page-token": "openssl rand"}},
	{"callbacks that nobody takes", func(t *testing.T, c *clinic) {
		c.set("WEDROP_CALLBACK_TOKEN", testToken, "WEDROP_CALLBACK_AES_KEY", testAESKey)
	},
		map[string]verdict{"callback": warned}, map[string]string{"callback": "wedrop serve"}},
}

func allSkipped() map[string]verdict {
	m := map[string]verdict{}
	for _, name := range checkNames() {
		m[name] = skipped
	}
	m["language"] = passed
	return m
}

// Each broken thing fails its own check with the cure; what hangs on it is not
// checked, and all the rest is. Whatever it was: nothing stays in the bucket,
// at most one token is fetched, and of WeCom nothing is asked but that.
func TestDoctorFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for _, b := range brokenThings {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t)
			b.broke(t, c)
			findings, code := c.doctor()
			want := healthy()
			maps.Copy(want, b.found)
			got := map[string]verdict{}
			for name, f := range findings {
				got[name] = f.Status
			}
			delete(want, "disk-space") // is this machine's
			delete(got, "disk-space")
			require.Equal(t, want, got, "%+v", findings)
			for name, text := range b.says {
				f := findings[name]
				require.Contains(t, f.Message+"\n"+f.Remedy, text, name)
			}
			bad := slices.ContainsFunc(slices.Collect(maps.Values(findings)), func(f finding) bool { return f.Status == failed })
			require.Equal(t, map[bool]int{true: 3, false: 0}[bad], code)
			c.harmless()
		})
	}
}

// harmless wants nothing in the bucket, and nothing done at WeCom that anybody
// could see.
func (c *clinic) harmless() {
	c.t.Helper()
	require.Empty(c.t, c.s3.Keys())
	for _, call := range c.we.Calls() {
		require.Contains(c.t, []string{"gettoken", "media/get_upload_by_url_result", "/"}, call.API)
	}
	require.LessOrEqual(c.t, c.we.Count("gettoken"), 1)
	require.LessOrEqual(c.t, c.we.Count("media/get_upload_by_url_result"), 1)
}

// Run again it fetches no second token, and tries no secret that was refused.
func TestDoctorAsksForOneToken(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{"right": "secret", "wrong": "S3CRET"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t)
			c.set("WEDROP_WECOM_SECRET", secret)
			first, _ := c.doctor()
			again, _ := c.doctor()
			require.Equal(t, 1, c.we.Count("gettoken"))
			require.Equal(t, first["token"].Status, again["token"].Status)
			if secret == "secret" {
				require.Contains(t, first["token"].Message, "fetched")
				require.Contains(t, again["token"].Message, "no new one")
				return
			}
			require.Contains(t, again["token"].Remedy, "it is not asked again for about 60 minutes")
		})
	}
}

// A media_id that came is the proof which a question cannot be.
func TestDoctorIsSureWhereMediaCame(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	out, err := c.command("push", c.drop(c.folder, "a.txt", []byte("hello, doctor"))).Output()
	require.NoError(t, err, string(out))
	findings, code := c.doctor()
	require.Zero(t, code)
	for _, name := range []string{"trusted-ip", "api-permission"} {
		require.Equal(t, passed, findings[name].Status)
		require.Contains(t, findings[name].Message, time.Now().Format("2006-"))
	}
	require.Equal(t, 1, c.we.Count("gettoken"))
}

// What a doctor that was killed has left is gone after the next one.
func TestDoctorRemovesWhatWasLeft(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.s3.Poison("media/wedrop-doctor.bin", []byte("of a doctor that was killed"))
	left := c.drop(c.folder, ".wedrop-doctor.tmp", nil)
	c.set("WEDROP_FOLDERS", c.folder)
	findings, _ := c.doctor()
	require.Equal(t, passed, findings["bucket-clean"].Status)
	require.NoFileExists(t, left)
	c.harmless()
}

// A folder may be open to others: what one of them has put in the doctor's way
// is not written to.
func TestDoctorWritesThroughNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	drop, precious := filepath.Join(dir, "drop"), filepath.Join(dir, "precious")
	require.NoError(t, os.Mkdir(drop, 0o700))
	require.NoError(t, os.WriteFile(precious, []byte("of somebody"), 0o600))
	if err := os.Symlink(precious, filepath.Join(drop, ".wedrop-doctor.tmp")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	require.NoError(t, writable(drop))
	b, err := os.ReadFile(precious)
	require.NoError(t, err)
	require.Equal(t, "of somebody", string(b))
	entries, err := os.ReadDir(drop)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// A Ctrl-C amid the checks leaves nothing, and what a killed doctor had no time
// to remove the next one does.
func TestDoctorThatIsStoppedLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			c := newClinic(t)
			dir := t.TempDir()
			d, err := dirbucket.Open("dir://" + dir)
			require.NoError(t, err)
			t.Cleanup(func() { _ = d.Close() })
			reading, over := make(chan struct{}), make(chan struct{})
			var once atomic.Bool
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if once.CompareAndSwap(false, true) {
					close(reading)
				}
				<-over
				d.Handler().ServeHTTP(w, r)
			}))
			t.Cleanup(web.Close)
			c.set("WEDROP_STORAGE", "dir://"+dir, "WEDROP_STORAGE_PUBLIC_URL", web.URL)
			cmd := c.command("doctor")
			require.NoError(t, cmd.Start())
			<-reading
			require.FileExists(t, filepath.Join(dir, "wedrop-doctor.bin"))
			require.NoError(t, cmd.Process.Signal(sig))
			_ = cmd.Wait()
			close(over)
			if sig == syscall.SIGKILL {
				require.FileExists(t, filepath.Join(dir, "wedrop-doctor.bin"))
				findings, _ := c.doctor()
				require.Equal(t, passed, findings["bucket-clean"].Status)
			} else {
				require.Equal(t, 4, cmd.ProcessState.ExitCode())
			}
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, entries)
		})
	}
}

// The callback is checked with the daemon that is there, as WeCom checks it.
func TestDoctorChecksTheDaemonsCallback(t *testing.T) {
	t.Parallel()
	const otherKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	for _, row := range []struct {
		name           string
		daemon, doctor string // their keys
		want           verdict
		says           string
	}{
		{"the same key", testAESKey, testAESKey, passed, "not provable from here"},
		{"another key", otherKey, testAESKey, failed, "has another token, key or corp id"},
		{"a daemon without callbacks", "", testAESKey, failed, "takes no callbacks"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t)
			for k, v := range c.env {
				c.office.env = append(c.office.env, k+"="+v)
			}
			before := slices.Clone(c.office.env)
			if row.daemon != "" {
				c.office.env = append(c.office.env, "WEDROP_CALLBACK_TOKEN="+testToken, "WEDROP_CALLBACK_AES_KEY="+row.daemon)
			}
			s := c.serve(c.env["WEDROP_JOURNAL"])
			c.office.env = before
			c.set("WEDROP_CALLBACK_TOKEN", testToken, "WEDROP_CALLBACK_AES_KEY", row.doctor)
			findings, _ := c.doctor()
			require.Equal(t, row.want, findings["callback"].Status, "%+v", findings["callback"])
			require.Contains(t, findings["callback"].Message, row.says)
			require.Equal(t, passed, findings["daemon"].Status)
			require.Contains(t, findings["daemon"].Message, s.url)
			s.stop()
			after, _ := c.doctor()
			require.Contains(t, after["daemon"].Message, "no daemon")
			require.Equal(t, warned, after["callback"].Status)
		})
	}
}

// A daemon that was killed has left its mark, and is no daemon.
func TestDoctorIsNotFooledByADaemonThatWasKilled(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.drop(filepath.Dir(c.env["WEDROP_JOURNAL"]), filepath.Base(c.env["WEDROP_JOURNAL"])+".serve", []byte("pid 1\naddress http://127.0.0.1:1\n"))
	findings, _ := c.doctor()
	require.Equal(t, passed, findings["daemon"].Status)
	require.Contains(t, findings["daemon"].Message, "no daemon")
}

func TestDoctorSeesMissingRights(t *testing.T) {
	if nobody.Run(t) {
		return
	}
	a := newApp(nil, func(string) string { return "" }, io.Discard, io.Discard)
	d := newDoctor(a)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	d.cfg = &Config{Folders: []Folder{{Path: dir}}, Journal: filepath.Join(dir, "ledger.db")}
	f := d.folders(t.Context())
	require.Equal(t, failed, f.Status)
	require.Contains(t, f.Message, dir)
	require.Contains(t, f.Remedy, "read-only")
	f = d.openedJournal(t.Context())
	require.Equal(t, failed, f.Status)
	require.Contains(t, f.Message, "no permission")
	d.cfg.Storage.URL, d.cfg.Storage.PublicURL = "dir://"+dir, "https://media.example"
	d.openTrial(t.Context())
	f = d.write(t.Context())
	require.Equal(t, failed, f.Status)
	require.Contains(t, f.Remedy, "write to this folder")
	require.NoError(t, os.Chmod(dir, 0o300))
	f = d.folders(t.Context())
	require.Equal(t, failed, f.Status, "a folder that cannot be read")
}

func TestDoctorKnowsADriveThatIsNotMounted(t *testing.T) {
	t.Parallel()
	if device("/") == 0 {
		t.Skip("drives cannot be told apart on this system")
	}
	dir := t.TempDir()
	d := newDoctor(newApp(nil, func(string) string { return "" }, io.Discard, io.Discard))
	d.tabs = filepath.Join(dir, "fstab")
	drop := filepath.Join(dir, "my share", "drop")
	require.NoError(t, os.MkdirAll(drop, 0o700))
	require.NoError(t, os.WriteFile(d.tabs, []byte("# drives\n//nas/share "+strings.ReplaceAll(filepath.Dir(drop), " ", `\040`)+" cifs defaults 0 0\n"), 0o600))
	d.cfg = &Config{Folders: []Folder{{Path: drop}}}
	f := d.folders(t.Context())
	require.Equal(t, failed, f.Status)
	require.Contains(t, f.Message, "is not mounted")
	require.Contains(t, f.Remedy, filepath.Dir(drop))
}

func TestDoctorLooksAtTheDisk(t *testing.T) {
	t.Parallel()
	for free, want := range map[int64]verdict{10 << 20: failed, 500 << 20: warned, 20 << 30: passed} {
		d := newDoctor(newApp(nil, func(string) string { return "" }, io.Discard, io.Discard))
		d.cfg = &Config{Journal: filepath.Join(t.TempDir(), "not", "yet", "there.db")}
		d.free = func(dir string) (int64, bool) { return free, exists(dir) }
		f := d.diskSpace(t.Context())
		require.Equal(t, want, f.Status, "%d bytes free: %s", free, f.Message)
	}
}

// WeCom's clock is asked the way its calls go.
func TestDoctorComparesWeComsClock(t *testing.T) {
	t.Parallel()
	we, err := wecomtest.Start(wecomtest.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { we.Close() })
	at, err := url.Parse(we.URL)
	require.NoError(t, err)
	var off atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(at)
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Set("Date", time.Now().Add(time.Duration(off.Load())).UTC().Format(http.TimeFormat))
		return nil
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	for skew, want := range map[time.Duration]verdict{0: passed, 3 * time.Minute: warned, -3 * time.Minute: warned, time.Hour: failed, -time.Hour: failed} {
		off.Store(int64(skew))
		d := newDoctor(newApp(nil, func(string) string { return "" }, io.Discard, io.Discard))
		d.cfg = &Config{from: map[string]origin{"wecom.base_url": {}}}
		d.cfg.WeCom.BaseURL = front.URL
		f := d.clock(t.Context())
		require.Equal(t, want, f.Status, "%s: %s", skew, f.Message)
	}
}

// A check whose server never answers ends by itself, and says so.
func TestDoctorDoesNotHang(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes calls, and says nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	c.set("WEDROP_STORAGE", fmt.Sprintf("s3://bucket/media?region=r&path_style=true&endpoint=http://%s", l.Addr()))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan map[string]finding, 1)
	go func() { f, _ := c.doctor(); done <- f }()
	select {
	case f := <-done:
		require.Equal(t, failed, f["bucket-write"].Status)
		require.NotEmpty(t, f["bucket-write"].Remedy)
		require.Contains(t, f["clock"].Message, "no answer from the bucket")
	case <-ctx.Done():
		t.Fatal("it hangs")
	}
}

// Every check has a name in both languages, which needs tells.
func TestDoctorNamesEveryCheck(t *testing.T) {
	t.Parallel()
	names := doctorNames()
	for _, check := range checkNames() {
		require.Contains(t, names, check)
		require.Regexp(t, `^[a-z]+(-[a-z]+)*$`, check)
		require.True(t, strings.ContainsFunc(names[check].ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || check == "token", check)
		require.Less(t, width(names[check].ZH), nameCells)
		require.Less(t, width(names[check].EN), nameCells)
	}
	require.Len(t, names, len(checkNames()))
}
