package storage

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// A Location is a storage URL taken apart: "s3://bucket/prefix?region=R",
// "cos://bucket-appid/prefix?region=R", "dir:///folder".
type Location struct {
	Scheme string     // "s3", "cos", "dir"
	Bucket string     // empty for "dir"
	Prefix string     // for Options.Prefix, without slashes at its ends; empty for "dir"
	Folder string     // "dir" alone: "/folder", or "C:/folder" on Windows
	Query  url.Values // region, endpoint, path_style
}

// SplitURL takes a storage URL apart. It knows the form alone: whether the
// scheme and the query are known is for the driver's Open to say. Its error
// is an *Error of Kind BadConfig which repeats no password of the URL.
func SplitURL(raw string) (Location, error) {
	if strings.HasPrefix(raw, "dir:") {
		return splitDir(raw)
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok || scheme == "" {
		return Location{}, badURL("it does not begin with s3://, cos:// or dir://")
	}
	// A "?" begins the query; everything before it is taken to the letter, so
	// that a name with "#" or "%" is not cut.
	where, query, _ := strings.Cut(rest, "?")
	if strings.Contains(where, "@") {
		return Location{}, badURL("it holds credentials; they belong into the environment")
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return Location{}, badURL("what follows the question mark does not parse")
	}
	bucket, prefix, _ := strings.Cut(where, "/")
	if bucket == "" {
		return Location{}, badURL("the bucket is missing")
	}
	prefix, err = url.PathUnescape(strings.Trim(prefix, "/"))
	if err != nil {
		return Location{}, badURL("its prefix does not parse")
	}
	return Location{Scheme: strings.ToLower(scheme), Bucket: bucket, Prefix: prefix, Query: q}, nil
}

func splitDir(raw string) (Location, error) {
	folder, ok := strings.CutPrefix(raw, "dir://")
	if !ok || !strings.HasPrefix(folder, "/") {
		return Location{}, badURL("dir:// is followed by a whole path: dir:///folder")
	}
	folder, query, _ := strings.Cut(folder, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return Location{}, badURL("what follows the question mark does not parse")
	}
	// A path with a bare "%" is what a person types; an escaped one is what a
	// program writes.
	if plain, err := url.PathUnescape(folder); err == nil {
		folder = plain
	}
	if len(folder) >= 3 && folder[2] == ':' {
		folder = folder[1:] // dir:///C:/folder
	}
	return Location{Scheme: "dir", Folder: path.Clean(folder), Query: q}, nil
}

// Only refuses query parameters other than the known ones, so that a typo in
// "regoin" is not a wrong region.
func (l Location) Only(known ...string) error {
	for name, values := range l.Query {
		if !contains(known, name) {
			return l.bad(fmt.Sprintf("it has an unknown parameter %q (known: %s)", name, strings.Join(known, ", ")))
		}
		if len(values) > 1 {
			return l.bad(fmt.Sprintf("it gives %q twice", name))
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (l Location) bad(detail string) error {
	e := badURL(detail)
	if l.Bucket != "" {
		e.Bucket = l.Scheme + "://" + l.Bucket
	}
	return e
}

func badURL(detail string) *Error {
	return &Error{Op: "open", Kind: BadConfig, Reason: ReasonURL, Detail: detail}
}

// CheckEndpoint returns why an endpoint or a base of links cannot be used, or
// "": it must be https, or http to this machine alone, because credentials
// and files pass over it; and it must be a bare address.
func CheckEndpoint(raw string) (u *url.URL, why string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, "it is no address"
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, "it does not begin with https://"
	case u.Hostname() == "":
		return nil, "it names no host"
	case u.User != nil:
		return nil, "it holds credentials"
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, "it has a query or a fragment"
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, "it is http, which is for this machine alone"
	}
	return u, ""
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// EscapeKey is the key as a path of a link, without a slash before it. All
// but letters, digits, "-_.~" and "/" is escaped: what "+" or "=" mean in a
// path, servers and downloaders do not agree on.
func EscapeKey(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(key); i++ {
		c := key[i]
		if isUnreserved(c) || c == '/' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}

// sameOrigin says whether a redirect stays with the server.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(hostPort(a), hostPort(b))
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
