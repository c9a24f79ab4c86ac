package wecomtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A seal signs and seals for one app (document/path/91144). It is written
// anew here, not taken from the package that opens what is sealed: a mistake
// that both made alike would be seen by nobody.
type seal struct {
	token string
	block cipher.Block
	iv    []byte
}

func newSeal(token, aesKey string) (seal, error) {
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil || len(aesKey) != 43 {
		return seal{}, errors.New("an AESKey is 43 letters and digits")
	}
	block, err := aes.NewCipher(key)
	return seal{token, block, key[:aes.BlockSize]}, err
}

// close seals a message for a receiver: 16 random bytes, the length, both
// texts, and padding to 32.
func (s seal) close(message, receiver string) string {
	random := make([]byte, 16)
	rand.Read(random)
	b := binary.BigEndian.AppendUint32(random, uint32(len(message)))
	b = append(b, message+receiver...)
	n := 32 - len(b)%32
	b = append(b, bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(s.block, s.iv).CryptBlocks(b, b)
	return base64.StdEncoding.EncodeToString(b)
}

// stamp is the query that goes with a sealed text.
func (s seal) stamp(sealed string, at time.Time) url.Values {
	n, _ := rand.Int(rand.Reader, big.NewInt(9e9))
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), strconv.FormatInt(1e9+n.Int64(), 10)
	parts := []string{s.token, timestamp, nonce, sealed}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return url.Values{"msg_signature": {hex.EncodeToString(sum[:])}, "timestamp": {timestamp}, "nonce": {nonce}}
}
