package dirbucket

import (
	"net/http"
	"strings"
)

// Handler serves the folder for reading, in ranges, with neither listings nor
// hidden files. Only an .mp4 is served as what it is; anything else is a
// download, so that a staged page never renders under this address.
func (d *Driver) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		d.serve(w, r)
	})
}

func (d *Driver) serve(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/")
	name, err := nameOf(key)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	f, err := d.root.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.HasSuffix(key, ".mp4") {
		h.Set("Content-Type", "video/mp4")
	} else {
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", "attachment")
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
}
