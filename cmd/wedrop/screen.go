package main

import (
	"io"
	"sync"
)

// A screen is stderr. While bars are drawn, what is written goes above them.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	above io.Writer // nil while there are no bars
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.above != nil {
		// A ^C that the terminal echoed has moved the cursor.
		if _, err := s.above.Write(append([]byte("\r"), p...)); err == nil {
			return len(p), nil
		}
	}
	return s.w.Write(p)
}

// through makes w the way to write above the bars; nil: there are none.
func (s *screen) through(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.above = w
}
