package wecom_test

import (
	"testing"

	"wedrop/wecom"
	"wedrop/wecom/tokentest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	tokentest.TestStore(t, func(*testing.T) (a, b wecom.TokenStore) {
		s := wecom.NewMemoryStore()
		return s, s
	})
}
