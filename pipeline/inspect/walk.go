package inspect

import (
	"encoding/binary"
	"math"
)

// Bounds of what is believed. Real files stay far below them.
const (
	maxTracks  = 256
	maxFtyp    = 64 << 10
	maxBoxSize = 1 << 62
	keptBytes  = 256 // of a leaf: brands, headers, the first sample entry with its codec's configuration
	zeroRun    = 4096
)

// A walker reads the boxes of an MP4 as they are pushed through Write, in
// pieces of any size with the same outcome. It needs the file's size
// beforehand, keeps no table, and does a bounded amount of work per byte.
// After the last byte, finish gives the verdict; bad is set as soon as it
// cannot be good any more, and what is written then is ignored.
type walker struct {
	size int64 // of the file
	off  int64 // bytes walked
	bad  *Error

	state  walkState
	hdr    [16]byte
	hlen   int    // bytes of hdr that are filled
	start  int64  // offset of the box's header
	leaf   fourcc // the box whose payload is coming
	left   int64  // bytes of it still to come
	keep   [keptBytes]byte
	kept   int      // bytes of keep that are filled
	stack  [5]frame // open containers: moov/trak/mdia/minf/stbl is the deepest
	depth  int
	table  table
	track  track // the one being read
	movie  contents
	zeroes int // NULs that the current mdat's bytes so far end in, at most zeroRun
}

type walkState uint8

const (
	inHeader walkState = iota
	inSkip
	inMdat
	inKeep  // first bytes kept, the rest skipped
	inTable // sample and chunk tables, summed up while they pass
	inTail  // bytes after the last box
)

type frame struct {
	typ fourcc
	end int64
}

// reset makes w ready for a file of size bytes.
func (w *walker) reset(size int64) {
	*w = walker{size: size}
	w.next()
}

// Write never fails; look at bad.
func (w *walker) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && w.bad == nil && w.off < w.size {
		if w.state == inHeader {
			p = p[w.readHeader(p):]
		} else {
			p = p[w.readLeaf(p):]
		}
	}
	return n, nil
}

// readLeaf takes what p has of the payload of a leaf.
func (w *walker) readLeaf(p []byte) int {
	if int64(len(p)) > w.left {
		p = p[:w.left]
	}
	switch w.state {
	case inMdat:
		w.countZeroes(p)
	case inKeep:
		w.kept += copy(w.keep[w.kept:], p)
	case inTable:
		if !w.table.add(p) {
			w.malformed(w.start)
		}
	}
	w.off += int64(len(p))
	w.left -= int64(len(p))
	if w.left == 0 && w.bad == nil {
		w.endLeaf()
		w.next()
	}
	return len(p)
}

// readHeader takes what p has of a box's header, and enters the box once the
// header is whole.
func (w *walker) readHeader(p []byte) int {
	want := 8
	if w.hlen >= 8 {
		want = 16
	}
	n := copy(w.hdr[w.hlen:want], p)
	w.hlen += n
	w.off += int64(n)
	if w.hlen < want {
		return n
	}
	size, typ := uint64(binary.BigEndian.Uint32(w.hdr[:])), fourcc(binary.BigEndian.Uint32(w.hdr[4:]))
	if size == 1 && want == 8 && w.end()-w.start >= 16 {
		return n // the real size is in the next eight bytes
	}
	if want == 16 {
		size = binary.BigEndian.Uint64(w.hdr[8:])
	}
	w.hlen = 0
	w.box(typ, size)
	return n
}

// next closes the containers that end here and expects a header if there is
// room for one.
func (w *walker) next() {
	for w.depth > 0 && w.stack[w.depth-1].end == w.off {
		w.depth--
		w.endContainer(w.stack[w.depth].typ)
	}
	w.state, w.start = inHeader, w.off
	switch rest := w.end() - w.off; {
	case rest == 0 || rest >= 8:
	case w.depth == 0:
		w.tail()
	default: // padding, or QuickTime's 32-bit terminator
		w.leaf, w.left, w.state = 0, rest, inSkip
	}
}

// end is where the innermost container, or the file, ends.
func (w *walker) end() int64 {
	if w.depth > 0 {
		return w.stack[w.depth-1].end
	}
	return w.size
}

func (w *walker) parent() fourcc {
	if w.depth > 0 {
		return w.stack[w.depth-1].typ
	}
	return 0
}

// box judges a header, whose payload begins at w.off.
func (w *walker) box(typ fourcc, size uint64) {
	head, rest := w.off-w.start, w.end()-w.start
	sane := typ.printable() && (size == 0 || size >= uint64(head)) && size <= maxBoxSize
	switch {
	case !sane && w.depth == 0:
		w.garbage()
		return
	case !sane && typ == 0 && size == 0 && rest < 16: // QuickTime's terminator
		size = uint64(rest)
	case !sane:
		w.malformed(w.start)
		return
	case size == 0 && typ == ccFtyp: // a file name for the whole file
		w.fail(NotMP4, "unknown", w.start)
		return
	case size == 0: // to the end of the file; players take it so in a container too
		size = uint64(rest)
	}
	if size > uint64(rest) {
		w.overrun(typ, int64(size)-rest)
		return
	}
	w.enter(typ, int64(size)-head)
}

// overrun judges a box that is larger by missing than what it is in.
func (w *walker) overrun(typ fourcc, missing int64) {
	switch {
	case w.depth > 0:
		w.malformed(w.start)
	case !topLevel(typ):
		w.garbage()
	default:
		w.inOrder(typ)
		w.fail(TruncatedMP4, "truncated", missing)
	}
}

// garbage is what is no box though one should begin: behind a whole movie it
// harms nobody, anywhere else it is damage.
func (w *walker) garbage() {
	if !w.movie.whole() {
		w.malformed(w.start)
		return
	}
	w.tail()
}

func (w *walker) tail() {
	w.movie.trailing = true
	w.state, w.left = inTail, w.size-w.off
}

// enter opens a container, or prepares for a leaf, of size bytes.
func (w *walker) enter(typ fourcc, size int64) {
	parent := w.parent()
	if w.depth == 0 {
		w.inOrder(typ)
	}
	if w.bad != nil {
		return
	}
	if container(typ, parent) && !(typ == ccMoov && w.movie.moov) {
		w.stack[w.depth] = frame{typ, w.off + size}
		w.depth++
		w.beginContainer(typ)
		w.next()
		return
	}
	w.beginLeaf(typ, parent, size)
	if size == 0 && w.bad == nil {
		w.endLeaf()
		w.next()
	}
}

// fail keeps the first verdict.
func (w *walker) fail(code Code, detail string, offset int64) {
	if w.bad == nil {
		w.bad = &Error{Code: code, Detail: detail, Offset: offset, Size: w.size}
	}
}

func (w *walker) malformed(at int64) { w.fail(BrokenMP4, "malformed", at) }

// countZeroes looks at no more than the last zeroRun bytes of p, and only as
// long as they are zero.
func (w *walker) countZeroes(p []byte) {
	run := 0
	for run < len(p) && run < zeroRun && p[len(p)-1-run] == 0 {
		run++
	}
	if run == len(p) {
		run = min(w.zeroes+run, zeroRun)
	}
	w.zeroes = run
}

// plus is a sum that stays at the top rather than begin again at zero.
func plus(a, b uint64) uint64 {
	if s := a + b; s >= a {
		return s
	}
	return math.MaxUint64
}
