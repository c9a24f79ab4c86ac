package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/wecom/wecomtest"
)

// The daemon keeps what a template shows alive though its file is nowhere any
// more and no folder is watched; one that is killed leaves that to the next.
func TestServeKeepsTemplates(t *testing.T) {
	t.Parallel()
	o := newOfficeWith(t, 1, wecomtest.Options{CreatedSkew: -70 * time.Hour}) // every media_id dies soon
	j := o.journal()
	o.env = append(o.env, "WEDROP_WELCOME_RENEW_TEMPLATES=true")
	path := filepath.Join(o.folder, "000.mp4")
	out, err := o.wedrop("welcome", "add", "--text", "hi", "--video", path).Output()
	require.NoError(t, err)
	id := strings.TrimSpace(string(out))
	require.NoError(t, os.Remove(path))
	added, ok := o.we.Template(id)
	require.True(t, ok)

	edited := func(than int) func() bool {
		return func() bool {
			now, _ := o.we.Template(id)
			return now.Edits > than
		}
	}
	s := o.serve(j)
	s.until("an edit", edited(0))
	require.NoError(t, s.cmd.Process.Kill())
	<-s.ended
	first, _ := o.we.Template(id)
	require.NotEqual(t, added.Members["video"], first.Members["video"])
	s = o.serve(j)
	s.until("another edit", edited(first.Edits))
	s.stop()
	require.Zero(t, o.we.Notified())
	for _, key := range o.s3.Keys() {
		require.Equal(t, 1, o.s3.Puts(key), "a renewal needs no second upload")
	}
}

// A name from elsewhere leads nowhere else, and can be written on any system.
func TestSafeName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"clip.mp4":              "clip.mp4",
		"开场 1.mp4":              "开场 1.mp4",
		"../../etc/passwd":      "passwd",
		`..\..\boot.ini`:        "boot.ini",
		"/":                     "",
		"..":                    "",
		".bashrc":               "bashrc",
		"a\x00b\nc.mp4":         "abc.mp4",
		`<a>:"b"|?*.mp4`:        "_a___b____.mp4",
		"con.mp4":               "_con.mp4",
		"COM1":                  "_COM1",
		"trailing. ":            "trailing",
		"gnp\u202e4pm.mp4":      "gnp4pm.mp4",
		strings.Repeat("长", 99): strings.Repeat("长", 42), // 128 bytes
	} {
		got := safeName(name)
		require.LessOrEqual(t, len(got), 128)
		if len(want) < 100 {
			require.Equal(t, want, got, "%q", name)
		}
		require.Equal(t, filepath.Base(filepath.Join("/d", got)), map[bool]string{true: "d", false: got}[got == ""], "%q", name)
	}
}

// Who waits for a media that is read back sees how far it is.
func TestReadingBackIsShown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for lang, word := range map[string]string{"zh": "读回核对", "en": "reading back"} {
		v := newView(newMessages(lang), []pipeline.Entry{{}}, false)
		lines := v.lines([]pipeline.Flight{{Item: pipeline.Item{ID: 1, Name: "a.mp4", Step: pipeline.Done, Size: 100 << 20}, Bytes: 25 << 20, Since: now}}, now, 80)
		require.Len(t, lines, 1)
		require.Contains(t, lines[0], word)
		require.Contains(t, lines[0], "25 %")
	}
	m := &meter{name: "downloading a.mp4", from: -1}
	m.at(50<<20, 100<<20)
	require.Contains(t, m.line(time.Second), "50 %")
	require.NotContains(t, m.line(time.Second), "/s", "what an earlier run had left is no speed")
}
