package wecomtest

import (
	"io"
	"net/http"
	"time"
)

// Options of a Server; the zero value is a WeCom that keeps every documented
// rule, finishes jobs at once and answers as the official page shows.
type Options struct {
	Addr   string // to listen on; a free port of 127.0.0.1 if empty
	CorpID string // "wwtest" if empty
	Secret string // "secret" if empty
	// Apps are further apps of the corp: secret by agent id. Their tokens
	// are independent.
	Apps map[int]string

	TokenLife time.Duration // 2 h if zero
	// JobTime is how long a job takes after the fetch has ended; none if zero.
	JobTime time.Duration
	Shape   Shape            // of the answers about jobs
	Now     func() time.Time // time.Now if nil; a settable clock is in Clock
	Fetch   *http.Client     // fetches the links; if nil, one without credentials, cookies and proxy
	Log     io.Writer        // a line a call, without tokens and secrets; nowhere if nil
}

// A Shape is one of the ways in which WeCom's answer about a job is known,
// or likely, to vary. The zero value is the official page's example.
type Shape struct {
	StatusString  bool // "status":"2" as the page's table says, not 2 as its example
	CreatedNumber bool // "created_at":1380000000, not "1380000000"
	NoDetailCode  bool // success without detail.errcode and detail.errmsg, as seen live
	NoDetail      bool // status 1 without detail
	NoErrcode     bool // no errcode and errmsg on success
	NoCreatedAt   bool
	Extra         bool // members that nobody documented
}

// A Fault is what a Server does instead of, or after, its work. The first
// field that is set decides.
type Fault struct {
	Errcode int // answer with it, and Errmsg or a likely one
	Errmsg  string
	FromIP  string // in the errmsg's tail; "203.0.113.9" if empty

	Status int // answer with this HTTP status and Body (HTML if empty)
	Body   string
	Header http.Header

	ResetBefore bool          // reset the connection with nothing done
	ResetAfter  bool          // do the work, then reset the connection
	Truncate    int           // do the work, send so many bytes of the answer, then close
	Slow        time.Duration // do the work, wait, then answer

	RevokeToken bool // forget the token first, so that the call ends with 40014
	ExpireToken bool // as RevokeToken, with 42001
	Warning     bool // do the work, errmsg "ok, Warning: wrong json format."

	JobErrcode int  // media/upload_by_url: take the job; it ends with status 3 and this detail.errcode
	JobForever bool // media/upload_by_url: take the job; it never ends
	JobStatus  int  // media/get_upload_by_url_result: this status, known to nobody

	Times int // so many calls; 1 if zero, -1 for ever
}

// A Call is one request that a Server saw.
type Call struct {
	API     string // "gettoken", "media/upload_by_url", ...
	At      time.Time
	Query   map[string]string // without access_token and corpsecret
	Body    []byte
	Token   int // which token, counted from 1 in the order of issue; 0 for none or an unknown one
	Errcode int // as answered; -1000 if something else than WeCom's JSON was sent
}

// A Fetch is one request that the Server made for a link.
type Fetch struct {
	URL    string
	Range  string
	Status int
	Bytes  int64
	At     time.Time
}

// A Job is an upload as the Server sees it.
type Job struct {
	ID       string
	Type     string
	Filename string
	URL      string
	MD5      string
	At       time.Time // submitted
	Errcode  int       // 0 while it runs and when it is well
	MediaID  string    // "" until it ended well
}
