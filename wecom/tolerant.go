package wecom

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// A number is a JSON number, or a string that holds one: WeCom's pages say
// the one and show the other. Decoding never fails.
type number struct {
	value float64
	ok    bool // there is a value
	set   bool // the member is there and not null
}

func (n *number) UnmarshalJSON(b []byte) error {
	*n = number{}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	s := strings.TrimSpace(strings.Trim(string(b), `"`))
	if s == "" {
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	*n = number{value: v, ok: err == nil && math.Abs(v) < 1<<53, set: true}
	return nil
}

// whole reports the value if it is a whole number that an errcode or a
// status could be.
func (n number) whole() (int, bool) {
	if !n.ok || n.value != math.Trunc(n.value) || math.Abs(n.value) > math.MaxInt32 {
		return 0, false
	}
	return int(n.value), true
}

func (n number) code() (Code, bool) {
	v, ok := n.whole()
	return Code(v), ok
}

// moment is the value as a Unix time in seconds or, if too large for them, in
// milliseconds or finer; the zero time if there is none.
func (n number) moment() time.Time {
	v := n.value
	if !n.ok || v < 1 {
		return time.Time{}
	}
	for v >= 1e11 { // seconds reach this in the year 5138
		v /= 1000
	}
	return time.Unix(int64(v), 0).UTC()
}

// A word is a JSON string, or a number in its place. Decoding never fails;
// anything else is "".
type word string

func (w *word) UnmarshalJSON(b []byte) error {
	*w = ""
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(b, &s) == nil:
		*w = word(s)
	case json.Unmarshal(b, &n) == nil:
		*w = word(n)
	}
	return nil
}

// An object is a JSON object, or nothing: null, [], "" and the like are read
// as an object without members.
type object[T any] struct{ is T }

func (o *object[T]) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte("{")) || json.Unmarshal(b, &o.is) != nil {
		var none T
		o.is = none
	}
	return nil
}
