package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The daemon of the unit and a shell had different journals: list was empty,
// sync sent again, and doctor advised another port.
func TestDoctorNamesAnotherJournal(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1)
	s := o.serve(o.journal())
	_, before := s.get("/healthz", "")
	require.NotContains(t, before, s.journal, "no path is told")

	other := filepath.Join(t.TempDir(), "shell.db")
	cmd := o.wedrop("doctor", "--lang", "en")
	cmd.Env = append(cmd.Env, "WEDROP_JOURNAL="+other, "WEDROP_LISTEN="+strings.TrimPrefix(s.url, "http://"))
	out, _ := cmd.CombinedOutput()
	require.Contains(t, string(out), "a wedrop with another journal answers at")
	require.Contains(t, string(out), other)
	require.NotContains(t, string(out), "another program has")
}
