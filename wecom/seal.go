package wecom

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A sealer closes an app's tokens for the store. Its key names the entry: it
// differs by server, corp and secret (the tokens of two apps of one corp are
// independent: path/91039), and tells nothing about them.
type sealer struct {
	key  string
	aead cipher.AEAD
}

func newSealer(baseURL, corpID, secret string) (sealer, error) {
	salt := sha256.Sum256([]byte(strings.Join([]string{baseURL, corpID}, "\x00")))
	derive := func(use string, n int) ([]byte, error) {
		return hkdf.Key(sha256.New, []byte(secret), salt[:], "wedrop wecom "+use, n)
	}
	name, err := derive("token name", 16)
	if err != nil {
		return sealer{}, fmt.Errorf("token key: %w", err)
	}
	key, err := derive("token seal", 32)
	if err != nil {
		return sealer{}, fmt.Errorf("token key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("token key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("token key: %w", err)
	}
	return sealer{key: "wecom-" + hex.EncodeToString(name), aead: aead}, nil
}

func (s sealer) close(token string) []byte {
	return s.aead.Seal(nil, nil, []byte(token), []byte(s.key))
}

func (s sealer) open(sealed []byte) (string, error) {
	token, err := s.aead.Open(nil, nil, sealed, []byte(s.key))
	if err != nil {
		return "", errors.New("the seal is broken")
	}
	return string(token), nil
}
