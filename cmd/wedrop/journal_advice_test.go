package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A run that is killed has printed fewer lines than it finished files, and the
// next one is silent about them (four kills: 300 done, 295 printed). No text
// tells people to make a list of those lines.
func TestNoListOfPrintedLines(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.False(t, strings.Contains(string(readme), "sync -q >>"), "README sells a list of printed lines")
	for _, lang := range []string{"zh", "en"} {
		var out, errs bytes.Buffer
		require.Equal(t, exitDone, newApp([]string{"sync", "--help", "--lang", lang}, func(string) string { return "" }, &out, &errs).run(t.Context()), errs.String())
		require.NotContains(t, out.String(), "sync -q >>")
		for _, place := range []string{"wedrop-media.csv", "wedrop list --json", "wedrop get"} {
			require.Contains(t, out.String(), place)
		}
	}
}
