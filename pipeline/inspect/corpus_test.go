package inspect_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
)

// corpusDir finds the media corpus: beside the repository, or where
// WEDROP_CORPUS says. It is too large to be part of the repository.
func corpusDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WEDROP_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no media corpus here; WEDROP_CORPUS may name one")
	}
	return dir
}

type sample struct {
	path, name, md5, video, code string
	size                         int64
}

func corpus(t *testing.T) []sample {
	t.Helper()
	dir := corpusDir(t)
	f, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	require.NoError(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	require.NoError(t, err)
	var list []sample
	for _, row := range rows[1:] {
		size, err := strconv.ParseInt(row[1], 10, 64)
		require.NoError(t, err)
		list = append(list, sample{path: filepath.Join(dir, row[0]), name: row[0], size: size, md5: row[2], video: row[3], code: row[4]})
	}
	require.NotEmpty(t, list, "the corpus is there but empty")
	return list
}

// verdicts maps the corpus's reasons to refuse to our codes and details; no
// details: any.
var verdicts = map[string]struct {
	codes   []inspect.Code
	details []string
}{
	"not_mp4":        {codes: []inspect.Code{inspect.NotMP4}},
	"quicktime":      {[]inspect.Code{inspect.NotMP4}, []string{"quicktime"}},
	"image":          {[]inspect.Code{inspect.NotMP4}, []string{"heif", "avif"}},
	"audio":          {[]inspect.Code{inspect.NoVideoTrack}, []string{"audio"}},
	"no_video_track": {[]inspect.Code{inspect.NoVideoTrack}, []string{"sound-only", "no-video"}},
	"truncated":      {[]inspect.Code{inspect.TruncatedMP4}, []string{"truncated"}},
	"malformed":      {[]inspect.Code{inspect.BrokenMP4}, []string{"malformed", "index-mismatch"}},
	"no_moov":        {[]inspect.Code{inspect.BrokenMP4}, []string{"moov-missing"}},
	"no_media_data":  {[]inspect.Code{inspect.BrokenMP4}, []string{"media-missing"}},
	"fragment":       {[]inspect.Code{inspect.BrokenMP4}, []string{"fragment"}},
	"encrypted":      {[]inspect.Code{inspect.EncryptedMP4}, []string{"encrypted"}},
}

var warningCodes = map[string]string{
	"ok": "", "codec": "codec", "fragmented": "fragmented", "ftyp_not_first": "ftyp-not-first",
	"trailing": "trailing", "brand": "brand", "zero_tail": "zero-tail",
}

func TestCorpusAsVideo(t *testing.T) {
	t.Parallel()
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			facts, err := inspect.Read(context.Background(), s.path, inspect.Options{Type: inspect.Video})
			require.Equal(t, s.size, facts.Size)
			if s.video == "reject" {
				want, ok := verdicts[s.code]
				require.True(t, ok, "the corpus has a new code: %s", s.code)
				var e *inspect.Error
				require.ErrorAs(t, err, &e)
				require.Contains(t, want.codes, e.Code, "%v", e)
				if want.details != nil {
					require.Contains(t, want.details, e.Detail, "%v", e)
				}
				requireExplained(t, e)
				return
			}
			require.NoError(t, err)
			require.Equal(t, s.md5, facts.MD5)
			require.Equal(t, inspect.Video, facts.Type)
			require.Equal(t, ".mp4", facts.Ext)
			require.Equal(t, "video/mp4", facts.MIME)
			require.Positive(t, facts.Movie.Width)
			want, ok := warningCodes[s.code]
			require.True(t, ok, "the corpus has a new code: %s", s.code)
			codes := warned(facts)
			if want == "" {
				require.Empty(t, codes)
			} else {
				require.Contains(t, codes, want)
			}
		})
	}
}

func TestCorpusAsFile(t *testing.T) {
	t.Parallel()
	for _, s := range corpus(t) {
		facts, err := inspect.Read(context.Background(), s.path, inspect.Options{Type: inspect.File})
		require.NoError(t, err, s.name)
		require.Equal(t, s.md5, facts.MD5, s.name)
		require.Equal(t, inspect.File, facts.Type, s.name)
		require.Nil(t, facts.Movie, s.name)
	}
}

// With auto nothing that the corpus calls bad may go as a video, and nothing
// that it calls good may be held back but the one 3GP without H.264.
func TestCorpusAuto(t *testing.T) {
	t.Parallel()
	for _, s := range corpus(t) {
		facts, err := inspect.Read(context.Background(), s.path, inspect.Options{})
		ext := filepath.Ext(s.name)
		var e *inspect.Error
		switch {
		case s.name == "good/h263-3gp4.3gp":
			require.ErrorAs(t, err, &e, s.name)
			require.Equal(t, inspect.UnsupportedVideo, e.Code, s.name)
		case s.video != "reject":
			require.NoError(t, err, s.name)
			require.Equal(t, inspect.Video, facts.Type, s.name)
		case ext == ".m4a" || ext == ".avif":
			require.NoError(t, err, s.name)
			require.Equal(t, inspect.File, facts.Type, s.name)
		case ext == ".mp4":
			require.ErrorAs(t, err, &e, s.name)
			require.Contains(t, verdicts[s.code].codes, e.Code, s.name)
		default:
			require.ErrorAs(t, err, &e, s.name)
			require.Equal(t, inspect.UnsupportedVideo, e.Code, s.name)
		}
	}
}

// warned lists the codes of warnings about the content; the name is the
// concern of other tests.
func warned(facts inspect.Facts) (codes []string) {
	for _, w := range facts.Warnings {
		if w.Code != "name-changed" {
			codes = append(codes, w.Code)
		}
	}
	slices.Sort(codes)
	return codes
}
