package wecom

import "time"

// A Code is an errcode of WeCom's.
type Code int

// A Class says what can be done about an error.
type Class string

const (
	ClassRetry     Class = "retry"     // passes by itself: -1, 6000, HTTP 5xx, resets, time-outs
	ClassToken     Class = "token"     // the token: refreshed and tried again once by the Client itself
	ClassBackOff   Class = "back-off"  // a limit: 45009, 45033, HTTP 429; wait for its window
	ClassConfig    Class = "config"    // nothing can succeed until a person mends it: 60020, 48002, 40013 ...
	ClassInput     Class = "input"     // this file or this request, for good
	ClassSource    Class = "source"    // what WeCom fetched: 830001, 830003, 301019; go back and look
	ClassUnknown   Class = "unknown"   // a code that the table does not have
	ClassCancelled Class = "cancelled" // the context ended
)

// A Kind says how a call went wrong.
type Kind string

const (
	KindAnswer      Kind = ""             // WeCom answered with Code
	KindUnreachable Kind = "unreachable"  // no answer: DNS, TLS, reset, time-out
	KindBadResponse Kind = "bad-response" // an answer that is not WeCom's: HTML, HTTP 5xx, truncated JSON
	KindInput       Kind = "bad-request"  // refused here, before any call: a field is over its limit
)

// An Error is a call that failed. Its text never holds a token or a secret.
type Error struct {
	API     string // "gettoken", "media/upload_by_url", ...
	Kind    Kind
	Code    Code   // errcode; 0 unless Kind is KindAnswer
	Message string // errmsg without its tail, for reading only: WeCom may change it
	Hint    string // for WeCom's support: "[1690529308235734275575111]" without brackets
	FromIP  string // the address that WeCom saw us come from: the one to trust for 60020
	HelpURL string // WeCom's page about the code
	Status  int    // HTTP status; 0 if there was no answer
	Job     bool   // the verdict on a job (detail.errcode), not on the call
	Field   string // KindInput: the parameter at fault
	// RetryAfter is how long the server asked to be left alone; 0 if it did not.
	RetryAfter time.Duration
	Err        error // the cause below, scrubbed of the query; may be nil
}
