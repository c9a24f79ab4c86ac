package inspect_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
)

// requireExplained holds for every refusal there is: what, which file, what
// to do now, in both languages.
func requireExplained(t *testing.T, e *inspect.Error) {
	t.Helper()
	zh, zhCure := e.Explain("zh")
	en, enCure := e.Explain("en")
	for _, s := range []string{zh, zhCure, en, enCure} {
		require.NotEmpty(t, s)
		require.NotContains(t, s, "%!", "a format went wrong")
		if dir := filepath.Dir(e.Path); dir != "." && dir != "/" {
			require.NotContains(t, s, dir, "a person wants the name, not the path")
		}
	}
	require.NotEqual(t, zh, en)
	require.NotEqual(t, zhCure, enCure)
	require.True(t, strings.ContainsRune(zh, '。') && strings.HasSuffix(en, "."), "%s / %s", zh, en)
}
