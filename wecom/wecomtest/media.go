package wecomtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of document/path/96486: how much one answer carries, in bytes, and
// how long a media_id is good for.
const (
	maxRange  = 20 << 20
	mediaLife = 72 * time.Hour
)

// mediaGet hands out a media, whole or a range of it (document/path/96486).
func (s *Server) mediaGet(r *request) answer {
	id := r.query.Get("media_id")
	if id == "" {
		return s.refuseMedia(r, codeNoMediaID)
	}
	m, found := s.Media(id)
	if !found || m.Corp != r.corp || !s.now().Before(m.Created.Add(mediaLife)) {
		return s.refuseMedia(r, codeBadMediaID)
	}
	if m.Body == nil {
		return page{status: http.StatusNotImplemented, body: "wecomtest holds no media without Options.KeepMedia\n"}
	}
	from, to, partial := parseRange(r.Header.Get("Range"), m.Size)
	switch {
	case r.fault.IgnoreRange:
		return bytesOf{m, 0, m.Size, m.Size, false}
	case from >= m.Size:
		return page{status: http.StatusRequestedRangeNotSatisfiable}
	case to-from > maxRange:
		return s.refuseMedia(r, codeRangeTooLarge)
	}
	total := m.Size
	if r.fault.WrongTotal != 0 {
		total = r.fault.WrongTotal
	}
	return bytesOf{m, from, to, total, partial}
}

// refuseMedia is an error in one of the two ways in which media/get's are
// told to come, both with HTTP 200.
func (s *Server) refuseMedia(r *request, code int) answer {
	a := s.refuse(r, code)
	if s.currentShape().TextErrors {
		return textError{a}
	}
	return a
}

// A textError is WeCom's JSON under another name.
type textError struct{ reply }

func (a textError) send(w http.ResponseWriter) {
	w.Header().Set("Error-Code", itoa(a.code()))
	w.Header().Set("Error-Msg", a.reply["errmsg"].(string))
	text, _ := json.Marshal(a.reply)
	w.Header().Set("Content-Type", "text/plain")
	w.Write(text)
}

// parseRange reads one range of a file of that size: from its first byte to
// the one after its last. What it cannot read asks for the whole file.
func parseRange(header string, size int64) (from, to int64, partial bool) {
	span, ok := strings.CutPrefix(header, "bytes=")
	first, last, cut := strings.Cut(span, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	if !ok || !cut || err != nil {
		return 0, size, false
	}
	if last == "" {
		return from, size, true
	}
	to, err = strconv.ParseInt(last, 10, 64)
	if err != nil || to < from {
		return 0, size, false
	}
	return from, min(to+1, size), true
}

// bytesOf is a media on its way out.
type bytesOf struct {
	Media
	from, to int64
	total    int64 // as told in the Content-Range
	partial  bool
}

func (bytesOf) code() int { return NoErrcode }

func (b bytesOf) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", itoa(b.to-b.from))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Disposition", "attachment; filename*=utf-8''"+url.PathEscape(b.Filename)+`; filename="`+garbled(b.Filename)+`"`)
	status := http.StatusOK
	if b.partial {
		h.Set("Content-Range", "bytes "+itoa(b.from)+"-"+itoa(b.to-1)+"/"+itoa(b.total))
		status = http.StatusPartialContent
	}
	w.WriteHeader(status)
	w.Write(b.Body[b.from:b.to])
}

// garbled is what the plain filename looks like in answers that people
// quote: of no use unless the name is ASCII.
func garbled(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, name)
}
