package inspecttest

import (
	"bytes"
	"fmt"
)

// Truncated is MP4 without its last missing bytes: a copy that was cut off.
func Truncated(size, missing int64, seed uint64) []byte {
	b := MP4(size, seed)
	return b[:max(int64(len(b))-missing, 0)]
}

// NoIndex is a recording that was never finished: media, and no moov.
func NoIndex(size int64, seed uint64) []byte {
	b := Make(Options{Size: size, Seed: seed, IndexLast: true})
	return b[:bytes.LastIndex(b, []byte("moov"))-4]
}

// Encrypted is an MP4 with copy protection.
func Encrypted(size int64, seed uint64) []byte {
	return Make(Options{Size: size, Seed: seed, Codec: "encv"})
}

// SoundOnly is an MP4 without a picture.
func SoundOnly(size int64, seed uint64) []byte {
	return Make(Options{Size: size, Seed: seed, Handler: "soun"})
}

// MOV is QuickTime, as iPhones record it.
func MOV(size int64, seed uint64) []byte {
	return Make(Options{Size: size, Seed: seed, Brand: "qt  ", IndexLast: true})
}

// MKV is the head of a Matroska file.
func MKV() []byte { return ebml("matroska") }

// WebM is the head of a WebM file.
func WebM() []byte { return ebml("webm") }

func ebml(doctype string) []byte {
	head := append([]byte{0x42, 0x86, 0x81, 1, 0x42, 0xf7, 0x81, 1, 0x42, 0x82, 0x80 | byte(len(doctype))}, doctype...)
	b := append([]byte{0x1a, 0x45, 0xdf, 0xa3, 0x80 | byte(len(head))}, head...)
	return append(b, 0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00)
}

// AVI is the head of an AVI file.
func AVI() []byte {
	return append([]byte("RIFF\x00\x10\x00\x00AVI LIST\xc0\x00\x00\x00hdrlavih\x38\x00\x00\x00"), zero(0x38)...)
}

// FLV is the head of a Flash video.
func FLV() []byte {
	return append([]byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x09\x00\x00\x0d"), zero(32)...)
}

// WMV is the head of a Windows Media file.
func WMV() []byte {
	return append([]byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"), zero(32)...)
}

// TS is an MPEG transport stream of five empty packets.
func TS() []byte {
	return bytes.Repeat(append([]byte{0x47, 0x1f, 0xff, 0x10}, bytes.Repeat([]byte{0xff}, 184)...), 5)
}

// HTML is the error page that a download left instead of a video.
func HTML() []byte {
	return []byte("<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n")
}

// PDF is a document of one empty page.
func PDF() []byte {
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
	}
	var b, xref bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	for i, o := range objects {
		fmt.Fprintf(&xref, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 4\n0000000000 65535 f \n%strailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", xref.String(), start)
	return b.Bytes()
}

// HEIC is the head of a picture of an iPhone's.
func HEIC() []byte {
	return bytes.Join([][]byte{box("ftyp", tag("heic"), u32(0), tag("mif1"), tag("heic")), full("meta", 0, zero(32)), box("mdat", zero(32))}, nil)
}
