package storage

import (
	"net/http"
	"strconv"
	"time"
)

// RetryAfter is how long an answer asks to be left alone; 0 if it does not.
// Drivers fill Fault.RetryAfter with it.
func RetryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.Atoi(v); err == nil {
		return max(0, time.Duration(min(s, 86400))*time.Second)
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(24*time.Hour, max(0, time.Until(at)))
	}
	return 0
}
