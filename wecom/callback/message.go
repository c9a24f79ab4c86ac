package callback

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// An Event is what WeCom tells the app.
type Event struct {
	Corp    string    // ToUserName
	From    string    // FromUserName; "sys" for what no member did
	Created time.Time // CreateTime; the zero time if there is none
	MsgType string    // "event", "text", ...
	Name    string    // Event: "upload_media_job_finish", ...; "" if MsgType is not "event"
	JobID   string    // JobId; "" for other events
	Message []byte    // the whole message, XML or JSON
}

// UploadFinished is the Name of the event that an upload's job has ended,
// well or not (document/path/97126).
const UploadFinished = "upload_media_job_finish"

// maxJobID is the longest job id in bytes (document/path/97126).
const maxJobID = 128

// ParseEvent reads a message that was opened, XML or JSON. An event that
// nobody has heard of is no error; one of UploadFinished without a usable
// JobID is.
func ParseEvent(message []byte) (Event, error) {
	m, err := members(message)
	if err != nil {
		return Event{}, &Error{Kind: KindContent, Err: err}
	}
	e := Event{Corp: m["tousername"], From: m["fromusername"], MsgType: m["msgtype"], Message: message}
	if n, err := strconv.ParseInt(m["createtime"], 10, 64); err == nil {
		e.Created = time.Unix(n, 0)
	}
	if e.MsgType == "event" {
		e.Name, e.JobID = m["event"], m["jobid"]
	}
	if e.Name == UploadFinished && !isID(e.JobID) {
		return Event{}, &Error{Kind: KindContent, Err: errors.New("the event has no job id")}
	}
	return e, nil
}

func isID(s string) bool {
	return s != "" && len(s) <= maxJobID && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
	})
}

// sealedIn returns the sealed text in a POST's body.
func sealedIn(body []byte) (string, error) {
	m, err := members(body)
	if err == nil && m["encrypt"] == "" {
		err = errors.New("no Encrypt in it")
	}
	if err != nil {
		return "", &Error{Kind: KindContent, Err: err}
	}
	return m["encrypt"], nil
}

// members reads the first level of an XML or JSON object. The first byte says
// which: apps get XML, 智能机器人 JSON with names in lower case. So names
// come in lower case.
func members(b []byte) (map[string]string, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(b, []byte("{")) {
		return jsonMembers(b)
	}
	return xmlMembers(b)
}

// jsonMembers reads strings and numbers, and passes over the rest.
func jsonMembers(b []byte) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return nil, errors.New("broken JSON")
	}
	m := map[string]string{}
	for name, value := range raw {
		var s string
		var n json.Number
		switch {
		case json.Unmarshal(value, &s) == nil:
			m[strings.ToLower(name)] = strings.TrimSpace(s)
		case json.Unmarshal(value, &n) == nil:
			m[strings.ToLower(name)] = n.String()
		}
	}
	return m, nil
}

// maxDepth is more than any message of WeCom's needs.
const maxDepth = 32

// xmlMembers reads the text of the root's children; of several with one name
// the first counts. A DOCTYPE is refused, and entities with it: WeCom sends
// none.
func xmlMembers(b []byte) (map[string]string, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	m := map[string]string{}
	var path []xml.Name
	var text strings.Builder
	for closed := false; ; {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) && closed {
			return m, nil
		}
		if err != nil {
			return nil, errors.New("broken XML")
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, errors.New("a DOCTYPE")
		case xml.StartElement:
			if closed || len(path) == maxDepth {
				return nil, errors.New("XML too deep, or more than one root")
			}
			path = append(path, t.Name)
			if len(path) == 2 {
				text.Reset()
			}
		case xml.CharData:
			if len(path) == 0 && len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("text outside of the XML")
			}
			if len(path) == 2 {
				text.Write(t)
			}
		case xml.EndElement:
			if len(path) == 0 || path[len(path)-1] != t.Name {
				return nil, errors.New("broken XML")
			}
			if len(path) == 2 {
				keepFirst(m, strings.ToLower(t.Name.Local), strings.TrimSpace(text.String()))
			}
			path = path[:len(path)-1]
			closed = len(path) == 0
		}
	}
}

func keepFirst(m map[string]string, name, value string) {
	if _, there := m[name]; !there {
		m[name] = value
	}
}
