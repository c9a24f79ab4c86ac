package s3bucket_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/s3bucket"
	"wedrop/storage/s3bucket/s3test"
	"wedrop/storage/storagetest"
)

// The SDK reads its credentials from the environment, which parallel tests
// share: all of them use the one account of s3test.
func TestMain(m *testing.M) {
	for k, v := range (s3test.Settings{}).Env() {
		os.Setenv(k, v)
	}
	code := m.Run()
	gateway.stop()
	os.Exit(code)
}

func serve(t *testing.T, s s3test.Settings) *s3test.Server {
	t.Helper()
	srv := s3test.New("bucket", s)
	t.Cleanup(srv.Close)
	return srv
}

func open(t *testing.T, url string) *s3bucket.Driver {
	t.Helper()
	d, err := s3bucket.Open(t.Context(), url)
	require.NoError(t, err)
	return d
}

func request(key, content string) storage.PutRequest {
	sum := md5.Sum([]byte(content))
	return storage.PutRequest{
		Key:         key,
		Body:        bytes.NewReader([]byte(content)),
		Size:        int64(len(content)),
		MD5:         hex.EncodeToString(sum[:]),
		ContentType: "video/mp4",
	}
}

func TestConformance(t *testing.T) {
	storagetest.Run(t, storagetest.Harness{Open: func(t *testing.T, s storagetest.Situation) storagetest.Bucket {
		srv := serve(t, s3test.Settings{})
		d := open(t, srv.URL(""))
		// The very text that people are told to paste.
		policy := d.Policy(storagetest.Prefix)
		srv.Set(func(set *s3test.Settings) {
			switch s {
			case storagetest.Open:
				set.Policy = policy
			case storagetest.ACLs:
			case storagetest.ACLsRefused:
				set.Policy, set.OwnerEnforced = policy, true
			case storagetest.ACLsBlocked:
				set.Policy, set.BlockPublicACLs = policy, true
			case storagetest.ACLsIgnored:
				set.IgnorePublicACLs = true
			case storagetest.WrongSecret:
				set.Secret = "another"
			case storagetest.ReadOnly:
				set.ReadOnly = true
			}
		})
		if s == storagetest.NoBucket {
			srv.Bucket = "another"
		}
		return storagetest.Bucket{Driver: d, Faults: srv.Faults, Secrets: []string{s3test.SecretKey, "Signature="}}
	}})
}

// Without the right to list, AWS answers HEAD of a missing key with 403: with
// the least rights every file would end as "denied".
func TestPutWithoutTheRightToList(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{NoList: true})
	d := open(t, srv.URL("m"))
	b, err := storage.New(d, storage.Options{Prefix: "m"})
	require.NoError(t, err)
	blob := storage.Blob{Open: opener("hello"), Size: 5, MD5: request("", "hello").MD5, Ext: ".mp4", ContentType: "video/mp4"}
	for i, uploaded := range []bool{true, false} {
		obj, err := b.Put(t.Context(), blob)
		require.NoError(t, err, i)
		require.Equal(t, uploaded, obj.Uploaded, i)
		require.NoError(t, b.Prove(t.Context(), obj, blob))
	}
	require.Equal(t, 1, srv.Puts("m/"+blob.MD5+".mp4"))
}

// R2's, OSS's and older services' answer to headers that they do not know.
func TestPutWhereIfNoneMatchIsNotImplemented(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{NoConditions: true})
	d := open(t, srv.URL("m"))
	for i := range 3 {
		r := request(fmt.Sprintf("m/%d.mp4", i), "hello")
		r.IfAbsent, r.ACL = true, true
		require.NoError(t, d.Put(t.Context(), r))
	}
	require.Equal(t, 4, srv.Faults.Requests("PUT"), "the header is tried once and not for each file")
}

// An encrypted object's ETag looks like an MD5 and is none. It must neither
// refuse a good upload nor make it be sent again.
func TestEncryptedObjectsAreKnownByTheMD5BesideThem(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{KMS: true})
	d := open(t, srv.URL("m"))
	r := request("m/a.mp4", "hello")
	require.NoError(t, d.Put(t.Context(), r))
	a, err := d.Head(t.Context(), r.Key)
	require.NoError(t, err)
	require.Equal(t, storage.Attrs{Size: 5, MD5: r.MD5}, a)
	srv.Poison(r.Key, []byte("jello"))
	a, err = d.Head(t.Context(), r.Key)
	require.NoError(t, err)
	require.Equal(t, storage.Attrs{Size: 5}, a, "nobody vouches for it")
}

func TestAWrongClockSaysSo(t *testing.T) {
	t.Parallel()
	for _, ahead := range []string{"1h", "-1h"} {
		srv := serve(t, s3test.Settings{})
		srv.Set(func(s *s3test.Settings) { s.Ahead = duration(t, ahead) })
		d := open(t, srv.URL("m"))
		err := d.Put(t.Context(), request("m/a.mp4", "hello"))
		require.Equal(t, storage.CauseClock, d.Classify(err).Cause, "%v", err)
	}
}

func TestASessionTokenIsSent(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{Token: "needed"})
	d := open(t, srv.URL("m"))
	err := d.Put(t.Context(), request("m/a.mp4", "hello"))
	f := d.Classify(err)
	require.Equal(t, storage.CauseDenied, f.Cause)
	require.Equal(t, "InvalidToken", f.Code)
}

func TestAWrongRegionIsNamed(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{})
	d := open(t, "s3://bucket/m?region=eu-west-9&endpoint="+srv.Endpoint())
	f := d.Classify(d.Put(t.Context(), request("m/a.mp4", "hello")))
	require.Equal(t, storage.CauseNoBucket, f.Cause)
	require.Contains(t, f.Message, s3test.Region)
	require.Equal(t, "S3TESTREQUEST", f.RequestID)
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{})
	d := open(t, srv.URL("m"))
	srv.Close()
	err := d.Put(t.Context(), request("m/a.mp4", "hello"))
	require.Equal(t, storage.CauseUnreachable, d.Classify(err).Cause, "%v", err)
	_, err = d.Head(t.Context(), "m/a.mp4")
	require.Equal(t, storage.CauseUnreachable, d.Classify(err).Cause, "%v", err)
}

// The account may do everything else, but the administrator forbade public
// ACLs: auto finds out once and remembers.
func TestAutoRemembersThatThereAreNoACLs(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]s3test.Settings{
		"owner enforced": {OwnerEnforced: true},
		"blocked":        {BlockPublicACLs: true},
	} {
		srv := serve(t, set)
		b, err := storage.New(open(t, srv.URL("m")), storage.Options{Prefix: "m"})
		require.NoError(t, err)
		for i := range 3 {
			content := fmt.Sprint("file ", i)
			_, err := b.Put(t.Context(), storage.Blob{Open: opener(content), Size: int64(len(content)), MD5: request("", content).MD5})
			require.NoError(t, err, name)
		}
		require.Equal(t, 4, srv.Faults.Requests("PUT"), name)
	}
}
