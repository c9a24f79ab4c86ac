package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A cost is what one run of a command took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at its peak
}

// A candidate is one way to do the work of a row.
type candidate struct {
	name string
	args []string
	env  []string
	// each, if not nil, gives the arguments of a run, and what is to be done
	// after it, outside of the figures.
	each func() (args []string, after func())
}

func (b *bench) command(env []string, args ...string) *exec.Cmd {
	c := exec.CommandContext(b.ctx, args[0], args[1:]...)
	c.Env = append(slices.Clip(b.env), env...)
	return c
}

func (b *bench) once(c candidate) (cost, error) {
	args, after := c.args, func() {}
	if c.each != nil {
		args, after = c.each()
	}
	defer after()
	var errs bytes.Buffer
	cmd := b.command(c.env, args...)
	cmd.Stderr = &errs
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", c.name, err, errs.String())
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	unit := int64(1024)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return cost{took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), u.Maxrss * unit}, nil
}

// compare runs all candidates in turn and prints a line for each: the first is
// wedrop, and the ratio is that of its wall time to the candidate's.
func (b *bench) compare(title string, all []candidate) error {
	if !b.wants(title) || len(all) == 0 {
		return nil
	}
	costs := make([][]cost, len(all))
	for range b.rounds {
		for _, n := range rand.Perm(len(all)) {
			c, err := b.once(all[n])
			if err != nil {
				return err
			}
			costs[n] = append(costs[n], c)
		}
	}
	ours := median(costs[0])
	for n, c := range all {
		m := median(costs[n])
		label, ratio, busy := c.name, "", ""
		if n > 0 {
			ratio = fmt.Sprintf("%.2f", ours.wall.Seconds()/m.wall.Seconds())
			busy = fmt.Sprintf("%.2f", ours.cpu.Seconds()/m.cpu.Seconds())
		}
		what := title
		if n > 0 {
			what = ""
		}
		fmt.Printf("| %s | %s | %.3f s | %.3f s | %d MB | %s | %s |\n", what, label, m.wall.Seconds(), m.cpu.Seconds(), m.memory>>20, ratio, busy)
	}
	return nil
}

// median is that of each figure by itself; of the memory it is the most.
func median(all []cost) cost {
	pick := func(f func(cost) int64, at int) int64 {
		var v []int64
		for _, c := range all {
			v = append(v, f(c))
		}
		slices.Sort(v)
		return v[at]
	}
	middle := len(all) / 2
	return cost{
		time.Duration(pick(func(c cost) int64 { return int64(c.wall) }, middle)),
		time.Duration(pick(func(c cost) int64 { return int64(c.cpu) }, middle)),
		pick(func(c cost) int64 { return c.memory }, len(all)-1),
	}
}

func (b *bench) wants(title string) bool {
	return strings.Contains(strings.ToLower(title), strings.ToLower(b.only))
}

// figure prints a line that has no peer.
func figure(title, value string) { fmt.Printf("| %s | %s | | | | | |\n", title, value) }

func (b *bench) head() {
	load, _ := os.ReadFile("/proc/loadavg")
	model := "processor unknown"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(info), "model name\t: "); ok {
			model, _, _ = strings.Cut(rest, "\n")
		}
	}
	commit, _ := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	fmt.Printf("%s, %d cores, %s, %s, commit %s, load before: %s", model, runtime.NumCPU(), runtime.Version(),
		time.Now().Format(time.DateOnly), strings.TrimSpace(string(commit)), load)
	if len(load) == 0 {
		fmt.Println()
	}
	fmt.Printf("Medians of %d rounds.\n\n", b.rounds)
	fmt.Println("| what | candidate | wall | processor | peak memory | wedrop's wall ÷ its | wedrop's processor ÷ its |")
	fmt.Println("|---|---|---|---|---|---|---|")
}

// peer is where a program is: in .bin or on PATH. Where it is not, that is
// said, once a row.
func (b *bench) peer(name string) (string, bool) {
	if p, err := filepath.Abs(filepath.Join(".bin", name)); err == nil {
		if _, err := os.Stat(p); err == nil {
			return p, true
		}
	}
	p, err := exec.LookPath(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", name, "is not installed and left out")
	}
	return p, err == nil
}

func goenv(name string) string {
	out, _ := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(out))
}
