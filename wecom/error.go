package wecom

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// A Class says what can be done about an error.
type Class string

const (
	ClassRetry     Class = "retry"     // passes by itself: -1, 6000, HTTP 5xx, resets, time-outs
	ClassToken     Class = "token"     // the token: refreshed and tried again once by the Client itself
	ClassBackOff   Class = "back-off"  // a limit: 45009, 45033, HTTP 429; wait for its window
	ClassConfig    Class = "config"    // nothing can succeed until a person mends it: 60020, 48002, 40013 ...
	ClassInput     Class = "input"     // this file or this request, for good
	ClassSource    Class = "source"    // what WeCom fetched: 830001, 830003, 301019; go back and look
	ClassUnknown   Class = "unknown"   // a code that the table does not have; or nobody knows whether it was done
	ClassCancelled Class = "cancelled" // the context ended
)

// A Kind says how a call went wrong.
type Kind string

const (
	KindAnswer      Kind = ""             // WeCom answered with Code
	KindUnreachable Kind = "unreachable"  // no answer: DNS, TLS, reset, time-out
	KindBadResponse Kind = "bad-response" // an answer that is not WeCom's: HTML, HTTP 5xx, truncated JSON
	KindInput       Kind = "bad-request"  // refused here, before any call: a field is over its limit
	KindConfig      Kind = "bad-config"   // refused here, before any call: New cannot work with the Config
	KindWrite       Kind = "cannot-write" // what was downloaded cannot be written here
)

// An Error is a call that failed. Its text never holds a token or a secret.
type Error struct {
	API     string // "gettoken", "media/upload_by_url", ...; "" for KindConfig
	Kind    Kind
	Code    Code   // errcode; 0 unless Kind is KindAnswer
	Message string // errmsg without its tail, for reading only: WeCom may change it
	Hint    string // for WeCom's support: "[1690529308235734275575111]" without brackets
	FromIP  string // the address that WeCom saw us come from: the one to trust for 60020
	HelpURL string // WeCom's page about the code
	Status  int    // HTTP status; 0 if there was no answer
	Job     bool   // the verdict on a job (detail.errcode), not on the call
	Field   string // KindInput, KindConfig: the parameter at fault
	// RetryAfter is how long the server asked to be left alone or, after
	// RefusedAt, how long it still is; 0 if there is no such word.
	RetryAfter time.Duration
	// RefusedAt is when gettoken was refused, where the error is the memory
	// of that refusal and no call was made; else the zero time.
	RefusedAt time.Time
	Repeated  bool  // there is no better token (40014, 42001): it is of the wrong kind
	Err       error // the cause below, scrubbed of the query; may be nil
}

// Error names the API, what went wrong and what WeCom's support asks for.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("wecom: ")
	if e.API != "" {
		b.WriteString(e.API + ": ")
	}
	if e.Job {
		b.WriteString("job: ")
	}
	b.WriteString(strings.Join(e.parts(), ": "))
	if note := e.note(); note != "" {
		b.WriteString(" (" + note + ")")
	}
	return b.String()
}

func (e *Error) parts() []string {
	var parts []string
	switch {
	case e.Kind == KindAnswer:
		parts = append(parts, fmt.Sprintf("errcode %d", e.Code))
	case e.Field != "":
		parts = append(parts, e.Field)
	case e.Class() != ClassCancelled:
		parts = append(parts, strings.ReplaceAll(string(e.Kind), "-", " "))
	}
	message := e.Message
	if message == "" && e.Kind == KindAnswer {
		message = e.fill(e.row().what.en, "en")
	}
	if message != "" {
		parts = append(parts, message)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return parts
}

func (e *Error) note() string {
	var notes []string
	add := func(format string, v any, there bool) {
		if there {
			notes = append(notes, fmt.Sprintf(format, v))
		}
	}
	add("HTTP %d", e.Status, e.Status != 0 && e.Status != 200)
	add("a new token is no cure%v", "", e.Repeated)
	add("refused at %v, not asked again yet", e.RefusedAt.UTC().Format(time.RFC3339), !e.RefusedAt.IsZero())
	add("from IP %v", e.FromIP, e.FromIP != "")
	add("hint %v", e.Hint, e.Hint != "")
	add("see %v", e.HelpURL, e.HelpURL != "")
	return strings.Join(notes, ", ")
}

// Unwrap returns the cause. It is context.Canceled or DeadlineExceeded only
// if the caller's context ended.
func (e *Error) Unwrap() error { return e.Err }

// Class says what can be done: the one thing that programs decide by.
func (e *Error) Class() Class {
	if errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded) {
		return ClassCancelled
	}
	switch e.Kind {
	case KindInput, KindWrite:
		return ClassInput
	case KindConfig:
		return ClassConfig
	case KindUnreachable, KindBadResponse:
		if e.maybeAdded() {
			return ClassUnknown
		}
		return classOfStatus(e.Status)
	}
	class := e.row().class
	if class == ClassToken && e.Repeated {
		return ClassConfig
	}
	return class
}

// maybeAdded reports whether a template may have been added though no answer
// says so. To try again may then make a second one, of which members are told,
// too. That a connection was never made is told by the operation.
func (e *Error) maybeAdded() bool {
	if e.API != apiWelcome+"add" {
		return false
	}
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch e.Kind {
	case KindUnreachable:
		return !errors.As(e.Err, &cert) && !(errors.As(e.Err, &op) && op.Op != "read" && op.Op != "write")
	case KindBadResponse:
		return e.Status >= 500 || e.Status == 200 && e.Err != error(webPage)
	}
	return false
}

func classOfStatus(status int) Class {
	switch status {
	case 429:
		return ClassBackOff
	case 407: // the proxy wants a name and a password
		return ClassConfig
	}
	return ClassRetry
}

// FaultCode is the error's stable name: "wecom/60020", "wecom/unreachable",
// "wecom/bad-response", "wecom/bad-request", "wecom/bad-config",
// "wecom/cannot-write".
func (e *Error) FaultCode() string {
	if e.Kind == KindAnswer {
		return fmt.Sprintf("wecom/%d", e.Code)
	}
	return "wecom/" + string(e.Kind)
}
