package inspect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A Code is what is wrong with a file: the fault codes inspect/* without
// their prefix.
type Code string

const (
	TooSmall         Code = "too-small"
	TooLarge         Code = "too-large"
	NotMP4           Code = "not-mp4"
	TruncatedMP4     Code = "truncated-mp4"
	BrokenMP4        Code = "broken-mp4" // no index, no media, damaged, a mere fragment
	EncryptedMP4     Code = "encrypted-mp4"
	NoVideoTrack     Code = "no-video-track"
	UnsupportedVideo Code = "unsupported-video" // Auto: a video that is no MP4
	NotRegular       Code = "not-regular"
	Changed          Code = "changed" // while it was read
	Unreadable       Code = "unreadable"
	BadName          Code = "bad-name"
	Outside          Code = "outside" // of the folders that may be read; never from Read
)

// Codes returns every Code, those that Read answers with and Outside.
func Codes() []Code {
	return []Code{
		TooSmall, TooLarge, NotMP4, TruncatedMP4, BrokenMP4, EncryptedMP4,
		NoVideoTrack, UnsupportedVideo, NotRegular, Changed, Unreadable, BadName, Outside,
	}
}

// An Error says why a file is refused. It lasts until the file changes,
// except for Changed (still being written) and Unreadable, which a later
// reading may find cured.
type Error struct {
	Code   Code
	Path   string
	Name   string // to call it by when talking to people; the base of Path if empty
	Detail string // finer verdict: "quicktime", "html", "moov-missing", ...
	Found  string // what it is instead, in English: "QuickTime MOV", "Matroska (MKV)"
	Size   int64
	Offset int64 // where the damage is, or how many bytes are missing
	Err    error // of the system; may be nil
}

// Error is for logs; Explain is for people.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.name(), e.Code)
	if e.Detail != "" && e.Detail != string(e.Code) {
		s += " (" + e.Detail + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the system's error.
func (e *Error) Unwrap() error { return e.Err }

// FaultCode is the code of the contract: "inspect/too-small".
func (e *Error) FaultCode() string { return "inspect/" + string(e.Code) }

// Temporary tells whether the same file may pass a little later with nobody
// doing anything: it was being written, or the system or the network disk had
// trouble that passes. A missing file and a missing permission are not
// temporary.
func (e *Error) Temporary() bool {
	return e.Code == Changed || e.Code == Unreadable && transient(e.Err)
}

func (e *Error) name() string {
	if e.Name != "" {
		return e.Name
	}
	return filepath.Base(e.Path)
}

// transient lists what network disks (ESTALE, EIO, ETIMEDOUT), busy machines
// (EMFILE, ENOMEM) and other programs' locks (EBUSY) answer.
func transient(err error) bool {
	for _, e := range []error{
		syscall.ESTALE, syscall.EIO, syscall.EAGAIN, syscall.EINTR, syscall.EBUSY,
		syscall.ETIMEDOUT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
		os.ErrDeadlineExceeded,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return lockedByOther(err)
}
