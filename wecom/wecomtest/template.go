package wecomtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Limits of document/path/92366, in bytes but for the last.
const (
	maxWelcome      = 3000
	maxLinkTitle    = 128
	maxLinkDesc     = 512
	maxProgramTitle = 64
	maxTemplates    = 100 // of a corp
)

// mainAgent is the agent id of the corp's first app, unless Callback has one.
const mainAgent = 1000002

// A Template is a group welcome template as the Server keeps it.
type Template struct {
	ID      string
	Corp    string
	AgentID int                          // as sent; 0 if it was not
	Text    string                       // "" if there is none
	Members map[string]map[string]string // the attachments as they were sent, by name: "image", "link", ...
	Shown   string                       // the name of the one that members see; "" if there is none
	Created time.Time
	Updated time.Time // of the last edit; Created if there was none
	// Notified tells that groups were told of it: notify was 1, or absent.
	Notified bool
	Edits    int

	app string // the secret of the app that has added it
}

// attachments are their names, in the order in which WeCom prefers them, with
// what each must and may have.
var attachments = []struct {
	name      string
	must, may []string
}{
	{"image", nil, []string{"media_id", "pic_url"}},
	{"link", []string{"title", "url"}, []string{"picurl", "desc"}},
	{"miniprogram", []string{"title", "pic_media_id", "appid", "page"}, nil},
	{"file", []string{"media_id"}, nil},
	{"video", []string{"media_id"}, nil},
}

// templateAPIs are the calls about templates.
func templateAPIs() map[string]api {
	const base = "externalcontact/group_welcome_template/"
	return map[string]api{
		base + "add":  {method: http.MethodPost, do: (*Server).addTemplate},
		base + "edit": {method: http.MethodPost, do: (*Server).editTemplate},
		base + "get":  {method: http.MethodPost, do: (*Server).getTemplate},
		base + "del":  {method: http.MethodPost, do: (*Server).deleteTemplate},
	}
}

func (s *Server) addTemplate(r *request) answer {
	t, call, code := s.readTemplate(r)
	if code != 0 {
		return s.refuse(r, code)
	}
	tell, code := notifyIn(call)
	if code != 0 {
		return s.refuse(r, code)
	}
	t.ID, t.app, t.Created, t.Notified = "msg"+random(18), r.token.app, s.now(), tell
	t.Updated = t.Created
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := func(o Template) bool { return o.Corp == r.corp }; count(s.templates, of) >= maxTemplates {
		return s.refuse(r, s.o.FullLibraryCode)
	}
	s.templates = append(s.templates, t)
	if tell {
		s.notified++
	}
	r.note = t.ID
	return s.shaped(reply{"template_id": t.ID})
}

// notifyIn reads notify: absent is yes.
func notifyIn(call map[string]json.RawMessage) (bool, int) {
	var n *int
	if raw, there := call["notify"]; there && json.Unmarshal(raw, &n) != nil {
		return false, codeBadParameter
	}
	switch {
	case n == nil || *n == 1:
		return true, 0
	case *n == 0:
		return false, 0
	}
	return false, codeBadRequest
}

func (s *Server) editTemplate(r *request) answer {
	i, code := s.ownTemplate(r)
	if code != 0 {
		return s.refuse(r, code)
	}
	t, _, code := s.readTemplate(r)
	if code != 0 {
		return s.refuse(r, code)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.templates, func(o Template) bool { return o.ID == i })
	if at < 0 {
		return s.refuse(r, codeBadTemplate)
	}
	old := s.templates[at]
	t.ID, t.app, t.Created, t.Updated, t.Notified, t.Edits = old.ID, old.app, old.Created, s.now(), old.Notified, old.Edits+1
	s.templates[at] = t
	return s.shaped(nil)
}

func (s *Server) deleteTemplate(r *request) answer {
	id, code := s.ownTemplate(r)
	if code != 0 {
		return s.refuse(r, code)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.templates = slices.DeleteFunc(s.templates, func(o Template) bool { return o.ID == id })
	return s.shaped(nil)
}

func (s *Server) getTemplate(r *request) answer {
	id, code := templateID(r)
	if code != 0 {
		return s.refuse(r, code)
	}
	t, found := s.Template(id)
	if !found || t.Corp != r.corp {
		return s.refuse(r, codeBadTemplate)
	}
	a := reply{}
	if s.currentShape().EmptyMembers {
		a["text"] = reply{}
		for _, kind := range attachments {
			a[kind.name] = reply{}
		}
	}
	if t.Text != "" {
		a["text"] = reply{"content": t.Text}
	}
	switch t.Shown {
	case "":
	case "image": // whatever was sent, a picture's address is what one gets
		url := t.Members["image"]["pic_url"]
		if id := t.Members["image"]["media_id"]; id != "" {
			url = "https://wework.qpic.cn/wwpic/" + id + "/0"
		}
		a["image"] = reply{"pic_url": url}
	default:
		a[t.Shown] = t.Members[t.Shown]
	}
	return s.shaped(a)
}

// ownTemplate returns the template_id of a call that only the app which added
// the template may make.
func (s *Server) ownTemplate(r *request) (string, int) {
	id, code := templateID(r)
	if code != 0 {
		return "", code
	}
	t, found := s.Template(id)
	switch {
	case !found || t.Corp != r.corp:
		return "", codeBadTemplate
	case t.app != r.token.app:
		return "", codeForeignTemplate
	}
	call, _ := object(r.body)
	_, code = s.agentIn(r, call)
	return id, code
}

func templateID(r *request) (string, int) {
	call, fine := object(r.body)
	var id string
	switch raw, there := call["template_id"]; {
	case !fine || there && json.Unmarshal(raw, &id) != nil:
		return "", codeBadParameter
	case id == "":
		return "", codeEmpty
	}
	return id, 0
}

// readTemplate reads what add and edit have in common, and checks it.
func (s *Server) readTemplate(r *request) (Template, map[string]json.RawMessage, int) {
	t := Template{Corp: r.corp, Members: map[string]map[string]string{}}
	call, fine := object(r.body)
	if !fine {
		return t, nil, codeBadParameter
	}
	text, code := textsIn(call, "text", []string{"content"}, nil)
	if code != 0 {
		return t, nil, code
	}
	t.Text = text["content"]
	for _, kind := range attachments {
		m, code := textsIn(call, kind.name, kind.must, kind.may)
		switch {
		case code != 0:
			return t, nil, code
		case m == nil:
			continue
		}
		t.Members[kind.name] = m
		if t.Shown == "" {
			t.Shown = kind.name
		}
	}
	if t.AgentID, code = s.agentIn(r, call); code != 0 {
		return t, nil, code
	}
	return t, call, s.checkTemplate(t)
}

// textsIn reads a member that is an object of texts; nil if it is not there.
// An object that is empty, or lacks what it must have, is 40063.
func textsIn(call map[string]json.RawMessage, name string, must, may []string) (map[string]string, int) {
	raw, there := call[name]
	if !there || bytes.Equal(raw, []byte("null")) {
		return nil, 0
	}
	all, fine := object(raw)
	if !fine {
		return nil, codeBadParameter
	}
	m := map[string]string{}
	for _, field := range slices.Concat(must, may) {
		var v string
		if raw, there := all[field]; there && json.Unmarshal(raw, &v) != nil {
			return nil, codeBadParameter
		}
		if v != "" {
			m[field] = v
		} else if slices.Contains(must, field) {
			return nil, codeEmpty
		}
	}
	if len(m) == 0 {
		return nil, codeEmpty
	}
	return m, 0
}

// agentIn reads agentid, which must be the calling app's if it is there.
func (s *Server) agentIn(r *request, call map[string]json.RawMessage) (agent, code int) {
	if raw, there := call["agentid"]; there && json.Unmarshal(raw, &agent) != nil {
		return 0, codeBadParameter
	}
	secret, further := s.o.Apps[agent]
	switch main := cmp.Or(s.o.Callback.AgentID, mainAgent); {
	case agent == 0:
		return 0, 0
	case r.corp != s.o.CorpID: // agent ids of further corps are not known here
		return agent, 0
	case further && secret == r.token.app:
		return agent, 0
	case !further && agent == main && r.token.app == s.o.Secret:
		return agent, 0
	case further || agent == main:
		return 0, codeForeignAgent
	}
	return 0, codeBadAgent
}

func (s *Server) checkTemplate(t Template) int {
	link, program := t.Members["link"], t.Members["miniprogram"]
	switch {
	case t.Text == "" && t.Shown == "":
		return codeEmpty
	case len(t.Text) > maxWelcome:
		return codeLongText
	case len(link["title"]) > maxLinkTitle, len(link["desc"]) > maxLinkDesc, len(program["title"]) > maxProgramTitle:
		return codeBadRequest
	}
	for _, kind := range attachments {
		if id := t.Members[kind.name]["media_id"]; id != "" && !s.fits(id, kind.name, t.Corp) {
			return codeBadMediaID
		}
	}
	if id := program["pic_media_id"]; id != "" && !s.fits(id, "image", t.Corp) {
		return codeBadMediaID
	}
	return 0
}

// fits reports whether a media_id may stand in a member of that name. Those
// of upload_by_url are good for a video or a file, as they were uploaded, of
// the same corp, for three days. Where pictures come from is not simulated:
// any other media_id is one.
func (s *Server) fits(id, name, corp string) bool {
	m, known := s.Media(id)
	if name == "image" {
		return !known
	}
	return known && m.Type == name && m.Corp == corp && s.now().Before(m.Created.Add(mediaLife))
}

// shaped is a success with those members, in the shape that is set.
func (s *Server) shaped(members reply) reply { return s.aboutJobsAs(s.shape, members) }

// object reads a JSON object.
func object(b []byte) (map[string]json.RawMessage, bool) {
	var m map[string]json.RawMessage
	return m, json.Unmarshal(b, &m) == nil && m != nil
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, v := range all {
		if is(v) {
			n++
		}
	}
	return n
}

// Templates returns the templates that there are, in the order in which they
// were added.
func (s *Server) Templates() []Template {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.templates)
}

// Template returns the template of that id.
func (s *Server) Template(id string) (Template, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.templates {
		if t.ID == id {
			return t, true
		}
	}
	return Template{}, false
}

// Notified returns how many times members were told of a template, because
// notify was 1 or absent.
func (s *Server) Notified() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notified
}
