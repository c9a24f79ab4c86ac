package wecomtest

import (
	"encoding/json"
	"slices"
	"time"
)

// What a group robot takes: bytes of a text and of a markdown, and messages a
// minute.
const (
	maxText     = 2048
	maxMarkdown = 4096
	robotLimit  = 20
)

// A Message is what a group robot posted.
type Message struct {
	At        time.Time
	Type      string // "text" or "markdown"
	Content   string
	Mentioned []string // mentioned_list: user ids, "@all"
}

// Messages returns what the group robots posted, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages.last(s.o.Keep)
}

// robotSend posts a message to the robot's group. Its key is the only secret.
func (s *Server) robotSend(r *request) answer {
	key := r.query.Get("key")
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case key == "" || s.o.Robots != nil && !slices.Contains(s.o.Robots, key):
		return s.refuse(r, codeBadRobot)
	case s.limits.window("robot "+key).over(robotLimit, s.now()):
		return s.refuse(r, codeTooMany)
	}
	m, code := parseMessage(r.body)
	if code != 0 {
		return s.refuse(r, code)
	}
	m.At = s.now()
	s.messages.add(m, s.o.Keep)
	return ok(nil)
}

func parseMessage(body []byte) (Message, int) {
	type content struct {
		Content   string   `json:"content"`
		Mentioned []string `json:"mentioned_list"`
	}
	var in struct {
		Type     string  `json:"msgtype"`
		Text     content `json:"text"`
		Markdown content `json:"markdown"`
	}
	if json.Unmarshal(body, &in) != nil {
		return Message{}, codeBadParameter
	}
	said, most := in.Text, maxText
	switch in.Type {
	case "text":
	case "markdown":
		said, most = in.Markdown, maxMarkdown
	default:
		return Message{}, codeBadMessage
	}
	if said.Content == "" || len(said.Content) > most {
		return Message{}, codeBadRequest
	}
	return Message{Type: in.Type, Content: said.Content, Mentioned: said.Mentioned}, 0
}
