package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"
	xslog "golang.org/x/exp/slog"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

const (
	itemHeader = "Wedrop-Item" // the Item that an upload became
	codeHeader = "Wedrop-Code" // why it became none
)

// uploads speaks tus 1.0.
func (s *Site) uploads() (http.Handler, error) {
	c := handler.NewStoreComposer()
	c.UseCore(s.inbox)
	c.UseTerminater(s.inbox)
	c.UseLocker(s.state.locks)
	h, err := handler.NewHandler(handler.Config{
		StoreComposer:        c,
		BasePath:             "/upload/",
		MaxSize:              inspect.MaxSize,
		DisableDownload:      true,
		DisableConcatenation: true,
		Cors:                 &handler.CorsConfig{Disable: true},
		NetworkTimeout:       stall,
		Logger:               xslog.New(silent{}),
		PreUploadCreateCallback: func(e handler.HookEvent) (handler.HTTPResponse, handler.FileInfoChanges, error) {
			return handler.HTTPResponse{}, handler.FileInfoChanges{}, s.tusError(e, s.mayCreate(e.Upload))
		},
		PreFinishResponseCallback: func(e handler.HookEvent) (handler.HTTPResponse, error) {
			id, err := s.finish(e.Context, e.Upload.ID)
			if err != nil {
				return handler.HTTPResponse{}, s.tusError(e, err)
			}
			return handler.HTTPResponse{Header: handler.HTTPHeader{itemHeader: strconv.FormatInt(id, 10)}}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	inner := http.StripPrefix("/upload/", h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.Path, "/upload/")
		switch size, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64); {
		case id != "" && !isID(id):
			s.refuse(w, r, uploadGone())
			return
		case id == "" && err == nil && size > inspect.MaxSize:
			s.refuseUpload(w, r, refusedFor(inspect.TooLarge, named(handler.ParseMetadataHeader(r.Header.Get("Upload-Metadata"))), size))
			return
		}
		r.Header.Del("X-HTTP-Method-Override")
		if id != "" && (r.Method == http.MethodHead || r.Method == http.MethodPatch) {
			if no := s.resume(w, r, id); no != nil {
				s.refuseUpload(w, r, no)
				return
			}
		}
		inner.ServeHTTP(&tusWriter{ResponseWriter: w, site: s, r: r}, r)
	}), nil
}

// mayCreate refuses what could not go, before a byte is sent.
func (s *Site) mayCreate(u handler.FileInfo) error {
	name := named(u.MetaData)
	if _, err := typed(u.MetaData["type"]); err != nil {
		return err
	}
	if shown, _ := inspect.ShownName(name, inspect.File); shown == "" {
		return refusedFor(inspect.BadName, name, u.Size)
	}
	if u.Size < inspect.MinSize {
		return refusedFor(inspect.TooSmall, name, u.Size)
	}
	return s.inbox.room(u.Size)
}

func named(m handler.MetaData) string { return orElse(m["filename"], m["name"]) }

// resume is asked when somebody comes back to an upload. One that was whole
// when the connection broke, or the server ended, becomes an Item now; the
// answer names it.
func (s *Site) resume(w http.ResponseWriter, r *http.Request, id string) *refusal {
	n, err := s.inbox.load(id)
	if err != nil || n.size(s.inbox) != n.Size {
		return nil
	}
	item, err := s.finish(r.Context(), id)
	if err != nil {
		return s.refusalOf(r.Context(), err)
	}
	w.Header().Set(itemHeader, strconv.FormatInt(item, 10))
	return nil
}

// finish makes an Item of an upload that is whole, once.
func (s *Site) finish(ctx context.Context, id string) (int64, error) {
	defer s.inbox.entry.alone(id)()
	n, err := s.inbox.load(id)
	if err != nil || n.Item != 0 {
		return n.Item, err
	}
	kind, err := typed(n.Meta["type"])
	if err != nil {
		return 0, err
	}
	it, err := s.take(ctx, id, named(n.Meta), kind)
	if err != nil {
		return 0, err
	}
	n.Item = it.ID
	if err := s.inbox.save(n); err != nil { // who comes back then is told by the ledger
		s.log.Warn("an upload is not noted as entered", "item", it.ID, "err", err)
	}
	return it.ID, nil
}

// alone lets one request at a time finish an upload.
func (e *entrance) alone(id string) (done func()) {
	e.Lock()
	m := e.finishing[id]
	if m == nil {
		m = &sync.Mutex{}
		e.finishing[id] = m
	}
	e.Unlock()
	m.Lock()
	return func() {
		m.Unlock()
		e.Lock()
		defer e.Unlock()
		if m.TryLock() { // nobody waits for it
			delete(e.finishing, id)
			m.Unlock()
		}
	}
}

// tusError is err as tusd sends it.
func (s *Site) tusError(e handler.HookEvent, err error) error {
	if err == nil {
		return nil
	}
	no := s.refusalOf(e.Context, err)
	u, _ := url.Parse(e.HTTPRequest.URI)
	asked := ""
	if u != nil {
		asked = u.Query().Get("lang")
	}
	body, err := json.Marshal(no.in(s.lang(asked, e.HTTPRequest.Header.Get("Accept-Language"))))
	if err != nil {
		return err
	}
	out := handler.NewError(no.code, no.message.EN, no.status)
	out.HTTPResponse.Body = string(body) + "\n"
	out.HTTPResponse.Header = handler.HTTPHeader{"Content-Type": "application/problem+json", codeHeader: no.code}
	return out
}

func (s *Site) refuseUpload(w http.ResponseWriter, r *http.Request, no *refusal) {
	w.Header().Set("Tus-Resumable", "1.0.0")
	w.Header().Set(codeHeader, no.code)
	s.refuse(w, r, no)
}

func uploadGone() *refusal {
	return &refusal{status: http.StatusNotFound, code: "upload/not-found",
		message: pipeline.Text{ZH: "没有这个上传，或者它放得太久已被清理", EN: "there is no such upload, or it was left for too long"},
		remedy:  pipeline.Text{ZH: "从头上传一次", EN: "upload the file from its beginning"}}
}

func tooManyUploads() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: "upload/too-many", after: 30 * time.Second,
		message: pipeline.Text{ZH: "没有传完的上传太多了（最多 200 个，合计 2 GB）", EN: "too many uploads are not finished: at most 200, and 2 GB together"},
		remedy:  pipeline.Text{ZH: "等正在上传的文件传完，或在页面上取消不要的，再上传这个；一天没有动静的会自动清理", EN: "let those finish that are under way, or cancel some on the page, then upload this one; what nobody goes on with is removed after a day"}}
}

// tusWriter gives tusd's answers our form: a Location without a host, which
// proxies may have changed, and problems in the place of bare words.
type tusWriter struct {
	http.ResponseWriter
	site *Site
	r    *http.Request
	mute bool // the words are not sent
}

func (w *tusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *tusWriter) WriteHeader(status int) {
	h := w.Header()
	if u, err := url.Parse(h.Get("Location")); err == nil && u.Path != "" {
		h.Set("Location", u.Path)
	}
	if status < 400 || h.Get("Content-Type") == "application/problem+json" {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.mute = true
	h.Del("Content-Length")
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", strings.TrimPrefix(h.Get("Allow"), "GET, ")) // which is off
	}
	w.site.refuseUpload(w.ResponseWriter, w.r, tusRefusal(status))
}

func (w *tusWriter) Write(p []byte) (int, error) {
	if w.mute {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// tusRefusal is what tusd says no to by itself, in words for the person who
// uploads.
func tusRefusal(status int) *refusal {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return uploadGone()
	case http.StatusInsufficientStorage:
		return diskFull()
	case http.StatusServiceUnavailable:
		return tooManyUploads()
	case http.StatusMethodNotAllowed:
		return wrongMethod()
	case http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusNotImplemented:
		return &refusal{status: status, code: "upload/bad-request",
			message: pipeline.Text{ZH: "这个请求不符合断点续传协议 tus 1.0", EN: "the request is not as tus 1.0 has it"},
			remedy:  pipeline.Text{ZH: "请用页面上传；自己写的程序请使用 tus 1.0 的客户端库", EN: "upload with the page, or with a library that speaks tus 1.0"}}
	case http.StatusConflict, http.StatusLocked:
		return &refusal{status: status, code: "upload/busy", after: time.Second,
			message: pipeline.Text{ZH: "这个文件正在从别处上传", EN: "this upload is at another place, or somebody else goes on with it"},
			remedy:  pipeline.Text{ZH: "会自动从正确的位置接着传；若不行，请重新选择文件", EN: "it goes on by itself from the right place; if not, choose the file again"}}
	}
	return &refusal{status: status, code: "upload/interrupted",
		message: pipeline.Text{ZH: "上传中断了", EN: "the upload was interrupted"},
		remedy:  pipeline.Text{ZH: "会自动接着传；若不行，请重新选择文件", EN: "it goes on by itself; if not, choose the file again"}}
}

// silent is a log that nobody keeps: tusd's lines have the names of files.
type silent struct{}

func (silent) Enabled(context.Context, xslog.Level) bool  { return false }
func (silent) Handle(context.Context, xslog.Record) error { return nil }
func (silent) WithAttrs([]xslog.Attr) xslog.Handler       { return silent{} }
func (silent) WithGroup(string) xslog.Handler             { return silent{} }

// A note is what is known of a resumable upload, in a file beside it.
type note struct {
	ID   string
	Size int64
	Meta map[string]string
	Item int64 `json:",omitempty"` // that it became
}

func (b *inbox) note(id string) string { return filepath.Join(b.dir, id+".json") }

func (b *inbox) load(id string) (n note, err error) {
	data, err := os.ReadFile(b.note(id))
	if errors.Is(err, os.ErrNotExist) {
		return n, handler.ErrNotFound
	} else if err != nil {
		return n, err
	}
	return n, json.Unmarshal(data, &n)
}

// save replaces the note as a whole: a crash leaves the old one.
func (b *inbox) save(n note) error {
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	tmp := b.note(n.ID) + ".new"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, b.note(n.ID))
}

// size is how much of the upload is here; negative for one that is gone.
func (n note) size(b *inbox) int64 {
	if fi, err := os.Stat(b.part(n.ID)); err == nil {
		return fi.Size()
	}
	if _, err := os.Stat(filepath.Join(b.dir, n.ID)); err == nil || n.Item != 0 {
		return n.Size // it is whole, and has its name
	}
	return -1
}

// NewUpload is tusd's.
func (b *inbox) NewUpload(_ context.Context, info handler.FileInfo) (handler.Upload, error) {
	n := note{ID: newID(), Size: info.Size, Meta: map[string]string{}}
	for _, k := range []string{"filename", "name", "filetype", "type"} {
		if v, ok := info.MetaData[k]; ok {
			n.Meta[k] = v
		}
	}
	b.begin.Lock()
	defer b.begin.Unlock()
	if err := b.reserve(info.Size); err != nil {
		return nil, spaceError(err)
	}
	f, err := os.OpenFile(b.part(n.ID), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = b.save(n)
	}
	if err != nil {
		b.forget(n.ID)
		return nil, spaceError(err)
	}
	return &upload{b, n}, nil
}

// GetUpload is tusd's.
func (b *inbox) GetUpload(_ context.Context, id string) (handler.Upload, error) {
	if !isID(id) {
		return nil, handler.ErrNotFound
	}
	n, err := b.load(id)
	if err == nil && n.size(b) < 0 {
		err = handler.ErrNotFound
	}
	return &upload{b, n}, err
}

// AsTerminatableUpload is tusd's.
func (b *inbox) AsTerminatableUpload(u handler.Upload) handler.TerminatableUpload { return u.(*upload) }

// An upload is one that arrives by tus.
type upload struct {
	inbox *inbox
	note  note
}

func (u *upload) GetInfo(context.Context) (handler.FileInfo, error) {
	return handler.FileInfo{ID: u.note.ID, Size: u.note.Size, Offset: u.note.size(u.inbox), MetaData: u.note.Meta}, nil
}

func (u *upload) WriteChunk(_ context.Context, offset int64, src io.Reader) (int64, error) {
	n, err := u.inbox.write(u.note.ID, src, named(u.note.Meta), u.note.Size-offset)
	return n, spaceError(err)
}

// FinishUpload has nothing to do: the Item is made when the answer is.
func (u *upload) FinishUpload(context.Context) error { return nil }

// GetReader is never called: downloads are off.
func (u *upload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, handler.ErrNotImplemented
}

// Terminate removes an upload that somebody gave up. One that became an Item
// is the ledger's, be that noted or not.
func (u *upload) Terminate(ctx context.Context) error {
	id := u.note.ID
	defer u.inbox.entry.alone(id)()
	owned, err := u.inbox.owned(ctx, id)
	if err != nil {
		return err
	}
	if owned {
		return os.Remove(u.inbox.note(id))
	}
	u.inbox.forget(id)
	return nil
}

func spaceError(err error) error {
	var no *refusal
	if errors.As(err, &no) && no.status == http.StatusServiceUnavailable {
		return handler.NewError("ERR_TOO_MANY_UPLOADS", "too many unfinished uploads", no.status)
	}
	if full(err) || errors.As(err, &no) && no.status == http.StatusInsufficientStorage {
		return handler.NewError("ERR_NO_SPACE", "no space left", http.StatusInsufficientStorage)
	}
	return err
}
