package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/journal/postgres"
)

func TestNoAddressIsShownWithItsPassword(t *testing.T) {
	for _, address := range []string{
		"postgres://u:geheim@h/db", "postgres://h/db?user=u&password=geheim", "postgres://h/db?sslpassword=geheim&sslmode=verify-full",
		"postgres://u:geheim@h1:1,h2:2/db", "postgres://u:ge heim@h/db", "postgres://u:geh%eim@h/db", "postgres://u:geheim", "postgres:u:geheim@h/db",
	} {
		s := postgres.Shown(address)
		require.NotContains(t, s, "eim", "%s", address)
	}
	require.Equal(t, "postgres://u@h/db?sslmode=disable", postgres.Shown("postgres://u@h/db?sslmode=disable"))
}
