package costest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// skewAllowed is how far the start of a signature may lie in the future. The
// figure is ours: that COS has such a limit is known, its size is not.
const skewAllowed = 15 * time.Minute

// authorization is the parsed header of a signed request
// (cloud.tencent.com/document/product/436/7778).
type authorization struct {
	id, signTime, keyTime, signature string
	headers, params                  []string
	start, end                       int64 // seconds since 1970
}

func parseAuthorization(v string) (authorization, error) {
	f := map[string]string{}
	for pair := range strings.SplitSeq(v, "&") {
		k, val, ok := strings.Cut(pair, "=")
		if _, twice := f[k]; !ok || twice {
			return authorization{}, fmt.Errorf("malformed authorization near %q", k)
		}
		f[k] = val
	}
	if f["q-sign-algorithm"] != "sha1" || len(f) != 7 {
		return authorization{}, fmt.Errorf("authorization lacks a field or names another algorithm")
	}
	a := authorization{id: f["q-ak"], signTime: f["q-sign-time"], keyTime: f["q-key-time"], signature: f["q-signature"],
		headers: list(f["q-header-list"]), params: list(f["q-url-param-list"])}
	from, to, ok := strings.Cut(a.keyTime, ";")
	start, err1 := strconv.ParseInt(from, 10, 64)
	end, err2 := strconv.ParseInt(to, 10, 64)
	if !ok || err1 != nil || err2 != nil || start >= end {
		return authorization{}, fmt.Errorf("q-key-time %q is no span of time", a.keyTime)
	}
	a.start, a.end = start, end
	return a, nil
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ";")
}

// Sign returns the signature of r as COS publishes the algorithm, over the
// headers and query parameters that are named (in lower case, escaped), valid
// for keyTime ("start;end", seconds since 1970). It works on a request as a
// server receives it.
func Sign(r *http.Request, secretKey, keyTime string, headers, params []string) string {
	key := digest([]byte(secretKey), keyTime)
	text := strings.ToLower(r.Method) + "\n" + r.URL.Path + "\n" +
		canonical(params, lowered(r.URL.Query())) + "\n" +
		canonical(headers, received(r)) + "\n"
	sum := sha1.Sum([]byte(text))
	return digest([]byte(key), "sha1\n"+keyTime+"\n"+hex.EncodeToString(sum[:])+"\n")
}

func digest(key []byte, text string) string {
	h := hmac.New(sha1.New, key)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// received are the headers of r by escaped lower-case name, those included
// that net/http keeps apart.
func received(r *http.Request) map[string][]string {
	m := lowered(r.Header)
	m["host"] = []string{r.Host}
	if r.ContentLength > 0 || len(m["content-length"]) > 0 {
		m["content-length"] = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	return m
}

func lowered(in map[string][]string) map[string][]string {
	out := make(map[string][]string, len(in)+2)
	for k, v := range in {
		k = strings.ToLower(escape(k))
		out[k] = append(out[k], v...)
	}
	return out
}

// canonical joins the named values as name=value, sorted; a name that is
// listed twice has two values.
func canonical(names []string, values map[string][]string) string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var pairs []string
	for _, n := range names {
		for _, v := range slices.Sorted(slices.Values(values[n])) {
			pairs = append(pairs, n+"="+escape(v))
		}
	}
	return strings.Join(pairs, "&")
}

// escape is RFC 3986: all but the unreserved characters, in upper-case hex.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// verify returns nil if r is signed by the bucket's owner, and what COS
// answers if it is not. Beyond the published algorithm it insists that the
// host, every x-cos-* header and every query parameter is signed: what is not
// signed can be changed on the way.
func (s *Server) verify(r *http.Request, now time.Time) *Error {
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	switch {
	case err != nil:
		return &Error{400, "InvalidArgument", err.Error()}
	case a.id != s.opt.SecretID:
		return &Error{403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records"}
	case a.signTime != a.keyTime:
		return &Error{403, "SignatureDoesNotMatch", "q-sign-time differs from q-key-time"}
	case time.Unix(a.start, 0).After(now.Add(skewAllowed)):
		return &Error{403, "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large"}
	case time.Unix(a.end, 0).Before(now):
		return &Error{403, "AccessDenied", "Request has expired"}
	case r.Header.Get("x-cos-security-token") != s.opt.Token:
		return &Error{403, "InvalidAccessKeyId", "The security token does not belong to the Access Key Id"}
	}
	if missing := unsigned(r, a); missing != "" {
		return &Error{403, "SignatureDoesNotMatch", missing + " is not signed"}
	}
	if want := Sign(r, s.opt.SecretKey, a.keyTime, a.headers, a.params); !hmac.Equal([]byte(want), []byte(a.signature)) {
		return &Error{403, "SignatureDoesNotMatch", "The Signature you specified is invalid"}
	}
	return nil
}

// unsigned names a part of r that ought to be signed and is not, or that is
// said to be signed and is not there.
func unsigned(r *http.Request, a authorization) string {
	headers, params := received(r), lowered(r.URL.Query())
	if !slices.Contains(a.headers, "host") {
		return "host"
	}
	for h := range headers {
		if strings.HasPrefix(h, "x-cos-") && !slices.Contains(a.headers, h) {
			return h
		}
	}
	for p := range params {
		if !slices.Contains(a.params, p) {
			return "parameter " + p
		}
	}
	for _, h := range a.headers {
		if len(headers[h]) == 0 {
			return "a header that is missing, " + h + ","
		}
	}
	for _, p := range a.params {
		if len(params[p]) == 0 {
			return "a parameter that is missing, " + p + ","
		}
	}
	return ""
}
