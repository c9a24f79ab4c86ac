package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/wecom"
)

// BenchmarkLine carries files of 20 KB through the whole line, against a
// WeCom that has no delay and a bucket on the local disk, and then enters
// them once more, unchanged.
func BenchmarkLine(b *testing.B) {
	const files = 1000
	for range b.N {
		b.StopTimer()
		w := newWorld(b)
		p := w.pipe()
		c, err := wecom.New(wecom.Config{BaseURL: w.wecom.URL, CorpID: "wwtest", Secret: "secret", Store: p.Journal, PerMinute: 10_000_000})
		require.NoError(b, err)
		p.WeCom = c
		var all []pipeline.File
		for n := range files {
			path := filepath.Join(w.dir, fmt.Sprintf("%d.mp4", n))
			require.NoError(b, os.WriteFile(path, inspecttest.MP4(20_000, uint64(n+1)), 0o644))
			all = append(all, pipeline.File{Path: path})
		}
		b.StartTimer()
		w.run(p, all, pipeline.EnterOptions{})
		b.StopTimer()
		require.Equal(b, files, w.submits())
	}
	b.ReportMetric(float64(files*b.N)/b.Elapsed().Seconds(), "files/s")
}

// BenchmarkUnchanged enters files that are all done.
func BenchmarkUnchanged(b *testing.B) {
	w := newWorld(b)
	p := w.pipe()
	var all []pipeline.File
	for n := range 200 {
		all = append(all, pipeline.File{Path: w.file(fmt.Sprintf("%d.mp4", n), uint64(n+1))})
	}
	w.run(p, all, pipeline.EnterOptions{})
	b.ResetTimer()
	for range b.N {
		_, err := p.Enter(context.Background(), all, pipeline.EnterOptions{})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(len(all)*b.N)/b.Elapsed().Seconds(), "files/s")
}
