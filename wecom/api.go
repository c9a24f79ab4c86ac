package wecom

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// DefaultBaseURL is where the public WeCom answers.
const DefaultBaseURL = "https://qyapi.weixin.qq.com"

// SceneGroupWelcome is the only scene that upload_by_url knows: media for
// group welcome templates (入群欢迎语素材).
// Source: developer.work.weixin.qq.com/document/path/97126.
const SceneGroupWelcome = 1

// MediaLife is how long a media_id is good for, counted from its created_at
// (same page: 三天内有效).
const MediaLife = 72 * time.Hour

// JobLife is how long WeCom answers for a job id (same page: 60分钟内有效).
const JobLife = 60 * time.Minute

// A MediaType is what WeCom is told the media is.
type MediaType string

// The types that upload_by_url takes; images and voice are not supported.
const (
	TypeVideo MediaType = "video" // MP4 only
	TypeFile  MediaType = "file"
)

// Config says whom a Client speaks to, and as whom.
type Config struct {
	BaseURL string // DefaultBaseURL if empty; a path prefix is kept
	CorpID  string
	Secret  string      // the app's secret
	Tokens  TokenSource // if nil, tokens are fetched with CorpID and Secret
	Store   TokenStore  // where fetched tokens are kept; this process's memory if nil

	Proxy string       // a proxy for WeCom's calls alone; the environment's if empty
	HTTP  *http.Client // if nil, one with sensible timeouts and Proxy

	Limiter Limiter // if nil, a limiter of this process with PerMinute
	// PerMinute is the number of calls a minute for each API; 6000 if zero
	// (WeCom allows a corp 10,000).
	PerMinute int

	Log *slog.Logger     // nowhere if nil; never sees a secret or a token
	Now func() time.Time // time.Now if nil
}

// A Limiter holds a call back until the corp's rate for that API allows it.
type Limiter interface {
	// Wait returns nil when the call may go, or ctx's error.
	Wait(ctx context.Context, api string) error
}

// A TokenSource hands out access tokens.
type TokenSource interface {
	// Token returns a token that is believed to be valid.
	Token(ctx context.Context) (string, error)
	// Refused tells that WeCom did not accept token (40014, 42001): it is
	// not handed out again, and the next Token fetches a new one, unless
	// somebody already did.
	Refused(ctx context.Context, token string)
}

// StaticToken is a TokenSource for a token that somebody else looks after.
type StaticToken string

func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }
func (t StaticToken) Refused(context.Context, string)       {}

// A TokenStore keeps tokens for all processes that share it, one entry a key,
// and sees that only one of them fetches at a time. It is handed sealed
// tokens only. The journal is one.
type TokenStore interface {
	// LoadToken returns the key's entry, or a zero one.
	LoadToken(ctx context.Context, key string) (TokenEntry, error)
	// LeaseToken takes the right to fetch the key's next token for d. It
	// reports false if another owner holds it now.
	LeaseToken(ctx context.Context, key, owner string, d time.Duration) (bool, error)
	// SaveToken replaces the key's entry and gives the lease back.
	SaveToken(ctx context.Context, key, owner string, e TokenEntry) error
}

// TokenEntry is what a TokenStore keeps under a key.
type TokenEntry struct {
	Sealed  []byte    // the token, sealed with a key derived from the secret; nil if there is none
	Expires time.Time // when the token stops to be handed out
	// Refusal is WeCom's answer to a secret that it refused (JSON, without
	// the secret); nil if it did not. It stands until RefusedUntil.
	Refusal      []byte
	RefusedUntil time.Time
}

// An Upload asks WeCom to fetch a file by its link.
type Upload struct {
	Scene    uint32 // SceneGroupWelcome if zero
	Type     MediaType
	Filename string // what the receiver sees; at most 128 bytes
	URL      string // serves Range requests to anybody; at most 1024 bytes
	MD5      string // lower-case hex of the bytes behind URL
}

// A JobStatus is how far a job of WeCom's has come. Values that WeCom does
// not document mean: keep waiting.
type JobStatus int

const (
	JobProcessing JobStatus = 1
	JobFinished   JobStatus = 2
	JobFailed     JobStatus = 3
)

// A Result is WeCom's answer about a job.
type Result struct {
	Status    JobStatus
	MediaID   string
	CreatedAt time.Time // zero if WeCom did not say
	Err       *Error    // why the job failed; nil unless Status is JobFailed
}

// Ready reports whether the media_id is there. It does not look at
// detail.errcode: live answers leave it out on success.
func (r Result) Ready() bool { return r.Status == JobFinished && r.MediaID != "" }
