package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"wedrop/cmd/wedrop/web"
	"wedrop/pipeline/inspect"
	"wedrop/storage"
	"wedrop/wecom"
)

// A Config is everything that can be set. Environment beats file; flags have
// been applied to neither, because no key has one but the language.
type Config struct {
	File string // that was read; empty if there is none

	WeCom struct {
		BaseURL string
		CorpID  string
		Secret  string
		AgentID int    // 0: not set
		Proxy   string // for WeCom's calls alone
	}
	Callback struct{ Token, AESKey string }
	Storage  struct {
		URL       string
		PublicURL string
		Access    storage.Access
		Keep      time.Duration // Forever: never removed
	}
	Journal     string // a file, or postgres://
	Host        string // this machine's name in the journal; empty: its host name
	Folders     []Folder
	AllShared   bool   // all Folders are
	RiverUI     string // where River's own page for operators runs; empty: nowhere
	Listen      string
	PageToken   string
	PageHosts   []string    // names of the page besides this machine's
	Proxies     web.Proxies // whose word on who sends a request is believed
	Settle      time.Duration
	PollMin     time.Duration
	PollMax     time.Duration
	Renew       Renew
	RenewBefore time.Duration
	RateLimit   int // calls a minute
	Webhook     string
	// RenewTemplates: what welcome templates use is renewed, and the templates
	// with it.
	RenewTemplates bool
	Lang           string // "zh", "en" or empty

	base string            // folder of the file that is being read
	from map[string]origin // where each key that is set came from
}

// Forever is Storage.Keep of objects that stay.
const Forever = time.Duration(1<<63 - 1)

// Renew says which media_ids are kept alive.
type Renew string

// The values of Renew.
const (
	RenewFolders Renew = "folders" // of files that are still in a folder
	RenewAll     Renew = "all"
	RenewOff     Renew = "off"
)

// A Folder is one whose files are taken.
type Folder struct {
	Path      string
	Type      inspect.Type
	Recursive bool
	After     string // folder.Keep or folder.Move
	Shared    bool   // other machines see it under the same path
}

// loadConfig reads the configuration file, if there is one, and the
// environment over it. path is what --config says; if it is empty, the file
// is looked for. Its errors are *ConfigError.
func loadConfig(path string, env func(string) string) (*Config, error) {
	c := defaults(env)
	path, explicit := configPath(path, env)
	if path != "" {
		if err := c.readFile(path, explicit); err != nil {
			return nil, err
		}
	}
	if err := c.readEnv(env); err != nil {
		return nil, err
	}
	return c, c.check()
}

func defaults(env func(string) string) *Config {
	c := &Config{
		Listen:      "127.0.0.1:8765",
		Settle:      2 * time.Second,
		PollMin:     time.Second,
		PollMax:     30 * time.Second,
		Renew:       RenewFolders,
		RenewBefore: 12 * time.Hour,
		RateLimit:   6000,
		from:        map[string]origin{},
	}
	c.WeCom.BaseURL = wecom.DefaultBaseURL
	c.Storage.Access = storage.AccessAuto
	c.Storage.Keep = 72 * time.Hour
	c.Journal = defaultJournal(env)
	return c
}

// defaultJournal is in the user's state folder, as the XDG base directory
// specification has it.
func defaultJournal(env func(string) string) string {
	state := env("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the specification: relative paths are ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "wedrop", "wedrop.db")
}

// configPath is the file to read, or "" if there is none. A file that was
// asked for by name has to be there.
func configPath(flag string, env func(string) string) (path string, explicit bool) {
	if flag != "" {
		return flag, true
	}
	if p := env("WEDROP_CONFIG"); p != "" {
		return p, true
	}
	if _, err := os.Stat("wedrop.yaml"); err == nil {
		return "wedrop.yaml", false
	}
	if dir, err := os.UserConfigDir(); err == nil {
		if p := filepath.Join(dir, "wedrop", "wedrop.yaml"); exists(p) {
			return p, false
		}
	}
	return "", false
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// check is what no single key can tell.
func (c *Config) check() error {
	if (c.Callback.Token == "") != (c.Callback.AESKey == "") {
		have, missing := "callback.token", "callback.aes_key"
		if c.Callback.Token == "" {
			have, missing = missing, have
		}
		return c.missing(missing, have)
	}
	if c.PollMin > c.PollMax {
		key := "poll_max"
		if _, ok := c.from[key]; !ok {
			key = "poll_min"
		}
		return c.bad(key, text{"poll_min 比 poll_max 还长", "poll_min is longer than poll_max"},
			text{"把 poll_min 设得不大于 poll_max（默认 1s 和 30s）", "make poll_min at most poll_max (the defaults are 1s and 30s)"})
	}
	for n := range c.Folders {
		c.Folders[n].Shared = c.Folders[n].Shared || c.AllShared
	}
	if strings.HasPrefix(c.Storage.URL, "dir:") && c.Storage.PublicURL == "" {
		return c.missing("storage.public_url", "storage.url")
	}
	return nil
}

// sending reports what is missing before anything can be sent.
func (c *Config) sending() error {
	switch {
	case c.WeCom.CorpID == "":
		return c.missing("wecom.corp_id", "wecom.secret")
	case c.WeCom.Secret == "":
		return c.missing("wecom.secret", "wecom.corp_id")
	case c.Storage.URL == "":
		return c.missing("storage.url", "wecom.corp_id")
	}
	return nil
}
