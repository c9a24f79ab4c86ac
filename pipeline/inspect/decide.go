package inspect

import (
	"path/filepath"
	"strings"
)

// A plan is how one file is to be read.
type plan struct {
	typ  Type // Video or File
	walk bool // the boxes are read
	// strict refuses the file if its boxes are not those of a good video.
	// Otherwise it goes as a file then.
	strict bool
	// claims is set where the name or the brand says that this is an MP4:
	// then damage is a reason to refuse it, the lack of pictures is not.
	claims bool
	threeG bool // named .3gp: a video only if it is an MP4 with H.264
}

// decide makes the plan for content of kind k under the names that the file
// has, the shown one first. It refuses what cannot become good by reading on.
func decide(t Type, k kind, names ...string) (plan, *Error) {
	switch t {
	case File:
		return plan{typ: File}, nil
	case Video:
		if k.class != mp4Video {
			return plan{typ: Video}, refusal(k, NotMP4)
		}
		return plan{typ: Video, walk: true, strict: true}, nil
	}
	named := claimOf(names)
	switch {
	case k.class == mp4Video:
		return plan{
			typ:    Video,
			walk:   true,
			strict: named == namedMP4 || named == namedVideo || named == named3GP,
			claims: named != namedAudio && (k.id == "fragment" || brandFamily(k.major) == famMP4),
			threeG: named == named3GP,
		}, nil
	case named == namedMP4:
		return plan{typ: Video}, refusal(k, NotMP4)
	case named == namedVideo, named == named3GP:
		return plan{typ: Video}, refusal(k, UnsupportedVideo)
	case k.class == otherVideo && !(named == namedAudio && soundToo(k)):
		return plan{typ: Video}, refusal(k, UnsupportedVideo)
	}
	return plan{typ: File}, nil
}

// verdict turns what the boxes are found guilty of into what the file is
// refused with; nil if it may go all the same, as a file.
func (p plan) verdict(bad *Error) *Error {
	switch {
	case bad == nil:
		return nil
	case p.threeG && bad.Code == BrokenMP4:
		return refusal(kind{id: "3gp"}, UnsupportedVideo)
	case p.strict, p.claims && bad.Code != NoVideoTrack:
		return bad
	}
	return nil
}

// suits refuses a whole movie that its name makes another kind of video.
func (p plan) suits(m *Movie) *Error {
	if p.threeG && m.Codec != "avc1" && m.Codec != "avc3" {
		return refusal(kind{id: "3gp"}, UnsupportedVideo)
	}
	return nil
}

// refusal is about content of kind k where an MP4 was wanted.
func refusal(k kind, code Code) *Error {
	e := &Error{Code: code, Detail: k.id}
	if k.class == mp4Audio && code == NotMP4 {
		e.Code, e.Detail = NoVideoTrack, "audio"
	}
	_, e.Found, _ = kindName(k.id)
	if e.Found == "" {
		e.Found = k.mime
	}
	return e
}

// A claim is what a name promises.
type claim uint8

const (
	namedOther claim = iota
	namedMP4
	named3GP
	namedVideo // of another kind
	namedAudio
)

// claimOf returns the first claim that any of names makes.
func claimOf(names []string) claim {
	for _, name := range names {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".mp4", ".m4v":
			return namedMP4
		case ".3gp", ".3g2", ".3gpp":
			return named3GP
		case ".mov", ".qt", ".mkv", ".avi", ".webm", ".flv", ".f4v", ".wmv", ".asf", ".mpg", ".mpeg", ".mpe", ".m2v", ".m2ts",
			".vob", ".ogv", ".rm", ".rmvb", ".mxf", ".divx":
			return namedVideo // not .ts and .mts: those are programs too
		case ".m4a", ".m4b", ".m4p", ".m4r", ".aac", ".mp3", ".wma", ".mka", ".weba", ".oga", ".ogg", ".opus", ".3ga", ".amr", ".wav", ".flac":
			return namedAudio
		}
	}
	return namedOther
}

// soundToo tells the containers that hold sound alone as often as not; under
// an audio name nobody meant a video.
func soundToo(k kind) bool {
	switch k.id {
	case "asf", "matroska", "webm", "ogv", "quicktime", "realmedia":
		return true
	}
	return false
}
