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
	Prefix string // everything is mounted below this path, "/wecom" for example
	CorpID string // "wwtest" if empty
	Secret string // "secret" if empty
	// Apps are further apps of the corp: secret by agent id. Their tokens
	// are independent.
	Apps map[int]string
	// Corps are further corps: the secret of their only app by corp id.
	// Their jobs and media are unknown to the others, and their secrets are
	// answered with 40091 under another corp's id.
	Corps map[string]string

	TokenLife   time.Duration // 2 h if zero
	FreshTokens bool          // every gettoken hands out another token
	// WrongSecretLimit is how many wrong secrets in an hour get their address
	// banned from gettoken for an hour; 2,000 if zero.
	WrongSecretLimit int

	// SeenFrom is the address that callers from 127.0.0.1 and ::1 seem to
	// come from, "203.0.113.9" if empty. Callers from any other address,
	// 127.0.0.2 included, are seen as what they are.
	SeenFrom   string
	TrustedIPs []string // if not nil, every other address gets 60020; see SetTrustedIPs
	// NoPermission takes 客户联系 away: every call but gettoken gets 48002;
	// see SetPermission.
	NoPermission bool

	PerMinute     int // calls a minute for each API and corp, then 45009; no limit if zero
	MaxConcurrent int // calls at once for each API and corp, then 45033; no limit if zero

	// JobTime is how long a job takes after the fetch has ended; none if zero.
	JobTime        time.Duration
	Shape          Shape         // of the answers about jobs, templates and media
	CreatedSkew    time.Duration // added to created_at: a WeCom whose clock differs
	UnknownJobCode int           // for job ids that are unknown or over 60 minutes old; 60136 if zero
	NotMP4Code     int           // detail.errcode of a video that is no MP4; 40004 if zero

	FullLibraryCode int // for the 101st template of a corp; 40058 if zero

	// Ended is told once of each job that ended, within some milliseconds and
	// one at a time. It must not call Close.
	Ended func(Job)
	// Callback is where the event upload_media_job_finish goes, within some
	// milliseconds of a job's end; nowhere if it has no URL. See SetCallback.
	Callback Callback

	Robots []string // keys of group robots; if nil, any key is good

	Now   func() time.Time // time.Now if nil and Clock is nil
	Clock *Clock           // goes before Now

	Fetch        *http.Client  // fetches the links; if nil, one without credentials, cookies, proxy and redirects
	FetchTimeout time.Duration // for one chunk, in real time; 30 s if zero
	Chunk        int64         // bytes asked for at once; 4 MiB if zero
	Fetches      int           // links fetched at once; 32 if zero
	// KeepMedia holds the bytes of finished jobs in memory, for media/get
	// and Media. Without it no more than a buffer for each fetch is held.
	KeepMedia bool

	Log io.Writer // a line a call, without tokens and secrets; nowhere if nil
	// Keep is how many of the last calls and fetches Calls and Fetches
	// return; 20,000 if zero. Count counts all of them.
	Keep int
}

// A Shape is one of the ways in which WeCom's answers are known, or likely, to
// vary. The zero value is the official page's example.
type Shape struct {
	StatusString  bool // "status":"2" as the page's table says, not 2 as its example
	CreatedNumber bool // "created_at":1380000000, not "1380000000"
	NoDetailCode  bool // success without detail.errcode and detail.errmsg, as seen live
	NoDetail      bool // status 1 without detail
	NoErrcode     bool // no errcode and errmsg on success
	NoCreatedAt   bool
	Extra         bool // members that nobody documented
	EmptyMembers  bool // a template's members that are not set as empty objects, not absent
	TextErrors    bool // errors of media/get as text/plain, with the code in the header, too
}

// A Fault is what a Server does instead of, or after, its work. The first
// field that is set decides; a zero Fault lets a call pass as it is.
type Fault struct {
	Errcode int // answer with it, and Errmsg or a likely one
	Errmsg  string
	FromIP  string // in the errmsg's tail; Options.SeenFrom if empty

	Status int // answer with this HTTP status and Body (HTML if empty)
	Body   string
	Header http.Header

	ResetBefore bool          // reset the connection with nothing done
	ResetAfter  bool          // do the work, then reset the connection
	Truncate    int           // do the work, send so many bytes of the answer, then close
	Slow        time.Duration // do the work, wait in real time, then answer

	RevokeToken bool // forget the token first, so that the call ends with 40014
	ExpireToken bool // as RevokeToken, with 42001
	Warning     bool // do the work, errmsg "ok, Warning: wrong json format."

	JobErrcode int  // media/upload_by_url: take the job, fetch nothing; it ends with status 3 and this detail.errcode
	JobForever bool // media/upload_by_url: take the job, fetch nothing; it never ends
	JobStatus  int  // media/get_upload_by_url_result: this status, known to nobody

	ResetAt     int   // do the work, send at most so many bytes of the answer's body, then reset the connection
	IgnoreRange bool  // media/get: the whole media with HTTP 200, however large
	WrongTotal  int64 // media/get: a Content-Range whose total is this

	Times int // so many calls; 1 if zero, -1 for ever
}

// A Call is one request that a Server saw.
type Call struct {
	API     string // "gettoken", "media/upload_by_url", ...
	At      time.Time
	Query   map[string]string // without access_token, corpsecret and a robot's key
	Body    []byte
	Token   int // which token, counted from 1 in the order of issue; 0 for none or an unknown one
	Errcode int // as answered; NoErrcode if something else than WeCom's JSON was sent
}

// NoErrcode is the Errcode of a Call that was not answered with WeCom's JSON:
// a reset, a page of HTML, a media.
const NoErrcode = -1000

// A Fetch is one request that the Server made for a link.
type Fetch struct {
	URL    string
	Range  string
	Status int // 0 if there was no answer
	Bytes  int64
	At     time.Time
}

// The states of a Job, as the official page numbers them.
const (
	StatusRunning  = 1
	StatusFinished = 2
	StatusFailed   = 3
)

// A Job is an upload as the Server sees it.
type Job struct {
	ID       string
	Corp     string
	Type     string
	Filename string
	URL      string
	MD5      string
	At       time.Time // submitted
	Status   int       // StatusRunning, StatusFinished or StatusFailed
	Size     int64     // bytes, as the link's server says; 0 before the fetch
	Ended    time.Time // zero while it runs
	Errcode  int       // 0 while it runs and when it is well
	MediaID  string    // "" until it ended well
}

// A Media is what a finished job left behind.
type Media struct {
	ID       string
	Corp     string
	Type     string
	Filename string
	Size     int64
	MD5      string
	Created  time.Time // created_at
	Body     []byte    // nil without Options.KeepMedia; not to be changed
}
