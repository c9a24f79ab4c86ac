// Package inspecttest makes files to try package inspect with, and for the
// demo to send: MP4s of any size that are whole, the ways in which they come
// broken, and what else people call a video.
//
// MP4 and WriteMP4 are the functions to use first. The content depends on
// nothing but the arguments, so a size and a seed name a file for ever.
package inspecttest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
)

// MinMP4 is the smallest size that WriteMP4 makes, in bytes.
const MinMP4 = 700

// Options of an MP4. The zero value is a faststart H.264 MP4.
type Options struct {
	Size      int64  // bytes in all; MinMP4 if less
	Seed      uint64 // another seed is another content
	Brand     string // major brand; "isom" if empty
	Handler   string // of the only track; "vide" if empty, "soun" for sound alone
	Codec     string // sample entry; "avc1" if empty, "encv" for one that is encrypted
	IndexLast bool   // moov behind mdat, as cameras write it
}

// MP4 returns a whole H.264 MP4 of size bytes, at least MinMP4. Its index is
// true to its data; the pictures themselves are noise.
func MP4(size int64, seed uint64) []byte { return Make(Options{Size: size, Seed: seed}) }

// WriteMP4 writes what MP4 returns to w without holding it in memory.
func WriteMP4(w io.Writer, size int64, seed uint64) error {
	return Write(w, Options{Size: size, Seed: seed})
}

// Make returns the file that o describes.
func Make(o Options) []byte {
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		panic(err) // a Buffer refuses nothing; Write refuses only sizes
	}
	return b.Bytes()
}

// Write writes the file that o describes. It refuses a size that needs more
// than 32 bits.
func Write(w io.Writer, o Options) error {
	o.Size = max(o.Size, MinMP4)
	if o.Size >= 1<<32 {
		return fmt.Errorf("inspecttest: %d bytes are too many for an MP4 with 32-bit sizes", o.Size)
	}
	head := box("ftyp", tag(or(o.Brand, "isom")), u32(512), tag("isom"), tag("iso2"), tag("avc1"), tag("mp41"))
	samples := max(1, min(o.Size/8192, 240))
	index := int64(len(moov(o, make([]uint32, samples), 0)))
	media := o.Size - int64(len(head)) - index - 8
	sizes := share(media, samples)
	at := int64(len(head)) + 8
	if !o.IndexLast {
		at += index
	}
	moov := moov(o, sizes, uint32(at))
	parts := [][]byte{head, moov, u32(uint32(media + 8)), tag("mdat")}
	if o.IndexLast {
		parts = append(parts[:1], parts[2:]...)
	}
	if _, err := w.Write(bytes.Join(parts, nil)); err != nil {
		return err
	}
	if err := noise(w, sizes, o.Seed); err != nil || !o.IndexLast {
		return err
	}
	_, err := w.Write(moov)
	return err
}

// share deals media bytes out to n samples.
func share(media, n int64) []uint32 {
	sizes := make([]uint32, n)
	for i := range sizes {
		sizes[i] = uint32(media / n)
	}
	sizes[n-1] += uint32(media % n)
	return sizes
}

// noise writes each sample as one NAL unit: its length, the head of a slice,
// and noise that does not end in zeroes.
func noise(w io.Writer, sizes []uint32, seed uint64) error {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	random := rand.NewChaCha8(key)
	buf := make([]byte, 64<<10)
	for i, size := range sizes {
		for start, left := true, int(size); left > 0; start = false {
			p := buf[:min(left, len(buf))]
			random.Read(p)
			if start && len(p) > 4 {
				binary.BigEndian.PutUint32(p, size-4)
				if p[4] = 0x41; i == 0 {
					p[4] = 0x65
				}
			}
			if left -= len(p); left == 0 {
				p[len(p)-1] |= 0x80
			}
			if _, err := w.Write(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
