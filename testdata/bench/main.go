// Bench measures wedrop beside the tools that do parts of its job, and prints
// a table in Markdown:
//
//	go run ./testdata/bench            everything, eight minutes on an idle machine
//	go run ./testdata/bench -quick     fewer rounds and smaller data
//	go run ./testdata/bench -only line the rows whose name has "line" in it
//
// It builds wedrop from the tree that it stands in, and keeps its data under
// -dir (a folder of its own in /dev/shm if there is one, else in the temporary
// folder), which it removes. Peers are taken from PATH and from .bin ("make
// bench-peers" puts them there); a peer that is missing is left out, and said
// to be.
//
// # The method
//
// Everything that is compared runs in turn: in each round every candidate once,
// in another order each time, so that what else the machine does meets all of
// them alike. Each row gives the medians over the rounds, and the ratio of
// wedrop's median to the peer's. Wall time is what a person waits; processor
// time (user and system, of the candidate without the server) is steadier on a
// machine with other work. Memory is the most that the kernel counted as
// resident (ru_maxrss), the largest of the rounds; it is never less than this
// program's own, for a new process is counted with what it was forked from.
//
// The files are in the page cache: read once before the first round. They are
// random bytes with the boxes of an MP4 around them.
//
// "md5sum and mc" is one after the other, as a script would do it: WeCom wants
// the MD5, and no tool for buckets prints it. What wedrop does in the rows of
// "hash + stage" is what its daemon does with the same packages, less the
// ledger: it reads two files at once, sends eight, asks first whether the
// object is there (HEAD; no longer for small files when eight were new), sends
// with a checksum that the server compares (CRC32C from 8 MiB on, Content-MD5
// below), and fetches both ends of each object without credentials (small ones by
// one request for all but the first byte, when eight were whole). The server is
// versitygw over TLS with --keep-alive, its data beside the files; each run has a
// prefix of its own, which is emptied after it.
//
// The whole line is "wedrop sync" against wecomtest without a delay and a
// folder bucket, both in another process on the same cores, with the rate limit
// off; the second run is over the same files, unchanged, and has to make no
// call. Both are measured with ledger and bucket where the other data are and,
// if that is in memory, on the disk of the temporary folder (TMPDIR), where each
// file is three or four flushes.
//
// Calls to WeCom are counted by wecomtest, for a daemon over a folder of 100
// files. Memory of a daemon is what the kernel calls resident (VmRSS, and VmHWM
// for the peak): five seconds after its start, and half a minute after 10,000
// files got their jobs, which WeCom never ends. The ledger of a million Items
// has one in 500 on its way; what a claim costs there is the Go benchmark
// BenchmarkMillion of pipeline/journal.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program, or one of its children: what is measured runs in a
// process of its own.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "md5":
			return bareMD5(args[1:])
		case "read":
			return readAll(ctx, args[1])
		case "stage":
			return stageAll(ctx, args[1], args[2], len(args) == 3)
		case "world":
			return world(args[1], args[2], args[3])
		}
	}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := f.Bool("quick", false, "fewer rounds, smaller data")
	only := f.String("only", "", "the rows whose name has this in it")
	dir := f.String("dir", "", "where the data are kept for the time being")
	if err := f.Parse(args); err != nil {
		return err
	}
	b := &bench{ctx: ctx, quick: *quick, only: *only, rounds: 7}
	if b.quick {
		b.rounds = 3
	}
	return b.all(*dir)
}

// bench is one run of everything.
type bench struct {
	ctx    context.Context
	quick  bool
	only   string
	rounds int
	dir    string // everything that is written
	self   string // this program
	wedrop string // built from the tree
	env    []string
}

func (b *bench) all(dir string) (err error) {
	if dir == "" {
		if _, err := os.Stat("/dev/shm"); err == nil {
			dir = "/dev/shm"
		}
	}
	if b.dir, err = os.MkdirTemp(dir, "wedrop-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := b.build(); err != nil {
		return err
	}
	b.head()
	for _, row := range []func() error{b.program, b.hashing, b.staging, b.line, b.sitting, b.calls, b.callback, b.million, b.machines} {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}

// build makes the wedrop that is measured, as "make build" does.
func (b *bench) build() error {
	b.wedrop = filepath.Join(b.dir, "wedrop")
	b.env = append(os.Environ(), "CGO_ENABLED=0", "HOME="+b.dir, "WEDROP_LANG=en")
	for _, name := range []string{"GOPATH", "GOMODCACHE", "GOCACHE"} { // HOME is another one
		b.env = append(b.env, name+"="+goenv(name))
	}
	out, err := b.command(nil, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.wedrop, "./cmd/wedrop").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
