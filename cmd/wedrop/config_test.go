package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

func environment(kv ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return func(name string) string { return m[name] }
}

// load reads a configuration of that text.
func load(t *testing.T, yaml string, env ...string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wedrop.yaml")
	require.NoError(t, os.WriteFile(path, []byte(yaml), 0o600))
	return loadConfig(path, environment(env...))
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := load(t, "# nothing\n", "XDG_STATE_HOME", "/state")
	require.NoError(t, err)
	require.Equal(t, "https://qyapi.weixin.qq.com", c.WeCom.BaseURL)
	require.Equal(t, 72*time.Hour, c.Storage.Keep)
	require.Equal(t, storage.AccessAuto, c.Storage.Access)
	require.Equal(t, "127.0.0.1:8765", c.Listen)
	require.Equal(t, 2*time.Second, c.Settle)
	require.Equal(t, time.Second, c.PollMin)
	require.Equal(t, 30*time.Second, c.PollMax)
	require.Equal(t, RenewFolders, c.Renew)
	require.Equal(t, 12*time.Hour, c.RenewBefore)
	require.Equal(t, 6000, c.RateLimit)
	require.Equal(t, filepath.FromSlash("/state/wedrop/wedrop.db"), c.Journal)
}

func TestTheMarkThatEditorsOfWindowsWriteIsNoKey(t *testing.T) {
	t.Parallel()
	c, err := load(t, "\ufefflang: en\n")
	require.NoError(t, err)
	require.Equal(t, "en", c.Lang)
}

func TestEnvironmentBeatsFile(t *testing.T) {
	t.Parallel()
	c, err := load(t, "settle: 5s\nrenew: off\nstorage: {keep: 0}\nwecom: {secret: a, corp_id: 0123}\nfolders: [/x]\n",
		"WEDROP_SETTLE", "9s", "WEDROP_WECOM_SECRET", "b", "WEDROP_FOLDERS", "/y"+string(os.PathListSeparator)+"/z")
	require.NoError(t, err)
	require.Equal(t, 9*time.Second, c.Settle)
	require.Equal(t, "b", c.WeCom.Secret)
	require.Equal(t, "0123", c.WeCom.CorpID, "digits stay as they were written")
	require.Equal(t, RenewOff, c.Renew)
	require.Zero(t, c.Storage.Keep)
	require.Len(t, c.Folders, 2)
	require.Equal(t, "/z", c.Folders[1].Path)
}

// Each key is refused where it makes no sense, with its line and a remedy in
// both languages, and no secret in either.
func TestSenselessValues(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"wecom: {base_url: ftp://x}",
		"wecom: {base_url: http://192.0.2.1/}",
		"wecom: {base_url: https://user:HUSH@example.com}",
		"wecom:\n  base_url: https://user:HUSH@example.com",
		"wecom: {corp_id: a b}",
		"wecom: {corp_id: [a]}",
		"wecom: {secret: HUSH HUSH}",
		"wecom: {secret: {HUSH: HUSH}}",
		"wecom: {agent_id: first}",
		"wecom: {agent_id: -1}",
		"wecom: {proxy: HUSH}",
		"wecom: [HUSH]",
		"callback: {token: HUSH-HUSH, aes_key: x}",
		"callback: {aes_key: HUSH, token: x}",
		"storage: {url: ftp://b}",
		"storage: {url: s3://key:HUSH@b/p}",
		"storage: {url: 's3://b?endpoint=http://192.0.2.1'}",
		"storage: {public_url: http://media.example.com}",
		"storage: {access: public}",
		"storage: {keep: -1h}",
		"storage: {keep: always}",
		"journal: mysql://x",
		"folders: /x",
		"folders: [{type: video}]",
		"folders: [{path: /x, recursive: maybe}]",
		"folders: [{path: /x, shared: maybe}]",
		"folders: [{path: /x, type: image}]",
		"listen: 8765",
		"listen: localhost:99999",
		"settle: fast",
		"settle: -1s",
		"poll_min: 0s",
		"poll_max: 10ms",
		"renew: always",
		"renew_before: 72h",
		"renew_before: 4d",
		"rate_limit: 0",
		"rate_limit: 1e9",
		"notify: {webhook: HUSH}",
		"welcome: {renew_templates: 2}",
		"lang: fr",
		"lang: {zh: en}",
		"polls: 1s",
		"secret: HUSH",
		"wecom: {secret: a, secret_file: HUSH}",
		"\tpage_token: HUSH",
		"page_token: 'HUSH",
		"---\nlang: zh\n---\nlang: en",
		"just words",
	} {
		_, err := load(t, "# first line\n"+line+"\n")
		require.Error(t, err, line)
		var e *ConfigError
		require.ErrorAs(t, err, &e, line)
		for _, lang := range []string{"zh", "en"} {
			what, remedy := e.Explain(lang)
			require.Regexp(t, `wedrop\.yaml:[2-5]: `, what, line)
			require.NotEmpty(t, remedy, line)
			require.NotContains(t, what+remedy, "HUSH", line)
		}
		require.Equal(t, exitConfig, exitOf(err))
	}
}

func TestMeantKeys(t *testing.T) {
	t.Parallel()
	for written, meant := range map[string]string{
		"wecom: {secrt: x}":                    "wecom.secret",
		"wecom: {corpid: x}":                   "wecom.corp_id",
		"corp_id: x":                           "wecom.corp_id",
		"storage: {publicurl: x}":              "storage.public_url",
		"webhook: x":                           "notify.webhook",
		"folder: [x]":                          "folders",
		"folders: [{path: x, recursiv: true}]": "folders.recursive",
		"renewbefore: 3h":                      "renew_before",
	} {
		_, err := load(t, written+"\n")
		var e *ConfigError
		require.ErrorAs(t, err, &e, written)
		_, remedy := e.Explain("en")
		require.Equal(t, "did you mean "+meant+"?", remedy, written)
	}
}

// A caret stands under what is wrong, also behind wide characters.
func TestCaret(t *testing.T) {
	t.Parallel()
	_, err := load(t, "folders:\n  - {path: /素材/视频, type: vidoe}\n")
	var e *ConfigError
	require.ErrorAs(t, err, &e)
	what, _ := e.Explain("zh")
	lines := strings.Split(what, "\n")
	require.Len(t, lines, 3)
	require.Equal(t, width(lines[1][:strings.Index(lines[1], "vidoe")]), strings.Index(lines[2], "^"))
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, k := range keys() {
		if !k.secret {
			continue
		}
		path := filepath.Join(dir, strings.ReplaceAll(k.name, ".", "_"))
		require.NoError(t, os.WriteFile(path, []byte("\n  HUSH \n"), 0o600))
		c := defaults(environment())
		err := c.put(k, path, true, origin{where: "x"})
		if err == nil { // some have a form that HUSH does not have
			continue
		}
		require.NotContains(t, err.Error(), "HUSH", k.name)
	}
	secret := filepath.Join(dir, "wecom_secret")
	c, err := load(t, "wecom:\n  secret_file: "+secret+"\n")
	require.NoError(t, err)
	require.Equal(t, "HUSH", c.WeCom.Secret)
	_, err = load(t, "", "WEDROP_WECOM_SECRET_FILE", secret, "WEDROP_WECOM_SECRET", "x")
	require.ErrorContains(t, err, "exclude each other")
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	zh := filepath.Join(t.TempDir(), "zh.yaml")
	require.NoError(t, os.WriteFile(zh, []byte("lang: zh\nbroken: true\n"), 0o600))
	for _, c := range []struct {
		name string
		args string
		env  []string
		want string
	}{
		{"nothing set", "push a", nil, "en"},
		{"a Chinese locale", "", []string{"LANG", "zh_CN.UTF-8"}, "zh"},
		{"LC_ALL goes before LANG", "", []string{"LC_ALL", "en_US.UTF-8", "LANG", "zh_CN.UTF-8"}, "en"},
		{"LC_MESSAGES goes before LANG", "", []string{"LC_MESSAGES", "zh_HK", "LANG", "de_DE"}, "zh"},
		{"WEDROP_LANG goes before the locale", "", []string{"WEDROP_LANG", "en", "LANG", "zh_CN"}, "en"},
		{"the flag goes before all", "push --lang zh a", []string{"WEDROP_LANG", "en"}, "zh"},
		{"with an equals sign", "push --lang=zh a", nil, "zh"},
		{"behind -- there are no flags", "push -- --lang zh", nil, "en"},
		{"the configuration, even a broken one", "push --config " + zh, []string{"LANG", "en_US"}, "zh"},
	} {
		require.Equal(t, c.want, language(strings.Fields(c.args), environment(c.env...)), c.name)
	}
}

func TestFoldersAreSharedOneByOneOrAll(t *testing.T) {
	t.Parallel()
	shared := func(yaml string, env map[string]string) (out []bool) {
		path := filepath.Join(t.TempDir(), "wedrop.yaml")
		require.NoError(t, os.WriteFile(path, []byte(yaml), 0o600))
		c, err := loadConfig(path, func(name string) string { return env[name] })
		require.NoError(t, err)
		for _, f := range c.Folders {
			out = append(out, f.Shared)
		}
		return out
	}
	const two = "folders: [{path: /a, shared: true}, /b]\n"
	require.Equal(t, []bool{true, false}, shared(two, nil))
	require.Equal(t, []bool{true, true}, shared(two+"folders_shared: true\n", nil))
	require.Equal(t, []bool{true, true}, shared("", map[string]string{"WEDROP_FOLDERS": "/a:/b", "WEDROP_FOLDERS_SHARED": "true"}))
}

func TestPageHosts(t *testing.T) {
	c := &Config{}
	require.Nil(t, setPageHosts(c, "media.example.com, desk.lan"))
	require.Equal(t, []string{"media.example.com", "desk.lan"}, c.PageHosts)
	for _, wrong := range []string{"http://media.example.com", "desk.lan:8765", "*.example.com"} {
		require.NotNil(t, setPageHosts(c, wrong), wrong)
	}
}
