package wecomtest_test

import (
	"net"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

func TestGetTokenRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{Apps: map[int]string{7: "secret7"}, Corps: map[string]string{"wwother": "theirs"}})
	for _, c := range []struct {
		name, corp, secret string
		want               int
	}{
		{"no corp", "", "secret", 41002},
		{"no secret", "wwtest", "", 41004},
		{"unknown corp", "wwnone", "secret", 40013},
		{"wrong secret", "wwtest", "geheim", 40001},
		{"another corp's secret", "wwtest", "theirs", 40091},
		{"our secret for another corp", "wwother", "secret7", 40091},
		{"the corp's app", "wwtest", "secret", 0},
		{"a further app", "wwtest", "secret7", 0},
		{"a further corp", "wwother", "theirs", 0},
	} {
		a := get(t, s, "gettoken", "corpid", c.corp, "corpsecret", c.secret)
		require.Equal(t, c.want, a.Errcode, c.name)
		require.Equal(t, c.want == 0, a.AccessToken != "", c.name)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, Apps: map[int]string{7: "secret7"}})
	first := get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "secret")
	require.InDelta(t, 7200, first.ExpiresIn, 1)
	require.LessOrEqual(t, len(first.AccessToken), 512)
	require.NotEqual(t, first.AccessToken, get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "secret7").AccessToken,
		"tokens of two apps are independent")

	clock.Advance(time.Hour)
	again := get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "secret")
	require.Equal(t, first.AccessToken, again.AccessToken, "the same within its life")
	require.InDelta(t, 3600, again.ExpiresIn, 1)

	clock.Advance(time.Hour)
	require.Equal(t, 42001, post(t, s, first.AccessToken, "media/upload_by_url", "{}").Errcode)
	require.NotEqual(t, first.AccessToken, token(t, s))

	s.RevokeTokens()
	require.Equal(t, 40014, post(t, s, first.AccessToken, "media/upload_by_url", "{}").Errcode)
	require.NotEqual(t, 40014, post(t, s, token(t, s), "media/upload_by_url", "{}").Errcode)
}

func TestFreshTokens(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{FreshTokens: true, TokenLife: time.Minute})
	old, young := token(t, s), token(t, s)
	require.NotEqual(t, old, young)
	require.NotContains(t, []int{40014, 42001}, post(t, s, old, "media/upload_by_url", "{}").Errcode)
}

func TestWrongSecretsBanTheAddress(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, WrongSecretLimit: 3})
	tok := token(t, s)
	for range 3 {
		require.Equal(t, 40001, get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "geheim").Errcode)
	}
	clock.Advance(59 * time.Minute)
	require.Equal(t, 45009, get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "secret").Errcode, "the right secret is banned too")
	require.NotEqual(t, 45009, post(t, s, tok, "media/upload_by_url", "{}").Errcode, "the ban is gettoken's")
	clock.Advance(time.Minute)
	require.NotEmpty(t, token(t, s))
}

func TestWrongSecretsOfLongAgoDoNotCount(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, WrongSecretLimit: 2})
	for range 4 {
		require.Equal(t, 40001, get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "geheim").Errcode)
		clock.Advance(time.Hour)
	}
}

func TestDebugIsLimited(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock})
	debug := func() int {
		return get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "secret", "debug", "1").Errcode
	}
	for range 5 {
		require.Zero(t, debug())
	}
	require.Equal(t, 45009, debug())
	require.NotEmpty(t, token(t, s), "without debug it answers")
	clock.Advance(time.Minute)
	require.Zero(t, debug())
}

// What stands before the body of every call but gettoken.
func TestBusinessCallsWantAToken(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	for _, api := range []string{"media/upload_by_url", "media/get_upload_by_url_result"} {
		require.Equal(t, 41001, post(t, s, "", api, "{}").Errcode, api)
		require.Equal(t, 40014, post(t, s, "made-up", api, "{}").Errcode, api)
	}
	require.Equal(t, 41001, get(t, s, "media/get").Errcode)
	require.Equal(t, 43002, get(t, s, "media/upload_by_url", "access_token", token(t, s)).Errcode)
	require.Equal(t, 43001, post(t, s, token(t, s), "media/get", "").Errcode)
}

func TestTrustedIPs(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{TrustedIPs: []string{"198.51.100.7"}})
	tok := token(t, s) // gettoken is not behind it
	a := post(t, s, tok, "media/upload_by_url", "{}")
	require.Equal(t, 60020, a.Errcode)
	require.Regexp(t, regexp.MustCompile(`^not allow to access from your ip, hint: \[\d{25}\], from ip: 203\.0\.113\.9, more info at https://open\.work\.weixin\.qq\.com/devtool/query\?e=60020$`), a.Errmsg)
	s.SetTrustedIPs("198.51.100.7", "203.0.113.9")
	require.NotEqual(t, 60020, post(t, s, tok, "media/upload_by_url", "{}").Errcode)
	s.SetTrustedIPs()
	require.Equal(t, 60020, post(t, s, tok, "media/upload_by_url", "{}").Errcode)
}

// A proxy with an address of its own can be told from the caller itself.
func TestOtherAddressesAreSeenAsTheyAre(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{TrustedIPs: []string{"127.0.0.2"}})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	defer client.CloseIdleConnections()
	resp, err := client.Post(s.URL+"/cgi-bin/media/upload_by_url?access_token="+token(t, s), "", nil)
	if err != nil {
		t.Skip("this system has no 127.0.0.2:", err)
	}
	require.Equal(t, 40035, decode(t, resp).Errcode)
}

func TestPermission(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{NoPermission: true})
	tok := token(t, s)
	a := post(t, s, tok, "media/upload_by_url", "{}")
	require.Equal(t, 48002, a.Errcode)
	require.Contains(t, a.Errmsg, ", more info at https://open.work.weixin.qq.com/devtool/query?e=48002")
	s.SetPermission(true)
	require.NotEqual(t, 48002, post(t, s, tok, "media/upload_by_url", "{}").Errcode)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, PerMinute: 3})
	tok := token(t, s)
	submit := func() int { return post(t, s, tok, "media/upload_by_url", "{}").Errcode }
	for range 3 {
		require.Equal(t, 40058, submit())
	}
	require.Equal(t, 45009, submit())
	require.NotEqual(t, 45009, post(t, s, tok, "media/get_upload_by_url_result", "{}").Errcode, "each API has a limit of its own")
	clock.Advance(59 * time.Second)
	require.Equal(t, 45009, submit(), "the block lasts as long as the window")
	clock.Advance(2 * time.Second)
	require.Equal(t, 40058, submit())
}

func TestConcurrencyIsLimited(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{MaxConcurrent: 1})
	tok := token(t, s)
	for range 5 {
		require.Equal(t, 40058, post(t, s, tok, "media/upload_by_url", "{}").Errcode, "one after the other is not at once")
	}
	s.Inject("media/upload_by_url", wecomtest.Fault{Slow: time.Hour})
	go http.Post(s.URL+"/cgi-bin/media/upload_by_url?access_token="+tok, "", nil)
	require.NoError(t, s.WaitCalls(t.Context(), "media/upload_by_url", 6))
	require.Equal(t, 45033, post(t, s, tok, "media/upload_by_url", "{}").Errcode)
	require.NotEqual(t, 45033, post(t, s, tok, "media/get_upload_by_url_result", "{}").Errcode)
}
