package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// program is the program itself: how large it is, and how soon it is there.
func (b *bench) program() error {
	fi, err := os.Stat(b.wedrop)
	if err != nil {
		return err
	}
	if b.wants("size of the program") {
		figure("size of the program, stripped (to reach: 25 MB)", fmt.Sprintf("%.1f MB", float64(fi.Size())/1e6))
	}
	return b.compare("start of `wedrop version` (to reach: 15 ms)", []candidate{
		{name: "wedrop version", args: []string{b.wedrop, "version"}},
		{name: "true", args: []string{"true"}},
	})
}

func (b *bench) hashing() error {
	one := "inspect one 200 MB file (to reach: 0.90 of openssl, processor 1.11 of bare)"
	if b.wants(one) {
		dir, err := b.files("one", 1, 200_000_000)
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "00000.mp4")
		all := []candidate{
			{name: "wedrop check", args: []string{b.wedrop, "check", path}},
			{name: "bare crypto/md5", args: []string{b.self, "md5", path}},
		}
		for _, c := range []candidate{
			{name: "openssl", args: []string{"md5", path}},
			{name: "md5sum", args: []string{path}},
			{name: "rclone", args: []string{"hashsum", "md5", path}},
			{name: "hashdeep", args: []string{"-c", "md5", path}},
		} {
			all = b.and(all, c)
		}
		if err := b.compare(one, all); err != nil {
			return err
		}
	}
	if err := b.many(fmt.Sprintf("inspect %d × 20 MB (to reach: 0.95 of md5sum)", b.less(64, 16)), b.less(64, 16), 20_000_000); err != nil {
		return err
	}
	return b.many(fmt.Sprintf("inspect %d × 20 KB (to reach: 0.85 of md5sum)", b.less(5000, 2000)), b.less(5000, 2000), 20_000)
}

func (b *bench) many(title string, n int, size int64) error {
	if !b.wants(title) {
		return nil
	}
	dir, err := b.files("many", n, size)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all := []candidate{{name: "wedrop, two at once", args: []string{b.self, "read", dir}}}
	for _, c := range []candidate{
		{name: "md5sum", args: []string{"sh", "-c", `find "$0" -type f -print0 | xargs -0 -P2 -n "$1" md5sum >/dev/null`, dir, some(n)}},
		{name: "rclone", args: []string{"hashsum", "md5", dir, "--checkers", "2"}},
		{name: "hashdeep", args: []string{"-c", "md5", "-r", "-j", "2", dir}},
	} {
		all = b.and(all, c)
	}
	return b.compare(title, all)
}

// some is how many of n files one of two processes gets at a time.
func some(n int) string { return strconv.Itoa(max(1, min(n/16, 64))) }

// and adds a peer if it is installed: the name says which program that is.
func (b *bench) and(all []candidate, c candidate) []candidate {
	p, ok := b.peer(c.name)
	if !ok {
		return all
	}
	if len(c.args) > 0 && c.args[0] == "sh" {
		return append(all, c)
	}
	c.args = append([]string{p}, c.args...)
	return append(all, c)
}

func (b *bench) staging() error {
	rows := []struct {
		title string
		n     int
		size  int64
	}{
		{"hash + stage 1 × 200 MB (to reach: 0.90 of md5sum and mc)", 1, 200_000_000},
		{fmt.Sprintf("hash + stage %d × 50 MB (to reach: 0.90 of md5sum and mc, one part)", b.less(20, 6)), b.less(20, 6), 50_000_000},
		{fmt.Sprintf("hash + stage %d × 20 KB (to reach: 0.75 of the best without its hash)", b.less(2000, 1000)), b.less(2000, 1000), 20_000},
	}
	any := false
	for _, r := range rows {
		any = any || b.wants(r.title)
	}
	if !any {
		return nil
	}
	g, err := b.gateway()
	if g != nil {
		defer g.close()
	}
	if g == nil || err != nil {
		return err
	}
	for _, r := range rows {
		if !b.wants(r.title) {
			continue
		}
		dir, err := b.files("stage", r.n, r.size)
		if err != nil {
			return err
		}
		err = b.compare(r.title, b.uploaders(g, dir, r.n))
		os.RemoveAll(dir)
		if err != nil {
			return err
		}
	}
	return nil
}

// uploaders are wedrop and what else brings a folder into the bucket.
func (b *bench) uploaders(g *gateway, dir string, n int) []candidate {
	sums := fmt.Sprintf(`find %s -type f -print0 | xargs -0 -P2 -n %s md5sum >/dev/null`, dir, some(n))
	into := func(args func(prefix string) []string) func() ([]string, func()) {
		return func() ([]string, func()) {
			p, after := g.prefix()
			return args(p), after
		}
	}
	shell := func(line string) func() ([]string, func()) {
		return into(func(p string) []string { return []string{"sh", "-c", strings.ReplaceAll(line, "PREFIX", p)} })
	}
	all := []candidate{
		{name: "wedrop, with its proof", env: g.env, each: into(func(p string) []string { return []string{b.self, "stage", dir, g.url(p)} })},
		{name: "wedrop, without its proof", env: g.env, each: into(func(p string) []string { return []string{b.self, "stage", dir, g.url(p), "bare"} })},
		{name: "wedrop, hash alone", args: []string{b.self, "read", dir}},
	}
	if mc, ok := b.peer("mc"); ok {
		cp := fmt.Sprintf("%s --quiet cp -r %s/ l/bench/PREFIX/ >/dev/null", mc, dir)
		one := strings.Replace(cp, " cp ", " cp --disable-multipart ", 1)
		all = append(all,
			candidate{name: "md5sum and mc", env: g.env, each: shell(sums + " && " + cp)},
			candidate{name: "md5sum and mc, one part", env: g.env, each: shell(sums + " && " + one)},
			candidate{name: "mc", env: g.env, each: shell(cp)})
	}
	if rclone, ok := b.peer("rclone"); ok {
		all = append(all, candidate{name: "rclone, tuned", env: g.env, each: into(func(p string) []string {
			return []string{rclone, "copy", dir, ":s3:bench/" + p, "--s3-provider", "Other", "--s3-endpoint", "https://" + g.address,
				"--s3-access-key-id", accessKey, "--s3-secret-access-key", secretKey, "--s3-no-check-bucket", "--s3-no-head", "--no-check-dest",
				"--s3-upload-cutoff", "4G", "--transfers", "16", "--checkers", "1", "-q"}
		})})
	}
	if s5cmd, ok := b.peer("s5cmd"); ok {
		all = append(all, candidate{name: "s5cmd", env: g.env, each: into(func(p string) []string {
			return []string{s5cmd, "--log", "error", "--endpoint-url", "https://" + g.address, "cp", dir + "/", "s3://bench/" + p + "/"}
		})})
	}
	return all
}
