package inspect_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage/storagetest/nobody"
)

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func read(path string, opt inspect.Options) (inspect.Facts, error) {
	return inspect.Read(context.Background(), path, opt)
}

func requireRefused(t *testing.T, err error, code inspect.Code) *inspect.Error {
	t.Helper()
	var e *inspect.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", e)
	requireExplained(t, e)
	return e
}

func TestReadEstablishesFacts(t *testing.T) {
	t.Parallel()
	content := inspecttest.MP4(300_000, 1)
	path := write(t, "开场 片头.MP4", content)
	var seen atomic.Int64
	facts, err := read(path, inspect.Options{Read: &seen})
	require.NoError(t, err)

	sum := md5.Sum(content)
	require.Equal(t, hex.EncodeToString(sum[:]), facts.MD5)
	require.EqualValues(t, len(content), facts.Size)
	require.EqualValues(t, len(content), seen.Load())
	require.Equal(t, inspect.Video, facts.Type)
	require.Equal(t, "video/mp4", facts.MIME)
	require.Equal(t, "开场 片头.mp4", facts.Name)
	require.Equal(t, ".mp4", facts.Ext)
	require.Empty(t, facts.Warnings, "a change of case is no news")
	require.Equal(t, "avc1", facts.Movie.Codec)
	require.Equal(t, 66, facts.Movie.Profile)
	require.Equal(t, 8, facts.Movie.Bits)
	require.Equal(t, inspecttest.Width, facts.Movie.Width)
	require.Equal(t, inspecttest.Height, facts.Movie.Height)
	require.True(t, facts.Movie.FastStart)
	require.False(t, facts.Movie.Fragmented)
	require.Positive(t, facts.Movie.Duration)

	fi, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, inspect.ID(fi), facts.File)
}

// The rules of auto, and of a type that the user gave.
func TestTypeIsDecidedByContentAndName(t *testing.T) {
	t.Parallel()
	mp4, mov := inspecttest.MP4(2000, 1), inspecttest.MOV(2000, 1)
	text := []byte("just some notes, no video at all\n")
	cut := inspecttest.Truncated(2000, 100, 1)
	threeGP := inspecttest.Make(inspecttest.Options{Size: 2000, Brand: "3gp5"})
	m4a := inspecttest.Make(inspecttest.Options{Size: 2000, Brand: "M4A ", Handler: "soun"})
	for _, row := range []struct {
		about   string
		name    string
		content []byte
		typ     inspect.Type
		want    inspect.Type // or
		refused inspect.Code
		detail  string
	}{
		{"an mp4 is a video", "a.mp4", mp4, inspect.Auto, inspect.Video, "", ""},
		{"the zero type is auto", "a.mp4", mp4, "", inspect.Video, "", ""},
		{"an mp4 without an extension is a video", "a", mp4, inspect.Auto, inspect.Video, "", ""},
		{"an mp4 under another name is a video", "a.bin", mp4, inspect.Auto, inspect.Video, "", ""},
		{"an mp4 named mov is a video", "a.mov", mp4, inspect.Auto, inspect.Video, "", ""},
		{"an mp4 that is asked for as file is a file", "a.mp4", mp4, inspect.File, inspect.File, "", ""},
		{"a 3gp made like an mp4 with H.264 is a video", "a.3gp", threeGP, inspect.Auto, inspect.Video, "", ""},
		{"an m4v that is an mp4 is a video", "a.m4v", inspecttest.Make(inspecttest.Options{Size: 2000, Brand: "M4V "}), inspect.Auto, inspect.Video, "", ""},

		{"a mov is another video", "a.mov", mov, inspect.Auto, "", inspect.UnsupportedVideo, "quicktime"},
		{"a mov in capitals too", "A.MOV", mov, inspect.Auto, "", inspect.UnsupportedVideo, "quicktime"},
		{"a mov without an extension too", "a", mov, inspect.Auto, "", inspect.UnsupportedVideo, "quicktime"},
		{"a mov renamed to mp4 is no mp4", "a.mp4", mov, inspect.Auto, "", inspect.NotMP4, "quicktime"},
		{"a mov asked for as video is no mp4", "a.mov", mov, inspect.Video, "", inspect.NotMP4, "quicktime"},
		{"a mov asked for as file is a file", "a.mov", mov, inspect.File, inspect.File, "", ""},
		{"a cut mov is another video", "a.mov", mov[:40], inspect.Auto, "", inspect.UnsupportedVideo, "quicktime"},
		{"mkv", "a.mkv", inspecttest.MKV(), inspect.Auto, "", inspect.UnsupportedVideo, "matroska"},
		{"mkv under no video's name", "a.dat", inspecttest.MKV(), inspect.Auto, "", inspect.UnsupportedVideo, "matroska"},
		{"mkv renamed to mp4", "a.mp4", inspecttest.MKV(), inspect.Auto, "", inspect.NotMP4, "matroska"},
		{"mkv renamed to m4v", "a.m4v", inspecttest.MKV(), inspect.Auto, "", inspect.NotMP4, "matroska"},
		{"webm", "a.webm", inspecttest.WebM(), inspect.Auto, "", inspect.UnsupportedVideo, "webm"},
		{"avi", "a.avi", inspecttest.AVI(), inspect.Auto, "", inspect.UnsupportedVideo, "avi"},
		{"flv", "a.flv", inspecttest.FLV(), inspect.Auto, "", inspect.UnsupportedVideo, "flv"},
		{"wmv", "a.wmv", inspecttest.WMV(), inspect.Auto, "", inspect.UnsupportedVideo, "asf"},
		{"mpeg-ts", "a.ts", inspecttest.TS(), inspect.Auto, "", inspect.UnsupportedVideo, "mpeg-ts"},
		{"a 3gp that is no mp4", "a.3gp", []byte("\x00\x00\x00\x14ftyp3gp4\x00\x00\x00\x003gp4\x00\x00\x00\x08free"), inspect.Auto, "", inspect.UnsupportedVideo, "3gp"},
		{"a 3gp with H.263", "a.3gp", inspecttest.Make(inspecttest.Options{Size: 2000, Brand: "3gp4", Codec: "s263"}), inspect.Auto, "", inspect.UnsupportedVideo, "3gp"},
		{"text named avi", "a.avi", text, inspect.Auto, "", inspect.UnsupportedVideo, "text"},

		{"text renamed to mp4", "a.mp4", text, inspect.Auto, "", inspect.NotMP4, "text"},
		{"html saved as mp4", "a.mp4", inspecttest.HTML(), inspect.Auto, "", inspect.NotMP4, "html"},
		{"a picture renamed to mp4", "a.mp4", inspecttest.HEIC(), inspect.Auto, "", inspect.NotMP4, "heif"},
		{"zeroes named mp4", "a.mp4", make([]byte, 100), inspect.Auto, "", inspect.NotMP4, "zeroes"},
		{"a document asked for as video", "a.pdf", inspecttest.PDF(), inspect.Video, "", inspect.NotMP4, "pdf"},

		{"a cut mp4", "a.mp4", cut, inspect.Auto, "", inspect.TruncatedMP4, "truncated"},
		{"a cut mp4 under another name", "a.bin", cut, inspect.Auto, "", inspect.TruncatedMP4, "truncated"},
		{"a cut mp4 asked for as file is a file", "a.mp4", cut, inspect.File, inspect.File, "", ""},
		{"a recording without its index", "a.mp4", inspecttest.NoIndex(2000, 1), inspect.Auto, "", inspect.BrokenMP4, "moov-missing"},
		{"a copy-protected mp4", "a.mp4", inspecttest.Encrypted(2000, 1), inspect.Auto, "", inspect.EncryptedMP4, "encrypted"},
		{"an mp4 with sound alone", "a.mp4", inspecttest.SoundOnly(2000, 1), inspect.Auto, "", inspect.NoVideoTrack, "sound-only"},
		{"an m4a renamed to mp4", "a.mp4", m4a, inspect.Auto, "", inspect.NoVideoTrack, "audio"},

		{"sound alone under its own name is a file", "a.m4a", inspecttest.SoundOnly(2000, 1), inspect.Auto, inspect.File, "", ""},
		{"m4a is a file", "a.m4a", m4a, inspect.Auto, inspect.File, "", ""},
		{"an audio book is a file", "a.m4b", inspecttest.Make(inspecttest.Options{Size: 2000, Brand: "M4B ", Handler: "soun"}), inspect.Auto, inspect.File, "", ""},
		{"cut sound is a file", "a.m4a", inspecttest.SoundOnly(2000, 1)[:1500], inspect.Auto, inspect.File, "", ""},
		{"windows media sound is a file", "a.wma", inspecttest.WMV(), inspect.Auto, inspect.File, "", ""},
		{"a picture is a file", "a.heic", inspecttest.HEIC(), inspect.Auto, inspect.File, "", ""},
		{"a document is a file", "a.pdf", inspecttest.PDF(), inspect.Auto, inspect.File, "", ""},
		{"text is a file", "a.txt", text, inspect.Auto, inspect.File, "", ""},
		{"a program named like a stream is a file", "a.ts", []byte("export const a = 1;\n"), inspect.Auto, inspect.File, "", ""},
		{"a video project of unknown make is a file", "a.zzz", []byte("\x00\x00\x00\x20ftypzzzz\x00\x00\x00\x00zzzz0000yyyyxxxx"), inspect.Auto, inspect.File, "", ""},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			facts, err := read(write(t, row.name, row.content), inspect.Options{Type: row.typ})
			require.EqualValues(t, len(row.content), facts.Size)
			require.NotEmpty(t, facts.Name)
			if row.refused != "" {
				e := requireRefused(t, err, row.refused)
				require.Equal(t, row.detail, e.Detail)
				require.Empty(t, facts.MD5)
				return
			}
			require.NoError(t, err)
			require.Equal(t, row.want, facts.Type)
			if row.name == "a.m4a" && len(row.content) == 2000 {
				require.Equal(t, "audio/mp4", facts.MIME)
			}
			require.Equal(t, row.want == inspect.Video, strings.HasSuffix(facts.Name, ".mp4") && facts.Movie != nil)
			sum := md5.Sum(row.content)
			require.Equal(t, hex.EncodeToString(sum[:]), facts.MD5)
		})
	}
}

func TestNameOfOptionsCountsForTheType(t *testing.T) {
	t.Parallel()
	path := write(t, "upload-42", []byte("no video"))
	_, err := read(path, inspect.Options{Name: "clip.mp4"})
	e := requireRefused(t, err, inspect.NotMP4)
	zh, _ := e.Explain("zh")
	require.Contains(t, zh, "clip.mp4")

	facts, err := read(write(t, "x.mp4", inspecttest.MP4(900, 1)), inspect.Options{Name: "开业活动"})
	require.NoError(t, err)
	require.Equal(t, "开业活动.mp4", facts.Name)
	require.Equal(t, "name-changed", facts.Warnings[0].Code)

	_, err = read(path, inspect.Options{Name: "\u202e\u200b"})
	requireRefused(t, err, inspect.BadName)
}

func TestQuickTimeRemedyHoldsTheCommand(t *testing.T) {
	t.Parallel()
	_, err := read(write(t, "in.mov", inspecttest.MOV(2000, 1)), inspect.Options{})
	e := requireRefused(t, err, inspect.UnsupportedVideo)
	for _, lang := range []string{"zh", "en"} {
		message, remedy := e.Explain(lang)
		require.Contains(t, message, "QuickTime MOV")
		require.Contains(t, remedy, "ffmpeg -i in.mov -c copy -movflags +faststart out.mp4")
		require.Contains(t, remedy, "--type file")
	}
	require.Equal(t, "inspect/unsupported-video", e.FaultCode())
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		size    int64
		refused inspect.Code
		warning string
	}{
		{0, inspect.TooSmall, ""},
		{4, inspect.TooSmall, ""},
		{5, "", ""},
		{inspect.GreySize, "", ""},
		{inspect.MaxSize, "", "size-grey"},
		{inspect.MaxSize + 1, inspect.TooLarge, ""},
		{1 << 50, inspect.TooLarge, ""},
	} {
		path := write(t, "a.bin", nil)
		if err := os.Truncate(path, row.size); err != nil {
			continue // more than this file system can do
		}
		var seen atomic.Int64
		facts, err := read(path, inspect.Options{Read: &seen})
		require.Equal(t, row.size, facts.Size)
		require.Equal(t, "a.bin", facts.Name)
		if row.refused != "" {
			requireRefused(t, err, row.refused)
			require.Zero(t, seen.Load(), "refused before the first byte")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, row.size, seen.Load())
		if row.warning == "" {
			require.Empty(t, facts.Warnings)
		} else {
			require.Equal(t, row.warning, facts.Warnings[0].Code)
		}
	}
}

func TestBrokenVideoIsReadNoFurther(t *testing.T) {
	t.Parallel()
	content := append(inspecttest.MOV(1000, 1), make([]byte, 4<<20)...)
	var seen atomic.Int64
	_, err := read(write(t, "a.mp4", content), inspect.Options{Read: &seen})
	requireRefused(t, err, inspect.NotMP4)
	require.Less(t, seen.Load(), int64(1<<20))
}

func TestLinksAreFollowedOnceOrNotAtAll(t *testing.T) {
	t.Parallel()
	path := write(t, "a.pdf", inspecttest.PDF())
	link := filepath.Join(t.TempDir(), "link.pdf")
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	facts, err := read(link, inspect.Options{})
	require.NoError(t, err)
	require.Equal(t, "link.pdf", facts.Name, "the user's name for it")

	_, err = read(link, inspect.Options{NoFollow: true})
	e := requireRefused(t, err, inspect.NotRegular)
	require.Equal(t, "symlink", e.Detail)

	require.NoError(t, os.Remove(path))
	_, err = read(link, inspect.Options{})
	requireRefused(t, err, inspect.Unreadable)

	require.NoError(t, os.Symlink(link, path))
	_, err = read(link, inspect.Options{})
	requireRefused(t, err, inspect.Unreadable)
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	_, err := read(filepath.Join(t.TempDir(), "nowhere.mp4"), inspect.Options{})
	e := requireRefused(t, err, inspect.Unreadable)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.False(t, e.Temporary())
	require.Equal(t, "missing", e.Detail)
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	if nobody.Run(t) {
		return
	}
	path := write(t, "a.pdf", inspecttest.PDF())
	require.NoError(t, os.Chmod(path, 0))
	_, err := read(path, inspect.Options{})
	e := requireRefused(t, err, inspect.Unreadable)
	require.Equal(t, "permission", e.Detail)
	require.False(t, e.Temporary())
}

func TestFolderIsNoFile(t *testing.T) {
	t.Parallel()
	_, err := read(t.TempDir(), inspect.Options{})
	e := requireRefused(t, err, inspect.NotRegular)
	require.Equal(t, "directory", e.Detail)
}

// stepContext calls at once Read has asked for the n-th time whether to go
// on: 1 before the file is opened, 2 behind the first piece.
type stepContext struct {
	context.Context
	calls int
	at    int
	do    func()
}

func (c *stepContext) Err() error {
	if c.calls++; c.calls == c.at {
		c.do()
	}
	return c.Context.Err()
}

func TestFileThatChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	content := inspecttest.MP4(3<<20, 7)
	for _, row := range []struct {
		about string
		typ   inspect.Type
		do    func(path string) error
	}{
		{"written in place, same size", inspect.Video, func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte("another"), 2<<20)
			return err
		}},
		{"appended to", inspect.Video, func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.Write(make([]byte, 1<<20))
			return err
		}},
		{"cut off", inspect.File, func(path string) error { return os.Truncate(path, 1<<20) }},
		{"cut off to nothing", inspect.Video, func(path string) error { return os.Truncate(path, 0) }},
		{"replaced by another", inspect.File, func(path string) error {
			if err := os.WriteFile(path+".new", content, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}},
		{"removed", inspect.File, os.Remove},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			path := write(t, "a.mp4", content)
			// Some kernels' clock for files ticks every 4 ms only.
			require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
			ctx := &stepContext{Context: context.Background(), at: 3, do: func() { require.NoError(t, row.do(path)) }}
			_, err := inspect.Read(ctx, path, inspect.Options{Type: row.typ})
			e := requireRefused(t, err, inspect.Changed)
			require.True(t, e.Temporary())
		})
	}
}

// A refusal of half-written bytes would be held against the file.
func TestChangeOutweighsRefusal(t *testing.T) {
	t.Parallel()
	path := write(t, "a.mp4", inspecttest.Truncated(3<<20, 10, 7))
	ctx := &stepContext{Context: context.Background(), at: 2, do: func() {
		require.NoError(t, os.WriteFile(path, inspecttest.MP4(3<<20, 7), 0o600))
	}}
	_, err := inspect.Read(ctx, path, inspect.Options{})
	requireRefused(t, err, inspect.Changed)
}

func TestReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	path := write(t, "a.mp4", inspecttest.MP4(3<<20, 7))
	facts, err := inspect.Read(&stepContext{Context: ctx, at: 3, do: cancel}, path, inspect.Options{})
	require.Equal(t, context.Canceled, err)
	require.EqualValues(t, 3<<20, facts.Size)
	_, err = inspect.Read(ctx, path, inspect.Options{})
	require.Equal(t, context.Canceled, err)
}

// Every cut of a whole file shorter than the file is refused.
func TestEveryCutIsRefused(t *testing.T) {
	t.Parallel()
	for _, last := range []bool{false, true} {
		whole := inspecttest.Make(inspecttest.Options{Size: 1200, Seed: 3, IndexLast: last})
		path := write(t, "a.mp4", whole)
		_, err := read(path, inspect.Options{})
		require.NoError(t, err)
		for n := len(whole) - 1; n >= 0; n-- {
			require.NoError(t, os.Truncate(path, int64(n)))
			_, err := read(path, inspect.Options{Type: inspect.Video})
			var e *inspect.Error
			require.ErrorAs(t, err, &e, "cut to %d bytes", n)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range [][]byte{
		inspecttest.MP4(900, 1), inspecttest.MOV(900, 1), inspecttest.MKV(), inspecttest.AVI(), inspecttest.HTML(), inspecttest.PDF(),
		inspecttest.TS(), inspecttest.NoIndex(900, 1), inspecttest.Encrypted(900, 1), []byte("hello"), nil,
	} {
		f.Add(b, "a.mp4")
		f.Add(b, "a.bin")
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, name string) {
		file, err := os.CreateTemp(dir, "fuzz")
		require.NoError(t, err)
		defer os.Remove(file.Name())
		_, err = file.Write(content)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		facts, err := read(file.Name(), inspect.Options{Name: name})
		if err != nil {
			var e *inspect.Error
			require.ErrorAs(t, err, &e)
			requireExplained(t, e)
			return
		}
		sum := md5.Sum(content)
		require.Equal(t, hex.EncodeToString(sum[:]), facts.MD5)
		require.Contains(t, []inspect.Type{inspect.Video, inspect.File}, facts.Type)
		require.Equal(t, facts.Type == inspect.Video, facts.Movie != nil)
		require.LessOrEqual(t, len(facts.Ext), 10)
		require.LessOrEqual(t, len(facts.Name), inspect.MaxName)
	})
}

func TestSamplesAreOfTheSizeThatWasAsked(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{inspecttest.MinMP4, 701, 755, 4096, 8191, 8192, 16384, 100_003, 5 << 20} {
		content := inspecttest.MP4(size, 9)
		require.EqualValues(t, size, len(content))
		require.True(t, bytes.Equal(content, inspecttest.MP4(size, 9)), "the same for ever")
		require.False(t, bytes.Equal(content, inspecttest.MP4(size, 10)), "another seed is another file")
		facts, err := read(write(t, "a.mp4", content), inspect.Options{Type: inspect.Video})
		require.NoError(t, err, "%d bytes", size)
		require.Empty(t, facts.Warnings)
	}
}
