package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage/dirbucket"
	"wedrop/wecom/wecomtest"
)

// build makes the real program, once for all tests.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "wedrop")
	c := exec.Command("go", "build", "-o", bin, "./cmd/wedrop")
	c.Dir = "../../../.."
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return bin
}

// An office has the real daemon, between a WeCom that is simulated and a
// bucket that is a folder, and a wire from the browser to the daemon.
type office struct {
	t    *testing.T
	bin  string
	we   *wecomtest.Server
	dir  string // of the user's files
	env  []string
	cmd  *exec.Cmd
	end  chan error // of cmd, once
	log  *lines
	wire *wire
	URL  string // of the page, over the wire
}

// openOffice starts all of it. more is further environment of the daemon.
func openOffice(t *testing.T, bin string, w wecomtest.Options, more ...string) *office {
	t.Helper()
	we, err := wecomtest.Start(w)
	require.NoError(t, err)
	t.Cleanup(we.Close)
	d, err := dirbucket.Open("dir:///" + strings.TrimPrefix(filepath.ToSlash(t.TempDir()), "/"))
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	published := httptest.NewServer(d.Handler())
	t.Cleanup(published.Close)
	o := &office{t: t, bin: bin, we: we, dir: t.TempDir(), log: &lines{}}
	o.env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir(), "XDG_CONFIG_HOME=", "LANG=zh_CN.UTF-8", "WEDROP_LANG=zh",
		"WEDROP_WECOM_BASE_URL="+we.URL, "WEDROP_WECOM_CORP_ID=wwtest", "WEDROP_WECOM_SECRET=secret",
		"WEDROP_STORAGE="+d.ID(), "WEDROP_STORAGE_PUBLIC_URL="+published.URL, "WEDROP_JOURNAL="+filepath.Join(t.TempDir(), "ledger.db"),
		"WEDROP_LISTEN=127.0.0.1:0", "WEDROP_SETTLE=10ms", "WEDROP_POLL_MIN=20ms", "WEDROP_POLL_MAX=100ms")
	o.env = append(o.env, more...)
	o.wire = newWire(t)
	o.URL = "http://" + o.wire.l.Addr().String()
	o.start()
	t.Cleanup(func() {
		o.kill()
		if t.Failed() {
			t.Logf("the daemon:\n%s", o.log)
		}
	})
	return o
}

// start starts the daemon and leads the wire to it.
func (o *office) start() {
	o.t.Helper()
	o.cmd = exec.Command(o.bin, "serve")
	o.cmd.Env, o.cmd.Dir, o.cmd.Stdout, o.cmd.Stderr = o.env, o.dir, o.log, o.log
	require.NoError(o.t, o.cmd.Start())
	o.end = make(chan error, 1)
	go func(c *exec.Cmd, end chan error) { end <- c.Wait() }(o.cmd, o.end)
	for late := time.After(patience); ; {
		select {
		case err := <-o.end:
			o.cmd = nil
			o.t.Fatalf("the daemon ended: %v\n%s", err, o.log)
		case <-late:
			o.t.Fatalf("the daemon does not serve:\n%s", o.log)
		case <-time.After(10 * time.Millisecond):
		}
		data, _ := os.ReadFile(o.value("WEDROP_JOURNAL") + ".serve")
		var pid, address string
		_, _ = fmt.Sscanf(string(data), "pid %s\naddress %s", &pid, &address)
		if pid == fmt.Sprint(o.cmd.Process.Pid) {
			o.wire.lead(strings.TrimPrefix(address, "http://"))
			return
		}
	}
}

func (o *office) kill() {
	if o.cmd == nil {
		return
	}
	_ = o.cmd.Process.Kill()
	<-o.end
	o.cmd = nil
}

// stop ends the daemon as systemd does.
func (o *office) stop() {
	o.t.Helper()
	require.NoError(o.t, o.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(o.t, <-o.end, "%s", o.log)
	o.cmd = nil
}

func (o *office) value(key string) string {
	for i := len(o.env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(o.env[i], key+"="); ok {
			return v
		}
	}
	return ""
}

// file makes a file of the user's.
func (o *office) file(name string, content []byte) string {
	o.t.Helper()
	path := filepath.Join(o.dir, name)
	require.NoError(o.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(o.t, os.WriteFile(path, content, 0o644))
	return path
}

func (o *office) video(name string, size int64, seed uint64) string {
	o.t.Helper()
	return o.file(name, inspecttest.MP4(size, seed))
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

// A wire carries the browser's bytes to the daemon and counts them. It can be
// made to break, or to stop, after so many.
type wire struct {
	l net.Listener

	mu    sync.Mutex
	cond  *sync.Cond
	to    string
	sent  int64 // towards the daemon
	limit int64 // none if zero
	stops bool  // at the limit it stops; else it breaks
	cut   bool
	nap   time.Duration // for each chunk
	conns map[net.Conn]bool
}

func newWire(t *testing.T) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{l: l, conns: map[net.Conn]bool{}}
	w.cond = sync.NewCond(&w.mu)
	t.Cleanup(func() { l.Close(); w.free(); w.breakAll() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *wire) lead(to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = to
}

// breakAfter breaks everything once so many more bytes went to the daemon, and
// lets nothing through until mend.
func (w *wire) breakAfter(n int64) { w.set(n, false) }

// stopAfter lets so many more bytes through to the daemon, and no more until
// free.
func (w *wire) stopAfter(n int64) { w.set(n, true) }

func (w *wire) set(n int64, stops bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit, w.stops = w.sent+n, stops
}

func (w *wire) free() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit, w.cut = 0, false
	w.cond.Broadcast()
}

// broken tells whether the limit was come to.
func (w *wire) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// slow makes each chunk of 32 KiB take so long.
func (w *wire) slow(nap time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nap = nap
}

func (w *wire) slowness() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nap
}

func (w *wire) count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

func (w *wire) breakAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		c.Close()
	}
}

func (w *wire) carry(c net.Conn) {
	defer c.Close()
	w.mu.Lock()
	to, cut := w.to, w.cut && !w.stops
	w.mu.Unlock()
	if cut {
		return
	}
	d, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer d.Close()
	w.mu.Lock()
	w.conns[c], w.conns[d] = true, true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.conns, c)
		delete(w.conns, d)
		w.mu.Unlock()
	}()
	go func() { _, _ = io.Copy(c, d); c.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := c.Read(buf)
		if err != nil || !w.pass(n) {
			return
		}
		time.Sleep(w.slowness())
		if _, err := d.Write(buf[:n]); err != nil {
			return
		}
	}
}

// pass counts bytes, and tells whether they may go on.
func (w *wire) pass(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.limit > 0 && w.sent+int64(n) > w.limit {
		w.cut = true
		if !w.stops {
			for c := range w.conns {
				c.Close()
			}
			return false
		}
		if n < 4<<10 {
			break // requests for the list still go through
		}
		w.cond.Wait()
	}
	w.sent += int64(n)
	return true
}
