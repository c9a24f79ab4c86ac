package inspect_test

import (
	"crypto/md5"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
)

// The peers of this figure: the bare loop below it.
func BenchmarkRead200MB(b *testing.B) {
	path := bigMP4(b)
	b.SetBytes(200 << 20)
	b.ReportAllocs()
	for b.Loop() {
		_, err := read(path, inspect.Options{Type: inspect.Video})
		require.NoError(b, err)
	}
}

func BenchmarkBareMD5Of200MB(b *testing.B) {
	path := bigMP4(b)
	buf := make([]byte, 256<<10)
	b.SetBytes(200 << 20)
	for b.Loop() {
		f, err := os.Open(path)
		require.NoError(b, err)
		sum := md5.New()
		for {
			n, err := f.Read(buf)
			if sum.Write(buf[:n]); err != nil {
				break
			}
		}
		sum.Sum(nil)
		f.Close()
	}
}

func BenchmarkRead20KB(b *testing.B) {
	path := write(b, "a.mp4", inspecttest.MP4(20<<10, 1))
	b.ReportAllocs()
	for b.Loop() {
		_, err := read(path, inspect.Options{})
		require.NoError(b, err)
	}
}

func bigMP4(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "big.mp4")
	f, err := os.Create(path)
	require.NoError(b, err)
	require.NoError(b, inspecttest.WriteMP4(f, 200<<20, 1))
	require.NoError(b, f.Close())
	return path
}
