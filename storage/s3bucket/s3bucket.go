// Package s3bucket is a storage.Driver for Amazon S3 and services that speak
// its protocol: "s3://bucket/prefix?region=R&endpoint=URL&path_style=true".
//
// Start with [Open]. Credentials come from the AWS SDK's usual chain
// (environment, profile, role). They need s3:PutObject, s3:GetObject and
// s3:DeleteObject under the prefix, s3:PutObjectAcl if ACLs are to be set,
// and nothing else.
//
// An object is sent in one PUT with an unsigned payload and Content-MD5: the
// service itself refuses any other body, and nothing is hashed twice here. For
// its ETag the service takes the MD5 anyway, and some (versitygw) take it a
// second time for Content-MD5; so a large body goes with its CRC32C instead,
// where the service has shown that it refuses a body which differs, and the
// ETag is compared. There is no multipart upload: four parts of 8 MiB at once
// took as long as one body with its CRC32C (200 MB over loopback), and they
// stay behind where a process is killed, and cost money. The SDK's own tries
// and its default checksum trailer are off: storage.Bucket tries again, and
// COS, OSS and others refuse the trailer.
package s3bucket

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"wedrop/storage"
)

// A Driver is one bucket.
type Driver struct {
	client *s3.Client
	bucket string
	region string

	service service
	address string // of the bucket, without a slash at its end
	base    string // of public links: address, or "" if it is never public

	noConditions atomic.Bool // the service has no If-None-Match
	checksums    checksums
}

// ID implements storage.Driver: "s3://bucket".
func (d *Driver) ID() string { return "s3://" + d.bucket }

// URL implements storage.Driver. It is "" for services whose own address is
// never public (Cloudflare R2).
func (d *Driver) URL(key string) string {
	if d.base == "" {
		return ""
	}
	return d.base + "/" + storage.EscapeKey(key)
}

// ListURL implements storage.Stranger.
func (d *Driver) ListURL(prefix string) string {
	return d.address + "/?" + url.Values{"list-type": {"2"}, "max-keys": {"1"}, "prefix": {prefix}}.Encode()
}

// md5Meta is where Put leaves the MD5 beside the object: with KMS encryption,
// and at some services always, the ETag is none.
const md5Meta = "md5"

// Head implements storage.Driver.
func (d *Driver) Head(ctx context.Context, key string) (storage.Attrs, error) {
	out, err := d.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &d.bucket, Key: &key})
	if err != nil {
		return storage.Attrs{}, err
	}
	a := storage.Attrs{Size: aws.ToInt64(out.ContentLength)}
	a.MD5 = etagMD5(out.ETag, out.ServerSideEncryption, out.SSECustomerAlgorithm)
	if a.MD5 == "" {
		a.MD5 = asMD5(out.Metadata[md5Meta])
	}
	return a, nil
}

var md5Form = regexp.MustCompile(`^[0-9a-f]{32}$`)

func asMD5(s string) string {
	s = strings.ToLower(s)
	if !md5Form.MatchString(s) {
		return ""
	}
	return s
}

// etagMD5 is the ETag if it is the MD5 of the content: not for a multipart
// upload, and not if the content was sealed with a key of KMS or the customer.
func etagMD5(etag *string, sse types.ServerSideEncryption, customer *string) string {
	if sse != "" && sse != types.ServerSideEncryptionAes256 || aws.ToString(customer) != "" {
		return ""
	}
	return asMD5(strings.Trim(aws.ToString(etag), `"`))
}

// Put implements storage.Driver.
func (d *Driver) Put(ctx context.Context, r storage.PutRequest) error {
	conditional := r.IfAbsent && !d.noConditions.Load()
	crc := r.CRC32C != 0 && r.Size >= largeBody && d.compares(ctx, r.Key)
	err := d.put(ctx, r, conditional, crc)
	if !conditional || !notImplemented(err) {
		return err
	}
	// Either If-None-Match or the ACL is too much for this service.
	if _, err := r.Body.Seek(0, 0); err != nil {
		return err
	}
	err = d.put(ctx, r, false, crc)
	if !notImplemented(err) {
		d.noConditions.Store(true)
	}
	return err
}

func (d *Driver) put(ctx context.Context, r storage.PutRequest, conditional, crc bool) error {
	sum, err := hex.DecodeString(r.MD5)
	if err != nil {
		return fmt.Errorf("MD5 %q: %w", r.MD5, err)
	}
	in := &s3.PutObjectInput{
		Bucket:        &d.bucket,
		Key:           &r.Key,
		Body:          r.Body,
		ContentLength: &r.Size,
		ContentMD5:    aws.String(base64.StdEncoding.EncodeToString(sum)),
		ContentType:   filled(r.ContentType),
		Metadata:      map[string]string{md5Meta: r.MD5},
	}
	if crc {
		in.ContentMD5, in.ChecksumCRC32C = nil, aws.String(inBase64(r.CRC32C))
	}
	in.ContentDisposition = filled(r.Disposition)
	if r.ACL {
		in.ACL = types.ObjectCannedACLPublicRead
	}
	if conditional {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := d.client.PutObject(ctx, in)
	if err != nil {
		return err
	}
	got := etagMD5(out.ETag, out.ServerSideEncryption, out.SSECustomerAlgorithm)
	if got == "" || got == r.MD5 {
		return nil
	}
	return d.takeBack(ctx, r, got)
}

func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// errOther is a service that has stored something else and said so.
var errOther = errors.New("the service stored another content than was sent")

// takeBack removes an object that the service calls another one, even if the
// context has ended meanwhile: nobody may trust it.
func (d *Driver) takeBack(ctx context.Context, r storage.PutRequest, got string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := fmt.Errorf("%w: its MD5 is %s, not %s", errOther, got, r.MD5)
	return errors.Join(err, d.Delete(ctx, r.Key))
}

// Delete implements storage.Driver.
func (d *Driver) Delete(ctx context.Context, key string) error {
	_, err := d.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &d.bucket, Key: &key})
	if err != nil && d.Classify(err).Cause == storage.CauseNotFound {
		return nil
	}
	return err
}

// Policy implements storage.Driver: the text for "Bucket policy" in the
// console. It opens single objects for reading and no listing.
func (d *Driver) Policy(prefix string) string {
	if prefix != "" {
		prefix += "/"
	}
	return fmt.Sprintf(`{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "WedropPublicRead",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "s3:GetObject",
      "Resource": "arn:%s:s3:::%s/%s*"
    }
  ]
}`, partition(d.region), d.bucket, prefix)
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
