package web

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"wedrop/pipeline"
)

// previewed are the kinds of files that browsers show without running any of
// it. Never HTML, SVG, XML or PDF.
func previewed(mime string) bool {
	return slices.Contains([]string{"video/mp4", "image/png", "image/jpeg", "image/gif", "image/webp",
		"audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/aac", "audio/wav", "audio/ogg", "audio/flac"}, mime)
}

func (s *Site) contentOperation(api huma.API, r huma.Registry) {
	op := operation(r, "get-content", http.MethodGet, "/api/items/{id}/content", "The file, to look at")
	op.Description = "MP4 videos, sound and common pictures alone, and only as long as the file is the one that was read. Ranges are answered."
	media := map[string]*huma.MediaType{}
	for _, kind := range []string{"video/mp4", "audio/*", "image/png", "image/jpeg", "image/gif", "image/webp"} {
		media[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	op.Responses["200"] = &huma.Response{Description: "The file", Content: media}
	op.Responses["206"] = &huma.Response{Description: "A range of the file", Content: media}
	huma.Register(api, op, s.getContent)
}

func (s *Site) getContent(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	it, err := s.item(ctx, in.ID)
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	f, err := s.openContent(it)
	if err != nil {
		return nil, noPreview()
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer f.Close()
		r, w := humago.Unwrap(hc)
		h := w.Header()
		h.Set("Content-Type", it.MIME)
		h.Set("Content-Security-Policy", policy+"; sandbox")
		h.Set("Cache-Control", "private, no-cache")
		h.Set("ETag", strconv.Quote(it.MD5))
		http.ServeContent(w, r, "", time.Time{}, f)
	}}, nil
}

// openContent opens the file that the Item was made from, and no other.
func (s *Site) openContent(it pipeline.Item) (*os.File, error) {
	if !mayBeSeen(s.pipe.Hosts(), it) || !same(s.pipe, it) {
		return nil, os.ErrNotExist
	}
	f, err := s.pipe.OpenFile(it.Path)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && fi.Mode().IsRegular() && s.pipe.FileID(it.Path, fi) == it.File {
		return f, nil
	}
	_ = f.Close()
	return nil, os.ErrNotExist
}

// mayBeSeen is what can be told without looking at the disk.
func mayBeSeen(hosts []string, it pipeline.Item) bool {
	return it.MD5 != "" && previewed(it.MIME) && slices.Contains(hosts, it.Host)
}

// same reports whether the Item's file is the one that was read.
func same(p *pipeline.Pipeline, it pipeline.Item) bool {
	fi, err := p.LookAt(it.Path)
	return err == nil && fi.Mode().IsRegular() && p.FileID(it.Path, fi) == it.File
}

const (
	sightLasts = 30 * time.Second
	sightWait  = 250 * time.Millisecond // for all items of an answer
	maxSights  = 20_000
)

// sights remember which Items' files are there. A drive that hangs holds
// nobody up: what is not known in time counts as not there.
type sights struct {
	mu  sync.Mutex
	all map[int64]*sight
}

type sight struct {
	rev    int64
	at     time.Time
	there  bool
	looked chan struct{} // closed when it is known
}

func (v *sight) known() bool {
	select {
	case <-v.looked:
		return true
	default:
		return false
	}
}

// of reports for each Item whether it has a preview.
func (s *sights) of(p *pipeline.Pipeline, items []pipeline.Item) []bool {
	out := make([]bool, len(items))
	wait := make([]*sight, len(items))
	hosts := p.Hosts()
	var look []pipeline.Item
	s.mu.Lock()
	if len(s.all) > maxSights || s.all == nil {
		s.all = map[int64]*sight{}
	}
	for n, it := range items {
		if !mayBeSeen(hosts, it) {
			continue
		}
		v := s.all[it.ID]
		if v == nil || v.known() && (v.rev != it.Rev || time.Since(v.at) > sightLasts) {
			v = &sight{rev: it.Rev, at: time.Now(), looked: make(chan struct{})}
			s.all[it.ID] = v
			look = append(look, it)
		}
		wait[n] = v
	}
	s.mu.Unlock()
	if len(look) > 0 {
		go s.look(p, look)
	}
	late := time.After(sightWait)
	for n, v := range wait {
		if v == nil {
			continue
		}
		if v.known() {
			out[n] = v.there
			continue
		}
		select {
		case <-v.looked:
			out[n] = v.there
		case <-late:
			return out
		}
	}
	return out
}

func (s *sights) look(p *pipeline.Pipeline, items []pipeline.Item) {
	for _, it := range items {
		there := same(p, it)
		s.mu.Lock()
		if v := s.all[it.ID]; v != nil && v.rev == it.Rev && !v.known() {
			v.there = there
			close(v.looked)
		}
		s.mu.Unlock()
	}
}
