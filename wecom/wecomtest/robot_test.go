package wecomtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

// say posts a message as the robot of that key.
func say(t testing.TB, s *wecomtest.Server, key string, message any) answer {
	t.Helper()
	text, ok := message.(string)
	if !ok {
		b, err := json.Marshal(message)
		require.NoError(t, err)
		text = string(b)
	}
	resp, err := http.Post(s.URL+"/cgi-bin/webhook/send?key="+key, "application/json", strings.NewReader(text))
	require.NoError(t, err)
	return decode(t, resp)
}

func TestRobotMessages(t *testing.T) {
	t.Parallel()
	text := func(s string) members { return members{"msgtype": "text", "text": members{"content": s}} }
	markdown := func(s string) members { return members{"msgtype": "markdown", "markdown": members{"content": s}} }
	for name, row := range map[string]struct {
		message any
		code    int
	}{
		"a text":                    {text("素材批次完成"), 0},
		"a text of 2,048 bytes":     {text(strings.Repeat("a", 2048)), 0},
		"a text of 2,049 bytes":     {text(strings.Repeat("a", 2049)), 40058},
		"683 Chinese characters":    {text(strings.Repeat("好", 683)), 40058},
		"a text without words":      {text(""), 40058},
		"a text in the wrong place": {members{"msgtype": "text", "markdown": members{"content": "a"}}, 40058},
		"a markdown":                {markdown("**完成**"), 0},
		"a markdown of 4,096 bytes": {markdown(strings.Repeat("a", 4096)), 0},
		"a markdown of 4,097 bytes": {markdown(strings.Repeat("a", 4097)), 40058},
		"another type":              {members{"msgtype": "news"}, 40008},
		"no type":                   {members{}, 40008},
		"no JSON":                   {"content=a", 40035},
		"a number for a text":       {`{"msgtype":"text","text":{"content":1}}`, 40035},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, wecomtest.Options{})
			a := say(t, s, "693a91f6", row.message)
			require.Equal(t, row.code, a.Errcode, a.Errmsg)
			if row.code == 0 {
				require.Len(t, s.Messages(), 1)
				return
			}
			require.Empty(t, s.Messages())
		})
	}
}

func TestRobotMessagesAreKept(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := start(t, wecomtest.Options{Robots: []string{"KEY-ONE", "KEY-TWO"}, Log: &log})
	require.Zero(t, say(t, s, "KEY-ONE", `{"msgtype":"text","text":{"content":"one","mentioned_list":["zhang","@all"]}}`).Errcode)
	require.Zero(t, say(t, s, "KEY-TWO", `{"msgtype":"markdown","markdown":{"content":"two"}}`).Errcode)
	require.Equal(t, 93000, say(t, s, "KEY-BAD", `{"msgtype":"text","text":{"content":"no"}}`).Errcode)
	require.Equal(t, 93000, say(t, s, "", `{"msgtype":"text","text":{"content":"no"}}`).Errcode)
	got := s.Messages()
	require.Len(t, got, 2)
	require.WithinDuration(t, time.Now(), got[0].At, 5*time.Second)
	got[0].At, got[1].At = time.Time{}, time.Time{}
	require.Equal(t, []wecomtest.Message{{Type: "text", Content: "one", Mentioned: []string{"zhang", "@all"}}, {Type: "markdown", Content: "two"}}, got)

	require.Equal(t, 4, s.Count("webhook/send"))
	for _, call := range s.Calls() {
		require.Empty(t, call.Query, "a robot's key is a secret")
	}
	require.NotContains(t, log.String(), "KEY-")
}

func TestRobotSaysTwentyThingsAMinute(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock})
	hello := `{"msgtype":"text","text":{"content":"hello"}}`
	for range 20 {
		require.Zero(t, say(t, s, "one", hello).Errcode)
	}
	require.Equal(t, 45009, say(t, s, "one", hello).Errcode)
	require.Zero(t, say(t, s, "two", hello).Errcode, "the limit is each robot's own")
	clock.Advance(time.Minute)
	require.Zero(t, say(t, s, "one", hello).Errcode)
	require.Len(t, s.Messages(), 22)
}

func TestRobotMeetsFaults(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	s.Inject("webhook/send", wecomtest.Fault{Errcode: 45009})
	require.Equal(t, 45009, say(t, s, "one", `{"msgtype":"text","text":{"content":"hello"}}`).Errcode)
	require.Empty(t, s.Messages())
}
