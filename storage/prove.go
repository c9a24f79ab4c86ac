package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// proofBytes is how much of each end of the file Prove compares.
const proofBytes = 1024

// Prove fetches the first and the last bytes of obj as WeCom would: without
// credentials, by Range, and compares them with blob's. It returns nil if the
// copy is public, whole and served in ranges; else an *Error. (Once the server
// has shown for some objects that it serves both ends, those of up to 32 KiB
// that Put uploaded are compared whole but for their first byte, by one
// request: their MD5 was compared when they came.) The errors:
//
//   - NotPublic: the link is refused (401, 403) or leads nowhere (404, after
//     some more tries: a copy may be young)
//   - NoRange: the server sends the whole file instead of a part
//   - Changed: size or bytes differ
//   - Unreachable: no answer, or one that passes (5xx), after some more tries
//   - BadConfig: the link leads to another server, is compressed on its way,
//     is longer than WeCom takes, or is an .apk or .ipa on a default domain
//     of COS or OBS, which refuse to serve those
//
// Errors of Blob.Open and of the reader are treated as in Put.
func (b *Bucket) Prove(ctx context.Context, obj Object, blob Blob) error {
	if err := blob.check(); err != nil {
		return err
	}
	if err := b.checkLink("prove", obj); err != nil {
		return err
	}
	parts, err := b.parts(obj, blob)
	if err != nil {
		return err
	}
	err = b.fetchAll(ctx, obj, parts, blob.Size)
	b.habit.proved(err)
	return err
}

func (b *Bucket) fetchAll(ctx context.Context, obj Object, parts []part, size int64) error {
	for _, p := range parts {
		err := b.again(ctx, func(ctx context.Context) (error, bool) {
			e := b.fetch(ctx, obj, p, size)
			if e == nil {
				return nil, false
			}
			return e, e.Temporary() || e.Detail == notFound
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkLink refuses what WeCom cannot fetch, before anything is sent.
func (b *Bucket) checkLink(op string, obj Object) error {
	e := b.failure(op, obj, BadConfig)
	e.URL = obj.URL
	if len(obj.URL) > maxLink {
		e.Reason, e.Detail = ReasonLinkLength, fmt.Sprintf("%d bytes", len(obj.URL))
		return e
	}
	if u, err := url.Parse(obj.URL); err == nil && noInstallers(u) {
		e.Reason, e.Detail = ReasonExecutable, u.Hostname()
		return e
	}
	return nil
}

// noInstallers knows links of .apk and .ipa that their services refuse to
// serve: from the default domains of COS for buckets since 2024, those for
// static websites and acceleration included
// (tencentcloud.com/document/product/436/57456), and from OBS's since
// 2023-12-30. Read 2026-11.
func noInstallers(u *url.URL) bool {
	if !strings.HasSuffix(u.Path, ".apk") && !strings.HasSuffix(u.Path, ".ipa") {
		return false
	}
	for _, domain := range []string{".myqcloud.com", ".tencentcos.cn", ".myhuaweicloud.com"} {
		if strings.HasSuffix(strings.ToLower(u.Hostname()), domain) {
			return true
		}
	}
	return false
}

// A part is a stretch of the file, with the local bytes.
type part struct {
	from    int64
	content []byte
}

func (p part) last() int64 { return p.from + int64(len(p.content)) - 1 }

// parts returns the first and the last part, with the file's bytes. If the
// first is the whole file, the last is a single byte: a server that serves
// ranges serves that one too.
func (b *Bucket) parts(obj Object, blob Blob) ([]part, error) {
	file, err := blob.Open()
	if err != nil {
		return nil, b.sourceError("prove", obj, err)
	}
	defer file.Close()
	parts := ends(blob.Size)
	if obj.Uploaded && b.habit.whole(blob) {
		parts = []part{{1, make([]byte, blob.Size-1)}}
	}
	for _, p := range parts {
		if _, err := file.Seek(p.from, io.SeekStart); err != nil {
			return nil, b.sourceError("prove", obj, err)
		}
		if _, err := io.ReadFull(file, p.content); err != nil {
			return nil, b.sourceError("prove", obj, err)
		}
	}
	return parts, nil
}

func ends(size int64) []part {
	from := size - proofBytes
	if from <= 0 {
		from = size - 1
	}
	return []part{{0, make([]byte, min(size, proofBytes))}, {from, make([]byte, size-from)}}
}

const notFound = "HTTP 404"

// fetch is one anonymous request for one part.
func (b *Bucket) fetch(ctx context.Context, obj Object, p part, size int64) *Error {
	ctx, cancel := context.WithTimeout(ctx, min(b.stall, 30*time.Second))
	defer cancel()
	fail := func(k Kind, r Reason, detail string, err error) *Error {
		e := b.failure("prove", obj, k)
		e.URL, e.Reason, e.Detail, e.Err = obj.URL, r, detail, err
		if k == NotPublic {
			e.Policy = b.Policy()
		}
		return b.advised(e)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, obj.URL, nil)
	if err != nil {
		return fail(BadConfig, ReasonPublicURL, "the link does not parse", err)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", p.from, p.last()))
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := b.probe.Do(req)
	if err != nil {
		if r := (*redirectError)(nil); errors.As(err, &r) {
			return fail(BadConfig, ReasonRedirect, r.Error(), nil)
		}
		return fail(Unreachable, "", reach(err), err)
	}
	defer resp.Body.Close()
	k, r, detail := judge(resp, p, size)
	if k == "" {
		return nil
	}
	e := fail(k, r, detail, nil)
	e.Fault.RetryAfter = RetryAfter(resp.Header)
	return e
}

// judge says what is wrong with an answer; Kind "" means nothing is.
func judge(resp *http.Response, p part, size int64) (Kind, Reason, string) {
	status := fmt.Sprintf("HTTP %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return NoRange, "", "200 instead of 206"
	case code == http.StatusRequestedRangeNotSatisfiable:
		return Changed, "", fmt.Sprintf("%s for bytes %d-%d of %d", status, p.from, p.last(), size)
	case code == http.StatusNotFound:
		return NotPublic, "", notFound
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return Unreachable, "", status
	case code >= 400:
		said := errorCode(resp.Body)
		if said == "DownloadForbidden" { // COS: 400 by one page of its manual, 403 by the other
			return BadConfig, ReasonExecutable, status + " " + said
		}
		return NotPublic, "", strings.TrimSpace(status + " " + said)
	case code >= 300:
		return BadConfig, ReasonRedirect, status
	case code != http.StatusPartialContent:
		return NoRange, "", fmt.Sprintf("%d instead of 206", code)
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return BadConfig, ReasonEncoded, fmt.Sprintf("Content-Encoding %q", enc)
	}
	want := fmt.Sprintf("bytes %d-%d/%d", p.from, p.last(), size)
	if got := resp.Header.Get("Content-Range"); got != want {
		return wrongRange(got, want, size)
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, int64(len(p.content))+1))
	if err != nil {
		return Unreachable, "", "the answer broke off"
	}
	if !bytes.Equal(got, p.content) {
		return Changed, "", fmt.Sprintf("bytes %d-%d differ from the file's", p.from, p.last())
	}
	return "", "", ""
}

// wrongRange tells another file (another total) from a server that answers
// another range than it was asked for.
func wrongRange(got, want string, size int64) (Kind, Reason, string) {
	detail := fmt.Sprintf("Content-Range %q instead of %q", got, want)
	if _, total, ok := strings.Cut(got, "/"); ok && total != "*" && total != fmt.Sprint(size) {
		return Changed, "", detail
	}
	return NoRange, "", detail
}

var codeElement = regexp.MustCompile(`<Code>([A-Za-z0-9_.]{1,64})</Code>`)

// errorCode is the service's word in an XML answer, as S3 and COS send it.
func errorCode(body io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(body, 4096))
	if m := codeElement.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// reach is why there was no answer, in a few words.
func reach(err error) string {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &dns):
		return "the host's name does not resolve"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return "no answer"
}

// A redirectError ends a fetch that is sent elsewhere.
type redirectError struct{ to string }

func (e *redirectError) Error() string { return "redirect to " + e.to }

// anonymous returns a client that knows nobody: no cookies, no credentials,
// its own connections. Whether WeCom follows redirects is unknown; those that
// stay with the server are followed here, so that a mere slash is no fault.
func anonymous(base *http.Client) *http.Client {
	c := &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		DisableCompression:    true,

		MaxResponseHeaderBytes: MaxAnswerHeader,
	}}
	if base != nil {
		c.Transport, c.Timeout = base.Transport, base.Timeout
	}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > 3 || !sameOrigin(req.URL, via[0].URL) {
			return &redirectError{req.URL.Scheme + "://" + req.URL.Host}
		}
		return nil
	}
	return c
}
