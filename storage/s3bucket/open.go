package s3bucket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"wedrop/storage"
)

// Open returns a Driver of the bucket in a storage URL. It sends nothing to
// the bucket, but may ask a role service for credentials; where there is
// none, it says so within two seconds. Its error is a *storage.Error: of Kind
// BadConfig if the URL makes no sense, Denied if there are no credentials.
func Open(ctx context.Context, rawURL string) (*Driver, error) {
	l, err := storage.SplitURL(rawURL)
	if err != nil {
		return nil, err
	}
	o, err := optionsOf(l)
	if err != nil {
		return nil, err
	}
	cfg, err := o.load(ctx)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(cfg, o.client)
	d := &Driver{client: client, bucket: o.bucket, region: cfg.Region}
	if d.address, err = o.address(cfg.Region, client.Options().BaseEndpoint); err != nil {
		return nil, err
	}
	d.service = serviceAt(d.address)
	if o.pathStyle && (d.service == serviceOSS || d.service == serviceTOS) {
		e := &storage.Error{Op: "open", Kind: storage.BadConfig, Reason: storage.ReasonURL, Bucket: d.ID(), Detail: strings.ToUpper(string(d.service)), Advice: noPathStyle}
		return nil, e
	}
	if u, err := url.Parse(d.address); err == nil && !neverPublic(u) {
		d.base = d.address
	}
	return d, nil
}

// options is a storage URL that was looked through.
type options struct {
	bucket    string
	region    string // "" if the environment knows it
	endpoint  string // "" for AWS, or if the environment knows it
	pathStyle bool
}

func (o options) refuse(k storage.Kind, r storage.Reason, detail string, err error) error {
	return &storage.Error{Op: "open", Kind: k, Reason: r, Bucket: "s3://" + o.bucket, Detail: detail, Err: err}
}

var (
	awsName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	otherName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
)

func optionsOf(l storage.Location) (options, error) {
	o := options{bucket: l.Bucket, region: l.Query.Get("region"), endpoint: l.Query.Get("endpoint")}
	if l.Scheme != "s3" {
		return o, o.refuse(storage.BadConfig, storage.ReasonURL, "it does not begin with s3://", nil)
	}
	if err := l.Only("region", "endpoint", "path_style"); err != nil {
		return o, err
	}
	if o.endpoint == "" && !awsName.MatchString(o.bucket) || !otherName.MatchString(o.bucket) {
		return o, o.refuse(storage.BadConfig, storage.ReasonURL, "the bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens", nil)
	}
	if s := l.Query.Get("path_style"); s != "" {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return o, o.refuse(storage.BadConfig, storage.ReasonURL, "path_style is true or false", nil)
		}
		o.pathStyle = b
	}
	if o.endpoint != "" {
		if _, why := storage.CheckEndpoint(o.endpoint); why != "" {
			return o, o.refuse(storage.BadConfig, storage.ReasonEndpoint, why, nil)
		}
	}
	return o, nil
}

// load finds region and credentials.
func (o options) load(ctx context.Context) (aws.Config, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(httpClient()),
		config.WithEC2RoleCredentialOptions(impatient),
	}
	if o.region != "" {
		opts = append(opts, config.WithRegion(o.region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return cfg, o.refuse(storage.BadConfig, storage.ReasonCredentials, "the AWS configuration cannot be read", err)
	}
	if cfg.Region == "" && o.endpoint != "" {
		cfg.Region = "us-east-1" // what services without regions expect in a signature
	}
	if cfg.Region == "" {
		return cfg, o.refuse(storage.BadConfig, storage.ReasonRegion, "", nil)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, o.refuse(storage.Denied, storage.ReasonCredentials, "", err)
	}
	return cfg, nil
}

// impatient keeps a machine that is none of Amazon's from waiting for a
// metadata service that does not exist: by default that takes many seconds.
func impatient(o *ec2rolecreds.Options) {
	o.Client = imds.New(imds.Options{
		HTTPClient: &http.Client{
			Timeout: 700 * time.Millisecond,
			Transport: storage.LimitAnswers(&http.Transport{DialContext: (&net.Dialer{Timeout: 500 * time.Millisecond}).DialContext,
				MaxResponseHeaderBytes: storage.MaxAnswerHeader}),
		},
		Retryer: aws.NopRetryer{},
	})
}

// httpClient keeps as many connections as files are staged at once (Go's own
// keeps two a host, and then measures handshakes). It is the SDK's kind of
// client, which honours AWS_CA_BUNDLE.
func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 64
		t.MaxIdleConnsPerHost = 32
		t.ExpectContinueTimeout = time.Second
		t.ResponseHeaderTimeout = time.Minute // counted from the last byte sent
		t.MaxResponseHeaderBytes = storage.MaxAnswerHeader
	})
}

func (o options) client(so *s3.Options) {
	so.Retryer = aws.NopRetryer{}
	if c, ok := so.HTTPClient.(*awshttp.BuildableClient); ok {
		// The SDK's own reads every answer to its end, and follows a 307 for
		// as long as there is another one.
		so.HTTPClient = &http.Client{Transport: storage.LimitAnswers(c.GetTransport()), Timeout: c.GetTimeout(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	so.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	so.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	so.UsePathStyle = o.pathStyle
	if o.endpoint != "" {
		so.BaseEndpoint = aws.String(strings.TrimRight(o.endpoint, "/"))
	}
	so.APIOptions = append(so.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

// address is where the bucket answers; the same rules as the SDK's for where
// objects are written.
func (o options) address(region string, endpoint *string) (string, error) {
	if endpoint == nil {
		domain := "amazonaws.com"
		if strings.HasPrefix(region, "cn-") {
			domain += ".cn"
		}
		host := "s3." + region + "." + domain
		if o.pathStyle || strings.Contains(o.bucket, ".") {
			return "https://" + host + "/" + o.bucket, nil
		}
		return "https://" + o.bucket + "." + host, nil
	}
	u, why := storage.CheckEndpoint(*endpoint)
	if why != "" {
		return "", o.refuse(storage.BadConfig, storage.ReasonEndpoint, why, errors.New("AWS_ENDPOINT_URL"))
	}
	if o.pathStyle || net.ParseIP(u.Hostname()) != nil || strings.Contains(o.bucket, ".") && u.Scheme == "https" {
		return strings.TrimRight(u.String(), "/") + "/" + o.bucket, nil
	}
	u.Host = o.bucket + "." + u.Host
	return strings.TrimRight(u.String(), "/"), nil
}

// neverPublic knows services whose S3 address takes no anonymous requests:
// Cloudflare R2 (developers.cloudflare.com/r2/buckets/public-buckets).
func neverPublic(u *url.URL) bool {
	return strings.HasSuffix(u.Hostname(), ".r2.cloudflarestorage.com")
}
