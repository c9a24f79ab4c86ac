package s3bucket_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/s3bucket"
)

func opener(content string) func() (io.ReadSeekCloser, error) {
	return func() (io.ReadSeekCloser, error) {
		return struct {
			io.ReadSeeker
			io.Closer
		}{bytes.NewReader([]byte(content)), io.NopCloser(nil)}, nil
	}
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

func TestOpenRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for raw, reason := range map[string]storage.Reason{
		"":                                                  storage.ReasonURL,
		"s3://":                                             storage.ReasonURL,
		"s3:///prefix":                                      storage.ReasonURL,
		"cos://bucket-1":                                    storage.ReasonURL,
		"s3://Bucket?region=eu-west-1":                      storage.ReasonURL,
		"s3://my_bucket?region=eu-west-1":                   storage.ReasonURL,
		"s3://AK:SECRET@bucket?region=r":                    storage.ReasonURL,
		"s3://bucket?regoin=eu-west-1":                      storage.ReasonURL,
		"s3://bucket?region=a&region=b":                     storage.ReasonURL,
		"s3://bucket?region=r&path_style=2":                 storage.ReasonURL,
		"s3://bucket?endpoint=http://s3.example.com":        storage.ReasonEndpoint,
		"s3://bucket?endpoint=s3.example.com":               storage.ReasonEndpoint,
		"s3://bucket?endpoint=https://a:SECRET@example.com": storage.ReasonEndpoint,
		"s3://bucket":                                       storage.ReasonRegion,
	} {
		_, err := s3bucket.Open(t.Context(), raw)
		var e *storage.Error
		require.ErrorAs(t, err, &e, raw)
		require.Equal(t, storage.BadConfig, e.Kind, raw)
		require.Equal(t, reason, e.Reason, raw)
		for _, lang := range []string{"zh", "en"} {
			message, remedy := e.Explain(lang)
			require.NotEmpty(t, remedy, raw)
			require.NotContains(t, e.Error()+message+remedy, "SECRET", raw)
		}
	}
}

func TestPublicLinks(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"s3://bucket/p?region=ap-east-1":                                                       "https://bucket.s3.ap-east-1.amazonaws.com/p/a%2Bb.mp4",
		"s3://bucket/p?region=cn-north-1":                                                      "https://bucket.s3.cn-north-1.amazonaws.com.cn/p/a%2Bb.mp4",
		"s3://a.bucket/p?region=ap-east-1":                                                     "https://s3.ap-east-1.amazonaws.com/a.bucket/p/a%2Bb.mp4",
		"s3://bucket/p?region=ap-east-1&path_style=true":                                       "https://s3.ap-east-1.amazonaws.com/bucket/p/a%2Bb.mp4",
		"s3://bucket/p?endpoint=https://minio.example.com/":                                    "https://bucket.minio.example.com/p/a%2Bb.mp4",
		"s3://bucket/p?endpoint=https://minio.example.com:9000&path_style=1":                   "https://minio.example.com:9000/bucket/p/a%2Bb.mp4",
		"s3://bucket/p?endpoint=http://127.0.0.1:7070":                                         "http://127.0.0.1:7070/bucket/p/a%2Bb.mp4",
		"s3://bucket/p?endpoint=https://0123456789abcdef.r2.cloudflarestorage.com&region=auto": "",
	} {
		require.Equal(t, want, open(t, raw).URL("p/a+b.mp4"), raw)
	}
}

func TestPolicyNamesThePrefixAndThePartition(t *testing.T) {
	t.Parallel()
	require.Contains(t, open(t, "s3://bucket?region=cn-north-1").Policy("a/b"), `"arn:aws-cn:s3:::bucket/a/b/*"`)
	require.Contains(t, open(t, "s3://bucket?region=eu-west-1").Policy(""), `"arn:aws:s3:::bucket/*"`)
}

// On a machine without credentials the SDK waits for Amazon's metadata
// service; a person who forgot a variable must hear of it at once. The
// environment is the process's, so this test runs itself in one of its own.
func TestOpenWithoutCredentialsFailsFast(t *testing.T) {
	t.Parallel()
	if os.Getenv("S3BUCKET_TEST_CHILD") != "" {
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"} {
			os.Unsetenv(name)
		}
		begin := time.Now()
		_, err := s3bucket.Open(t.Context(), "s3://bucket?region=eu-west-1")
		var e *storage.Error
		require.ErrorAs(t, err, &e)
		require.Less(t, time.Since(begin), 8*time.Second)
		require.Equal(t, storage.Denied, e.Kind)
		require.Equal(t, storage.ReasonCredentials, e.Reason)
		_, remedy := e.Explain("zh")
		require.Contains(t, remedy, "AWS_ACCESS_KEY_ID")
		return
	}
	// A metadata service that never answers, as a firewall makes it.
	hung := make(chan struct{})
	srv := newServer(t, func(http.ResponseWriter, *http.Request) { <-hung })
	defer close(hung)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^TestOpenWithoutCredentialsFailsFast$", "-test.v")
	cmd.Env = append(os.Environ(), "S3BUCKET_TEST_CHILD=1", "AWS_EC2_METADATA_SERVICE_ENDPOINT="+srv)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.True(t, strings.Contains(string(out), "PASS"), "%s", out)
}
