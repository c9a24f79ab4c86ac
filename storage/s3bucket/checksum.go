package s3bucket

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"wedrop/storage"
)

// largeBody is from where it pays to ask whether the service compares a
// CRC32C.
const largeBody = 8 << 20

// checksums is whether a service compares a body with its CRC32C. One that
// does not know the header stores whatever comes.
type checksums struct {
	asking sync.Mutex
	answer atomic.Pointer[bool] // nil: not known
}

// probe is an object that nobody may store under its key.
const (
	probeName = "wedrop-ask" // the same as storage.Bucket.Ask's: at most one tiny object ever stays
	probeBody = "?"
	probeLie  = "!"
)

// compares reports whether the service refuses a body that differs from its
// CRC32C. It asks once, with such a body, beside the object that is to be
// stored; after trouble that passes the next caller asks again. Nobody waits
// for another one's answer: until it is there, the answer is no.
func (d *Driver) compares(ctx context.Context, key string) bool {
	c := &d.checksums
	if c.answer.Load() == nil && c.asking.TryLock() {
		defer c.asking.Unlock()
		if answer, ok := d.askCompares(ctx, key); ok {
			c.answer.Store(&answer)
		}
	}
	answer := c.answer.Load()
	return answer != nil && *answer
}

// askCompares reports ok if it got an answer that lasts.
func (d *Driver) askCompares(ctx context.Context, key string) (compares, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	probe := path.Join(path.Dir(key), probeName)
	_, err := d.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:         &d.bucket,
		Key:            &probe,
		Body:           strings.NewReader(probeBody),
		ContentLength:  aws.Int64(int64(len(probeBody))),
		ChecksumCRC32C: aws.String(inBase64(crc32.Checksum([]byte(probeLie), castagnoli))),
	})
	if err == nil {
		_ = d.Delete(ctx, probe) // it is empty of meaning, and the next one replaces it
		return false, true
	}
	switch d.Classify(err).Cause {
	case storage.CauseBadDigest:
		return true, true
	case storage.CauseBadRequest, storage.CauseNoACL:
		return false, true // it knows no such thing
	}
	return false, false
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// inBase64 is a checksum as the protocol has it
// (docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
func inBase64(sum uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
