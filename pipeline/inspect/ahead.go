package inspect

import "io"

const (
	aheadPiece = 512 << 10
	aheadFrom  = 4 << 20 // bytes; below it a second goroutine is not worth its start
)

// ahead reads in a goroutine of its own, one piece further than what its user
// works on: copying out of the page cache is a tenth of what MD5 takes.
type ahead struct {
	full chan filled
	free chan []byte
	last []byte // with the user
	quit chan struct{}
	done chan struct{}
}

type filled struct {
	piece []byte
	err   error
}

// readAhead reads size bytes of r. The user calls end before it lets go of r.
func readAhead(r io.Reader, size int64) *ahead {
	a := &ahead{full: make(chan filled, 1), free: make(chan []byte, 2), quit: make(chan struct{}), done: make(chan struct{})}
	a.free <- make([]byte, aheadPiece)
	a.free <- make([]byte, aheadPiece)
	go a.run(r, size)
	return a
}

func (a *ahead) run(r io.Reader, size int64) {
	defer close(a.done)
	for err := error(nil); size > 0 && err == nil; {
		var piece []byte
		select {
		case piece = <-a.free:
		case <-a.quit:
			return
		}
		piece = piece[:min(aheadPiece, size)]
		_, err = io.ReadFull(r, piece)
		size -= int64(len(piece))
		select {
		case a.full <- filled{piece, err}:
		case <-a.quit:
			return
		}
	}
}

// next returns what follows, good until the next call. It is not called again
// after an error, nor for more than there is.
func (a *ahead) next() ([]byte, error) {
	if a.last != nil {
		a.free <- a.last[:aheadPiece]
	}
	f := <-a.full
	a.last = f.piece
	return f.piece, f.err
}

func (a *ahead) end() {
	close(a.quit)
	<-a.done
}
