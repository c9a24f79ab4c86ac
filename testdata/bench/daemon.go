package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The keys of the callback between a world and a daemon.
const (
	callbackToken = "bench"
	callbackKey   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
)

// A daemon is "wedrop serve" over a folder of a scene.
type daemon struct {
	b     *bench
	scene *scene
	inbox string
	cmd   *exec.Cmd
	log   bytes.Buffer
}

func (b *bench) daemon(s *scene, env ...string) (*daemon, error) {
	d := &daemon{b: b, scene: s, inbox: filepath.Join(s.dir, "inbox")}
	if err := os.MkdirAll(d.inbox, 0o755); err != nil {
		return nil, err
	}
	d.cmd = b.command(append(append(s.env, "WEDROP_FOLDERS="+d.inbox, "WEDROP_LISTEN=127.0.0.1:0"), env...), b.wedrop, "serve")
	d.cmd.Stderr = &d.log
	return d, d.cmd.Start()
}

func (d *daemon) end() {
	d.cmd.Process.Kill()
	d.cmd.Wait()
}

// drop puts n files into the folder.
func (d *daemon) drop(n int) error {
	for i := range n {
		if err := makeFile(filepath.Join(d.inbox, fmt.Sprintf("%05d.mp4", i)), 5_000, uint64(i)); err != nil {
			return err
		}
	}
	return nil
}

// until waits until n files wait for a step. It asks seldom, for the answer is
// the whole ledger.
func (d *daemon) until(step string, n int) error {
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(2 * time.Second) {
		out, err := d.b.command(d.scene.env, d.b.wedrop, "list", "--json").Output()
		if err != nil {
			return fmt.Errorf("wedrop list: %w\n%s", err, d.log.String())
		}
		if bytes.Count(out, []byte(`"step":"`+step+`"`)) == n {
			return nil
		}
		if time.Now().After(end) {
			return errors.New("the daemon does not get there\n" + d.log.String())
		}
	}
}

// sitting is a daemon that has nothing to do, and one that waits for many jobs.
func (b *bench) sitting() error {
	const n = 10_000
	idle, waiting := "memory of an idle daemon", fmt.Sprintf("memory of a daemon with %d waiting Items", n)
	if !b.wants(idle) && !b.wants(waiting) {
		return nil
	}
	s, err := b.scene(b.dir, "24h", "")
	if err != nil {
		return err
	}
	defer s.end()
	d, err := b.daemon(s, "WEDROP_POLL_MIN=30m", "WEDROP_POLL_MAX=30m")
	if err != nil {
		return err
	}
	defer d.end()
	time.Sleep(5 * time.Second)
	figure(idle, rss(d.cmd.Process.Pid))
	if err := d.drop(n); err != nil {
		return err
	}
	if err := d.until("await", n); err != nil {
		return err
	}
	time.Sleep(20 * time.Second) // the table in the folder, and the runtime gives memory back
	figure(waiting, rss(d.cmd.Process.Pid))
	return nil
}

// calls counts what is asked of a WeCom that takes two seconds for a job.
func (b *bench) calls() error {
	const n = 100
	for _, row := range []struct {
		title, first string
		callback     bool
	}{
		{"without callback, first query after 1 s", "1s", false},
		{"with callback, first query after 1 s", "1s", true},
		{"with callback, first query after 30 s", "30s", true},
	} {
		title := "calls to WeCom for each media_id, jobs of 2 s (token / submit / query): " + row.title
		if !b.wants(title) {
			continue
		}
		c, err := b.called(n, row.first, row.callback)
		if err != nil {
			return err
		}
		figure(title, fmt.Sprintf("%.2f / %.2f / %.2f", float64(c.Token)/n, float64(c.Submit)/n, float64(c.Result)/n))
	}
	return nil
}

// called are the calls that a daemon makes for n files.
func (b *bench) called(n int, first string, callback bool) (c counts, err error) {
	env, to := []string{"WEDROP_POLL_MIN=" + first}, ""
	if callback {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return c, err
		}
		address := l.Addr().String()
		l.Close()
		to = "http://" + address + "/callback"
		env = append(env, "WEDROP_LISTEN="+address, "WEDROP_CALLBACK_TOKEN="+callbackToken, "WEDROP_CALLBACK_AES_KEY="+callbackKey)
	}
	s, err := b.scene(b.dir, "2s", to)
	if err != nil {
		return c, err
	}
	defer func() {
		counted, e := s.end()
		c, err = counted, errors.Join(err, e)
	}()
	d, err := b.daemon(s, env...)
	if err != nil {
		return c, err
	}
	defer d.end()
	if err := d.drop(n); err != nil {
		return c, err
	}
	return c, d.until("done", n)
}

// rss is what a process has resident, by the kernel's word.
func rss(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "not known on this system"
	}
	field := func(name string) int {
		_, rest, _ := strings.Cut(string(text), name)
		v, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
		return v >> 10
	}
	return fmt.Sprintf("%d MB, at its peak %d MB", field("VmRSS:"), field("VmHWM:"))
}
