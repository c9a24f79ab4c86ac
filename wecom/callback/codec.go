package callback

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is what the admin console shows beside the callback address.
type Config struct {
	Token     string // 1 to 32 letters and digits
	AESKey    string // EncodingAESKey: 43 letters and digits
	ReceiveID string // whom messages are sealed for: the corp id, for an app of the corp's own
}

// String names the corp, not the secrets.
func (c Config) String() string { return fmt.Sprintf("callback.Config{ReceiveID:%q}", c.ReceiveID) }

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// A Codec opens and seals the messages of one app. It is safe for concurrent
// use.
type Codec struct {
	token    string
	receiver string
	block    cipher.Block
	iv       []byte
}

// String names the corp, not the secrets.
func (c *Codec) String() string { return "callback.Codec(" + c.receiver + ")" }

// GoString is String, so that %#v shows no secret either.
func (c *Codec) GoString() string { return c.String() }

// New returns a Codec. Spaces around the values are ignored. What is wrong
// with c is an *Error of KindConfig whose Field is token, aes_key or
// receive_id.
func New(c Config) (*Codec, error) {
	token, key, receiver := strings.TrimSpace(c.Token), strings.TrimSpace(c.AESKey), strings.TrimSpace(c.ReceiveID)
	switch {
	case len(token) == 0 || len(token) > 32 || !plain(token):
		return nil, &Error{Kind: KindConfig, Field: "token"}
	case len(key) != 43 || !plain(key):
		return nil, &Error{Kind: KindConfig, Field: "aes_key"}
	case len(receiver) == 0 || len(receiver) > 64 || !plain(strings.NewReplacer("-", "", "_", "").Replace(receiver)):
		return nil, &Error{Kind: KindConfig, Field: "receive_id"}
	}
	// Not Strict: the last of the 43 characters carries two bits too many,
	// and in published keys they are not zero.
	secret, err := base64.StdEncoding.DecodeString(key + "=")
	if err != nil {
		return nil, &Error{Kind: KindConfig, Field: "aes_key"}
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, &Error{Kind: KindConfig, Field: "aes_key"}
	}
	return &Codec{token: token, receiver: receiver, block: block, iv: secret[:aes.BlockSize]}, nil
}

// plain reports whether s is ASCII letters and digits.
func plain(s string) bool {
	for _, b := range []byte(s) {
		if !('0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z') {
			return false
		}
	}
	return true
}

// A Stamp is what stands in a callback's query: msg_signature, timestamp and
// nonce.
type Stamp struct {
	Signature string // 40 lower-case hex digits
	Timestamp string // Unix time in seconds
	Nonce     string
}

// wellFormed reports whether a Signature and a Nonce are there that WeCom may
// have made. It costs next to nothing.
func (s Stamp) wellFormed() bool {
	return len(s.Signature) == 2*sha1.Size && strings.Trim(s.Signature, "0123456789abcdef") == "" && s.Nonce != ""
}

// Time is the Stamp's timestamp; ok is false if it is not one.
func (s Stamp) Time() (t time.Time, ok bool) {
	if len(s.Timestamp) > 12 || strings.Trim(s.Timestamp, "0123456789") != "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(s.Timestamp, 10, 64)
	return time.Unix(n, 0), err == nil
}

// Open checks the signature, unseals the text and checks whom it is for. The
// errors are *Error: KindSignature, KindContent, KindReceiver. It does not
// look at the time.
func (c *Codec) Open(s Stamp, sealed string) ([]byte, error) {
	want := c.sign(s.Timestamp, s.Nonce, sealed)
	if subtle.ConstantTimeCompare([]byte(want), []byte(s.Signature)) != 1 {
		return nil, &Error{Kind: KindSignature}
	}
	message, receiver, err := c.decrypt(sealed)
	switch {
	case err != nil:
		return nil, &Error{Kind: KindContent, Err: err}
	case receiver != c.receiver:
		return nil, &Error{Kind: KindReceiver, Receiver: receiver}
	}
	return message, nil
}

// Seal seals a message as WeCom does, with a Stamp of that time.
func (c *Codec) Seal(message []byte, at time.Time) (Stamp, string) {
	s := Stamp{Timestamp: strconv.FormatInt(at.Unix(), 10), Nonce: nonce()}
	sealed := c.encrypt(message)
	s.Signature = c.sign(s.Timestamp, s.Nonce, sealed)
	return s, sealed
}

// nonce is a number of ten digits, as WeCom's are. crypto/rand never fails.
func nonce() string {
	var b [8]byte
	rand.Read(b[:])
	return strconv.FormatUint(1e9+binary.BigEndian.Uint64(b[:])%9e9, 10)
}

// sign is the signature of document/path/91144: SHA-1 over the four sorted
// parts, with nothing between them.
func (c *Codec) sign(timestamp, nonce, sealed string) string {
	parts := []string{c.token, timestamp, nonce, sealed}
	slices.Sort(parts)
	h := sha1.New()
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// What is sealed is 16 random bytes, the message's length in 4 bytes, the
// message, whom it is for, and padding to a multiple of 32: PKCS #7 with
// blocks of twice the cipher's.
const (
	randomSize = 16
	headSize   = randomSize + 4
	padTo      = 32
)

func (c *Codec) encrypt(message []byte) string {
	b := make([]byte, headSize, headSize+len(message)+len(c.receiver)+padTo)
	rand.Read(b[:randomSize])
	binary.BigEndian.PutUint32(b[randomSize:], uint32(len(message)))
	b = append(append(b, message...), c.receiver...)
	pad := padTo - len(b)%padTo
	b = append(b, padding(pad)...)
	cipher.NewCBCEncrypter(c.block, c.iv).CryptBlocks(b, b)
	return base64.StdEncoding.EncodeToString(b)
}

func padding(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n) }

// decrypt returns the message and whom it is for. It trusts nothing in
// sealed, though WeCom signed it: a wrong key makes garbage of it.
func (c *Codec) decrypt(sealed string) (message []byte, receiver string, err error) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	switch {
	case err != nil:
		return nil, "", errors.New("not base64")
	case len(b) == 0 || len(b)%aes.BlockSize != 0:
		return nil, "", errors.New("not a whole number of cipher blocks")
	}
	cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(b, b)
	pad := int(b[len(b)-1])
	if pad < 1 || pad > min(padTo, len(b)) || !bytes.Equal(b[len(b)-pad:], padding(pad)) {
		return nil, "", errors.New("wrong padding")
	}
	b = b[:len(b)-pad]
	if len(b) < headSize {
		return nil, "", errors.New("too short")
	}
	// In 64 bits: in 32, a length near 2^32 wraps and passes the check.
	b, size := b[headSize:], uint64(binary.BigEndian.Uint32(b[randomSize:]))
	if size > uint64(len(b)) {
		return nil, "", errors.New("the message's length is wrong")
	}
	return b[:size:size], string(b[size:]), nil
}
