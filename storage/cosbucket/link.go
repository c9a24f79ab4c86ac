package cosbucket

import (
	"net/url"
	"os"
	"regexp"
	"strings"

	"wedrop/storage"
)

// The environment that Open looks into where Options leave the credentials
// empty.
const (
	EnvSecretID  = "TENCENTCLOUD_SECRET_ID"
	EnvSecretKey = "TENCENTCLOUD_SECRET_KEY"
	EnvToken     = "TENCENTCLOUD_TOKEN"
)

// link is what a cos:// link says.
type link struct {
	bucket   string // with its APPID: "media-1250000000"
	appID    string
	region   string // empty if an endpoint is given without it
	prefix   string // without slashes at its ends
	endpoint *url.URL
}

func parseLink(raw string) (link, error) {
	loc, err := storage.SplitURL(raw)
	if err != nil {
		return link{}, err
	}
	l := link{bucket: loc.Bucket, prefix: loc.Prefix, region: loc.Query.Get("region")}
	if loc.Scheme != "cos" {
		return link{}, l.bad(storage.ReasonURL, "it does not begin with cos://")
	}
	m := regexp.MustCompile(`^[a-z0-9][a-z0-9-]*-([0-9]+)$`).FindStringSubmatch(l.bucket)
	if m == nil {
		return link{}, l.bad(storage.ReasonURL, "the bucket's name must end with the APPID, as in media-1250000000")
	}
	l.appID = m[1]
	if err := loc.Only("region", "endpoint"); err != nil {
		return link{}, err
	}
	if l.region != "" && !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(l.region) {
		return link{}, l.bad(storage.ReasonRegion, l.region+" is no region; one looks like ap-guangzhou")
	}
	return l, l.setEndpoint(loc.Query.Get("endpoint"))
}

// setEndpoint takes the bucket's own host, or makes the one that Tencent gives
// to every bucket.
func (l *link) setEndpoint(raw string) error {
	if raw == "" {
		if l.region == "" {
			return l.bad(storage.ReasonRegion, "add ?region=ap-guangzhou, or the region that the console shows for the bucket")
		}
		l.endpoint = &url.URL{Scheme: "https", Host: l.bucket + ".cos." + l.region + ".myqcloud.com"}
		return nil
	}
	u, why := storage.CheckEndpoint(raw)
	switch {
	case why == "" && strings.Trim(u.Path, "/") != "":
		why = "it has a path"
	case why == "" && strings.HasPrefix(u.Host, "cos."):
		// Buckets made since 2024 answer PathStyleDomainForbidden there
		// (cloud.tencent.com/document/product/436/102489).
		why = "it must be the bucket's own host: " + u.Scheme + "://" + l.bucket + "." + u.Host
	}
	if why != "" {
		return l.bad(storage.ReasonEndpoint, why)
	}
	l.endpoint = &url.URL{Scheme: u.Scheme, Host: u.Host}
	if l.region == "" {
		l.region = regionOf(u.Hostname())
	}
	return nil
}

// regionOf reads the region out of a host that Tencent gave; "" of any other.
func regionOf(host string) string {
	m := regexp.MustCompile(`^[a-z0-9-]+\.cos\.([a-z0-9-]+)\.(myqcloud\.com|tencentcos\.cn)$`).FindStringSubmatch(host)
	if m == nil || m[1] == "accelerate" {
		return ""
	}
	return m[1]
}

func (l *link) bad(why storage.Reason, detail string) error {
	return &storage.Error{Op: "open", Kind: storage.BadConfig, Reason: why, Bucket: "cos://" + l.bucket, Detail: detail}
}

type credentials struct{ id, key, token string }

// findCredentials takes those of o if it has any, else the environment's: all
// three from one place, for a token belongs to its key.
func (l *link) findCredentials(o Options) (credentials, error) {
	c := credentials{o.SecretID, o.SecretKey, o.Token}
	if c == (credentials{}) {
		c = credentials{os.Getenv(EnvSecretID), os.Getenv(EnvSecretKey), os.Getenv(EnvToken)}
	}
	c = credentials{strings.TrimSpace(c.id), strings.TrimSpace(c.key), strings.TrimSpace(c.token)}
	var missing []string
	if c.id == "" {
		missing = append(missing, EnvSecretID)
	}
	if c.key == "" {
		missing = append(missing, EnvSecretKey)
	}
	if missing != nil {
		return c, l.bad(storage.ReasonCredentials, strings.Join(missing, " and ")+" not set")
	}
	return c, nil
}
