package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wedrop/wecom"
)

// An app is one call of the program: where it writes, in which language, and
// what the flags say.
type app struct {
	args []string
	lang string // --lang
	// patience is how long sync waits for files that are still being written.
	patience time.Duration

	*console
	*opener
}

// A console is where a command writes for people, in which language, and how
// much.
type console struct {
	stdout         *results
	stderr         *screen // notes, faults and the log
	say            *messages
	plain          bool // no colours
	json           bool
	quiet, verbose bool
}

// An opener opens the parts that a configuration describes.
type opener struct {
	config string // --config
	env    func(string) string
	log    *slog.Logger
	// clock and uptime are the journal's (journal.Options); nil: the system's.
	clock  func() time.Time
	uptime func() (time.Duration, string)
	// called is told of each call of WeCom; nil but in the daemon.
	called func(api string, code wecom.Code, kind wecom.Kind, took time.Duration)
}

func newApp(args []string, env func(string) string, stdout, stderr io.Writer) *app {
	return &app{args: args, patience: 30 * time.Second, opener: &opener{env: env},
		console: &console{
			stdout: &results{w: stdout}, stderr: &screen{w: stderr}, say: newMessages(language(args, env)),
			plain: env("NO_COLOR") != "" || env("TERM") == "dumb",
		}}
}

// run is the whole program.
func (a *app) run(ctx context.Context) exit {
	root := a.root()
	root.SetArgs(a.args)
	code := a.report(root.ExecuteContext(ctx))
	if a.stdout.err != nil {
		a.fault(a.say.Stdout(cause(a.stdout.err)), a.say.StdoutRemedy)
		code = worst(code, exitFailed)
	}
	return code
}

// report tells why the command failed and returns what that is to the caller.
func (a *app) report(err error) exit {
	var told reported
	if err == nil || errors.As(err, &told) {
		return exit(told)
	}
	a.fault(explain(err, a.say))
	return exitOf(err)
}

// reported is an error which a command has told about already.
type reported exit

func (r reported) Error() string { return "exit code " + string(rune('0'+r)) }

// done is how a command ends that has told about its faults itself.
func done(code exit) error {
	if code == exitDone {
		return nil
	}
	return reported(code)
}

// interruptible is a context that ends at the first Ctrl-C or SIGTERM. The
// second one kills.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx, cancel
}

// results is stdout: it keeps the first error, because a result that nobody
// got must not look like success.
type results struct {
	w   io.Writer
	err error
}

func (r *results) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if err != nil && r.err == nil {
		r.err = err
	}
	return n, err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// flagged is what all commands share once their flags are read.
func (a *app) flagged(cmd *cobra.Command, _ []string) error {
	if a.lang != "" && a.lang != "zh" && a.lang != "en" {
		return &usageError{what: a.say.BadLang(a.lang), cmd: cmd}
	}
	if a.quiet && a.verbose {
		return &usageError{what: a.say.QuietVerbose, cmd: cmd}
	}
	a.log = newLog(a.console, a.verbose)
	return nil
}
