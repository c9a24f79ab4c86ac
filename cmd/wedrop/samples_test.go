package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The first release's samples were noise: the page's preview of them failed.
func TestSamplesPlay(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ffmpeg is not there")
		}
		t.Skip("ffmpeg is not there")
	}
	paths, err := writeSamples(filepath.Join(t.TempDir(), "samples"))
	require.NoError(t, err)
	for _, p := range paths {
		if filepath.Ext(p) != ".mp4" {
			continue
		}
		t.Run(filepath.Base(p), func(t *testing.T) {
			out, err := exec.Command(ffmpeg, "-v", "error", "-xerror", "-i", p, "-f", "null", "-").CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Empty(t, string(out))
		})
	}
}
