// Wedrop carries local files to a WeCom media_id. See README.md for its use;
// this package has the commands, the configuration and what people read.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(int(run())) }

func run() exit {
	// A reader that goes away (| head) is an error to report, not a death in
	// the middle of the work.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := interruptible()
	defer stop()
	return newApp(os.Args[1:], os.Getenv, os.Stdout, os.Stderr).run(ctx)
}
