package web

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnknownParametersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	id := w.posted("a.mp4", clip(1))
	for path, says := range map[string]string{
		"/api/items?stat=done":                         `"stat"`,
		"/api/items?state=done&state=held":             `"state"`,
		"/api/items?limit=5&limit=5":                   `"limit"`,
		"/api/media?name=a.mp4&name=b.mp4":             `"name"`,
		"/api/media?name=a.mp4&minttl=1h":              `"minttl"`,
		"/api/status?x":                                `"x"`,
		"/api/items/" + fmt.Sprint(id) + "?fields=id":  `"fields"`,
		"/api/items/" + fmt.Sprint(id) + "/history?a=": `"a"`,
		"/api/templates?a=1":                           `"a"`,
		"/api/items?%zz=1":                             "cannot be read",
	} {
		r := w.get(path)
		require.Equal(t, 400, r.StatusCode, path)
		require.Equal(t, "wedrop/bad-request", w.code(r))
		require.Contains(t, r.json(t)["detail"], says, path)
		require.Contains(t, r.json(t)["remedy"], "lang", "it names those that there are")
	}
	r := w.get("/api/items?stat=done&lang=zh")
	require.Contains(t, r.json(t)["detail"], "没有「stat」这个参数")
	require.Equal(t, 200, w.get("/api/items?state=working&limit=5&lang=zh").StatusCode)
}

// What another program may take for a way out of /river/ does not reach it.
func TestOperatorsAreAskedForPlainPathsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Operators: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) })})
	for _, path := range []string{"/river/%2e%2e/secret", "/river/%2E%2e/", "/river/..%2fsecret", "/river/a%2Fb", "/river/..%5csecret", "/river/%252e%252e/", "/river/%2e"} {
		require.Equal(t, 404, w.get(path).StatusCode, path)
	}
	for _, path := range []string{"/river/", "/river/jobs", "/river/jobs?state=running&q=%2e%2e", "/river/assets/index-abc.js", "/river/%E4%BD%A0"} {
		require.Equal(t, 299, w.get(path).StatusCode, path)
	}
}
