package web

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"wedrop/pipeline/inspect"
)

// Spoken are the parameters that choose an answer's language.
type Spoken struct {
	Lang   string `query:"lang" enum:"zh,en" doc:"Language of texts; else Accept-Language decides, else the configuration."`
	Accept string `header:"Accept-Language" hidden:"true"`
}

type byID struct {
	Spoken
	ID int64 `path:"id" minimum:"1" doc:"Of the item."`
}

type oneItem struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       itemView
}

// api registers everything that /openapi.json tells of.
func (s *Site) api() {
	c := huma.DefaultConfig("wedrop", orElse(s.o.Version, "dev"))
	c.CreateHooks = nil // no $schema in the answers
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Transformers = []huma.Transformer{s.problems}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "JSON")
	})
	c.Info.Description = "Local files to media_ids of WeCom, and the ledger of them. " +
		"With page_token set, every request wants it as a Bearer token, or the cookie of the page's own sign-in. " +
		"Query parameters that are unknown, or given twice, are refused with 400. " +
		"/upload/ speaks tus 1.0 beside this (metadata: filename, filetype, type); the last PATCH answers with the header Wedrop-Item."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "page_token of the configuration"},
		"session": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "of the page's sign-in"},
	}
	if s.o.Token != "" {
		c.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	api := humago.New(s.mux, c)
	api.UseMiddleware(s.knownQuery)
	schemas := c.Components.Schemas

	s.listOperation(api, schemas)
	huma.Register(api, operation(schemas, "get-item", http.MethodGet, "/api/items/{id}", "An item"), s.getItem)
	huma.Register(api, operation(schemas, "get-history", http.MethodGet, "/api/items/{id}/history", "What happened to an item"), s.getHistory)
	huma.Register(api, operation(schemas, "retry-item", http.MethodPost, "/api/items/{id}/retry", "Releases a held item"), s.retryItem)
	renew := operation(schemas, "renew-item", http.MethodPost, "/api/items/{id}/renew", "Gets a done item a new media_id; the old one stays meanwhile")
	renew.DefaultStatus = http.StatusAccepted
	huma.Register(api, renew, s.renewItem)
	s.mediaOperation(api, schemas)
	s.postOperation(api, schemas)
	s.contentOperation(api, schemas)
	s.templateOperations(api, schemas)
	huma.Register(api, operation(schemas, "get-status", http.MethodGet, "/api/status", "What this server takes"), s.getStatus)

	delete(schemas.Map(), "ErrorModel") // huma's own, in whose place problems are
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(api.OpenAPI()) })
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		b, err := document()
		if err != nil {
			s.refuse(w, r, s.refusalOf(r.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(b)
	})
}

// knownQuery refuses parameters that the operation has not, and what is given
// twice: a filter that is misspelt would be none, and the second value would be
// dropped.
func (s *Site) knownQuery(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	var known []string
	for _, p := range ctx.Operation().Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		s.refuse(w, r, wrongQuery("", known))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(known, name) || len(query[name]) > 1 {
			s.refuse(w, r, wrongQuery(name, known))
			return
		}
	}
	next(ctx)
}

// operation is one whose errors are problems.
func operation(r huma.Registry, id, method, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxSmall - 1,
		Responses: map[string]*huma.Response{"default": {Description: "A problem", Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: r.Schema(reflect.TypeFor[problemJSON](), true, "")},
		}}}}
}

// itemResponse documents an answer with an item.
func itemResponse(r huma.Registry, description string) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
		"application/json": {Schema: r.Schema(reflect.TypeFor[itemJSON](), true, "")}}}
}

type statusJSON struct {
	Version            string   `json:"version"`
	Lang               string   `json:"lang" enum:"zh,en" doc:"Of who does not ask for one."`
	MinSize            int64    `json:"min_size" doc:"Of a file, in bytes."`
	MaxSize            int64    `json:"max_size" doc:"Of a file, in bytes."`
	RenewBeforeSeconds int64    `json:"renew_before_seconds" doc:"How long before its end a media_id counts as about to expire."`
	Token              bool     `json:"token" doc:"Whether one has to sign in, so may sign out."`
	Types              []string `json:"types" nullable:"false" doc:"That a file may be sent as."`
}

func (s *Site) getStatus(context.Context, *Spoken) (*struct{ Body statusJSON }, error) {
	return &struct{ Body statusJSON }{statusJSON{Version: orElse(s.o.Version, "dev"), Lang: s.o.Lang, MinSize: inspect.MinSize, MaxSize: inspect.MaxSize,
		RenewBeforeSeconds: int64(s.o.RenewBefore.Seconds()), Token: s.o.Token != "",
		Types: []string{string(inspect.Auto), string(inspect.Video), string(inspect.File)}}}, nil
}
