package pipeline

import (
	"encoding/json"
	"time"
)

// A Template is a group welcome template (入群欢迎语素材) as the ledger
// remembers it: WeCom has no call that lists them.
type Template struct {
	Corp    string
	ID      string          // WeCom's template_id
	Content json.RawMessage // a wecom.WelcomeTemplate, as it was sent last
	Item    int64           // whose media_id is in it; 0 for none of the ledger's
	MD5     string          // of that media's content, in lower-case hex; empty where Item is 0
	Media   string          // the media_id in it; empty for none
	Shown   string          // the media_id in WeCom's words, as it was read back, or that of an edit under way; empty: not known
	Fault   *Fault          // why its last renewal failed
	Created time.Time
	Updated time.Time
}
