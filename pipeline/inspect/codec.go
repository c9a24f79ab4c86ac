package inspect

import "encoding/binary"

// A codec is what the first sample entry of a track told.
type codec struct {
	name          fourcc
	encrypted     bool
	width, height int
	profile, bits int // 0 if not known
}

// readStsd reads the head of a sample description; p may be cut.
// The layout is that of ISO/IEC 14496-12, 8.5.2 and 12.1.3.
func readStsd(p []byte) (c codec) {
	const entry = 8 // after version, flags and count
	if len(p) < entry+8 || binary.BigEndian.Uint32(p[4:]) == 0 {
		return c
	}
	c.name = four(p[entry+4:])
	switch c.name.String() {
	case "encv", "enca", "encs", "enct", "drmi", "drms":
		c.encrypted = true
	}
	const children = entry + 86 // behind a VisualSampleEntry
	if len(p) < children {
		return c
	}
	c.width = int(binary.BigEndian.Uint16(p[entry+32:]))
	c.height = int(binary.BigEndian.Uint16(p[entry+34:]))
	for q := p[children:]; len(q) >= 8; {
		size := uint64(binary.BigEndian.Uint32(q))
		body := q[8:]
		if size >= 8 && size-8 < uint64(len(body)) {
			body = body[:size-8]
		}
		c.configure(four(q[4:]).String(), body)
		if size < 8 || size > uint64(len(q)) {
			break
		}
		q = q[size:]
	}
	return c
}

// configure reads profile and bit depth from a codec's configuration.
func (c *codec) configure(box string, p []byte) {
	switch {
	case box == "avcC" && len(p) >= 6:
		c.profile, c.bits = int(p[1]), avcBits(p)
	case box == "hvcC" && len(p) >= 19:
		c.profile, c.bits = int(p[1]&31), int(p[17]&7)+8
	case box == "av1C" && len(p) >= 3:
		c.profile, c.bits = int(p[1]>>5), 8
		if p[2]&0x40 != 0 {
			c.bits = 10
			if p[2]&0x20 != 0 {
				c.bits = 12
			}
		}
	case box == "vpcC" && len(p) >= 7:
		c.profile, c.bits = int(p[4]), int(p[6]>>4)
	}
}

// avcBits looks behind the parameter sets, where the profiles from High up
// state their depth (ISO/IEC 14496-15, 5.3.3.1). Without that, High 10 is
// ten bits and the rest eight.
func avcBits(p []byte) int {
	profile := p[1]
	switch profile {
	case 100, 110, 122, 144, 244:
	default:
		return 8
	}
	q := p[5:]
	for _, mask := range []byte{31, 255} { // SPS, PPS
		if len(q) == 0 {
			break
		}
		n := int(q[0] & mask)
		for q = q[1:]; n > 0 && len(q) >= 2; n-- {
			q = q[min(len(q), 2+int(binary.BigEndian.Uint16(q))):]
		}
	}
	if len(q) >= 3 && q[0]&0xfc == 0xfc && q[1]&0xf8 == 0xf8 {
		return int(q[1]&7) + 8
	}
	if profile == 110 {
		return 10
	}
	return 8
}

// h264 tells the one codec that plays everywhere.
func (c codec) h264() bool { return c.name.String() == "avc1" || c.name.String() == "avc3" }

// words names the codec for people.
func (c codec) words() string {
	switch c.name.String() {
	case "avc1", "avc3":
		return "H.264"
	case "hvc1", "hev1", "dvh1", "dvhe":
		return "HEVC (H.265)"
	case "vvc1", "vvi1":
		return "VVC (H.266)"
	case "av01", "dav1":
		return "AV1"
	case "vp08":
		return "VP8"
	case "vp09":
		return "VP9"
	case "mp4v":
		return "MPEG-4 Part 2"
	case "s263", "h263":
		return "H.263"
	case "jpeg", "mjpa", "mjpb":
		return "Motion JPEG"
	}
	if c.name.printable() {
		return c.name.String()
	}
	return "?"
}
