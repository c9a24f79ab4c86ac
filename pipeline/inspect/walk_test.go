package inspect

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
)

// walk pushes b in pieces of n bytes and returns all there is to know.
func walk(b []byte, n int) (contents, *Error) {
	w := new(walker)
	w.reset(int64(len(b)))
	for p := range slices.Chunk(b, n) {
		w.Write(p)
	}
	bad := w.finish()
	return w.movie, bad
}

func header(size uint32, typ string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, size), typ...)
}

func nest(typ string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(header(uint32(len(body)+8), typ), body...)
}

func ftypBox() []byte { return nest("ftyp", []byte("isom\x00\x00\x02\x00isommp41")) }

// Made by hand against what broke the known MP4 libraries: endless loops,
// quadratic time, tables read into memory.
func TestHostileFilesEndQuickly(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	track := func(parts ...[]byte) []byte {
		return nest("trak", nest("mdia", nest("hdlr", []byte("\x00\x00\x00\x00\x00\x00\x00\x00vide")), nest("minf", nest("stbl", parts...))))
	}
	for _, row := range []struct {
		about  string
		file   []byte
		code   Code
		detail string
	}{
		{"a size of 2^64-1", append(ftypBox(), append(header(1, "mdat"), bytes.Repeat([]byte{0xff}, 8)...)...), BrokenMP4, "malformed"},
		{"a size of 2^64-24, which wraps back to the start", append(ftypBox(), append(header(1, "free"), "\xff\xff\xff\xff\xff\xff\xff\xe8"...)...), BrokenMP4, "malformed"},
		{"a size of 2^62", append(ftypBox(), append(header(1, "mdat"), "\x40\x00\x00\x00\x00\x00\x00\x00"...)...), TruncatedMP4, "truncated"},
		{"a size smaller than its header", append(ftypBox(), header(7, "free")...), BrokenMP4, "malformed"},
		{"a 64-bit size smaller than its header", append(ftypBox(), append(header(1, "free"), "\x00\x00\x00\x00\x00\x00\x00\x0f"...)...), BrokenMP4, "malformed"},
		{"ftyp without an end", append(header(0, "ftyp"), make([]byte, 4096)...), NotMP4, "unknown"},
		{"ftyp of 1 MB", append(nest("ftyp", make([]byte, mb)), nest("moov")...), BrokenMP4, "malformed"},
		{"ftyp of nothing", nest("ftyp"), BrokenMP4, "malformed"},
		{"moov in moov", append(ftypBox(), nest("moov", nest("moov", nest("moov")))...), NoVideoTrack, "no-video"},
		{"moov 100,000 deep", append(ftypBox(), deep("moov", 100_000)...), NoVideoTrack, "no-video"},
		{"trak 100,000 deep", append(ftypBox(), nest("moov", deep("trak", 100_000))...), NoVideoTrack, "no-video"},
		{"a million empty boxes", append(ftypBox(), bytes.Repeat(header(8, "free"), mb)...), BrokenMP4, "moov-missing"},
		{"100,000 empty tracks", append(ftypBox(), nest("moov", bytes.Repeat(header(8, "trak"), 100_000))...), BrokenMP4, "malformed"},
		{"a chunk table of 2^32-1 entries in 8 bytes", append(ftypBox(), nest("moov", track(nest("stco", []byte("\x00\x00\x00\x00\xff\xff\xff\xff"), make([]byte, 8))))...), BrokenMP4, "malformed"},
		{"a size table of 2^32-1 entries in no bytes", append(ftypBox(), nest("moov", track(nest("stsz", []byte("\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"))))...), BrokenMP4, "malformed"},
		{"a size table cut in its head", append(ftypBox(), nest("moov", track(nest("stsz", []byte("\x00\x00\x00\x00"))))...), BrokenMP4, "malformed"},
		{"an empty size table box", append(ftypBox(), nest("moov", track(nest("stsz")))...), BrokenMP4, "malformed"},
		{"samples of 2^64 bytes in all", bytes.Join([][]byte{ftypBox(), nest("moov", track(nest("stsz", []byte("\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"))), track(nest("stsz", []byte("\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")))), nest("mdat", []byte("media"))}, nil), TruncatedMP4, "truncated"},
		{"a child larger than its parent", append(ftypBox(), nest("moov", header(100, "trak"))...), BrokenMP4, "malformed"},
		{"the media before its header", bytes.Join([][]byte{ftypBox(), nest("moov", track(nest("stsz", words(0, 4, 1)), nest("stco", words(0, 1, 1)))), nest("mdat", []byte("media"))}, nil), BrokenMP4, "index-mismatch"},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			for _, piece := range []int{len(row.file), 4096, 1} {
				_, bad := walk(row.file, piece)
				require.NotNil(t, bad)
				require.Equal(t, row.code, bad.Code, "%v", bad)
				require.Equal(t, row.detail, bad.Detail, "%v", bad)
			}
			require.Less(t, time.Since(start), 10*time.Second, "milliseconds on an idle machine")
		})
	}
}

func words(list ...uint32) (b []byte) {
	for _, v := range list {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// deep nests n boxes without building the inner ones again each time.
func deep(typ string, n int) (b []byte) {
	for i := n; i > 0; i-- {
		b = append(b, header(uint32(8*i), typ)...)
	}
	return b
}

func TestWalkAllocatesNothing(t *testing.T) {
	tables := nest("stsz", words(0, 0, 1<<20), make([]byte, 4<<20))
	big := append(ftypBox(), nest("moov", nest("trak", nest("mdia", nest("minf", nest("stbl", tables)))))...)
	w := new(walker)
	require.Zero(t, testing.AllocsPerRun(3, func() {
		w.reset(int64(len(big)))
		w.Write(big)
	}))
	require.Nil(t, w.bad)
}

func TestTablesOfEveryWidthAreSummedUp(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		about          string
		typ            fourcc
		body           []byte
		samples, bytes uint64
		low, high      uint64
	}{
		{"32-bit sizes", ccStsz, words(0, 0, 3, 10, 20, 12), 3, 42, 0, 0},
		{"one size for all", ccStsz, words(0, 7, 6), 6, 42, 0, 0},
		{"entries beyond the count are padding", ccStsz, words(0, 0, 2, 10, 32, 1000), 2, 42, 0, 0},
		{"16-bit sizes", ccStz2, append(words(0, 16, 3), 0, 10, 0, 20, 0, 12), 3, 42, 0, 0},
		{"8-bit sizes", ccStz2, append(words(0, 8, 3), 10, 20, 12), 3, 42, 0, 0},
		{"4-bit sizes", ccStz2, append(words(0, 4, 3), 0xcf, 0xf0), 3, 42, 0, 0},
		{"4-bit sizes with padding", ccStz2, append(words(0, 4, 3), 0xcf, 0xff), 3, 42, 0, 0},
		{"32-bit offsets", ccStco, words(0, 3, 500, 40, 9000), 0, 0, 40, 9000},
		{"64-bit offsets", ccCo64, words(0, 2, 1, 0, 0, 40), 0, 0, 40, 1 << 32},
	} {
		for n := 1; n <= len(row.body); n++ {
			var tab table
			var tr track
			tab.reset(row.typ, int64(len(row.body)))
			for p := range slices.Chunk(row.body, n) {
				require.True(t, tab.add(p), row.about)
			}
			require.True(t, tab.end(&tr), row.about)
			require.Equal(t, row.samples, tr.samples, row.about)
			require.Equal(t, row.bytes, tr.bytes, row.about)
			if row.high != 0 {
				require.Equal(t, [2]uint64{row.low, row.high}, [2]uint64{tr.minOff, tr.maxOff}, row.about)
			}
		}
	}
}

func TestBitDepthOfH264(t *testing.T) {
	t.Parallel()
	config := func(profile byte, ext ...byte) []byte {
		return append([]byte{1, profile, 0, 30, 0xff, 0xe1, 0, 2, 0x67, profile, 1, 0, 1, 0x68}, ext...)
	}
	require.Equal(t, 8, avcBits(config(66)), "baseline")
	require.Equal(t, 8, avcBits(config(100)), "high without its extension")
	require.Equal(t, 10, avcBits(config(110)), "high 10 without its extension")
	require.Equal(t, 10, avcBits(config(122, 0xfe, 0xfa, 0xfa, 0)), "high 4:2:2 says ten")
	require.Equal(t, 8, avcBits(config(110, 0xfd, 0xf8, 0xf8, 0)), "high 10 that holds eight")
	for n := 6; n < len(config(122, 0xfe, 0xfa, 0xfa, 0)); n++ {
		require.NotZero(t, avcBits(config(122, 0xfe, 0xfa, 0xfa, 0)[:n]), "cut to %d bytes", n)
	}
}

func FuzzWalkSplit(f *testing.F) {
	for _, last := range []bool{false, true} {
		f.Add(inspecttest.Make(inspecttest.Options{Size: 900, Seed: 1, IndexLast: last}), 13)
	}
	f.Add(append(ftypBox(), bytes.Repeat(header(8, "free"), 20)...), 3)
	f.Add(append(ftypBox(), append(header(1, "mdat"), 0, 0, 0, 0, 0, 0, 0, 20, 1, 2, 3, 4)...), 9)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if len(b) == 0 {
			return
		}
		n = max(1, n%len(b))
		whole, bad := walk(b, len(b))
		for _, piece := range []int{1, 7, n} {
			m, e := walk(b, piece)
			require.Equal(t, bad, e)
			if bad == nil {
				require.Equal(t, whole, m)
			}
		}
	})
}

// A whole movie cut anywhere is whole no more.
func FuzzTruncate(f *testing.F) {
	f.Add(uint32(900), uint64(1), uint32(10), false)
	f.Add(uint32(40_000), uint64(2), uint32(39_000), true)
	f.Fuzz(func(t *testing.T, size uint32, seed uint64, cut uint32, last bool) {
		b := inspecttest.Make(inspecttest.Options{Size: int64(size % (1 << 18)), Seed: seed, IndexLast: last})
		_, bad := walk(b, len(b))
		require.Nil(t, bad)
		_, bad = walk(b[:int(cut)%len(b)], len(b))
		require.NotNil(t, bad)
	})
}

// The sum is that of the bytes, however the disk hands them out.
func TestMD5OfOddReaders(t *testing.T) {
	t.Parallel()
	content := inspecttest.MP4(600_001, 5)
	sum := md5.Sum(content)
	for about, odd := range map[string]func(io.Reader) io.Reader{
		"whole":           func(r io.Reader) io.Reader { return r },
		"byte by byte":    iotest.OneByteReader,
		"half of it":      iotest.HalfReader,
		"data with error": iotest.DataErrReader,
	} {
		p := passes.New().(*pass)
		for range 2 { // a pass is used again
			facts := Facts{Size: int64(len(content))}
			err := p.run(context.Background(), odd(bytes.NewReader(content)), &facts, Options{Type: Video}, "a.mp4")
			require.NoError(t, err, about)
			require.Equal(t, hex.EncodeToString(sum[:]), facts.MD5, about)
		}
	}
}

func TestPassWantsEveryByte(t *testing.T) {
	t.Parallel()
	content := inspecttest.MP4(300_000, 5)
	p, facts := passes.New().(*pass), Facts{Size: 300_001}
	err := p.run(context.Background(), bytes.NewReader(content), &facts, Options{Type: File}, "a")
	require.ErrorIs(t, err, errSize)

	broken := errors.New("the disk is gone")
	facts = Facts{Size: 300_000}
	err = p.run(context.Background(), io.MultiReader(bytes.NewReader(content[:100]), iotest.ErrReader(broken)), &facts, Options{Type: File}, "a")
	require.ErrorIs(t, err, broken)
}
