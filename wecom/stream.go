package wecom

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// wholeRequest is how many times Stall one request may take: at a crawl it is
// better to ask for the rest on another connection.
const wholeRequest = 20

// stream makes the call and hands its answer to take as it comes. A read of
// the body fails with an *Error when nothing came for stall.
func (l *line) stream(ctx context.Context, r request, stall time.Duration, take func(*http.Response, io.Reader) error) error {
	if err := l.turn(ctx, r); err != nil {
		return err
	}
	start := time.Now()
	err := l.flow(ctx, r, stall, take)
	l.note(r, err, time.Since(start))
	return err
}

func (l *line) flow(ctx context.Context, r request, stall time.Duration, take func(*http.Response, io.Reader) error) error {
	call, cancel := context.WithTimeout(ctx, wholeRequest*stall)
	defer cancel()
	idle := time.AfterFunc(stall, cancel)
	defer idle.Stop()
	req, err := r.http(call, l.base)
	if err != nil {
		return r.lost(ctx, call, err)
	}
	resp, err := l.http.Do(req)
	if err != nil {
		return r.lost(ctx, call, err)
	}
	defer resp.Body.Close()
	idle.Stop()
	return take(resp, flowing{resp.Body, idle, stall, func(err error) error {
		if call.Err() != nil || isTimeout(err) {
			return r.lost(ctx, call, err)
		}
		return err
	}})
}

// A flowing body may stand still for a while, but not for long. The time that
// its reader takes between two reads does not count.
type flowing struct {
	io.Reader
	idle  *time.Timer
	stall time.Duration
	name  func(error) error
}

func (f flowing) Read(b []byte) (int, error) {
	f.idle.Reset(f.stall)
	n, err := f.Reader.Read(b)
	f.idle.Stop()
	if err != nil && err != io.EOF {
		err = f.name(err)
	}
	return n, err
}

// mediaIn reports whether body is a media and not WeCom's JSON or a page of
// somebody else's; the reader that it returns still has everything. WeCom
// answers its errors with HTTP 200, as JSON that may call itself text/plain; a
// media comes with a Content-Disposition, be it JSON or a page itself.
func mediaIn(resp *http.Response, body io.Reader) (io.Reader, bool) {
	kind, _, _ := strings.Cut(strings.ToLower(resp.Header.Get("Content-Type")), ";")
	switch kind = strings.TrimSpace(kind); {
	case resp.StatusCode == http.StatusPartialContent && errorCode(resp) == 0:
		return body, true
	case resp.StatusCode != http.StatusOK || errorCode(resp) != 0:
		return body, false
	case resp.Header.Get("Content-Disposition") != "":
		return body, true
	case kind == "application/json" || kind == "text/json" || kind == "text/html":
		return body, false
	case kind != "text/plain" && kind != "":
		return body, true
	}
	b := bufio.NewReader(body)
	head, _ := b.Peek(64)
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	return b, len(head) > 0 && head[0] != '{' && head[0] != '<'
}

// errorCode is the errcode that an answer has in its header, as those of
// media/get do; 0 if there is none.
func errorCode(resp *http.Response) Code {
	n, _ := strconv.Atoi(strings.TrimSpace(resp.Header.Get("Error-Code")))
	return Code(n)
}

// noMedia is the error in an answer to media/get that holds no media.
func (l *line) noMedia(r request, resp *http.Response, body io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	code := errorCode(resp)
	switch {
	case err != nil && code == 0:
		if e, ok := err.(*Error); ok {
			return e
		}
		return r.bad(resp, cutOff)
	case len(b) > maxAnswer && code == 0:
		return r.bad(resp, tooLong)
	}
	if err := l.judge(r, resp, b, &struct{}{}); err != nil && (code == 0 || isAnswer(err)) {
		return err
	}
	if code != 0 {
		e := r.refusal(code, resp.Header.Get("Error-Msg"))
		e.Status = resp.StatusCode
		return e
	}
	return r.bad(resp, noMedia)
}

func isAnswer(err error) bool {
	e, ok := err.(*Error)
	return ok && e.Kind == KindAnswer
}

// span is a Range of the bytes from from up to, but not including, to.
func span(from, to int64) string { return fmt.Sprintf("bytes=%d-%d", from, to-1) }

// contentRange reads "bytes 0-1023/2048" as the bytes from 0 up to, but not
// including, 1024 of 2048.
func contentRange(s string) (from, to, total int64, ok bool) {
	unit, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	span, all, _ := strings.Cut(rest, "/")
	first, last, _ := strings.Cut(span, "-")
	var errs [3]error
	from, errs[0] = strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	to, errs[1] = strconv.ParseInt(strings.TrimSpace(last), 10, 64)
	total, errs[2] = strconv.ParseInt(strings.TrimSpace(all), 10, 64)
	ok = strings.EqualFold(unit, "bytes") && errs == [3]error{} && 0 <= from && from <= to && to < total
	return from, to + 1, total, ok
}
