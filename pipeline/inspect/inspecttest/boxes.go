package inspecttest

import (
	"bytes"
	"encoding/binary"
)

// Width and Height of the picture, in pixels, and Rate, its frames a second.
const (
	Width  = 320
	Height = 240
	Rate   = 24
)

// box is length, type and parts (ISO/IEC 14496-12, 4.2).
func box(typ string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(u32(uint32(len(body)+8)), typ...), body...)
}

// full is a box with version 0 and flags.
func full(typ string, flags uint32, parts ...[]byte) []byte {
	return box(typ, append([][]byte{u32(flags)}, parts...)...)
}

func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func tag(s string) []byte { return []byte(s) }
func zero(n int) []byte   { return make([]byte, n) }

func words(list ...uint32) (b []byte) {
	for _, v := range list {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// identity is the matrix that turns nothing.
func identity() []byte { return words(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000) }

// moov is the index of one track whose samples lie in one chunk at offset at.
func moov(o Options, sizes []uint32, at uint32) []byte {
	n := uint32(len(sizes))
	handler := or(o.Handler, "vide")
	media := full("vmhd", 1, zero(8))
	entry := visual(or(o.Codec, "avc1"))
	if handler == "soun" {
		media, entry = full("smhd", 0, zero(4)), audio()
	}
	return box("moov",
		full("mvhd", 0, words(0, 0, Rate, n, 0x10000), u16(0x100), zero(10), identity(), zero(24), u32(2)),
		box("trak",
			full("tkhd", 3, words(0, 0, 1, 0, n), zero(16), identity(), words(Width<<16, Height<<16)),
			box("mdia",
				full("mdhd", 0, words(0, 0, Rate, n), u16(0x55c4), zero(2)),
				full("hdlr", 0, zero(4), tag(handler), zero(12), tag("wedrop\x00")),
				box("minf", media,
					box("dinf", full("dref", 0, u32(1), full("url ", 1))),
					box("stbl",
						full("stsd", 0, u32(1), entry),
						full("stts", 0, words(1, n, 1)),
						full("stsc", 0, words(1, 1, n, 1)),
						full("stsz", 0, words(0, n), words(sizes...)),
						full("stco", 0, words(1, at)))))))
}

// visual is a sample entry of H.264 baseline at level 3.0, with parameter
// sets for a picture of Width by Height.
func visual(codec string) []byte {
	sps := []byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x05, 0x07, 0xe4}
	pps := []byte{0x68, 0xce, 0x3c, 0x80}
	avcC := bytes.Join([][]byte{{1, 0x42, 0xc0, 0x1e, 0xff, 0xe1}, u16(uint16(len(sps))), sps, {1}, u16(uint16(len(pps))), pps}, nil)
	return box(codec, zero(6), u16(1), zero(16), u16(Width), u16(Height), words(0x480000, 0x480000, 0), u16(1), zero(32), u16(24), u16(0xffff),
		box("avcC", avcC))
}

func audio() []byte {
	return box("mp4a", zero(6), u16(1), zero(8), u16(2), u16(16), zero(4), u32(44100<<16))
}
