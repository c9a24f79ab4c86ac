package inspect

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// A kind is what the first bytes of a file say it is.
type kind struct {
	id    string // of kindNames: "mp4", "quicktime", "html", ...
	mime  string
	class class
	major fourcc // of an MP4; 0 if it has not been seen
}

type class uint8

const (
	other      class = iota // no video, as far as anybody can tell
	mp4Video                // boxes, with nothing in sight against an MP4 video; the walker decides
	mp4Audio                // boxes, by their brand sound only
	picture                 // boxes, by their brand pictures
	otherVideo              // a video that is no MP4
)

// sniffBytes is what mimetype is shown. More would be wasted: it looks no
// further.
const sniffBytes = 4096

// sniff names the content that begins with head. An MP4 is looked at by our
// own eyes: mimetype believes any brand that it does not know.
func sniff(head []byte) kind {
	if k, ok := sniffBoxes(head); ok {
		return k
	}
	if k, ok := sniffMagic(head); ok {
		return k
	}
	mime := mimetype.Detect(head[:min(len(head), sniffBytes)]).String()
	mime, _, _ = strings.Cut(mime, ";")
	if strings.HasPrefix(mime, "video/mp4") {
		mime = "application/octet-stream" // it saw "ftyp" in what sniffBoxes knows to be none
	}
	k := kind{id: mimeKind(mime), mime: mime}
	switch k.id {
	case "matroska", "webm", "avi", "flv", "asf", "mpeg", "ogv", "realmedia", "quicktime", "dvb":
		k.class = otherVideo
	}
	return k
}

// sniffBoxes walks over what may stand before ftyp, and answers false if this
// is no box file.
func sniffBoxes(head []byte) (kind, bool) {
	isMP4 := kind{id: "mp4", mime: "video/mp4", class: mp4Video}
	quickTime := kind{id: "quicktime", mime: "video/quicktime", class: otherVideo}
	for off := 0; off+8 <= len(head) && head[off] < 0x10; {
		size, typ := int(binary.BigEndian.Uint32(head[off:])), four(head[off+4:])
		switch {
		case typ == ccFtyp && size == 0:
			return kind{}, false
		case typ == ccFtyp && off+12 > len(head):
			return isMP4, true
		case typ == ccFtyp:
			return brandKind(four(head[off+8:])), true
		case typ == ccMoov, typ == ccMdat, typ.String() == "pnot":
			return quickTime, true
		case fragmentary(typ):
			isMP4.id = "fragment"
			return isMP4, true
		case size < 8 || !padding(typ):
			return kind{}, false
		case off+size+8 > len(head):
			return isMP4, true // the walker will see
		}
		off += size
	}
	return kind{}, false
}

func padding(typ fourcc) bool {
	switch typ.String() {
	case "free", "skip", "wide", "uuid", "pdin":
		return true
	}
	return false
}

func brandKind(major fourcc) kind {
	k := kind{id: "mp4", mime: "video/mp4", class: mp4Video, major: major}
	switch brandFamily(major) {
	case famQuickTime:
		k.id, k.mime, k.class = "quicktime", "video/quicktime", otherVideo
	case famMJ2:
		k.id, k.mime, k.class = "mj2", "video/mj2", otherVideo
	case famAudio:
		k.id, k.mime, k.class = "m4a", "audio/mp4", mp4Audio
	case famImage:
		k.id, k.mime, k.class = "heif", "image/heif", picture
		switch major.String() {
		case "avif", "avis":
			k.id, k.mime = "avif", "image/avif"
		case "heic", "heix":
			k.mime = "image/heic"
		case "jp2 ", "jpx ", "jpm ", "jxl ":
			k.id, k.mime = "image", "image/"+strings.TrimSpace(major.String())
		case "crx ":
			k.id, k.mime = "cr3", "image/x-canon-cr3"
		}
	}
	return k
}

// sniffMagic knows what mimetype does not, or wants to see more of before it
// believes: a cut recording is a video all the same.
func sniffMagic(head []byte) (kind, bool) {
	video := func(id, mime string) (kind, bool) { return kind{id: id, mime: mime, class: otherVideo}, true }
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case has("\x1a\x45\xdf\xa3"):
		if bytes.Contains(head[:min(len(head), 64)], []byte("webm")) {
			return video("webm", "video/webm")
		}
		return video("matroska", "video/x-matroska")
	case has("RIFF") && len(head) >= 12 && string(head[8:12]) == "AVI ":
		return video("avi", "video/x-msvideo")
	case has("FLV\x01"):
		return video("flv", "video/x-flv")
	case has("\x30\x26\xb2\x75\x8e\x66\xcf\x11"):
		return video("asf", "video/x-ms-asf")
	case has("\x00\x00\x01\xba"), has("\x00\x00\x01\xb3"):
		return video("mpeg", "video/mpeg")
	case has(".RMF"):
		return video("realmedia", "application/vnd.rn-realmedia")
	case has("\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"):
		return video("mxf", "application/mxf")
	case transportStream(head, 188), len(head) > 4 && transportStream(head[4:], 192):
		return video("mpeg-ts", "video/mp2t")
	case has("\x00\x05\x16\x07"):
		return kind{id: "appledouble", mime: "application/octet-stream"}, true
	case has("[InternetShortcut]"):
		return kind{id: "shortcut", mime: "text/plain"}, true
	case blank(head):
		return kind{id: "zeroes", mime: "application/octet-stream"}, true
	}
	return kind{}, false
}

// transportStream wants three packets or more: sync byte, no error, some
// payload or adaptation field.
func transportStream(p []byte, stride int) bool {
	n := 0
	for ; len(p) >= 4 && n < 8; n++ {
		if p[0] != 0x47 || p[1]&0x80 != 0 || p[3]&0x30 == 0 {
			return false
		}
		p = p[min(stride, len(p)):]
	}
	return n >= 3
}
