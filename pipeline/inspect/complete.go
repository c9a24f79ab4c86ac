package inspect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// Completeness tells whether a file looks as if all of it has arrived.
type Completeness struct {
	Whole bool
	// Why it is not: "empty", "moov-missing", "mdat-short" (or another
	// box's name), "mdat-blank", "zip-end-missing", "pdf-end-missing",
	// "tail-blank". Empty if it is whole.
	Why string
	// Guess is set where a finished file may look the same, as with
	// "tail-blank": wait for it, but do not refuse it for this.
	Guess bool
}

// Explain says in "zh" or "en" what the file is still waiting for; it is empty
// for a whole one.
func (c Completeness) Explain(lang string) string {
	var t text
	switch c.Why {
	case "":
	case "empty":
		t = text{"文件还是空的", "the file is still empty"}
	case "moov-missing":
		t = text{"视频还没有索引，录制或复制没有结束", "the video has no index yet: recording or copying has not ended"}
	case "mdat-missing":
		t = text{"视频还没有画面数据，复制没有结束", "the video has no picture data yet: copying has not ended"}
	case "zip-end-missing":
		t = text{"压缩包或 Office 文档的结尾还没有写完", "the end of the archive or Office document has not been written"}
	case "pdf-end-missing":
		t = text{"PDF 的结尾还没有写完", "the end of the PDF has not been written"}
	case "tail-blank", "mdat-blank":
		t = text{"文件末尾是一片空白，可能还在下载", "the end of the file is blank: it may still be downloading"}
	default:
		t = text{"视频还不完整，复制或下载没有结束", "the video is incomplete: copying or downloading has not ended"}
	}
	if lang == "zh" {
		return t.zh
	}
	return t.en
}

const (
	maxTopBoxes = 4096     // looked at; a file of more is left to Read
	blankTail   = 64 << 10 // bytes of zeroes at the end that look like space kept for a download
)

// Complete looks whether the file at path has been written to its end, for a
// folder that others copy into: the boxes of an MP4 or MOV fill the file and
// its index is there, a ZIP (so also docx, xlsx, pptx) has its end record, a
// PDF its end mark, and anything else does not end in a stretch of zeroes as
// files do that a downloader makes at full size first.
//
// It reads a few kilobytes at most 4,096 places, never the content. It says
// nothing about whether the file is any good: a file of a kind that it does
// not know is whole. The error is an *Error; a link is followed. Size limits
// are Read's business, but an empty file is not whole.
func Complete(path string) (Completeness, error) {
	target, fi, err := resolve(path, false)
	if err != nil {
		return Completeness{}, err
	}
	if !fi.Mode().IsRegular() {
		return Completeness{}, gate(path, fi)
	}
	f, err := os.OpenFile(target, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return Completeness{}, unreadable(path, err)
	}
	defer f.Close()
	if fi, err = f.Stat(); err != nil {
		return Completeness{}, unreadable(path, err)
	}
	why, err := incomplete(f, fi.Size())
	if err != nil {
		return Completeness{}, unreadable(path, err)
	}
	return Completeness{Whole: why == "", Why: why, Guess: why == "tail-blank" || why == "mdat-blank"}, nil
}

// incomplete says what is missing, if anything.
func incomplete(r io.ReaderAt, size int64) (why string, err error) {
	if size == 0 {
		return "empty", nil
	}
	head, err := readAt(r, 0, min(size, sniffBytes))
	if err != nil {
		return "", err
	}
	k, boxes := sniffBoxes(head)
	switch {
	case boxes && k.class != picture:
		return openBoxes(r, size)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return lacksEnd(r, size, 22+1<<16, "PK\x05\x06", "zip-end-missing")
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return lacksEnd(r, size, 1024, "%%EOF", "pdf-end-missing")
	case len(head) > 262 && string(head[257:262]) == "ustar": // ends in zeroes by rule
		return "", nil
	case blank(head): // nobody began to fill it from the front
		return "", nil
	}
	if ends, err := endsBlank(r, size); ends || err != nil {
		return "tail-blank", err
	}
	return "", nil
}

func blank(p []byte) bool { return len(bytes.TrimLeft(p, "\x00")) == 0 }

// openBoxes walks the top level of an MP4 or MOV by its headers.
func openBoxes(r io.ReaderAt, size int64) (why string, err error) {
	seen := map[fourcc]bool{}
	off, media := int64(0), int64(0) // media: offset of the box that ends the file, if it is an mdat
	for n := 0; size-off >= 8; n++ {
		if n == maxTopBoxes {
			return "", nil
		}
		typ, length, err := topBox(r, off, size)
		if err != nil {
			return "", err
		}
		if length == 0 || length > size-off && !topLevel(typ) {
			break // no box; rubbish behind a whole movie is none of ours
		}
		if length > size-off {
			return typ.String() + "-short", nil
		}
		if seen[typ] = true; typ == ccMdat && length == size-off {
			media = off
		}
		off += length
	}
	switch {
	case seen[ccMoof]: // a piece, or a whole of pieces: either is complete
	case !seen[ccMoov]:
		return "moov-missing", nil
	case !seen[ccMdat]:
		return "mdat-missing", nil
	case media > 0 && size-media > 2*blankTail:
		p, err := readAt(r, media+16, sniffBytes)
		if err != nil || blank(p) {
			return "", err
		}
		if ends, err := endsBlank(r, size); ends || err != nil {
			return "mdat-blank", err
		}
	}
	return "", nil
}

// topBox reads one header. A length of 0 means that there is no box.
func topBox(r io.ReaderAt, off, size int64) (fourcc, int64, error) {
	h, err := readAt(r, off, min(16, size-off))
	if err != nil {
		return 0, 0, err
	}
	typ, length, head := four(h[4:]), uint64(binary.BigEndian.Uint32(h)), uint64(8)
	switch {
	case length == 0 && typ.printable():
		length = uint64(size - off)
	case length == 1 && len(h) == 16:
		length, head = binary.BigEndian.Uint64(h[8:]), 16
	}
	if !typ.printable() || length < head || length > maxBoxSize {
		return 0, 0, nil
	}
	return typ, int64(length), nil
}

// lacksEnd answers why unless mark is in the last tail bytes.
func lacksEnd(r io.ReaderAt, size, tail int64, mark, why string) (string, error) {
	tail = min(tail, size)
	p, err := readAt(r, size-tail, tail)
	if err != nil || bytes.Contains(p, []byte(mark)) {
		return "", err
	}
	return why, nil
}

// endsBlank tells whether the file is larger than blankTail and ends in so
// many zeroes.
func endsBlank(r io.ReaderAt, size int64) (bool, error) {
	if size <= blankTail {
		return false, nil
	}
	for _, part := range []int64{4096, blankTail} { // mostly the first one tells
		p, err := readAt(r, size-part, part)
		if err != nil || !blank(p) {
			return false, err
		}
	}
	return true, nil
}

// readAt reads n bytes. A file that has become shorter than it was is not
// whole, and the zeroes that stand for its lost end say so.
func readAt(r io.ReaderAt, off, n int64) ([]byte, error) {
	p := make([]byte, n)
	if _, err := r.ReadAt(p, off); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return p, nil
}
