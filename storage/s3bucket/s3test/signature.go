package s3test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wedrop/storage"
)

const unsigned = "UNSIGNED-PAYLOAD"

// authenticate says whether the request is signed by the account; an
// anonymous one is neither signed nor refused. It computes Signature Version
// 4 from what came over the wire, with none of the SDK's code
// (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
func (s *Server) authenticate(r *http.Request, set Settings) (signed bool, no *refusal) {
	auth := r.Header.Get("Authorization")
	if auth == "" {
		return false, nil
	}
	a, ok := parseAuthorization(auth)
	date := r.Header.Get("x-amz-date")
	at, err := time.Parse("20060102T150405Z", date)
	payload := r.Header.Get("x-amz-content-sha256")
	now := time.Now().Add(set.Ahead)
	switch {
	case !ok || err != nil || !strings.HasPrefix(date, a.day):
		return false, &refusal{400, "AuthorizationHeaderMalformed", "The authorization header is malformed."}
	case a.key != AccessKey:
		return false, &refusal{403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."}
	case a.region != Region:
		return false, &refusal{400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region '" + a.region + "' is wrong; expecting '" + Region + "'"}
	case at.Sub(now).Abs() > 15*time.Minute:
		return false, &refusal{403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."}
	case r.Header.Get("x-amz-security-token") != set.Token:
		return false, &refusal{400, "InvalidToken", "The provided token is malformed or otherwise invalid."}
	case strings.HasPrefix(payload, "STREAMING-"):
		// What COS and OSS say to the SDK's default trailer.
		return false, &refusal{501, "NotImplemented", "Aws MultiChunkedEncoding " + payload + " is not supported"}
	case payload != unsigned && len(payload) != 64:
		return false, &refusal{400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"}
	}
	for name := range r.Header {
		n := strings.ToLower(name)
		if (strings.HasPrefix(n, "x-amz-") || n == "content-md5") && !slices.Contains(a.headers, n) {
			return false, &refusal{403, "AccessDenied", "There were headers present in the request which were not signed: " + n}
		}
	}
	if !slices.Contains(a.headers, "host") || !hmac.Equal([]byte(a.signature), []byte(sign(r, a, set.secret(), date, payload))) {
		return false, &refusal{403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method."}
	}
	return true, nil
}

type authorization struct {
	key, day, region, signature string
	headers                     []string
}

func parseAuthorization(s string) (a authorization, ok bool) {
	s, ok = strings.CutPrefix(s, "AWS4-HMAC-SHA256 ")
	if !ok {
		return a, false
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[k] = v
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 5 || scope[3] != "s3" || scope[4] != "aws4_request" {
		return a, false
	}
	return authorization{
		key: scope[0], day: scope[1], region: scope[2],
		signature: fields["Signature"],
		headers:   strings.Split(fields["SignedHeaders"], ";"),
	}, true
}

func (set Settings) secret() string {
	if set.Secret != "" {
		return set.Secret
	}
	return SecretKey
}

func sign(r *http.Request, a authorization, secret, date, payload string) string {
	scope := strings.Join([]string{a.day, a.region, "s3", "aws4_request"}, "/")
	sum := sha256.Sum256([]byte(canonical(r, a.headers, payload)))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", date, scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.day, a.region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func canonical(r *http.Request, headers []string, payload string) string {
	lines := []string{r.Method, storage.EscapeKey(r.URL.Path), canonicalQuery(r.URL.Query())}
	for _, name := range headers {
		lines = append(lines, name+":"+headerOf(r, name))
	}
	return strings.Join(append(lines, "", strings.Join(headers, ";"), payload), "\n")
}

func headerOf(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(values, ",")
}

func canonicalQuery(q url.Values) string {
	var pairs []string
	for k, values := range q {
		for _, v := range values {
			pairs = append(pairs, escapeAll(k)+"="+escapeAll(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func escapeAll(s string) string {
	return strings.ReplaceAll(storage.EscapeKey(s), "/", "%2F")
}
