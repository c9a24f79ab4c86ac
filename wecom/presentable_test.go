package wecom_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
)

var han = regexp.MustCompile(`\p{Han}`)

// presentable checks what holds for every error, however it came about: both
// languages say what happened and what to do, no form shows a secret, and the
// class is one of ours.
func presentable(t *testing.T, e *wecom.Error) {
	t.Helper()
	zh, zhCure := e.Explain("zh")
	en, enCure := e.Explain("en")
	for what, s := range map[string]string{"zh message": zh, "zh remedy": zhCure, "en message": en, "en remedy": enCure} {
		require.NotEmpty(t, s, "%s of %v", what, e)
		require.NotContains(t, s, "{", "%s of %v has an empty place", what, e)
		require.NotContains(t, s, "%!", "%s of %v", what, e)
	}
	require.Regexp(t, han, zh)
	require.Regexp(t, han, zhCure)
	require.Contains(t, []wecom.Class{wecom.ClassRetry, wecom.ClassToken, wecom.ClassBackOff, wecom.ClassConfig, wecom.ClassInput,
		wecom.ClassSource, wecom.ClassUnknown, wecom.ClassCancelled}, e.Class())
	require.Regexp(t, `^wecom/(-?[0-9]+|unreachable|bad-response|bad-request|bad-config|cannot-write)$`, e.FaultCode())
	if e.Err == nil { // what std says is its own
		require.NotContains(t, e.Error(), "failed to")
	}
	require.NotRegexp(t, `\.$`, e.Error())
	require.NotContains(t, e.Error(), "{")
	require.NotContains(t, e.Error(), "%!")
	for _, s := range []string{zh, zhCure, en, enCure, e.Error()} {
		require.False(t, strings.ContainsFunc(s, unicode.IsControl), "control characters in %q", s)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
		hidden(t, fmt.Sprintf(format, e))
		hidden(t, fmt.Sprintf(format, *e))
		hidden(t, fmt.Sprintf(format, e.Err))
	}
	for _, s := range []string{zh, zhCure, en, enCure} {
		hidden(t, s)
	}
}

func hidden(t *testing.T, s string) {
	t.Helper()
	require.NotContains(t, s, secretText)
	require.NotContains(t, s, tokenText)
	require.NotContains(t, s, "corpsecret=")
	require.NotContains(t, s, "access_token=")
}
