package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	c := a.command("version", a.say.Version, cobra.NoArgs)
	c.RunE = func(*cobra.Command, []string) error {
		v := buildInfo()
		if a.json {
			line, err := json.Marshal(v)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(a.stdout, "%s\n", line)
			return nil
		}
		_, _ = fmt.Fprintf(a.stdout, "wedrop %s (%s, %s)\n", v.Version, v.Go, v.Commit)
		return nil
	}
	return c
}

// A build is what the binary knows of itself.
type build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	Commit  string `json:"commit"` // "unknown" outside of a repository; with "+changes" if it was not clean
}

func buildInfo() build {
	b := build{Version: "devel", Go: runtime.Version(), Commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	dirty := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	b.Commit += dirty
	return b
}

// release is the version for others to use; empty for a build that has none.
func (b build) release() string {
	if b.Version == "devel" {
		return ""
	}
	return b.Version
}
