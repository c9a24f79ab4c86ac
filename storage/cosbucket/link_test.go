package cosbucket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
	"wedrop/storage/cosbucket"
)

func TestALinkIsReadOrItsMistakeNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		link, url, prefix string // of a good one: the link of key "k"
		reason            storage.Reason
		says              string
	}{
		{link: "cos://media-1250000000/a/b/?region=ap-guangzhou", url: "https://media-1250000000.cos.ap-guangzhou.myqcloud.com/k", prefix: "a/b"},
		{link: "cos://media-1?region=ap-beijing-1", url: "https://media-1.cos.ap-beijing-1.myqcloud.com/k"},
		{link: "cos://media-1/p?endpoint=https://files.example.com", url: "https://files.example.com/k", prefix: "p"},
		{link: "cos://media-1/p?region=ap-x&endpoint=http://127.0.0.1:99/", url: "http://127.0.0.1:99/k", prefix: "p"},
		{link: "s3://media-1?region=r", reason: storage.ReasonURL, says: "cos://"},
		{link: "cos://media?region=r", reason: storage.ReasonURL, says: "APPID"},
		{link: "cos://media-1", reason: storage.ReasonRegion, says: "region"},
		{link: "cos://media-1?region=ap_guangzhou", reason: storage.ReasonRegion, says: "ap_guangzhou"},
		{link: "cos://media-1?regoin=ap-guangzhou", reason: storage.ReasonURL, says: "regoin"},
		{link: "cos://id:S3CRET@media-1?region=r", reason: storage.ReasonURL, says: "credentials"},
		{link: "cos://media-1?region=r&endpoint=http://files.example.com", reason: storage.ReasonEndpoint, says: "http"},
		{link: "cos://media-1?region=r&endpoint=https://u:S3CRET@files.example.com", reason: storage.ReasonEndpoint, says: "credentials"},
		{link: "cos://media-1?region=r&endpoint=https://files.example.com/media-1", reason: storage.ReasonEndpoint, says: "path"},
		{link: "cos://media-1?endpoint=https://cos.ap-guangzhou.myqcloud.com", reason: storage.ReasonEndpoint, says: "https://media-1.cos.ap-guangzhou.myqcloud.com"},
	} {
		d, err := cosbucket.Open(c.link, cosbucket.Options{SecretID: "i", SecretKey: "S3CRET"})
		if c.reason == "" {
			require.NoError(t, err, c.link)
			require.Equal(t, c.url, d.URL("k"), c.link)
			require.Equal(t, c.prefix, d.Prefix(), c.link)
			continue
		}
		var e *storage.Error
		require.ErrorAs(t, err, &e, c.link)
		require.Equal(t, storage.BadConfig, e.Kind, c.link)
		require.Equal(t, c.reason, e.Reason, c.link)
		require.Contains(t, err.Error(), c.says, c.link)
		require.NotContains(t, err.Error(), "S3CRET", c.link)
	}
}

// A policy names the region; without it there is none to paste.
func TestTheRegionOfAnEndpointOfTencent(t *testing.T) {
	t.Parallel()
	o := cosbucket.Options{SecretID: "i", SecretKey: "k"}
	d, err := cosbucket.Open("cos://m-1?endpoint=https://m-1.cos.ap-nanjing.myqcloud.com", o)
	require.NoError(t, err)
	require.Contains(t, d.Policy("p"), "qcs::cos:ap-nanjing:uid/1:m-1/p/*")
	for _, host := range []string{"files.example.com", "m-1.cos.accelerate.myqcloud.com"} {
		d, err = cosbucket.Open("cos://m-1?endpoint=https://"+host, o)
		require.NoError(t, err)
		require.Empty(t, d.Policy("p"))
	}
}

func TestMissingCredentialsAreNamed(t *testing.T) {
	for _, c := range []struct {
		name, id, key string
		says          []string
		silent        []string
	}{
		{"none", "", "", []string{cosbucket.EnvSecretID, cosbucket.EnvSecretKey}, nil},
		{"no key", "AKID", " ", []string{cosbucket.EnvSecretKey}, []string{cosbucket.EnvSecretID}},
		{"no id", "", "S3CRET", []string{cosbucket.EnvSecretID}, []string{cosbucket.EnvSecretKey, "S3CRET"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(cosbucket.EnvSecretID, c.id)
			t.Setenv(cosbucket.EnvSecretKey, c.key)
			t.Setenv(cosbucket.EnvToken, "")
			_, err := cosbucket.Open("cos://m-1?region=ap-guangzhou", cosbucket.Options{})
			var e *storage.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, storage.ReasonCredentials, e.Reason)
			for _, s := range c.says {
				require.Contains(t, err.Error(), s)
			}
			for _, s := range c.silent {
				require.NotContains(t, err.Error(), s)
			}
		})
	}
	t.Run("in the environment", func(t *testing.T) {
		t.Setenv(cosbucket.EnvSecretID, "AKID")
		t.Setenv(cosbucket.EnvSecretKey, "key\n")
		_, err := cosbucket.Open("cos://m-1?region=ap-guangzhou", cosbucket.Options{})
		require.NoError(t, err)
	})
}
