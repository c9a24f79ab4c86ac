package callback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Handler answers at an app's callback address. Codec is required; the
// other fields may be left out, and none may change while it serves. It is
// safe for concurrent use and must not be copied.
type Handler struct {
	Codec *Codec

	// Finished is told the id of a job that has ended, well or not. It must
	// return at once, with nil when the id is recorded: then WeCom is answered
	// 200, else 500, and a redelivery is handed on again. After Patience the
	// answer is 500 whether it has returned or not. It is not called again for
	// a job within a minute, unless it failed.
	//
	// The id may be unknown: WeCom can be faster than the answer to the
	// submit. Finished must keep such an id, or leave the job to polling.
	Finished func(ctx context.Context, jobID string) error

	// Other is told of every other event or message that WeCom signed, once
	// for each. WeCom is answered 200 after it has returned or after Patience.
	Other func(ctx context.Context, e Event)

	Window   time.Duration    // how far a POST's time may be from ours, either way; 10 min if zero
	Patience time.Duration    // how long Finished and Other may take; 2 s if zero (WeCom hangs up after 5)
	Now      func() time.Time // time.Now if nil
	Log      *slog.Logger     // nowhere if nil; sees why something is refused, never what it holds

	recent   memory
	refusals refusals
}

const (
	maxBody  = 64 << 10
	bodyTime = 5 * time.Second // WeCom itself gives up then
)

// ServeHTTP answers WeCom: the echostr to a GET whose signature holds, 200
// with an empty body to a POST whose signature holds. Everything else is 403,
// a body over 64 KiB 413, another method 405; 500 means that Finished could
// not take the job.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	var answer []byte
	var err error
	switch r.Method {
	case http.MethodGet:
		answer, err = h.echo(r)
	case http.MethodPost:
		err = h.take(w, r)
	default:
		header.Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	status := h.judge(r, err)
	if status == http.StatusForbidden {
		answer = []byte(forbidden)
	}
	header.Set("Content-Length", strconv.Itoa(len(answer)))
	if len(answer) > 0 {
		header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(status)
	w.Write(answer)
}

// forbidden is for the person who opens the address in a browser to see
// whether it can be reached.
const forbidden = "这是企业微信的回调地址，能打开说明网络是通的；它只应答企业微信签名的请求。\n" +
	"This is a callback address of WeCom. It can be reached, and answers only what WeCom signed.\n"

// judge turns an error into a status, and tells the log.
func (h *Handler) judge(r *http.Request, err error) int {
	var refused *Error
	switch {
	case err == nil:
		return http.StatusOK
	case !errors.As(err, &refused):
		h.log().Error("callback not taken; its job will be found by polling", "error", err)
		return http.StatusInternalServerError
	}
	if silenced, tell := h.refusals.count(refused.Kind, h.now()); tell {
		_, remedy := refused.Explain("en")
		h.log().Warn("callback refused", "reason", refused.Kind, "error", err, "remedy", remedy, "method", r.Method, "remote", r.RemoteAddr,
			"like_it_since", silenced)
	}
	if refused.Kind == KindTooLarge {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusForbidden
}

// echo answers the check of the address (document/path/90968): the bare
// message, within a second. Its time is not looked at: it changes nothing,
// and a clock that is wrong shows in the log as soon as an event comes.
func (h *Handler) echo(r *http.Request) ([]byte, error) {
	query := r.URL.Query()
	// Base64 has no spaces: where there are some, a "+" was not escaped.
	message, err := h.Codec.Open(stampOf(query), strings.ReplaceAll(query.Get("echostr"), " ", "+"))
	if err != nil {
		return nil, err
	}
	if len(message) == 0 || strings.ContainsAny(string(message[:1]), "<{") {
		// The signature of a POST holds for a GET as well: who caught one
		// must not have it opened here.
		return nil, &Error{Kind: KindContent, Err: errors.New("not an echostr")}
	}
	return message, nil
}

func stampOf(query url.Values) Stamp {
	return Stamp{Signature: query.Get("msg_signature"), Timestamp: query.Get("timestamp"), Nonce: query.Get("nonce")}
}

// take reads a POST and hands on what it says. What cannot be WeCom's is
// refused before its body is looked at.
func (h *Handler) take(w http.ResponseWriter, r *http.Request) error {
	stamp := stampOf(r.URL.Query())
	if r.ContentLength >= 0 && r.ContentLength <= maxBody && !stamp.wellFormed() {
		w.Header().Set("Connection", "close")
		return &Error{Kind: KindSignature}
	}
	body, err := read(w, r)
	switch {
	case err != nil:
		return err
	case !stamp.wellFormed(): // too large would have been said first
		return &Error{Kind: KindSignature}
	}
	sealed, err := sealedIn(body)
	if err != nil {
		return err
	}
	message, err := h.Codec.Open(stamp, sealed)
	if err != nil {
		return err
	}
	now := h.now()
	if err := h.inWindow(stamp, now); err != nil {
		return err
	}
	event, err := ParseEvent(message)
	if err != nil {
		return err
	}
	return h.deliver(r.Context(), stamp.Signature, event, now)
}

// read reads the body, which a stranger may have sent.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close")
		return nil, &Error{Kind: KindTooLarge}
	}
	// Where w has no deadlines, as in a test, the server's own must do.
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &Error{Kind: KindTooLarge}
	case err != nil:
		return nil, &Error{Kind: KindContent, Err: errors.New("the body ended early")}
	}
	return body, nil
}

func (h *Handler) inWindow(s Stamp, now time.Time) error {
	window := h.Window
	if window == 0 {
		window = 10 * time.Minute
	}
	at, ok := s.Time()
	if !ok {
		return &Error{Kind: KindStale}
	}
	if skew := at.Sub(now); skew.Abs() > window {
		return &Error{Kind: KindStale, Skew: skew}
	}
	return nil
}

// deliver hands an event on, unless it was handed on before, and returns what
// became of it. Who comes while it is under way waits for the same end.
func (h *Handler) deliver(ctx context.Context, signature string, e Event, now time.Time) error {
	job := ""
	if e.Name == UploadFinished {
		job = e.JobID
	}
	d, first := h.recent.claim(signature, job, now)
	if first {
		// Whether WeCom hangs up or not, it is to be recorded.
		go h.run(context.WithoutCancel(ctx), d, e)
	}
	late := time.NewTimer(h.patience())
	defer late.Stop()
	select {
	case <-d.done:
		return d.err
	case <-late.C:
	}
	if job == "" {
		return nil
	}
	return fmt.Errorf("job %s: not recorded within %v", job, h.patience())
}

func (h *Handler) run(ctx context.Context, d *delivery, e Event) {
	ctx, cancel := context.WithTimeout(ctx, h.patience())
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // net/http's own recover does not reach here
			d.err = fmt.Errorf("panic: %v", p)
		}
		h.recent.end(d)
	}()
	switch {
	case e.Name == UploadFinished && h.Finished != nil:
		if err := h.Finished(ctx, e.JobID); err != nil {
			d.err = fmt.Errorf("job %s: %w", e.JobID, err)
			return
		}
		h.log().Debug("callback: job finished", "job", e.JobID)
	case e.Name != UploadFinished && h.Other != nil:
		h.Other(ctx, e)
	}
}

func (h *Handler) patience() time.Duration {
	if h.Patience == 0 {
		return 2 * time.Second
	}
	return h.Patience
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}
