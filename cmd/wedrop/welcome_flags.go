package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

// templateFlags are what a template is made of.
type templateFlags struct {
	text, video, file string
	mediaID, kind     string
	image             wecom.WelcomeImage
	link              wecom.WelcomeLink
	mini              wecom.WelcomeMiniProgram
	json              string
	notify, detach    bool
	id                string
	agent             int
	timeout           time.Duration
}

func (a *app) templateFlags(c *cobra.Command, f *templateFlags) {
	say, s := a.say.Welcome, c.Flags()
	s.StringVar(&f.text, "text", "", say.FlagText)
	s.StringVar(&f.video, "video", "", say.FlagVideo)
	s.StringVar(&f.file, "file", "", say.FlagFile)
	s.StringVar(&f.mediaID, "media-id", "", say.FlagMediaID)
	s.StringVar(&f.kind, "type", "", say.FlagType)
	s.StringVar(&f.image.PicURL, "image-url", "", say.FlagImageURL)
	s.StringVar(&f.link.Title, "link-title", "", say.FlagLinkTitle)
	s.StringVar(&f.link.URL, "link-url", "", say.FlagLinkURL)
	s.StringVar(&f.link.Desc, "link-desc", "", say.FlagLinkDesc)
	s.StringVar(&f.link.PicURL, "link-picture", "", say.FlagLinkPicture)
	s.StringVar(&f.mini.Title, "mini-title", "", say.FlagMiniTitle)
	s.StringVar(&f.mini.AppID, "mini-appid", "", say.FlagMiniApp)
	s.StringVar(&f.mini.Page, "mini-page", "", say.FlagMiniPage)
	s.StringVar(&f.mini.PicMediaID, "mini-cover", "", say.FlagCover)
	s.StringVar(&f.json, "json-file", "", say.FlagJSONFile)
	s.IntVar(&f.agent, "agent-id", 0, say.FlagAgentID)
	durationFlag(s, &f.timeout, "timeout", 30*time.Minute, a.say.FlagTimeout)
}

// attaching are the flags of attachments.
func attaching() []string {
	return []string{"video", "file", "media-id", "image-url", "link-title", "link-url", "link-desc", "link-picture",
		"mini-title", "mini-appid", "mini-page", "mini-cover"}
}

// attaches reports whether an attachment is given.
func (f templateFlags) attaches(cmd *cobra.Command) bool {
	return slices.ContainsFunc(attaching(), cmd.Flags().Changed)
}

// content reports whether anything is given that a template is made of.
func (f templateFlags) content(cmd *cobra.Command) bool {
	return f.attaches(cmd) || cmd.Flags().Changed("text") || cmd.Flags().Changed("json-file")
}

// checkTemplateFlags finds wrong usage.
func (a *app) checkTemplateFlags(cmd *cobra.Command, f templateFlags) error {
	given, what := cmd.Flags().Changed, ""
	switch {
	case given("video") && given("file"):
		what = a.say.Welcome.VideoAndFile
	case given("type") && !given("media-id"):
		what = a.say.Welcome.TypeAlone
	case given("type") && f.kind != "video" && f.kind != "file" && f.kind != "image":
		what = a.say.Welcome.BadType(f.kind)
	case given("media-id") && (given("video") && f.kind != "file" && f.kind != "image" || given("file") && f.kind != "video" && f.kind != "image"):
		what = a.say.Welcome.Twice
	case given("agent-id") && f.agent < 1:
		what = a.say.FlagBadValue("--agent-id", cmd.Flag("agent-id").Value.String())
	case f.blank(cmd) != "":
		what = a.say.Welcome.BlankFlag("--" + f.blank(cmd))
	}
	if what != "" {
		return &usageError{what: what, cmd: cmd}
	}
	return nil
}

// blank is a flag that is given and empty, as where the $(command) before it
// came to nothing: it would take an attachment off that nobody spoke of. A
// link's card may do without a description and a picture.
func (f templateFlags) blank(cmd *cobra.Command) string {
	for _, name := range append(attaching(), "json-file") {
		optional := (name == "link-desc" || name == "link-picture") && f.link != wecom.WelcomeLink{}
		if fl := cmd.Flag(name); fl.Changed && strings.TrimSpace(fl.Value.String()) == "" && !optional {
			return name
		}
	}
	return ""
}

// yet stands for the media_id of a file that is carried later.
const yet = "later"

// template is what the flags say, over what base has. An attachment that is
// given takes the place of base's. A local file stands in it with the
// media_id yet.
func (f templateFlags) template(cmd *cobra.Command, base wecom.WelcomeTemplate) wecom.WelcomeTemplate {
	t := base
	if f.attaches(cmd) || f.detach {
		t.Image, t.Link, t.MiniProgram, t.File, t.Video = nil, nil, nil, nil, nil
	}
	if cmd.Flags().Changed("text") {
		t.Text = f.text
	}
	if f.image != (wecom.WelcomeImage{}) {
		t.Image = &f.image
	}
	if f.link != (wecom.WelcomeLink{}) {
		t.Link = &f.link
	}
	if f.mini != (wecom.WelcomeMiniProgram{}) {
		t.MiniProgram = &f.mini
	}
	if f.video != "" {
		t.Video = &wecom.WelcomeMedia{MediaID: yet}
	}
	if f.file != "" {
		t.File = &wecom.WelcomeMedia{MediaID: yet}
	}
	if f.mediaID != "" {
		switch f.kind {
		case "video":
			t.Video = &wecom.WelcomeMedia{MediaID: f.mediaID}
		case "file":
			t.File = &wecom.WelcomeMedia{MediaID: f.mediaID}
		case "image":
			t.Image = &wecom.WelcomeImage{MediaID: f.mediaID}
		}
	}
	return t
}

// local is the file that has to be carried first; empty: none.
func (f templateFlags) local() (path string, as inspect.Type) {
	if f.video != "" {
		return f.video, inspect.Video
	}
	return f.file, inspect.File
}

// A jsonFileError is a --json-file that is no template.
type jsonFileError struct {
	err    error
	member string // that nobody knows; else err says what is wrong
}

func (e *jsonFileError) Error() string { return "json file: " + e.err.Error() }

// Explain says what happened and what to do now, in "zh" or "en".
func (e *jsonFileError) Explain(lang string) (message, remedy string) {
	say := newMessages(lang).Welcome
	why := cause(e.err)
	if e.member != "" {
		why = say.UnknownMember(shown(e.member))
	}
	return say.BadJSONFile(why), say.BadJSONRemedy
}

// readTemplate reads a --json-file; "-" is stdin.
func readTemplate(path string) (t wecom.WelcomeTemplate, err error) {
	var b []byte
	if path == "-" {
		b, err = io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	} else {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return t, &jsonFileError{err: err}
	}
	var members map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(b, &members), json.Unmarshal(b, &t)); err != nil {
		return t, &jsonFileError{err: err}
	}
	for name := range members {
		if !slices.Contains([]string{"text", "image", "link", "miniprogram", "file", "video", "agentid", "notify", "template_id"}, name) {
			return t, &jsonFileError{err: errors.New("unknown member"), member: name}
		}
	}
	return t, nil
}
