package inspect

import "encoding/binary"

// A table sums up stsz, stz2, stco or co64 while its bytes pass.
type table struct {
	typ   fourcc
	left  int64 // bytes of the box still to come
	head  [12]byte
	hlen  int
	hwant int
	width int    // bytes of an entry; 0: there are none
	half  bool   // entries of four bits, two in a byte
	count uint64 // entries still to come
	total uint64 // entries declared
	fixed uint64 // size of every sample, if not 0
	carry [8]byte
	clen  int

	sum, low, high uint64
}

func (t *table) reset(typ fourcc, size int64) {
	*t = table{typ: typ, left: size, hwant: 8, low: 1<<64 - 1}
	if typ == ccStsz || typ == ccStz2 {
		t.hwant = 12
	}
}

// add takes the next bytes. It returns false if the table claims more entries
// than its box has room for.
func (t *table) add(p []byte) bool {
	t.left -= int64(len(p))
	if t.hlen < t.hwant {
		n := copy(t.head[t.hlen:t.hwant], p)
		t.hlen += n
		p = p[n:]
		if t.hlen < t.hwant {
			return true
		}
		if !t.begin(uint64(t.left) + uint64(len(p))) {
			return false
		}
	}
	if t.width == 0 {
		return true
	}
	if t.clen > 0 { // an entry that the last piece cut
		n := copy(t.carry[t.clen:t.width], p)
		t.clen += n
		p = p[n:]
		if t.clen < t.width {
			return true
		}
		t.clen = 0
		t.entries(t.carry[:t.width])
	}
	whole := len(p) - len(p)%t.width
	t.entries(p[:whole])
	t.clen = copy(t.carry[:], p[whole:])
	return true
}

// begin reads the head, with room bytes behind it.
func (t *table) begin(room uint64) bool {
	bits := uint64(32)
	switch t.typ {
	case ccStsz:
		t.fixed = uint64(binary.BigEndian.Uint32(t.head[4:]))
		t.count = uint64(binary.BigEndian.Uint32(t.head[8:]))
		if t.fixed != 0 {
			t.total = t.count
			return true
		}
	case ccStz2:
		bits = uint64(t.head[7])
		t.count = uint64(binary.BigEndian.Uint32(t.head[8:]))
		if bits != 4 && bits != 8 && bits != 16 {
			return false
		}
	case ccStco, ccCo64:
		t.count = uint64(binary.BigEndian.Uint32(t.head[4:]))
		if t.typ == ccCo64 {
			bits = 64
		}
	}
	t.total = t.count
	t.width, t.half = int(max(bits, 8)/8), bits == 4
	return (t.count*bits+7)/8 <= room
}

// entries takes whole entries; those beyond the count are padding.
func (t *table) entries(p []byte) {
	if t.half {
		t.halves(p)
		return
	}
	if n := t.count * uint64(t.width); uint64(len(p)) > n {
		p = p[:n]
	}
	t.count -= uint64(len(p) / t.width)
	switch {
	case t.typ == ccStsz:
		t.addSizes(p)
	case t.typ == ccStz2 && t.width == 1:
		for _, v := range p {
			t.sum += uint64(v)
		}
	case t.typ == ccStz2:
		for ; len(p) >= 2; p = p[2:] {
			t.sum += uint64(binary.BigEndian.Uint16(p))
		}
	case t.typ == ccStco:
		for ; len(p) >= 4; p = p[4:] {
			t.offset(uint64(binary.BigEndian.Uint32(p)))
		}
	default:
		for ; len(p) >= 8; p = p[8:] {
			t.offset(binary.BigEndian.Uint64(p))
		}
	}
}

func (t *table) addSizes(p []byte) {
	sum := t.sum
	for ; len(p) >= 4; p = p[4:] {
		sum += uint64(binary.BigEndian.Uint32(p))
	}
	t.sum = sum
}

func (t *table) halves(p []byte) {
	for _, v := range p {
		if t.count > 0 {
			t.count--
			t.sum += uint64(v >> 4)
		}
		if t.count > 0 {
			t.count--
			t.sum += uint64(v & 15)
		}
	}
}

func (t *table) offset(v uint64) {
	t.low, t.high = min(t.low, v), max(t.high, v)
}

// end hands the sums to the track. It returns false if the head was cut.
func (t *table) end(tr *track) bool {
	if t.hlen < t.hwant {
		return false
	}
	switch t.typ {
	case ccStsz, ccStz2:
		tr.samples = t.total
		tr.bytes = plus(t.sum, t.fixed*t.total)
	default:
		tr.chunks, tr.minOff, tr.maxOff = uint32(t.total), t.low, t.high
	}
	return true
}
