package inspect

import (
	"encoding/binary"
	"time"
)

// contents is what the boxes told of the whole file.
type contents struct {
	ftyp, moov bool // seen; moov: to its end
	brand      family
	major      fourcc
	known      bool // some brand is an MP4's
	ftypLate   bool // something stood before ftyp

	fragments  bool   // moof seen
	mdats      int    // mdat boxes
	firstMdat  int64  // offset of the first one's payload
	media      uint64 // bytes in all of them
	fastStart  bool
	trailing   bool // bytes behind the last box
	zeroTail   bool // the file ends in an mdat that ends in zeroes
	duration   time.Duration
	timescale  uint32
	trackCount int

	video, sound bool // a track of the kind is there
	encrypted    bool
	samples      uint64 // of the video tracks
	best         track  // the first video track
	bytes        uint64 // of all samples that moov lists
	minChunk     uint64 // offsets of chunks
	maxChunk     uint64
	chunks       bool
}

// whole tells whether what was seen could be played.
func (m *contents) whole() bool { return m.ftyp && m.moov && m.mdats > 0 }

// A track is what its boxes told.
type track struct {
	handler        fourcc
	codec          codec
	samples        uint64
	bytes          uint64
	chunks         uint32
	minOff, maxOff uint64
}

// inOrder refuses what may not stand first at top level.
func (w *walker) inOrder(typ fourcc) {
	m := &w.movie
	switch {
	case typ == ccFtyp && !m.ftyp:
		m.ftypLate = w.start > 0
	case m.ftyp && (typ != ccMoof || m.moov):
	case fragmentary(typ):
		w.fail(BrokenMP4, "fragment", w.start)
	case typ == ccMoov || typ == ccMdat:
		w.fail(NotMP4, "quicktime", w.start) // QuickTime before 1998 had no ftyp
	}
}

func (w *walker) beginContainer(typ fourcc) {
	switch typ {
	case ccMoov:
		w.movie.fastStart = w.movie.mdats == 0
	case ccTrak:
		w.track = track{}
		if w.movie.trackCount++; w.movie.trackCount > maxTracks {
			w.malformed(w.start)
		}
	}
}

func (w *walker) endContainer(typ fourcc) {
	switch typ {
	case ccMoov:
		w.movie.moov = true
	case ccTrak:
		w.movie.take(&w.track)
	}
}

func (m *contents) take(t *track) {
	switch t.handler {
	case ccVide:
		if !m.video {
			m.best = *t
		}
		m.video = true
		m.samples = plus(m.samples, t.samples)
	case ccSoun:
		m.sound = true
	case ccHint: // points at other tracks' bytes
		return
	}
	m.encrypted = m.encrypted || t.codec.encrypted
	m.bytes = plus(m.bytes, t.bytes)
	if t.chunks == 0 {
		return
	}
	if !m.chunks || t.minOff < m.minChunk {
		m.minChunk = t.minOff
	}
	m.maxChunk = max(m.maxChunk, t.maxOff)
	m.chunks = true
}

func (w *walker) beginLeaf(typ, parent fourcc, size int64) {
	w.leaf, w.left, w.kept = typ, size, 0
	w.state = leafState(typ, parent)
	switch {
	case w.state == inTable:
		w.table.reset(typ, size)
	case w.state == inMdat:
		w.zeroes = 0
		if w.movie.mdats++; w.movie.mdats == 1 {
			w.movie.firstMdat = w.off
		}
		w.movie.media = plus(w.movie.media, uint64(size))
	case typ == ccFtyp && w.state == inKeep && size > maxFtyp:
		w.malformed(w.start)
	case typ == ccMoof && parent == 0:
		w.movie.fragments = true
	}
}

// endLeaf learns from a leaf whose payload has passed.
func (w *walker) endLeaf() {
	p := w.keep[:w.kept]
	switch w.state {
	case inMdat:
		w.movie.zeroTail = w.zeroes == zeroRun && w.off == w.size
	case inTable:
		if !w.table.end(&w.track) {
			w.malformed(w.start)
		}
	case inKeep:
		switch w.leaf {
		case ccFtyp:
			w.readFtyp(p)
		case ccMvhd:
			w.movie.readMvhd(p)
		case ccMehd:
			w.movie.readMehd(p)
		case ccHdlr:
			if len(p) >= 12 {
				w.track.handler = four(p[8:])
			}
		case ccStsd:
			w.track.codec = readStsd(p)
		}
	}
}

func (w *walker) readFtyp(p []byte) {
	if w.movie.ftyp {
		return // the first one counts
	}
	if len(p) < 8 {
		w.malformed(w.start)
		return
	}
	w.movie.ftyp, w.movie.major = true, four(p)
	w.movie.brand = brandFamily(w.movie.major)
	w.movie.known = w.movie.brand == famMP4
	for q := p[8:]; len(q) >= 4; q = q[4:] {
		w.movie.known = w.movie.known || brandFamily(four(q)) == famMP4
	}
	switch w.movie.brand {
	case famQuickTime:
		w.fail(NotMP4, "quicktime", w.start)
	case famImage:
		w.fail(NotMP4, "image", w.start)
	case famMJ2:
		w.fail(NotMP4, "mj2", w.start)
	case famAudio:
		w.fail(NoVideoTrack, "audio", w.start)
	}
}

func (m *contents) readMvhd(p []byte) {
	at, long := 12, false
	if len(p) > 0 && p[0] == 1 {
		at, long = 20, true
	}
	if len(p) < at+12 {
		return
	}
	m.timescale = binary.BigEndian.Uint32(p[at:])
	m.setDuration(p[at+4:], long)
}

// readMehd has the whole length of a fragmented movie.
func (m *contents) readMehd(p []byte) {
	if len(p) >= 12 || len(p) >= 8 && p[0] == 0 {
		m.setDuration(p[4:], p[0] == 1)
	}
}

func (m *contents) setDuration(p []byte, long bool) {
	units := uint64(binary.BigEndian.Uint32(p))
	unknown := units == 1<<32-1
	if long {
		units = binary.BigEndian.Uint64(p)
		unknown = units == 1<<64-1
	}
	seconds := float64(units) / float64(max(m.timescale, 1))
	if unknown || m.timescale == 0 || units == 0 || seconds > 1e6 {
		return
	}
	m.duration = time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}
