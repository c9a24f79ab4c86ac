package main

import (
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

// scene makes one in a folder of its own below place. WeCom takes jobTime for
// a job, and tells callback of its end if that is a URL.
func (b *bench) scene(place, jobTime, callback string) (*scene, error) {
	dir, err := os.MkdirTemp(place, "wedrop-scene-")
	if err != nil {
		return nil, err
	}
	bucket := filepath.Join(dir, "bucket")
	if err := os.Mkdir(bucket, 0o755); err != nil {
		return nil, err
	}
	s := &scene{dir: dir, cmd: b.command(nil, b.self, "world", bucket, jobTime, callback)}
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

// line is the whole line, and the second run over what is done: with ledger and
// bucket beside the other data, and in the temporary folder, where that is
// somewhere else.
func (b *bench) line() error {
	places := []struct{ dir, where string }{{b.dir, ""}}
	if t := os.TempDir(); !strings.HasPrefix(b.dir, t) {
		places = append(places, struct{ dir, where string }{t, ", ledger and bucket in " + t})
	}
	n := b.less(10_000, 2000)
	for _, p := range places {
		first := fmt.Sprintf("whole line, %d × 20 KB%s (to reach: 500 files/s)", n, p.where)
		second := fmt.Sprintf("second `sync` over %d unchanged files%s (to reach: 1.0 s, no call)", n, p.where)
		if !b.wants(first) && !b.wants(second) {
			continue
		}
		firsts, seconds, err := b.syncs(p.dir, n)
		if err != nil {
			return err
		}
		c := median(firsts)
		fmt.Printf("| %s | wedrop sync: %.0f files/s | %.3f s | %.3f s | %d MB | | |\n", first, float64(n)/c.wall.Seconds(), c.wall.Seconds(), c.cpu.Seconds(), c.memory>>20)
		c = median(seconds)
		fmt.Printf("| %s | wedrop sync | %.3f s | %.3f s | %d MB | | |\n", second, c.wall.Seconds(), c.cpu.Seconds(), c.memory>>20)
	}
	return nil
}

// syncs are the costs of runs over n files, in pairs: all new, all done.
func (b *bench) syncs(place string, n int) (firsts, seconds []cost, err error) {
	dir, err := b.files("line", n, 20_000)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	for range min(b.rounds, 3) {
		s, err := b.scene(place, "0s", "")
		if err != nil {
			return nil, nil, err
		}
		for _, into := range []*[]cost{&firsts, &seconds} {
			c, err := b.once(candidate{name: "wedrop sync", args: []string{b.wedrop, "sync", "-q", dir}, env: s.env})
			if err != nil {
				s.end()
				return nil, nil, err
			}
			*into = append(*into, c)
		}
		c, err := s.end()
		if err != nil {
			return nil, nil, err
		}
		if c.Submit != n || c.Result != n {
			return nil, nil, fmt.Errorf("%d submits and %d queries for %d files", c.Submit, c.Result, n)
		}
	}
	return firsts, seconds, nil
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
