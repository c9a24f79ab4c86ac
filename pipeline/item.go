package pipeline

import (
	"encoding/json"
	"time"

	"wedrop/pipeline/inspect"
)

// A Step is the work that an Item waits for.
type Step string

// The steps in their order. An Item's Step is its whole state: there is no
// second status that could disagree with it.
const (
	Inspect Step = "inspect" // to be read: size, kind, structure, MD5
	Stage   Step = "stage"   // to be copied to the bucket, and proven public
	Submit  Step = "submit"  // to be handed in at WeCom
	Await   Step = "await"   // WeCom fetches it
	Done    Step = "done"    // its media_id is there; due again when that is to be renewed
)

// Text is something for a person to read, in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In returns the text in "zh" or "en".
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// An Item is one file on its way, from the folder to the media_id. It is the
// only type in flight: the CLI, the page, the API and the journal all show
// it. An Item is due when it waits for time and held when it waits for a
// person.
type Item struct {
	ID    int64  // in the ledger; 0 if it never was there
	Corp  string // whose media it becomes
	Scene int    // wecom.SceneGroupWelcome

	Host string // the machine that sees Path
	Path string // absolute

	Want     inspect.Type // as asked for: auto, video, file
	WantName string       // the name asked for; empty: the file's own

	// What inspect established; Name is a guess from Path before that.
	File     inspect.FileID
	Name     string // as the receiver sees it
	Type     inspect.Type
	Size     int64  // bytes
	MD5      string // lower-case hex
	MIME     string
	Ext      string // of the object's key, with its dot
	Warnings []Warning

	Step Step
	Due  time.Time // not worked on before; by the ledger's clock
	// Fault is why it stopped. With Retry it goes on by itself when it is
	// due, else the Item is held.
	Fault *Fault

	Tries   int  // of this step, since the Item last moved on
	Backs   int  // how often it was sent back to an earlier step since its last media_id
	Replace bool // the public copy is in doubt: stage uploads it anew

	Object *Object
	Job    *Job
	// Media is the newest media_id. While it is being renewed the old one
	// stays here, so a Media does not imply Done.
	Media *Media

	History []Event // the oldest first; no part of the JSON

	Created, Updated time.Time
	Rev              int64 // grows with every change in the ledger

	// Claim is this worker's right to work on the Item; zero if it has none.
	Claim Claim

	// crc is the CRC32C of the content, known only between the reading and
	// the staging of one process; 0 else.
	crc uint32

	// Reused tells that a valid media_id was in the ledger already. It
	// belongs to one run and is not recorded.
	Reused bool

	// Verified tells that Verify has compared what WeCom holds with the file,
	// and how that ended; nil: it has not. It is not recorded.
	Verified *bool

	// Lang is what MarshalJSON speaks: "zh" or, if empty, "en".
	Lang string
}

// Held reports whether the Item waits for a person.
func (it Item) Held() bool { return it.Fault != nil && !it.Fault.Retry }

// Valid reports whether the Item's media_id lives for at least ttl after now.
func (it Item) Valid(now time.Time, ttl time.Duration) bool {
	return it.Media != nil && it.Media.ExpiresAt.Sub(now) > ttl
}

// An Object is the public copy in the bucket.
type Object struct {
	Bucket string    `json:"-"` // storage.Object.Bucket
	Key    string    `json:"key"`
	URL    string    `json:"url"`
	Staged time.Time `json:"-"`
}

// A Job is WeCom's fetch of the Object.
type Job struct {
	ID          string    `json:"id"`
	SubmittedAt time.Time `json:"submitted_at"`
}

// Media is a media_id and when it dies.
type Media struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// A Fault is why an Item stopped, in words for the person who can cure it.
type Fault struct {
	Step    Step      // where it stopped
	Code    string    // "<who>/<what>": inspect/too-small, wecom/60020 ...
	Message Text      // what happened
	Remedy  Text      // what to do now; never empty when a person has to act
	Retry   bool      // it goes on by itself
	Config  bool      // nothing can succeed until a person mends the configuration
	At      time.Time // when
}

// A Warning is something that somebody may want to know; the file goes.
type Warning struct {
	Code    string
	Message Text
}

// A Claim is a worker's right to one Item.
type Claim struct {
	Owner string    // which process
	Fence int64     // grows with every claim of the Item
	At    time.Time // by the ledger's clock, when it was claimed
	// Shifted is by how many milliseconds the ledger's clock was known to have
	// been set in all by then. It is the ledger's own.
	Shifted int64
}

type faultJSON struct {
	Step    Step      `json:"step"`
	Code    string    `json:"code"`
	Message string    `json:"message"`
	Remedy  string    `json:"remedy"`
	Retry   bool      `json:"retry"`
	At      time.Time `json:"at"`
}

type warningJSON struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// In returns the Item as it is to be shown in lang.
func (it Item) In(lang string) Item {
	it.Lang = lang
	return it
}

// MarshalJSON is the form of --json and of the HTTP API.
func (it Item) MarshalJSON() ([]byte, error) {
	v := struct {
		ID       int64         `json:"id"`
		Path     string        `json:"path"`
		Name     string        `json:"name"`
		Type     inspect.Type  `json:"type"`
		Size     int64         `json:"size"`
		MD5      string        `json:"md5"`
		Step     Step          `json:"step"`
		Object   *Object       `json:"object"`
		Job      *Job          `json:"job"`
		Media    *Media        `json:"media"`
		Fault    *faultJSON    `json:"fault"`
		Warnings []warningJSON `json:"warnings"`
		Reused   bool          `json:"reused"`
		Verified *bool         `json:"verified,omitempty"`
	}{it.ID, it.Path, it.Name, it.Type, it.Size, it.MD5, it.Step,
		it.Object, it.Job, it.Media, nil, []warningJSON{}, it.Reused, it.Verified}
	if v.Type == "" {
		v.Type = it.Want
	}
	if it.Job != nil {
		v.Job = &Job{it.Job.ID, wire(it.Job.SubmittedAt)}
	}
	if it.Media != nil {
		v.Media = &Media{it.Media.ID, wire(it.Media.CreatedAt), wire(it.Media.ExpiresAt)}
	}
	if f := it.Fault; f != nil {
		v.Fault = &faultJSON{f.Step, f.Code, f.Message.In(it.Lang), f.Remedy.In(it.Lang), f.Retry, wire(f.At)}
	}
	for _, w := range it.Warnings {
		v.Warnings = append(v.Warnings, warningJSON{w.Code, w.Message.In(it.Lang)})
	}
	return json.Marshal(v)
}

// wire is how times are shown: UTC, whole seconds.
func wire(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
