package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// assets are the page's files. The pages ask for them by their content, so
// browsers may keep them for ever; who asks by the bare name asks again each
// time.
type assets struct {
	html map[string][]byte // the pages, with their links versioned
	file map[string]asset  // by "/static/NAME"
}

type asset struct {
	data    []byte
	version string // of the content
}

func newAssets() (*assets, error) {
	a := &assets{html: map[string][]byte{}, file: map[string]asset{}}
	err := fs.WalkDir(static, "static", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := static.ReadFile(p)
		if path.Ext(p) == ".html" {
			a.html[path.Base(p)] = data
			return err
		}
		sum := sha256.Sum256(data)
		a.file["/"+p] = asset{data, hex.EncodeToString(sum[:8])}
		return err
	})
	for name, page := range a.html {
		for p, f := range a.file {
			page = bytes.ReplaceAll(page, []byte(`"`+p+`"`), []byte(`"`+p+`?v=`+f.version+`"`))
		}
		a.html[name] = page
	}
	return a, err
}

// page serves one of the pages. It is the same for everybody; what it shows
// comes by the API.
func (a *assets) page(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.html[name]))
}

// serve answers with the file of the request's path, or reports false.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) bool {
	f, ok := a.file[r.URL.Path]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", contentType(r.URL.Path))
	h.Set("ETag", `"`+f.version+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == f.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
	return true
}

// contentType does not ask the machine, whose tables differ.
func contentType(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return orElse(mime.TypeByExtension(ext), "application/octet-stream")
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
