package inspect

// finish gives the verdict once the last byte has been written: nil if the
// file is a whole MP4 video. The order matters: the first thing that is wrong
// is the one that a person can do something about.
func (w *walker) finish() *Error {
	m := &w.movie
	switch {
	case w.bad != nil:
	case w.off < w.size:
		w.fail(TruncatedMP4, "truncated", w.size-w.off)
	case !m.ftyp:
		w.fail(NotMP4, "unknown", 0)
	case !m.moov:
		w.fail(BrokenMP4, "moov-missing", 0)
	case !m.video && m.sound:
		w.fail(NoVideoTrack, "sound-only", 0)
	case !m.video:
		w.fail(NoVideoTrack, "no-video", 0)
	case m.encrypted:
		w.fail(EncryptedMP4, "encrypted", 0)
	case m.media == 0 || m.samples == 0 && !m.fragments:
		w.fail(BrokenMP4, "media-missing", 0)
	case m.bytes > m.media:
		w.fail(TruncatedMP4, "truncated", clamp(m.bytes-m.media))
	case m.chunks && m.maxChunk >= uint64(w.size):
		w.fail(TruncatedMP4, "truncated", clamp(m.maxChunk-uint64(w.size)+1))
	case m.chunks && m.minChunk < uint64(m.firstMdat):
		// Text-mode transfers and careless remuxers shift the media
		// without its index.
		w.fail(BrokenMP4, "index-mismatch", m.firstMdat)
	}
	return w.bad
}

func clamp(n uint64) int64 { return int64(min(n, maxBoxSize)) }

// facts of an accepted file.
func (w *walker) facts() *Movie {
	m, c := &w.movie, w.movie.best.codec
	return &Movie{
		Codec: c.name.String(), Profile: c.profile, Bits: c.bits,
		Width: c.width, Height: c.height, Duration: m.duration,
		Fragmented: m.fragments, FastStart: m.fastStart,
	}
}

// warnings of an accepted file.
func (w *walker) warnings() (list []Warning) {
	m := &w.movie
	if c := m.best.codec; !c.h264() {
		list = append(list, warnCodec(c))
	} else if c.bits > 8 {
		list = append(list, warnBits(c))
	}
	for _, l := range []struct {
		seen bool
		code string
	}{
		{m.fragments, "fragmented"},
		{!m.known, "brand"},
		{m.ftypLate, "ftyp-not-first"},
		{m.trailing, "trailing"},
	} {
		if l.seen {
			list = append(list, warnLayout(l.code))
		}
	}
	if m.zeroTail {
		list = append(list, warnZeroTail())
	}
	return list
}
