package storage_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	silent := &fake{} // knows no links of its own
	for name, c := range map[string]struct {
		o    storage.Options
		want storage.Reason
	}{
		"no link":              {storage.Options{}, storage.ReasonPublicURL},
		"plain http":           {storage.Options{PublicURL: "http://cdn.example.com"}, storage.ReasonPublicURL},
		"no scheme":            {storage.Options{PublicURL: "cdn.example.com"}, storage.ReasonPublicURL},
		"credentials in it":    {storage.Options{PublicURL: "https://u:SECRET@cdn.example.com"}, storage.ReasonPublicURL},
		"a query in it":        {storage.Options{PublicURL: "https://cdn.example.com/?sign=SECRET"}, storage.ReasonPublicURL},
		"too long":             {storage.Options{PublicURL: "https://cdn.example.com/" + strings.Repeat("x", 1000)}, storage.ReasonLinkLength},
		"Chinese in the base":  {storage.Options{PublicURL: "https://cdn.example.com/" + strings.Repeat("素", 110)}, storage.ReasonLinkLength},
		"Chinese prefix":       {storage.Options{PublicURL: "https://cdn.example.com", Prefix: "素材"}, storage.ReasonPrefix},
		"prefix with a plus":   {storage.Options{PublicURL: "https://cdn.example.com", Prefix: "a+b"}, storage.ReasonPrefix},
		"prefix with a blank":  {storage.Options{PublicURL: "https://cdn.example.com", Prefix: "a b"}, storage.ReasonPrefix},
		"prefix going up":      {storage.Options{PublicURL: "https://cdn.example.com", Prefix: "a/../b"}, storage.ReasonPrefix},
		"prefix with a hole":   {storage.Options{PublicURL: "https://cdn.example.com", Prefix: "a//b"}, storage.ReasonPrefix},
		"unknown access":       {storage.Options{PublicURL: "https://cdn.example.com", Access: "public"}, storage.ReasonAccess},
		"an address of nobody": {storage.Options{PublicURL: "https://"}, storage.ReasonPublicURL},
	} {
		_, err := storage.New(silent, c.o)
		e := kindOf(t, err)
		require.Equal(t, storage.BadConfig, e.Kind, name)
		require.Equal(t, c.want, e.Reason, name)
		for _, lang := range []string{"zh", "en"} {
			message, remedy := e.Explain(lang)
			require.NotContains(t, message+remedy+err.Error(), "SECRET", name)
		}
	}
}

func TestWhere(t *testing.T) {
	t.Parallel()
	const sum = "0cc175b9c0f1b6a831c399e269772661"
	for name, c := range map[string]struct {
		prefix, public, ext string
		key, url            string
	}{
		"plain":              {"media", "https://c.example.com", ".mp4", "media/" + sum + ".mp4", "https://c.example.com/media/" + sum + ".mp4"},
		"slashes":            {"/a/b/", "https://c.example.com/x/", ".mp4", "a/b/" + sum + ".mp4", "https://c.example.com/x/a/b/" + sum + ".mp4"},
		"no prefix":          {"", "https://c.example.com", "", sum, "https://c.example.com/" + sum},
		"Chinese base":       {"", "https://c.example.com/素材", ".mp4", sum + ".mp4", "https://c.example.com/%E7%B4%A0%E6%9D%90/" + sum + ".mp4"},
		"loopback":           {"", "http://127.0.0.1:8765", ".mp4", sum + ".mp4", "http://127.0.0.1:8765/" + sum + ".mp4"},
		"loopback of IPv6":   {"", "http://[::1]:8765", ".mp4", sum + ".mp4", "http://[::1]:8765/" + sum + ".mp4"},
		"upper-case ext":     {"", "https://c.example.com", ".MP4", sum, "https://c.example.com/" + sum},
		"an ext that climbs": {"", "https://c.example.com", "./../x", sum, "https://c.example.com/" + sum},
	} {
		b, err := storage.New(&fake{}, storage.Options{Prefix: c.prefix, PublicURL: c.public})
		require.NoError(t, err, name)
		obj := b.Where(storage.Blob{MD5: sum, Ext: c.ext})
		require.Equal(t, storage.Object{Bucket: "s3://fake", Key: c.key, URL: c.url}, obj, name)
	}
}

func TestRemoveTouchesNothingBesideThePrefix(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	b := bucketOver(t, f)
	f.objects["m/a.mp4"], f.objects["n/a.mp4"], f.objects["mm/a.mp4"] = []byte("1"), []byte("2"), []byte("3")
	for _, key := range []string{"n/a.mp4", "mm/a.mp4", "m", "m/", "", "m/../n/a.mp4", "/m/a.mp4"} {
		e := kindOf(t, b.Remove(t.Context(), key))
		require.Equal(t, storage.ReasonKey, e.Reason, key)
	}
	require.Len(t, f.objects, 3)
	require.NoError(t, b.Remove(t.Context(), "m/a.mp4"))
	require.NoError(t, b.Remove(t.Context(), "m/a.mp4"), "again: gone is gone")
	require.Len(t, f.objects, 2)
}

func TestSplitURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]storage.Location{
		"s3://b":                        {Scheme: "s3", Bucket: "b"},
		"s3://b/":                       {Scheme: "s3", Bucket: "b"},
		"S3://b/a/b/?x":                 {Scheme: "s3", Bucket: "b", Prefix: "a/b"},
		"cos://b-1250000000/a?region=r": {Scheme: "cos", Bucket: "b-1250000000", Prefix: "a"},
		"s3://b/%E7%B4%A0?region=r":     {Scheme: "s3", Bucket: "b", Prefix: "素"},
		"s3://b/素":                      {Scheme: "s3", Bucket: "b", Prefix: "素"},
		"dir:///srv/www":                {Scheme: "dir", Folder: "/srv/www"},
		"dir:///srv/www/":               {Scheme: "dir", Folder: "/srv/www"},
		"dir:///C:/www/a":               {Scheme: "dir", Folder: "C:/www/a"},
		"dir:///a%20b":                  {Scheme: "dir", Folder: "/a b"},
		"dir:///100%":                   {Scheme: "dir", Folder: "/100%"},
	} {
		got, err := storage.SplitURL(raw)
		require.NoError(t, err, raw)
		got.Query = nil
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{"", "b", "s3:b", "s3://", "s3:///x", "s3://u:SECRET@b/x", "dir://x", "dir:x", "s3://b/%zz", "s3://b?%zz", "://b"} {
		_, err := storage.SplitURL(raw)
		e := kindOf(t, err)
		require.Equal(t, storage.ReasonURL, e.Reason, raw)
		require.NotContains(t, err.Error(), "SECRET")
	}
}

func TestEscapeKey(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a-_.~/A9%20%2B%26%3D%23%25%27%28%29%21%2A%3F%40%3A", storage.EscapeKey("a-_.~/A9 +&=#%'()!*?@:"))
	require.Equal(t, "%E7%B4%A0", storage.EscapeKey("素"))
}
