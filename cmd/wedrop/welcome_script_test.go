package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// templates FILE: writes a line into FILE about each template that WeCom has:
// its number of edits, whether members were told, its agent, what is shown,
// its text and its attachments.
func templates(ts *testscript.TestScript, neg bool, args []string) {
	var b strings.Builder
	for _, t := range siteOf(ts).we.Templates() {
		fmt.Fprintf(&b, "%s edits=%d notified=%v agent=%d shown=%s text=%q", t.ID, t.Edits, t.Notified, t.AgentID, t.Shown, t.Text)
		for _, name := range slices.Sorted(maps.Keys(t.Members)) {
			for _, field := range slices.Sorted(maps.Keys(t.Members[name])) {
				fmt.Fprintf(&b, " %s.%s=%s", name, field, t.Members[name][field])
			}
		}
		b.WriteString("\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// corrupt FILE: WeCom holds other bytes from now on under the media_id that is
// in FILE.
func corrupt(ts *testscript.TestScript, neg bool, args []string) {
	if !siteOf(ts).we.Spoil(strings.TrimSpace(ts.ReadFile(args[0]))) {
		ts.Fatalf("there is no such media")
	}
}

// kills FILE: WeCom knows the media_id in the file no more.
func kills(ts *testscript.TestScript, neg bool, args []string) {
	if !siteOf(ts).we.Forget(strings.TrimSpace(ts.ReadFile(args[0]))) {
		ts.Fatalf("there is no such media")
	}
}

// noless API N: WeCom was called so often at least.
func noLess(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := siteOf(ts).we.Count(args[0]); got < want {
		ts.Fatalf("%s was called %d times, want %d or more", args[0], got, want)
	}
}
