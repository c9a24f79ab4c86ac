package storage

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// MaxAnswer is how many bytes of one answer of a service are read, after
	// decompression. Services send a few hundred.
	MaxAnswer = 1 << 20
	// MaxAnswerHeader is how many bytes the header of an answer has at most:
	// the value for http.Transport's MaxResponseHeaderBytes.
	MaxAnswerHeader = 256 << 10
	// answerTime is how long the body of an answer may take to arrive.
	answerTime = 30 * time.Second
)

var (
	errLong = errors.New("the answer is longer than any of this service")
	errSlow = errors.New("the answer does not come to its end")
)

// LimitAnswers returns a RoundTripper for a service whose answers are short:
// reading more than MaxAnswer bytes of a body, or for longer than half a minute,
// is an error. Whoever answers, here or on the way, is not to be trusted with
// the memory of this process. It is safe for concurrent use if base is.
func LimitAnswers(base http.RoundTripper) http.RoundTripper { return limitedAnswers{base, answerTime} }

type limitedAnswers struct {
	base http.RoundTripper
	time time.Duration
}

func (l limitedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	b := &limitedBody{body: resp.Body, left: MaxAnswer}
	b.timer = time.AfterFunc(l.time, func() {
		b.slow.Store(true)
		_ = b.body.Close() // which ends a Read under way
	})
	resp.Body = b
	return resp, nil
}

type limitedBody struct {
	body  io.ReadCloser
	left  int64
	timer *time.Timer
	slow  atomic.Bool
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errLong
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errLong
	}
	if err != nil && err != io.EOF && b.slow.Load() {
		err = errSlow
	}
	if err != nil {
		b.timer.Stop()
	}
	return n, err
}

func (b *limitedBody) Close() error {
	b.timer.Stop()
	return b.body.Close()
}
