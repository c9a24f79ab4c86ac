package inspect

import (
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
)

// Sizes that WeCom takes (developer.work.weixin.qq.com/document/path/96219).
const (
	MinSize  = 5                 // bytes; the page says both "more than 5" and "5 to 200M"
	MaxSize  = 200 << 20         // 209,715,200 bytes
	GreySize = 200 * 1000 * 1000 // above it the page leaves open whether 200M is meant decimal
	MaxName  = 128               // bytes of a shown name
)

// A Type is how a file is to be sent. The values are WeCom's.
type Type string

const (
	Auto  Type = "auto"  // an MP4 goes as video, another kind of video is refused, the rest goes as file
	Video Type = "video" // must be an MP4
	File  Type = "file"  // anything
)

// Options of Read.
type Options struct {
	Type Type          // Auto if empty
	Name string        // the name to show instead of the file's own
	Read *atomic.Int64 // set to the bytes read so far; nil if nobody looks
	// NoFollow refuses a path that is a symbolic link. Without it the path
	// is resolved once; the target is never followed further.
	NoFollow bool
	// File is the file at path, opened already by whoever may say which one
	// that is; Read closes it. Nil: Read opens it. Now then tells what path
	// leads to after the reading; os.Stat if nil.
	File *os.File
	Now  func() (fs.FileInfo, error)
	// Also gets the content in the same reading, in its order; it must take
	// everything. A file that is refused may reach it in part. Nil is
	// allowed.
	Also io.Writer
	// Ahead lets a second goroutine read while the first one computes, with
	// a megabyte more of memory: a large file takes a tenth less time and
	// somewhat more processor time. It is of no use where as many files are
	// read at once as there are processors.
	Ahead bool
}

// A FileID tells whether a file is still the one that was read. It is
// comparable.
type FileID struct {
	Device, Inode uint64 // 0 where the system does not tell (Windows)
	Size          int64
	MTime, CTime  int64 // nanoseconds since 1970; CTime is 0 on Windows
}

// Facts is what one reading of a file established.
type Facts struct {
	File FileID
	Size int64  // bytes
	MD5  string // lower-case hex; empty if the file was refused
	MIME string // what the bytes are: "video/mp4", "application/pdf"
	// Type is Video or File, never Auto. It is empty if the file was
	// refused before its type was known.
	Type     Type
	Name     string // to show: NFC, no bidi or zero-width characters, at most MaxName bytes
	Ext      string // for the object's key: ".mp4", lower-case ASCII, at most 10 bytes with its dot; may be empty
	Movie    *Movie // of an MP4 that is sent as video; else nil
	Warnings []Warning
}

// A Movie is what the boxes of an MP4 tell.
type Movie struct {
	Codec         string // "avc1", "hvc1", ...
	Profile       int    // of avcC or hvcC; 0 if not known
	Bits          int    // bit depth; 0 if not known
	Width, Height int    // pixels
	Duration      time.Duration
	Fragmented    bool
	FastStart     bool // moov before the first mdat
}
