package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	accessKey = "BENCHBENCHBENCHBENCH"
	secretKey = "bench-secret-for-loopback-alone"
)

// A gateway is versitygw over TLS with one bucket, open for anonymous reading.
type gateway struct {
	address string
	data    string // its folder
	env     []string
	cmd     *exec.Cmd
	runs    int
}

func (b *bench) gateway() (*gateway, error) {
	program, ok := b.peer("versitygw")
	if !ok {
		return nil, nil
	}
	g := &gateway{data: filepath.Join(b.dir, "vgw")}
	if err := os.MkdirAll(g.data, 0o755); err != nil {
		return nil, err
	}
	cert, key, err := certificate(b.dir)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g.address = l.Addr().String()
	l.Close()
	g.env = []string{"SSL_CERT_FILE=" + cert, "AWS_CA_BUNDLE=" + cert, "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey,
		"MC_CONFIG_DIR=" + filepath.Join(b.dir, "mc"), fmt.Sprintf("MC_HOST_l=https://%s:%s@%s", accessKey, secretKey, g.address)}
	g.cmd = b.command(nil, program, "--quiet", "--keep-alive", "--cert", cert, "--key", key, "-p", g.address, "-a", accessKey, "-s", secretKey, "posix", g.data)
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	return g, g.open(b.ctx, cert)
}

// open waits for the gateway and makes the bucket.
func (g *gateway) open(ctx context.Context, cert string) error {
	pool := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil {
		return err
	}
	pool.AppendCertsFromPEM(text)
	c := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String("https://" + g.address), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig = &tls.Config{RootCAs: pool}
		})})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bench")}); err == nil {
			break
		} else if time.Now().After(end) {
			return errors.Join(errors.New("versitygw does not answer"), err)
		}
	}
	_, err = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("bench"), Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bench/*"}]}`)})
	return err
}

// prefix is a new place in the bucket, and what empties it.
func (g *gateway) prefix() (string, func()) {
	g.runs++
	p := fmt.Sprintf("p%d", g.runs)
	return p, func() { os.RemoveAll(filepath.Join(g.data, "bench", p)) }
}

// url is a prefix as wedrop's configuration has it.
func (g *gateway) url(prefix string) string {
	q := url.Values{"region": {"us-east-1"}, "endpoint": {"https://" + g.address}, "path_style": {"true"}}
	return "s3://bench/" + prefix + "?" + q.Encode()
}

func (g *gateway) close() {
	g.cmd.Process.Kill()
	g.cmd.Wait()
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(dir string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, t, t, private.Public(), private)
	if err != nil {
		return "", "", err
	}
	k, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k}), 0o600))
}
