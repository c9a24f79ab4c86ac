package inspect

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

// A pass is the memory that one reading needs.
type pass struct {
	buf  [256 << 10]byte // larger pieces are no faster, smaller ones are
	walk walker
	sum  hash.Hash
	md5  [md5.Size]byte
}

// passes spares the garbage collector a quarter of a megabyte per file.
var passes = sync.Pool{New: func() any { return &pass{sum: md5.New()} }}

// run reads the first facts.Size bytes of r and fills MD5, MIME, Type, Movie and
// the movie's Warnings. The names decide about Auto. It returns ctx's error,
// r's error, errSize, or an *Error without its file.
func (p *pass) run(ctx context.Context, r io.Reader, facts *Facts, opt Options, names ...string) error {
	p.sum.Reset()
	p.walk.reset(facts.Size)
	if opt.Also != nil {
		r = io.TeeReader(r, opt.Also)
	}
	// A short read of a network disk must not look like another kind of
	// file: the first piece is filled before it is judged. Bytes that grew
	// behind the size are left to changed to notice.
	next := func(read int64) ([]byte, error) {
		piece := p.buf[:min(int64(len(p.buf)), facts.Size-read)]
		_, err := io.ReadFull(r, piece)
		return piece, err
	}
	if opt.Ahead && facts.Size >= aheadFrom {
		a := readAhead(r, facts.Size)
		defer a.end()
		next = func(int64) ([]byte, error) { return a.next() }
	}
	var todo plan
	for read := int64(0); read < facts.Size; {
		first := read == 0
		piece, err := next(read)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			return errSize
		case err != nil:
			return err
		}
		read += int64(len(piece))
		if first {
			k := sniff(piece[:min(len(piece), len(p.buf))]) // the same bytes, read ahead or not
			var refused *Error
			todo, refused = decide(opt.Type, k, names...)
			facts.MIME, facts.Type = k.mime, todo.typ
			if refused != nil {
				return refused
			}
		}
		p.sum.Write(piece)
		if todo.walk {
			p.walk.Write(piece)
			if e := todo.verdict(p.walk.bad); e != nil {
				return e
			}
		}
		if opt.Read != nil {
			opt.Read.Store(read)
		}
	}
	return p.finish(todo, facts)
}

// finish takes the sums once everything has been read.
func (p *pass) finish(todo plan, facts *Facts) error {
	facts.MD5 = hex.EncodeToString(p.sum.Sum(p.md5[:0]))
	if !todo.walk {
		return nil
	}
	bad := p.walk.finish()
	if e := todo.verdict(bad); e != nil {
		return e
	}
	if bad != nil {
		if facts.Type = File; bad.Code == NoVideoTrack && p.walk.movie.sound {
			facts.MIME = "audio/mp4"
		}
		return nil
	}
	movie := p.walk.facts()
	if e := todo.suits(movie); e != nil {
		return e
	}
	facts.Movie, facts.Warnings = movie, p.walk.warnings()
	facts.MIME = "video/mp4"
	return nil
}
