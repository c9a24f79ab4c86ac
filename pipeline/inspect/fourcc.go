package inspect

import "encoding/binary"

// A fourcc is the type of a box, a brand, a codec: four characters.
type fourcc uint32

const (
	ccFtyp = fourcc('f'<<24 | 't'<<16 | 'y'<<8 | 'p')
	ccMoov = fourcc('m'<<24 | 'o'<<16 | 'o'<<8 | 'v')
	ccMdat = fourcc('m'<<24 | 'd'<<16 | 'a'<<8 | 't')
	ccMoof = fourcc('m'<<24 | 'o'<<16 | 'o'<<8 | 'f')
	ccTrak = fourcc('t'<<24 | 'r'<<16 | 'a'<<8 | 'k')
	ccMdia = fourcc('m'<<24 | 'd'<<16 | 'i'<<8 | 'a')
	ccMinf = fourcc('m'<<24 | 'i'<<16 | 'n'<<8 | 'f')
	ccStbl = fourcc('s'<<24 | 't'<<16 | 'b'<<8 | 'l')
	ccMvex = fourcc('m'<<24 | 'v'<<16 | 'e'<<8 | 'x')
	ccMvhd = fourcc('m'<<24 | 'v'<<16 | 'h'<<8 | 'd')
	ccMehd = fourcc('m'<<24 | 'e'<<16 | 'h'<<8 | 'd')
	ccHdlr = fourcc('h'<<24 | 'd'<<16 | 'l'<<8 | 'r')
	ccStsd = fourcc('s'<<24 | 't'<<16 | 's'<<8 | 'd')
	ccStsz = fourcc('s'<<24 | 't'<<16 | 's'<<8 | 'z')
	ccStz2 = fourcc('s'<<24 | 't'<<16 | 'z'<<8 | '2')
	ccStco = fourcc('s'<<24 | 't'<<16 | 'c'<<8 | 'o')
	ccCo64 = fourcc('c'<<24 | 'o'<<16 | '6'<<8 | '4')
	ccVide = fourcc('v'<<24 | 'i'<<16 | 'd'<<8 | 'e')
	ccSoun = fourcc('s'<<24 | 'o'<<16 | 'u'<<8 | 'n')
	ccHint = fourcc('h'<<24 | 'i'<<16 | 'n'<<8 | 't')
)

// four reads a fourcc from the first four bytes of p.
func four(p []byte) fourcc { return fourcc(binary.BigEndian.Uint32(p)) }

func (c fourcc) String() string {
	return string([]byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)})
}

// printable tells a type that somebody may have meant from damage. Apple's
// may start with © (0xA9).
func (c fourcc) printable() bool {
	for shift := 0; shift < 32; shift += 8 {
		if b := byte(c >> shift); (b < 0x20 || b > 0x7e) && b != 0xa9 {
			return false
		}
	}
	return true
}

// container tells the boxes whose children are read, in their place.
func container(typ, parent fourcc) bool {
	switch typ {
	case ccMoov:
		return parent == 0
	case ccTrak, ccMvex:
		return parent == ccMoov
	case ccMdia:
		return parent == ccTrak
	case ccMinf:
		return parent == ccMdia
	case ccStbl:
		return parent == ccMinf
	}
	return false
}

// leafState is what is to be done with a leaf's payload.
func leafState(typ, parent fourcc) walkState {
	switch {
	case typ == ccMdat && parent == 0:
		return inMdat
	case typ == ccFtyp && parent == 0,
		typ == ccMvhd && parent == ccMoov,
		typ == ccMehd && parent == ccMvex,
		typ == ccHdlr && parent == ccMdia,
		typ == ccStsd && parent == ccStbl:
		return inKeep
	case parent == ccStbl && (typ == ccStsz || typ == ccStz2 || typ == ccStco || typ == ccCo64):
		return inTable
	}
	return inSkip
}

// topLevel tells the boxes that a cut file may end in. Any other that
// overruns the end of the file is taken for rubbish.
func topLevel(typ fourcc) bool {
	switch typ.String() {
	case "ftyp", "moov", "mdat", "moof", "free", "skip", "wide", "uuid", "styp", "sidx", "meta", "udta", "mfra", "pdin", "emsg", "prft":
		return true
	}
	return false
}

// fragmentary tells the boxes that begin a piece of a stream.
func fragmentary(typ fourcc) bool {
	switch typ.String() {
	case "moof", "styp", "sidx", "ssix", "emsg", "prft":
		return true
	}
	return false
}

// A family is what a major brand promises.
type family uint8

const (
	famUnknown   family = iota // may still be an MP4
	famMP4                     // MP4 video, and its cousins 3GP, M4V, F4V
	famAudio                   // sound only
	famImage                   // pictures
	famQuickTime               // Apple's own
	famMJ2                     // Motion JPEG 2000
)

// brandFamily knows the registered brands (mp4ra.org) and those that cameras
// and streaming packagers were seen to write.
func brandFamily(brand fourcc) family {
	switch s := brand.String(); s {
	case "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso7", "iso8", "iso9", "isoa", "isob", "isoc",
		"mp41", "mp42", "mp71", "mp4v", "mmp4", "avc1", "av01", "hvc1", "hev1", "vvc1", "dash", "msdh", "msix",
		"cmfc", "cmf2", "cmfs", "cmff", "cmfl", "hlsf", "isml", "piff", "ccff", "lmsg", "sims", "risx",
		"M4V ", "M4VH", "M4VP", "f4v ", "F4V ", "F4P ", "MSNV", "XAVC", "NDSC", "NDSH", "NDSM", "NDSP", "NDSS", "NDXC", "NDXH", "NDXM", "NDXP", "NDXS",
		"KDDI", "avci", "caqv", "niko", "pana", "isc2", "odcf", "ssc1", "ssc2":
		return famMP4
	case "qt  ", "mqt ":
		return famQuickTime
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "mif2", "msf1", "avif", "avis",
		"jp2 ", "jpx ", "jpm ", "jxl ", "crx ":
		return famImage
	case "F4A ", "F4B ", "NDAS":
		return famAudio
	case "mj2s", "mjp2":
		return famMJ2
	default:
		switch s[:3] {
		case "3gp", "3gr", "3gs", "3ge", "3gg", "3gh", "3gt", "3g2":
			return famMP4
		case "M4A", "M4B", "M4P": // one app writes a NUL after it
			return famAudio
		}
	}
	return famUnknown
}
