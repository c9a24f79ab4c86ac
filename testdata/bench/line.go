package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A scene is a world with an empty ledger and bucket of its own.
type scene struct {
	dir string
	env []string
	cmd *exec.Cmd
	in  io.Closer
	out *json.Decoder
}

func (b *bench) scene(jobTime string) (*scene, error) {
	dir, err := os.MkdirTemp(b.dir, "scene-")
	if err != nil {
		return nil, err
	}
	bucket := filepath.Join(dir, "bucket")
	if err := os.Mkdir(bucket, 0o755); err != nil {
		return nil, err
	}
	s := &scene{dir: dir, cmd: b.command(nil, b.self, "world", bucket, jobTime)}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(out)
	var p places
	if err := s.out.Decode(&p); err != nil {
		return nil, err
	}
	s.env = []string{"WEDROP_WECOM_BASE_URL=" + p.WeCom, "WEDROP_WECOM_CORP_ID=wwtest", "WEDROP_WECOM_SECRET=secret",
		"WEDROP_STORAGE=dir://" + bucket, "WEDROP_STORAGE_PUBLIC_URL=" + p.Bucket, "WEDROP_JOURNAL=" + filepath.Join(dir, "l.db"),
		"WEDROP_RATE_LIMIT=1000000", "WEDROP_SETTLE=100ms", "WEDROP_POLL_MIN=50ms"}
	return s, nil
}

// end ends the world and returns the calls that were made of it.
func (s *scene) end() (c counts, err error) {
	s.in.Close()
	err = s.out.Decode(&c)
	s.cmd.Wait()
	os.RemoveAll(s.dir)
	return c, err
}

// line is the whole line, and the second run over what is done.
func (b *bench) line() error {
	n := b.less(10_000, 2000)
	first := fmt.Sprintf("whole line, %d × 20 KB (to reach: 500 files/s)", n)
	second := fmt.Sprintf("second `sync` over %d unchanged files (to reach: 1.0 s, no call)", n)
	calls := "calls to WeCom for each media_id, polling (token / submit / query)"
	if !b.wants(first + second + calls) {
		return nil
	}
	dir, err := b.files("line", n, 20_000)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var firsts, seconds []cost
	for range min(b.rounds, 3) {
		s, err := b.scene("0s")
		if err != nil {
			return err
		}
		for _, into := range []*[]cost{&firsts, &seconds} {
			c, err := b.once(candidate{name: "wedrop sync", args: []string{b.wedrop, "sync", "-q", dir}, env: s.env})
			if err != nil {
				return err
			}
			*into = append(*into, c)
		}
		c, err := s.end()
		if err != nil {
			return err
		}
		if c.Submit != n {
			return fmt.Errorf("%d submits for %d files", c.Submit, n)
		}
	}
	c := median(firsts)
	fmt.Printf("| %s | wedrop sync: %.0f files/s | %.3f s | %.3f s | %d MB | | |\n", first, float64(n)/c.wall.Seconds(), c.wall.Seconds(), c.cpu.Seconds(), c.memory>>20)
	c = median(seconds)
	fmt.Printf("| %s | wedrop sync | %.3f s | %.3f s | %d MB | | |\n", second, c.wall.Seconds(), c.cpu.Seconds(), c.memory>>20)
	return b.calls(calls)
}

// calls counts what is asked of a WeCom that takes two seconds for a job.
func (b *bench) calls(title string) error {
	const n = 100
	dir, err := b.files("calls", n, 20_000)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := b.scene("2s")
	if err != nil {
		return err
	}
	env := append(s.env, "WEDROP_POLL_MIN=1s")
	if _, err := b.once(candidate{name: "wedrop sync", args: []string{b.wedrop, "sync", "-q", dir}, env: env}); err != nil {
		return err
	}
	c, err := s.end()
	figure(title, fmt.Sprintf("%.2f / %.2f / %.2f, jobs of 2 s, first query after 1 s", float64(c.Token)/n, float64(c.Submit)/n, float64(c.Result)/n))
	return err
}

// sitting is a daemon that has nothing to do, and one that waits for many jobs.
func (b *bench) sitting() error {
	idle, waiting := "memory of an idle daemon", "memory of a daemon with 10,000 waiting Items"
	if !b.wants(idle + waiting) {
		return nil
	}
	s, err := b.scene("24h")
	if err != nil {
		return err
	}
	defer s.end()
	dir := filepath.Join(s.dir, "inbox")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	d := b.command(append(s.env, "WEDROP_FOLDERS="+dir, "WEDROP_POLL_MIN=30m", "WEDROP_POLL_MAX=30m", "WEDROP_LISTEN=127.0.0.1:0"), b.wedrop, "serve")
	var log bytes.Buffer
	d.Stderr = &log
	if err := d.Start(); err != nil {
		return err
	}
	defer func() { d.Process.Kill(); d.Wait() }()
	time.Sleep(5 * time.Second)
	figure(idle, rss(d.Process.Pid))
	n := b.less(10_000, 2000)
	for i := range n {
		if err := makeFile(filepath.Join(dir, fmt.Sprintf("%05d.mp4", i)), 5_000, uint64(i)); err != nil {
			return err
		}
	}
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(time.Second) {
		out, err := b.command(s.env, b.wedrop, "list", "--json").Output()
		if err != nil {
			return fmt.Errorf("wedrop list: %w\n%s", err, log.String())
		}
		if bytes.Count(out, []byte(`"step":"await"`)) == n {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("the daemon does not get there\n%s", log.String())
		}
	}
	time.Sleep(3 * time.Second)
	figure(fmt.Sprintf("memory of a daemon with %d waiting Items", n), rss(d.Process.Pid))
	return nil
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

var metric = regexp.MustCompile(`([0-9.]+) ([A-Za-z%][A-Za-z0-9/%_-]*)`)

// goBench runs Go benchmarks of a package and returns their lines.
func (b *bench) goBench(pkg, which, times string, env ...string) ([]string, error) {
	out, err := b.command(append(env, "CGO_ENABLED=0"), "go", "test", pkg, "-run", "^$", "-bench", which, "-benchtime", times, "-timeout", "30m").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test %s: %w\n%s", pkg, err, out)
	}
	var lines []string
	for l := range strings.Lines(string(out)) {
		if strings.HasPrefix(l, "Benchmark") {
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// callback is how soon a media_id is there after WeCom has finished.
func (b *bench) callback() error {
	title := "from WeCom's finish to the media_id, with callback (to reach: 50 ms, median)"
	if !b.wants(title) {
		return nil
	}
	lines, err := b.goBench("./cmd/wedrop", "^BenchmarkCallback$", "3x")
	if err != nil {
		return err
	}
	for _, l := range lines {
		var said []string
		for _, m := range metric.FindAllStringSubmatch(strings.ReplaceAll(l, "\t", " "), -1) {
			if m[2] != "ns/op" {
				said = append(said, m[1]+" "+m[2])
			}
		}
		figure(title, strings.Join(said, ", "))
	}
	return nil
}

// million is a ledger of a million Items.
func (b *bench) million() error {
	title := "ledger of 1,000,000 Items"
	if !b.wants(title) {
		return nil
	}
	if b.quick && b.only == "" {
		figure(title, "left out of the quick run")
		return nil
	}
	ledger := filepath.Join(b.dir, "million.db")
	lines, err := b.goBench("./pipeline/journal", "^BenchmarkMillion$/^claim", "20x", "WEDROP_BENCH_LEDGER="+ledger)
	if err != nil {
		return err
	}
	for _, l := range lines {
		f := strings.Fields(l)
		ns, _ := strconv.ParseFloat(f[2], 64)
		name, _, _ := strings.Cut(strings.TrimPrefix(f[0], "BenchmarkMillion/"), "-")
		figure(title+": "+strings.ReplaceAll(name, "_", " ")+" (to reach: 2 ms)", fmt.Sprintf("%.2f ms", ns/1e6))
	}
	env := []string{"WEDROP_JOURNAL=" + ledger, "WEDROP_WECOM_CORP_ID=corp", "WEDROP_WECOM_SECRET=none", "WEDROP_WECOM_BASE_URL=http://127.0.0.1:9",
		"WEDROP_STORAGE=dir://" + b.dir, "WEDROP_STORAGE_PUBLIC_URL=http://127.0.0.1:9"}
	err = b.compare(title+": `get` from the shell (to reach: 50 ms)", []candidate{{name: "wedrop get", args: []string{b.wedrop, "get", "123456.mp4"}, env: env}})
	if err != nil {
		return err
	}
	d := b.command(append(env, "WEDROP_LISTEN=127.0.0.1:0"), b.wedrop, "serve")
	if err := d.Start(); err != nil {
		return err
	}
	defer func() { d.Process.Kill(); d.Wait() }()
	time.Sleep(15 * time.Second)
	figure(title+": memory of a daemon (to reach: 100 MB)", rss(d.Process.Pid))
	return nil
}

// machines are three on one ledger, in one process; they need a PostgreSQL
// server, as the tests of that ledger do.
func (b *bench) machines() error {
	title := "three machines on one PostgreSQL (to reach: 400 files/s)"
	if !b.wants(title) {
		return nil
	}
	lines, err := b.goBench("./pipeline/riverengine", "^BenchmarkMachines$/^3$", "2000x")
	if err != nil {
		return err
	}
	for _, l := range lines {
		for _, m := range metric.FindAllStringSubmatch(l, -1) {
			if m[2] == "files/s" {
				figure(title, m[1]+" "+m[2])
				return nil
			}
		}
	}
	figure(title, "left out: there is no PostgreSQL")
	return nil
}
