package callback_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/callback"
)

// How far a fuzzed body gets: a stranger's fails at the signature, so most
// are signed, or sealed, as WeCom would.
const (
	asBody    = iota // the body as it is, with a signature that is made up
	asSealed         // its text in an envelope, well signed: reaches decrypt
	asInner          // encrypted as it is, well signed: reaches the lengths and the padding
	asMessage        // a message, well sealed: reaches the parser
	asEchostr        // the check of the address with it, well sealed
	ways
)

// FuzzPost shows that no request makes the Handler panic, that it answers
// with nothing but the statuses that it promises, and that jobs come from
// messages that WeCom signed, with ids that can be shown.
func FuzzPost(f *testing.F) {
	for way := range byte(ways) {
		f.Add(way, "1795348800", "1", []byte(finish("job")))
		f.Add(way, "1795348800", "1", []byte(envelope("AAAA")))
		f.Add(way, "1795340000", "1", []byte(`{"msgtype":"event","event":"upload_media_job_finish","jobid":"job"}`))
		f.Add(way, "", "", []byte(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///">]><xml><Encrypt>&e;</Encrypt></xml>`))
		f.Add(way, "-1", "<", inner(0xFFFFFFF0, "hello", corp))
		f.Add(way, "99999999999", "\x00", pad(inner(5, "hello", corp), 32))
		f.Add(way, "1795348800", "1", []byte("P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="))
	}
	c := codec(f, config())
	f.Fuzz(func(t *testing.T, way byte, timestamp, nonce string, body []byte) {
		way %= ways
		var jobs, others list
		h := &callback.Handler{
			Codec:    c,
			Finished: func(_ context.Context, job string) error { jobs.add(job); return nil },
			Other:    func(_ context.Context, e callback.Event) { others.add(e.MsgType) },
			Now:      func() time.Time { return noon },
		}
		sealed := ""
		switch way {
		case asSealed:
			sealed = string(body)
		case asInner:
			sealed = us().crypt(pad(body, 16))
			if n := len(body) / 16 * 16; n > 0 && len(body)%2 == 0 {
				sealed = us().crypt(body[:n])
			}
		case asMessage, asEchostr:
			sealed = us().seal(string(body))
		}
		query := url.Values{"timestamp": {timestamp}, "nonce": {nonce}, "msg_signature": {us().sign(timestamp, nonce, sealed)}}
		text := envelope(sealed)
		r := request(query, text)
		switch way {
		case asBody:
			query.Set("msg_signature", fmt.Sprintf("%040x", len(body)))
			r = request(query, string(body))
		case asEchostr:
			query.Set("echostr", sealed)
			r = httptest.NewRequest("GET", "/callback?"+query.Encode(), nil)
		}
		w := answer(h, r)
		require.Contains(t, []int{200, 403, 413}, w.Code)
		if w.Code != 200 {
			require.Empty(t, jobs.all())
			require.Empty(t, others.all())
		}
		if way == asBody {
			require.NotEqual(t, 200, w.Code, "a signature that is made up")
		}
		if way == asEchostr && w.Code == 200 {
			require.Equal(t, string(body), w.Body.String())
		}
		for _, job := range jobs.all() {
			require.NotEmpty(t, job)
			require.LessOrEqual(t, len(job), 128)
			require.NotContains(t, job, "\n")
		}
	})
}

// FuzzDecrypt shows that no text makes Open panic or give back more than was
// in it, and that what it opens is what a second look at the bytes says.
func FuzzDecrypt(f *testing.F) {
	f.Add(pad(inner(5, "hello", corp), 32))
	f.Add(inner(0xFFFFFFF0, "hello", corp))
	f.Add(inner(0xFFFFFFFF, "", ""))
	f.Add(pad([]byte("short"), 32))
	f.Add([]byte{})
	c := codec(f, config())
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:len(b)/16*16]
		sealed := us().crypt(b)
		stamp := callback.Stamp{Timestamp: "1", Nonce: "2", Signature: us().sign("1", "2", sealed)}
		message, err := c.Open(stamp, sealed)
		if err != nil {
			require.Nil(t, message)
			return
		}
		size := int(binary.BigEndian.Uint32(b[16:20]))
		require.Len(t, message, size)
		require.Equal(t, string(b[20:20+size]), string(message))
		require.True(t, strings.HasPrefix(string(b[20+size:]), corp))
	})
}

// BenchmarkPost is a callback from its first byte to its answer, without the
// network: every job is new.
func BenchmarkPost(b *testing.B) {
	h := &callback.Handler{Codec: codec(b, config()), Finished: func(context.Context, string) error { return nil }, Now: func() time.Time { return noon }}
	type callbackOf struct {
		target, body string
	}
	ready := make([]callbackOf, 1024)
	for i := range ready {
		sealed := us().seal(finish(fmt.Sprint("jobid_S0MrnndvRG5fadSlLwiBqiDDbM143UqTmKP3152FZk4", i)))
		ready[i] = callbackOf{"/callback?" + us().query(noon, fmt.Sprint(i), sealed).Encode(), envelope(sealed)}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if i%len(ready) == 0 { // else it would be the replay's answer
			h = &callback.Handler{Codec: h.Codec, Finished: h.Finished, Now: h.Now}
		}
		c := ready[i%len(ready)]
		if w := answer(h, httptest.NewRequest("POST", c.target, strings.NewReader(c.body))); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkOverTheWire is the same over loopback with keep-alive.
func BenchmarkOverTheWire(b *testing.B) {
	h := &callback.Handler{Codec: codec(b, config()), Finished: func(context.Context, string) error { return nil }, Now: func() time.Time { return noon }}
	web := httptest.NewServer(h)
	defer web.Close()
	b.ResetTimer()
	for i := range b.N {
		sealed := us().seal(finish(fmt.Sprint("job", i)))
		resp, err := web.Client().Post(web.URL+"/callback?"+us().query(noon, "1", sealed).Encode(), "text/xml", strings.NewReader(envelope(sealed)))
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(err, resp)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
