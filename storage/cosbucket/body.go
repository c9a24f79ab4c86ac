package cosbucket

import (
	"errors"
	"io"
	"sync"
)

// errLength: the body is not as long as the request says, so it is not what
// was inspected.
var errLength = errors.New("the body is not as long as it was said to be")

// A body lends the caller's reader to one request. It is needed for three
// reasons: the SDK closes whatever it is given; net/http may still be reading
// when an early answer has already returned; and of a reader that is longer
// than promised COS would store the first bytes and drop the rest in silence.
//
// It has no Seek and no Close, so the SDK makes one try and closes nothing.
type body struct {
	mu   sync.Mutex
	r    io.Reader // nil once the request is over
	left int64     // bytes still to come
	err  error     // what was wrong with the reader; net/http would wrap or lose it
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.r == nil {
		return 0, io.ErrClosedPipe
	}
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		return 0, b.end()
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case err != nil && err != io.EOF:
		b.err = err
	case err == io.EOF && b.left > 0:
		b.err = errLength
	case err == nil && b.left == 0 && b.end() != io.EOF:
		n = 0 // the last bytes are held back, so that nothing whole arrives
	}
	if b.err != nil {
		return n, b.err
	}
	return n, err
}

// end looks behind the promised length: io.EOF is what ought to be there.
func (b *body) end() error {
	var one [1]byte
	n, err := b.r.Read(one[:])
	switch {
	case n > 0:
		b.err = errLength
	case err != nil && err != io.EOF:
		b.err = err
	}
	if b.err != nil {
		return b.err
	}
	return io.EOF
}

// release takes the reader back and says what was wrong with it, if anything
// was. When it returns, nobody reads any more.
func (b *body) release() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.r = nil
	return b.err
}
