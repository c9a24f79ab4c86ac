package callback_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/callback"
)

const (
	corp   = "ww6a112864f8022910"
	token  = "kjr2TKI8umCBfVF3wAHk8JiPwma5VBme"
	aesKey = "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws"
)

// noon is when the tests happen.
var noon = time.Unix(1_795_348_800, 0)

func config() callback.Config {
	return callback.Config{Token: token, AESKey: aesKey, ReceiveID: corp}
}

func codec(t testing.TB, c callback.Config) *callback.Codec {
	t.Helper()
	made, err := callback.New(c)
	require.NoError(t, err)
	return made
}

// finish is the event of the official page (document/path/97126).
func finish(job string) string {
	return "<xml>\n  <ToUserName><![CDATA[" + corp + "]]></ToUserName>\n  <FromUserName><![CDATA[sys]]></FromUserName>\n" +
		"  <CreateTime>1795348800</CreateTime>\n  <MsgType><![CDATA[event]]></MsgType>\n" +
		"  <Event><![CDATA[upload_media_job_finish]]></Event>\n  <JobId><![CDATA[" + job + "]]></JobId>\n</xml>"
}

func envelope(sealed string) string {
	return "<xml><ToUserName><![CDATA[" + corp + "]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt><AgentID><![CDATA[1000002]]></AgentID></xml>"
}

// A sender seals and signs by itself, so that the Codec is not its own judge.
type sender struct {
	token, key, receiver string
}

func us() sender { return sender{token, aesKey, corp} }

func (s sender) sign(timestamp, nonce, sealed string) string {
	parts := []string{s.token, timestamp, nonce, sealed}
	slices.Sort(parts)
	return fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(parts, ""))))
}

// crypt encrypts bytes as they are: whole blocks, whatever is in them.
func (s sender) crypt(b []byte) string {
	key, err := base64.StdEncoding.DecodeString(s.key + "=")
	if err != nil {
		panic(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, len(b))
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(out, b)
	return base64.StdEncoding.EncodeToString(out)
}

func pad(b []byte, to int) []byte {
	n := to - len(b)%to
	return append(b, slices.Repeat([]byte{byte(n)}, n)...)
}

// inner is what is sealed, before its padding, with any length in its head.
func inner(size uint32, message, receiver string) []byte {
	b := binary.BigEndian.AppendUint32([]byte("0123456789abcdef"), size)
	return append(append(b, message...), receiver...)
}

func (s sender) seal(message string) string {
	return s.crypt(pad(inner(uint32(len(message)), message, s.receiver), 32))
}

// query is the query of a request about sealed.
func (s sender) query(at time.Time, nonce, sealed string) url.Values {
	ts := fmt.Sprint(at.Unix())
	return url.Values{"msg_signature": {s.sign(ts, nonce, sealed)}, "timestamp": {ts}, "nonce": {nonce}}
}

// post is the request for a message.
func (s sender) post(at time.Time, nonce, message string) *http.Request {
	sealed := s.seal(message)
	return request(s.query(at, nonce, sealed), envelope(sealed))
}

func request(query url.Values, body string) *http.Request {
	return httptest.NewRequest("POST", "/callback?"+query.Encode(), strings.NewReader(body))
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A list is what was handed on. It may be used by several goroutines.
type list struct {
	mu sync.Mutex
	of []string
}

func (l *list) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of = append(l.of, s)
}

func (l *list) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.of)
}
