package callback_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/callback"
)

// Published vectors: 1 and 2 are WeCom's own samples for its libraries, 3 and
// 4 come from the tests of go-workwx. Number 2 has 30 bytes of padding, which
// who pads to 16 cannot take off.
var vectors = []struct {
	name     string
	config   callback.Config
	stamp    callback.Stamp
	sealed   string
	want     string // the whole message, or
	contains string // a part of it
}{
	{
		name:   "the sample of an address check",
		config: callback.Config{Token: "QDG6eK", AESKey: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", ReceiveID: "wx5823bf96d3bd56c7"},
		stamp:  callback.Stamp{Signature: "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", Timestamp: "1409659589", Nonce: "263014780"},
		sealed: "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
		want:   "1616140317555161061",
	},
	{
		name:     "the sample of a message, with 30 bytes of padding",
		config:   callback.Config{Token: "QDG6eK", AESKey: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", ReceiveID: "wx5823bf96d3bd56c7"},
		stamp:    callback.Stamp{Signature: "477715d11cdb4164915debcba66cb864d751f3e6", Timestamp: "1409659813", Nonce: "1372623149"},
		sealed:   "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==",
		contains: "<Content><![CDATA[hello]]></Content>",
	},
	{
		name:   "go-workwx's address check",
		config: config(),
		stamp:  callback.Stamp{Signature: "1ba3cb09c0d2c2b3ed6900d37f91a6efae6cb011", Timestamp: "1583940690", Nonce: "VHh7ymSeb0jc4lSb"},
		sealed: "6KmUQuPVu7UhjyVqRdbo5SfcRqaHvbUlKSHFvBV2ZuR6TIlKsygcfeSd1GDplg1C5KSKr6UPHCaC/nIX3ZNt9w==",
		want:   "94966531020182955848408",
	},
	{
		name:     "go-workwx's message",
		config:   callback.Config{Token: "kz7Yx62CH8SaLN", AESKey: "cD0d7jx4tYvVtzqrmh3Dm3QFCXe6f8SlHoMtMh3qQEP", ReceiveID: "ww6a112864f8022910"},
		stamp:    callback.Stamp{Signature: "f265ae551b1932727204c3d707628d01376a6940", Timestamp: "1583995625", Nonce: "1584392382"},
		sealed:   "EUCt7xMcNiyASzZj0Hjc5yDjFQrCum6AfQ3ntHiUzjGQ51xieKmbvtrZ40/EcB2W/W8yH0n4Lqx48gJl/T9HD/R309I0P/r5pIZucK3lyEn48FYMr4YdE0QdL2jIJ3xkcXUr6uzefzCxG6lMvwpAJaOyVCzN7sRRw47njfxy5EIqU6R9ZBhlTzfdnhhOhK/nTwzrZX3SoGlXFA9OBeZ6ru1NWpXFk76x9DUMe0lcxPPiUqK8ctnQcYXSGUHVqC6DfG7E7mab0OmruNN8cBZY5d3dYOBA4OgaH55Q0AJmUpdT8vNiXpXx+6TxT3TIjySXpDrHVyrsb772aYywgg/Nu4kUmGkALwFZlzhjNegR7wDwb9lr4ERXsSSS8JZ8lbBmaQ3F2Tq584xoPj5rIhXAF734ynm4no1g+SdHiNqR328=",
		contains: "<Content><![CDATA[x123]]></Content>",
	},
}

func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			message, err := codec(t, v.config).Open(v.stamp, v.sealed)
			require.NoError(t, err)
			if v.want != "" {
				require.Equal(t, v.want, string(message))
			}
			require.Contains(t, string(message), v.contains)

			// WxJava, PowerWeChat, EasyWeChat and go-workwx leave this check out.
			other := v.config
			other.ReceiveID = "ww0000000000000000"
			_, err = codec(t, other).Open(v.stamp, v.sealed)
			requireKind(t, callback.KindReceiver, err)
		})
	}
}

func requireKind(t testing.TB, want callback.Kind, err error) {
	t.Helper()
	var e *callback.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Kind, "%v", err)
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	t.Parallel()
	c := codec(t, config())
	for size := range 100 { // every padding, three times
		message := strings.Repeat("m", size)
		stamp, sealed := c.Seal([]byte(message), noon)
		opened, err := c.Open(stamp, sealed)
		require.NoError(t, err)
		require.Equal(t, message, string(opened))
		require.Equal(t, us().sign(stamp.Timestamp, stamp.Nonce, sealed), stamp.Signature)

		at, ok := stamp.Time()
		require.True(t, ok)
		require.True(t, at.Equal(noon))
	}
}

func TestSealsDiffer(t *testing.T) {
	t.Parallel()
	c := codec(t, config())
	one, a := c.Seal([]byte("hello"), noon)
	two, b := c.Seal([]byte("hello"), noon)
	require.NotEqual(t, a, b, "16 random bytes come first, so that equal messages do not look equal")
	require.NotEqual(t, one.Nonce, two.Nonce)
}

func TestWhatASignatureCovers(t *testing.T) {
	t.Parallel()
	c := codec(t, config())
	stamp, sealed := c.Seal([]byte("hello"), noon)
	for name, change := range map[string]func(s *callback.Stamp, sealed *string){
		"no signature":              func(s *callback.Stamp, _ *string) { s.Signature = "" },
		"another signature":         func(s *callback.Stamp, _ *string) { s.Signature = strings.Repeat("0", 40) },
		"the start of a signature":  func(s *callback.Stamp, _ *string) { s.Signature = s.Signature[:39] },
		"a signature and more":      func(s *callback.Stamp, _ *string) { s.Signature += "0" },
		"another time":              func(s *callback.Stamp, _ *string) { s.Timestamp = "1795348801" },
		"another nonce":             func(s *callback.Stamp, _ *string) { s.Nonce += "1" },
		"another text":              func(_ *callback.Stamp, sealed *string) { *sealed = us().seal("hello") },
		"a text that is cut":        func(_ *callback.Stamp, sealed *string) { *sealed = (*sealed)[:40] },
		"nothing at all":            func(s *callback.Stamp, sealed *string) { *s, *sealed = callback.Stamp{}, "" },
		"the signature of no token": func(s *callback.Stamp, b *string) { s.Signature = sender{}.sign(s.Timestamp, s.Nonce, *b) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := stamp, sealed
			change(&s, &b)
			_, err := c.Open(s, b)
			requireKind(t, callback.KindSignature, err)
		})
	}
}

// What is sealed is measured before it is read, though the signature holds:
// each of these makes a known library panic, or is taken by one.
func TestSealedGarbage(t *testing.T) {
	t.Parallel()
	whole := inner(5, "hello", corp)
	for name, row := range map[string]struct {
		sealed string
		kind   callback.Kind
	}{
		"nothing":                           {"", callback.KindContent},
		"no base64":                         {"你好", callback.KindContent},
		"half a block (go-workwx: panic)":   {base64.StdEncoding.EncodeToString(make([]byte, 24)), callback.KindContent},
		"one byte":                          {base64.StdEncoding.EncodeToString([]byte{1}), callback.KindContent},
		"padding alone":                     {us().crypt(pad(nil, 32)), callback.KindContent},
		"padding of 0":                      {us().crypt(make([]byte, 64)), callback.KindContent},
		"padding of 33":                     {us().crypt(append(make([]byte, 31), pad(make([]byte, 0), 33)...)), callback.KindContent},
		"padding of 255 (go-workwx: panic)": {us().crypt(append(make([]byte, 31), 255)), callback.KindContent},
		"padding longer than all of it":     {us().crypt(append(make([]byte, 15), 17)), callback.KindContent},
		"padding that is not all equal":     {us().crypt(append(make([]byte, 30), 1, 2)), callback.KindContent},
		"too short for a length":            {us().crypt(pad([]byte("0123456789abcdef012"), 32)), callback.KindContent},
		"a length one too long":             {us().crypt(pad(inner(uint32(5+len(corp)+1), "hello", corp), 32)), callback.KindContent},
		// sbzhu/weworkapi_golang and PowerWeChat add in 32 bits: 20+0xFFFFFFF0
		// is 4, passes their check, and they slice [20:4].
		"a length that wraps (sbzhu: panic)": {us().crypt(pad(inner(0xFFFFFFF0, "hello", corp), 32)), callback.KindContent},
		"the longest length":                 {us().crypt(pad(inner(0xFFFFFFFF, "hello", corp), 32)), callback.KindContent},
		"a length that takes the receiver":   {us().crypt(pad(inner(uint32(5+len(corp)), "hello", corp), 32)), callback.KindReceiver},
		"a length of 0":                      {us().crypt(pad(inner(0, "hello", corp), 32)), callback.KindReceiver},
		"sealed with another key":            {sender{token, "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", corp}.seal("hello"), callback.KindContent},
		"for another corp":                   {sender{token, aesKey, "wwother"}.seal("hello"), callback.KindReceiver},
		"for nobody":                         {sender{token, aesKey, ""}.seal("hello"), callback.KindReceiver},
		"for us and more":                    {sender{token, aesKey, corp + "0"}.seal("hello"), callback.KindReceiver},
		"as it should be":                    {us().crypt(pad(whole, 32)), ""},
		"padded to 16, which says the same":  {us().crypt(pad(whole, 16)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stamp := callback.Stamp{Timestamp: "1795348800", Nonce: "n"}
			stamp.Signature = us().sign(stamp.Timestamp, stamp.Nonce, row.sealed)
			message, err := codec(t, config()).Open(stamp, row.sealed)
			if row.kind != "" {
				requireKind(t, row.kind, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "hello", string(message))
		})
	}
}

func TestTimesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "-1", "+1795348800", " 1795348800", "1795348800.5", "0x6b", "９", "99999999999999999999", "now"} {
		_, ok := callback.Stamp{Timestamp: s}.Time()
		require.False(t, ok, "%q", s)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(c *callback.Config)
		field  string
	}{
		"as the console shows it":     {func(*callback.Config) {}, ""},
		"a token of 32":               {func(c *callback.Config) { c.Token = strings.Repeat("a", 32) }, ""},
		"a token of 1":                {func(c *callback.Config) { c.Token = "a" }, ""},
		"copied with spaces":          {func(c *callback.Config) { c.Token, c.AESKey, c.ReceiveID = " "+token, aesKey+"\n", corp+" " }, ""},
		"no token":                    {func(c *callback.Config) { c.Token = "" }, "token"},
		"a token of 33":               {func(c *callback.Config) { c.Token = strings.Repeat("a", 33) }, "token"},
		"a token with a hyphen":       {func(c *callback.Config) { c.Token = "a-b" }, "token"},
		"a token in Chinese":          {func(c *callback.Config) { c.Token = "令牌" }, "token"},
		"no key":                      {func(c *callback.Config) { c.AESKey = "" }, "aes_key"},
		"a key of 42":                 {func(c *callback.Config) { c.AESKey = aesKey[:42] }, "aes_key"},
		"a key of 44":                 {func(c *callback.Config) { c.AESKey = aesKey + "=" }, "aes_key"},
		"a key with a hyphen":         {func(c *callback.Config) { c.AESKey = "-" + aesKey[1:] }, "aes_key"},
		"a key with a break inside":   {func(c *callback.Config) { c.AESKey = aesKey[:20] + "\n" + aesKey[21:] }, "aes_key"},
		"no corp":                     {func(c *callback.Config) { c.ReceiveID = "  " }, "receive_id"},
		"a corp with a space inside":  {func(c *callback.Config) { c.ReceiveID = "ww 1" }, "receive_id"},
		"a name in the corp's place":  {func(c *callback.Config) { c.ReceiveID = "某某公司" }, "receive_id"},
		"a corp that is far too long": {func(c *callback.Config) { c.ReceiveID = strings.Repeat("w", 65) }, "receive_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config()
			row.change(&c)
			made, err := callback.New(c)
			if row.field == "" {
				require.NoError(t, err)
				require.NotNil(t, made)
				return
			}
			requireKind(t, callback.KindConfig, err)
			var e *callback.Error
			require.True(t, errors.As(err, &e))
			require.Equal(t, row.field, e.Field)
		})
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	for _, v := range []any{config(), codec(t, config()), &callback.Handler{Codec: codec(t, config())}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, token, verb)
			require.NotContains(t, text, aesKey, verb)
		}
	}
	for _, bad := range []callback.Config{{Token: "HUSH-1"}, {Token: "a", AESKey: "HUSH"}, {Token: "a", AESKey: aesKey, ReceiveID: ""}} {
		_, err := callback.New(bad)
		var e *callback.Error
		require.ErrorAs(t, err, &e)
		zh, cure := e.Explain("zh")
		for _, text := range []string{err.Error(), zh, cure} {
			require.NotContains(t, text, "HUSH")
			require.NotContains(t, text, aesKey)
		}
	}
}

// Whatever is refused, a person is told what to do.
func TestEveryErrorHasARemedy(t *testing.T) {
	t.Parallel()
	for _, e := range []*callback.Error{
		{Kind: callback.KindConfig, Field: "token"}, {Kind: callback.KindConfig, Field: "aes_key"}, {Kind: callback.KindConfig, Field: "receive_id"},
		{Kind: callback.KindSignature}, {Kind: callback.KindStale}, {Kind: callback.KindStale, Skew: 7201e9},
		{Kind: callback.KindReceiver, Receiver: "wwother"}, {Kind: callback.KindContent, Err: errors.New("broken XML")}, {Kind: callback.KindTooLarge},
	} {
		zh, zhCure := e.Explain("zh")
		en, enCure := e.Explain("en")
		require.Regexp(t, `\p{Han}`, zh)
		require.Regexp(t, `\p{Han}`, zhCure)
		require.NotRegexp(t, `\p{Han}`, en+enCure)
		require.NotEmpty(t, en)
		require.NotEmpty(t, enCure)
		require.Regexp(t, `^callback: [a-z]`, e.Error())
		require.Equal(t, "callback/"+string(e.Kind), e.FaultCode())
	}
}
