package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
)

const (
	stall    = time.Minute // so long an upload may stand still
	overhead = 1 << 20     // of a multipart body beside its file, at most
	entering = 5 * time.Minute
	keyLasts = 24 * time.Hour
	maxKeys  = 10_000
)

type postInput struct {
	Spoken
	Key string `header:"Idempotency-Key" maxLength:"255" doc:"With the same key the same request has the same answer for 24 hours, as long as the server runs. Without one, equal content, type and name are the same item."`

	r *http.Request
	w http.ResponseWriter
}

// Resolve keeps the request: its body is read as it comes.
func (in *postInput) Resolve(ctx huma.Context) []error {
	in.r, in.w = humago.Unwrap(ctx)
	return nil
}

func (s *Site) postOperation(api huma.API, r huma.Registry) {
	op := operation(r, "post-item", http.MethodPost, "/api/items", "Takes a file")
	op.Description = fmt.Sprintf("The file is written to the disk as it comes. It is read before the answer, so what cannot go is refused at once. Files have from %d to %d bytes.", inspect.MinSize, inspect.MaxSize)
	op.DefaultStatus = http.StatusAccepted
	op.Responses["202"] = itemResponse(r, "The item, also where it was there already")
	huma.Register(api, op, s.postItem)
	// Told afterwards, or huma would read the body before we do.
	api.OpenAPI().Paths[op.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
		Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": {Type: "string", Format: "binary", Description: "The file, with its filename."},
			"name": {Type: "string", Description: "To show instead of the filename."},
			"type": {Type: "string", Enum: []any{"auto", "video", "file"}, Default: "auto", Description: "How to send it."},
		}}}}}
}

func (s *Site) postItem(ctx context.Context, in *postInput) (*oneItem, error) {
	if in.Key != "" {
		return s.once(ctx, in)
	}
	f, err := s.receive(in, nil)
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	return s.taken(ctx, in, f)
}

// taken is the answer to a file that is here.
func (s *Site) taken(ctx context.Context, in *postInput, f form) (*oneItem, error) {
	it, err := s.take(ctx, f.id, f.name, f.kind)
	return s.state.heir(s).answer(ctx, http.StatusAccepted, it, in.Spoken, err)
}

// take makes an Item of an upload that is whole, whether its sender still
// waits or not. If the configuration changed since it began, its ledger may be
// closed, and the new Site's is asked.
func (s *Site) take(ctx context.Context, id, name string, kind inspect.Type) (pipeline.Item, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), entering)
	defer cancel()
	for {
		heir := s.state.heir(s)
		it, err := heir.inbox.take(ctx, id, name, kind)
		var no *refusal
		if err == nil || errors.As(err, &no) || heir == s.state.heir(s) {
			return it, err
		}
	}
}

// once answers to an idempotency key.
func (s *Site) once(ctx context.Context, in *postInput) (*oneItem, error) {
	a, done := s.state.keys.begin(in.Key, s.state.now())
	if a == nil {
		return nil, keyBusy()
	}
	defer done()
	sum := sha256.New()
	f, err := s.receive(in, sum)
	if err != nil {
		return nil, s.refusalOf(ctx, err)
	}
	request := digest(sha256.Sum256(fmt.Appendf(nil, "%q %q %x", f.name, f.kind, sum.Sum(nil))))
	switch {
	case a.known && a.request != request:
		s.inbox.forget(f.id)
		return nil, keyReused()
	case a.known:
		s.inbox.forget(f.id)
		return a.out, a.err
	}
	out, err := s.taken(ctx, in, f)
	var no *refusal
	if err == nil || errors.As(err, &no) && no.status < 500 {
		a.known, a.request, a.out, a.err = true, request, out, err
	}
	return out, err
}

// keys are the answers to idempotency keys.
type keys struct {
	mu sync.Mutex
	of map[string]*answer
}

type answer struct {
	at      time.Time
	busy    bool
	known   bool
	request digest
	out     *oneItem
	err     error
}

// begin takes a key until done is called; it returns nil where another request
// has it.
func (k *keys) begin(key string, now time.Time) (a *answer, done func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a = k.of[key]; a != nil && a.busy {
		return nil, nil
	}
	if a == nil || now.Sub(a.at) > keyLasts {
		k.prune(now)
		a = &answer{at: now}
		k.of[key] = a
	}
	a.busy = true
	return a, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		a.busy = false
		if !a.known {
			delete(k.of, key)
		}
	}
}

// prune drops what is too old, and if there are too many for that, whatever
// comes first: an answer that is gone costs a reading, as equal content is the
// same item anyway.
func (k *keys) prune(now time.Time) {
	for key, a := range k.of {
		if !a.busy && (now.Sub(a.at) > keyLasts || len(k.of) >= maxKeys) {
			delete(k.of, key)
		}
	}
}

func keyBusy() *refusal {
	return &refusal{status: http.StatusConflict, code: "wedrop/key-busy", after: 2 * time.Second,
		message: pipeline.Text{ZH: "带着同一个 Idempotency-Key 的请求还没有处理完", EN: "another request with this Idempotency-Key is still being answered"},
		remedy:  pipeline.Text{ZH: "等它有了结果再重发", EN: "wait for its answer, then send it again"}}
}

func keyReused() *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, code: "wedrop/key-reused",
		message: pipeline.Text{ZH: "这个 Idempotency-Key 已经用于另一个文件", EN: "this Idempotency-Key was used for another file"},
		remedy:  pipeline.Text{ZH: "每个请求换一个新的 Idempotency-Key", EN: "give each request a key of its own"}}
}

// A form is a multipart request whose file is in the inbox.
type form struct {
	id   string // of the upload
	name string
	kind inspect.Type
}

// receive writes the request's file to the inbox. If that fails nothing is
// left of it. sum, if it is not nil, is given the content.
func (s *Site) receive(in *postInput, sum hash.Hash) (f form, err error) {
	r := in.r
	if r.ContentLength > inspect.MaxSize+overhead {
		return f, refusedFor(inspect.TooLarge, "", r.ContentLength)
	}
	if err := s.inbox.room(max(r.ContentLength, 0)); err != nil {
		return f, err
	}
	if err := s.inbox.reserve(max(r.ContentLength, 0)); err != nil {
		return f, err
	}
	body := &steady{r: http.MaxBytesReader(in.w, r.Body, inspect.MaxSize+overhead), c: http.NewResponseController(in.w)}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return f, wrongRequest("请求体要是 multipart/form-data，文件放在 file 里", "the body has to be multipart/form-data, with the file as file")
	}
	f = form{id: newID(), kind: inspect.Auto}
	if err = s.parts(&f, multipart.NewReader(body, params["boundary"]), sum); err != nil {
		s.inbox.forget(f.id)
	}
	return f, cutOff(err)
}

func (s *Site) parts(f *form, parts *multipart.Reader, sum hash.Hash) error {
	var name string
	found := false
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		switch p.FormName() {
		case "file":
			if found {
				return wrongRequest("一次只能传一个文件", "one request takes one file")
			}
			found, f.name = true, fileName(p)
			var from io.Reader = p
			if sum != nil {
				from = io.TeeReader(p, sum)
			}
			if _, err := s.inbox.write(f.id, from, f.name, inspect.MaxSize); err != nil {
				return err
			}
		case "name":
			if name, err = small(p); err != nil {
				return err
			}
		case "type":
			t, err := small(p)
			if err != nil {
				return err
			}
			if f.kind, err = typed(t); err != nil {
				return err
			}
		}
	}
	if !found {
		return wrongRequest("请求里没有文件（file）", "there is no file in the request")
	}
	f.name = orElse(name, f.name)
	return nil
}

// fileName is the name as it was sent: Part.FileName cuts it at what this
// system takes for a separator, and ShownName knows all of them.
func fileName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil {
		return p.FileName()
	}
	return params["filename"]
}

func small(p *multipart.Part) (string, error) {
	const enough = 4 << 10
	b, err := io.ReadAll(io.LimitReader(p, enough+1))
	if err == nil && len(b) > enough {
		err = wrongRequest("字段 "+p.FormName()+" 太长", "the field "+p.FormName()+" is too long")
	}
	return string(b), err
}

func typed(t string) (inspect.Type, error) {
	switch kind := inspect.Type(orElse(t, string(inspect.Auto))); kind {
	case inspect.Auto, inspect.Video, inspect.File:
		return kind, nil
	}
	return "", wrongRequest("type 只能是 auto、video 或 file", "type has to be auto, video or file")
}

// cutOff says what an end of the body means that came too early, or too late.
func cutOff(err error) error {
	var long *http.MaxBytesError
	var no *refusal
	switch {
	case err == nil || errors.As(err, &no) || full(err):
		return err
	case errors.As(err, &long):
		return refusedFor(inspect.TooLarge, "", long.Limit)
	}
	return &refusal{status: http.StatusBadRequest, code: "wedrop/incomplete",
		message: pipeline.Text{ZH: "文件没有传完整，连接中断了或格式不对", EN: "the file did not arrive whole: the connection broke, or the body is malformed"},
		remedy:  pipeline.Text{ZH: "重新上传；网络不稳时用页面上传，断线会自动接着传", EN: "upload it again; where the network is bad use the page, whose uploads go on where they were cut off"}}
}

// steady is a body that may take as long as it wants, but not stand still.
type steady struct {
	r io.Reader
	c *http.ResponseController
}

func (s *steady) Read(p []byte) (int, error) {
	_ = s.c.SetReadDeadline(time.Now().Add(stall)) // no connection, no deadline: in tests
	return s.r.Read(p)
}
