// Package cosbucket keeps staged files in a bucket of Tencent Cloud COS.
//
// Start with [Open]; what it returns is a [storage.Driver] for [storage.New].
// The policy behind it:
//
//   - One call, one request. The SDK's own tries are off, as they hide the
//     first answer and repeat a 403 as readily as a 503; storage.Bucket has
//     the one loop for all drivers.
//   - Every body goes as a single PUT with Content-MD5, so COS itself refuses
//     other bytes and nothing half-written is ever visible.
//   - An object is public by its own ACL only if that is asked for: Tencent
//     advises against ACLs of objects and allows 1,000 an account. The text
//     that Policy returns opens the prefix instead.
//   - Nothing here follows a redirect, and http is for this machine alone.
//
// The rights needed are name/cos:PutObject, HeadObject, GetObject and
// DeleteObject under the prefix (and PutObjectACL for ACLs).
package cosbucket

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"wedrop/storage"
)

// Options of Open.
type Options struct {
	// Credentials. If all three are empty, those of the environment are
	// taken: EnvSecretID, EnvSecretKey, EnvToken.
	SecretID  string
	SecretKey string
	Token     string // of temporary credentials; else empty

	Transport http.RoundTripper // below the signature; if nil, one of the driver's own
	Now       func() time.Time  // to tell a wrong clock; time.Now if nil
}

// A Driver is one bucket. It may be used concurrently.
type Driver struct {
	link   link
	client *cos.Client
	creds  credentials
	now    func() time.Time
}

// Open returns the driver of a link of the form
//
//	cos://bucket-appid/prefix?region=R&endpoint=URL
//
// It sends nothing. The endpoint is the bucket's own host (a custom domain,
// a test server); without it, it is the host that Tencent gives the bucket.
// What is wrong with the link or missing in the environment is reported as a
// *storage.Error of Kind BadConfig.
func Open(rawURL string, o Options) (*Driver, error) {
	l, err := parseLink(rawURL)
	if err != nil {
		return nil, err
	}
	c, err := l.findCredentials(o)
	if err != nil {
		return nil, err
	}
	d := &Driver{link: l, creds: c, now: o.Now}
	if d.now == nil {
		d.now = time.Now
	}
	// Not cos.NewBucketURL: it executes a text/template, which would keep
	// every method of every type in the binary.
	d.client = cos.NewClient(&cos.BaseURL{BucketURL: l.endpoint}, client(c, o.Transport))
	d.client.Conf.EnableCRC = false
	d.client.Conf.RetryOpt.Count = 1
	return d, nil
}

// ID is "cos://bucket-appid".
func (d *Driver) ID() string { return "cos://" + d.link.bucket }

// Prefix is that of the link, for storage.Options; it may be empty. Put and
// the other methods take whole keys and do not add it.
func (d *Driver) Prefix() string { return d.link.prefix }

// URL is the link that anybody can use if the object is public.
func (d *Driver) URL(key string) string {
	return d.link.endpoint.String() + "/" + storage.EscapeKey(key)
}

// ListURL implements storage.Stranger.
func (d *Driver) ListURL(prefix string) string {
	return d.link.endpoint.String() + "/?" + url.Values{"max-keys": {"1"}, "prefix": {prefix}}.Encode()
}

// Head returns the object's attributes. HEAD has no body, so COS cannot say
// whether the object or the whole bucket is missing: both are CauseNotFound.
func (d *Driver) Head(ctx context.Context, key string) (storage.Attrs, error) {
	resp, err := d.client.Object.Head(ctx, key, nil)
	if err != nil {
		return storage.Attrs{}, d.failed("head", key, false, err)
	}
	return storage.Attrs{Size: resp.ContentLength, MD5: vouched(resp.Header)}, nil
}

// metaMD5 is where Put leaves the MD5 beside the object.
const metaMD5 = "X-Cos-Meta-Md5"

// vouched returns the MD5 that COS vouches for. COS's documentation says that
// an ETag is not necessarily an MD5 (cloud.tencent.com/document/product/436/7729),
// so: an ETag that looks like the MD5 of an unencrypted object of one PUT is
// one, and wins, since nobody can set it; else it is what Put stored as
// metadata, in the same request whose body COS compared with Content-MD5.
func vouched(h http.Header) string {
	if sum, ok := plainETag(h); ok {
		return sum
	}
	if sum := strings.ToLower(h.Get(metaMD5)); isMD5(sum) {
		return sum
	}
	return ""
}

func plainETag(h http.Header) (string, bool) {
	sum := strings.ToLower(strings.Trim(h.Get("ETag"), `"`))
	for name := range h {
		if strings.HasPrefix(name, "X-Cos-Server-Side-Encryption") {
			return "", false
		}
	}
	return sum, isMD5(sum)
}

func isMD5(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 16
}

// Put stores the whole body under the key, or nothing. Of an error of the
// body itself it returns that one, so that errors.Is finds it.
//
// IfAbsent is x-cos-forbid-overwrite. That the header exists and that COS
// then answers 409 FileAlreadyExists, and that it is without effect in a
// bucket with versions, is documented; it was not seen live. Where it has no
// effect the object is replaced by equal content.
func (d *Driver) Put(ctx context.Context, r storage.PutRequest) error {
	opt, err := putOptions(r)
	if err != nil {
		return d.failed("put", r.Key, r.ACL, err)
	}
	b := &body{r: r.Body, left: r.Size}
	var content io.Reader = b
	if r.Size == 0 {
		// A reader of unknown length would be sent in chunks.
		content = strings.NewReader("")
	}
	resp, err := d.client.Object.Put(ctx, r.Key, content, opt)
	if bad := b.release(); bad != nil {
		return d.failed("put", r.Key, r.ACL, bad)
	}
	if err != nil {
		return d.failed("put", r.Key, r.ACL, err)
	}
	if sum, ok := plainETag(resp.Header); ok && sum != r.MD5 {
		return d.failed("put", r.Key, r.ACL, d.takeBack(ctx, r.Key, sum))
	}
	return nil
}

func putOptions(r storage.PutRequest) (*cos.ObjectPutOptions, error) {
	sum, err := hex.DecodeString(r.MD5)
	if err != nil || len(sum) != 16 {
		return nil, fmt.Errorf("%q is no MD5", r.MD5)
	}
	h := &cos.ObjectPutHeaderOptions{
		ContentLength:      r.Size,
		ContentMD5:         base64.StdEncoding.EncodeToString(sum),
		ContentType:        r.ContentType,
		ContentDisposition: r.Disposition,
		XCosMetaXXX:        &http.Header{metaMD5: {r.MD5}},
	}
	if r.IfAbsent {
		h.XOptionHeader = &http.Header{"X-Cos-Forbid-Overwrite": {"true"}}
	}
	acl := &cos.ACLHeaderOptions{}
	if r.ACL {
		acl.XCosACL = "public-read"
	}
	return &cos.ObjectPutOptions{ACLHeaderOptions: acl, ObjectPutHeaderOptions: h}, nil
}

// takeBack removes an object of which COS itself says that it has another
// MD5 than was sent, even if nobody waits any more: wrong bytes must not stay
// under a key that is trusted from now on.
func (d *Driver) takeBack(ctx context.Context, key, sum string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	wrong := &wrongETag{sum: sum}
	if _, err := d.client.Object.Delete(ctx, key); err != nil {
		wrong.left = true
	}
	return wrong
}

// Delete removes the object; a missing one is no error.
func (d *Driver) Delete(ctx context.Context, key string) error {
	_, err := d.client.Object.Delete(ctx, key)
	if err == nil {
		return nil
	}
	if err = d.failed("delete", key, false, err); d.Classify(err).Cause == storage.CauseNotFound {
		return nil
	}
	return err
}
