package inspect_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
)

func zipFile(t *testing.T, comment string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("word/document.xml")
	require.NoError(t, err)
	_, err = w.Write(bytes.Repeat([]byte("content "), 100))
	require.NoError(t, err)
	require.NoError(t, z.SetComment(comment))
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestCompleteness(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	mp4, zipped := inspecttest.MP4(mb, 1), zipFile(t, "")
	indexLast := inspecttest.Make(inspecttest.Options{Size: mb, Seed: 1, IndexLast: true})
	blank := func(b []byte, from int) []byte {
		return append(bytes.Clone(b[:from]), make([]byte, len(b)-from)...)
	}
	for _, row := range []struct {
		about   string
		content []byte
		why     string
		guess   bool
	}{
		{"a whole mp4", mp4, "", false},
		{"a whole mp4 with its index last", indexLast, "", false},
		{"a whole mov", inspecttest.MOV(mb, 1), "", false},
		{"an mp4 with rubbish behind it", append(bytes.Clone(mp4), "\r\n--boundary--\r\n"...), "", false},
		{"an mp4 of which half has come", mp4[:mb/2], "mdat-short", false},
		{"an mp4 cut in its index", mp4[:200], "moov-short", false},
		{"an mp4 of which only the head has come", mp4[:32], "moov-missing", false},
		{"an mp4 of which only the index has come", mp4[:bytes.Index(mp4, []byte("mdat"))-4], "mdat-missing", false},
		{"a recording under way", inspecttest.NoIndex(mb, 1), "moov-missing", false},
		{"room kept for an mp4 whose index comes last", blank(indexLast, mb/2), "moov-missing", false},
		{"room kept for an mp4 whose media is coming", blank(mp4, mb/2), "mdat-blank", true},
		{"an mp4 whose media is all zeroes", blank(mp4, bytes.Index(mp4, []byte("mdat"))+4), "", false},
		{"a docx", zipped, "", false},
		{"a zip with a comment", zipFile(t, strings.Repeat("c", 60_000)), "", false},
		{"a docx of which most has come", zipped[:len(zipped)-30], "zip-end-missing", false},
		{"a pdf", inspecttest.PDF(), "", false},
		{"a pdf of which most has come", inspecttest.PDF()[:300], "pdf-end-missing", false},
		{"text", []byte("hello"), "", false},
		{"nothing", nil, "empty", false},
		{"data with room kept behind it", append([]byte("data"), make([]byte, mb)...), "tail-blank", true},
		{"data that ends in a few zeroes", append([]byte("data"), make([]byte, 5000)...), "", false},
		{"zeroes alone", make([]byte, mb), "", false},
		{"a picture", inspecttest.HEIC(), "", false},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			got, err := inspect.Complete(write(t, "a", row.content))
			require.NoError(t, err)
			require.Equal(t, inspect.Completeness{Whole: row.why == "", Why: row.why, Guess: row.guess}, got)
			require.Equal(t, got.Whole, got.Explain("zh") == "")
			require.Equal(t, got.Whole, got.Explain("en") == "")
		})
	}
}

// What Read takes for a whole video must not wait in a folder for ever, and
// no cut of it may look whole.
func TestCompletenessOfEveryCut(t *testing.T) {
	t.Parallel()
	for _, last := range []bool{false, true} {
		whole := inspecttest.Make(inspecttest.Options{Size: 1200, Seed: 3, IndexLast: last})
		path := write(t, "a.mp4", whole)
		for n := len(whole); n >= 8; n-- {
			require.NoError(t, os.Truncate(path, int64(n)))
			got, err := inspect.Complete(path)
			require.NoError(t, err)
			require.Equal(t, n == len(whole), got.Whole, "%d of %d bytes: %v", n, len(whole), got)
		}
	}
}

func TestCompletenessOfTheCorpus(t *testing.T) {
	t.Parallel()
	for _, s := range corpus(t) {
		got, err := inspect.Complete(s.path)
		require.NoError(t, err)
		if s.video != "reject" {
			require.True(t, got.Whole, "%s: %s", s.name, got.Why)
		}
		// One has more boxes than Complete counts; Read has the word then.
		if s.code == "no_moov" && s.name != "bad/h-50k-tops.mp4" || strings.HasPrefix(s.name, "bad/trunc-") || strings.HasPrefix(s.name, "bad/head-") {
			require.False(t, got.Whole, s.name)
		}
	}
}

// Not parallel: what is counted is the whole process's memory, that of
// tests beside it too.
func TestCompletenessIsCheap(t *testing.T) {
	content := append(inspecttest.MP4(1000, 1), bytes.Repeat([]byte("\x00\x00\x00\x08free"), 100_000)...)
	path := write(t, "a.mp4", content)
	require.Less(t, testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			got, err := inspect.Complete(path)
			require.NoError(b, err)
			require.True(b, got.Whole)
		}
	}).AllocedBytesPerOp(), int64(1<<20))
}

func TestCompletenessOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := inspect.Complete(filepath.Join(t.TempDir(), "none"))
	requireRefused(t, err, inspect.Unreadable)
	_, err = inspect.Complete(t.TempDir())
	requireRefused(t, err, inspect.NotRegular)
}
