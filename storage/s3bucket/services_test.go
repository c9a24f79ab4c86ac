package s3bucket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/s3bucket"
	"wedrop/storage/s3bucket/s3test"
)

// Each service has a switch of its own that keeps objects from being public.
func TestServicesNameTheirSwitch(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][2]string{
		"s3://bucket?region=eu-west-1": {"组织", "organization"},
		"s3://bucket?region=cn-hangzhou&endpoint=https://oss-cn-hangzhou.aliyuncs.com":    {"阻止公共访问", "since 2025-10-13"},
		"s3://bucket?region=cn-north-4&endpoint=https://obs.cn-north-4.myhuaweicloud.com": {"403 AccessDenied", "reads like wrong keys"},
		"s3://bucket?region=cn-beijing&endpoint=https://tos-s3-cn-beijing.volces.com":     {"TOS", "TOS"},
		"s3://bucket?region=eu-west-1&endpoint=https://minio.example.com&path_style=true": {"阻止公有访问", "Block Public Access"},
	} {
		d := open(t, raw)
		for _, e := range []*storage.Error{
			{Op: "prove", Kind: storage.NotPublic, Bucket: d.ID(), Detail: "HTTP 403 AccessDenied", URL: "https://x"},
			{Op: "put", Kind: storage.BadConfig, Bucket: d.ID(), Fault: storage.Fault{Cause: storage.CauseNoACL}},
		} {
			e.Advice = d.Advice(e)
			_, zh := e.Explain("zh")
			_, en := e.Explain("en")
			require.Contains(t, zh, want[0], raw)
			require.Contains(t, en, want[1], raw)
		}
		denied := &storage.Error{Op: "put", Kind: storage.Denied, Bucket: d.ID(), Fault: storage.Fault{Cause: storage.CauseDenied, Code: "AccessDenied"}}
		require.Nil(t, d.Advice(denied), "keys are another matter")
	}
}

func TestNoPathStyleWhereTheServiceHasNone(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"s3://bucket?region=cn-hangzhou&path_style=true&endpoint=https://oss-cn-hangzhou.aliyuncs.com",
		"s3://bucket?region=cn-beijing&path_style=true&endpoint=https://tos-s3-cn-beijing.volces.com",
	} {
		_, err := s3bucket.Open(t.Context(), raw)
		var e *storage.Error
		require.ErrorAs(t, err, &e, raw)
		require.Equal(t, "storage/bad-config", e.FaultCode())
		for _, lang := range []string{"zh", "en"} {
			message, remedy := e.Explain(lang)
			require.Contains(t, message, "path_style=true")
			require.NotContains(t, message, "{")
			require.Contains(t, remedy, "path_style=true")
		}
	}
}

// Aliyun's refusal of its default domain is told with the cure, at a PUT and
// where a stranger meets it, and nothing is tried again.
func TestPublicEndpointForbidden(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{NoPublicEndpoint: true})
	b, err := storage.New(open(t, srv.URL("m")), storage.Options{Prefix: "m"})
	require.NoError(t, err)
	blob := storage.Blob{Open: opener("hello"), Size: 5, MD5: "5d41402abc4b2a76b9719d911017c592", Ext: ".mp4", ContentType: "video/mp4"}
	_, put := b.Put(t.Context(), blob)
	obj := b.Where(blob)
	for _, err := range []error{put, b.Prove(t.Context(), obj, blob)} {
		var e *storage.Error
		require.ErrorAs(t, err, &e)
		require.True(t, e.Config())
		require.False(t, e.Temporary())
		message, remedy := e.Explain("zh")
		require.Contains(t, message, "0048-00000401")
		require.Contains(t, remedy, "自定义域名")
		_, remedy = e.Explain("en")
		require.Contains(t, remedy, "CNAME")
	}
}

// A PUT with a public ACL that the bucket blocks is answered like one with
// wrong keys: object-acl has to say which it is.
func TestBlockedACLIsNotWrongKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  s3test.Settings
		kind storage.Kind
	}{
		"blocked":   {s3test.Settings{BlockPublicACLs: true}, storage.BadConfig},
		"no rights": {s3test.Settings{ReadOnly: true}, storage.Denied},
	} {
		srv := serve(t, c.set)
		b, err := storage.New(open(t, srv.URL("m")), storage.Options{Prefix: "m", Access: storage.AccessACL})
		require.NoError(t, err)
		_, err = b.Put(t.Context(), storage.Blob{Open: opener("hello"), Size: 5, MD5: "5d41402abc4b2a76b9719d911017c592"})
		var e *storage.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, c.kind, e.Kind, name)
	}
}

// The copy of a time when ACLs were refused is opened by the next run, in the
// same process.
func TestACopyIsOpenedOnceACLsAreTaken(t *testing.T) {
	t.Parallel()
	srv := serve(t, s3test.Settings{OwnerEnforced: true})
	b, err := storage.New(open(t, srv.URL("m")), storage.Options{Prefix: "m"})
	require.NoError(t, err)
	blob := storage.Blob{Open: opener("hello"), Size: 5, MD5: "5d41402abc4b2a76b9719d911017c592"}
	var e *storage.Error
	for range 2 {
		_, err = b.PutPublic(t.Context(), blob)
		require.ErrorAs(t, err, &e)
		require.Equal(t, storage.NotPublic, e.Kind)
	}
	require.Equal(t, 1, srv.Puts(b.Where(blob).Key), "what is refused anyway is not sent again")
	srv.Set(func(s *s3test.Settings) { s.OwnerEnforced = false })
	obj, err := b.PutPublic(t.Context(), blob)
	require.NoError(t, err)
	require.True(t, obj.Uploaded)
	obj, err = b.PutPublic(t.Context(), blob)
	require.NoError(t, err)
	require.False(t, obj.Uploaded)
	require.Equal(t, 2, srv.Puts(obj.Key))
}
