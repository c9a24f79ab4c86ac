package s3bucket_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"wedrop/storage/s3bucket/s3test"
	"wedrop/storage/storagetest"
)

func newServer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		go srv.Close() // waits for handlers that the test lets go only later
	})
	return srv.URL
}

// TestConformanceOnARealServer runs the rules against versitygw, a server by
// other people, so that s3test does not only agree with ourselves.
func TestConformanceOnARealServer(t *testing.T) {
	gateway.start(t)
	other := &gatewayProcess{secret: "another-secret"}
	other.start(t)
	t.Cleanup(other.stop)
	// It keeps no ACLs of objects, and its one account may do everything.
	without := []storagetest.Situation{storagetest.ACLs, storagetest.ACLsRefused, storagetest.ACLsBlocked, storagetest.ReadOnly}
	storagetest.Run(t, storagetest.Harness{Without: without, NoFaults: true, Open: func(t *testing.T, s storagetest.Situation) storagetest.Bucket {
		g := &gateway
		if s == storagetest.WrongSecret {
			g = other
		}
		name := g.name()
		d := open(t, fmt.Sprintf("s3://%s/?region=us-east-1&endpoint=%s&path_style=true", name, g.endpoint))
		if s != storagetest.NoBucket {
			policy := ""
			if s == storagetest.Open {
				policy = d.Policy(storagetest.Prefix)
			}
			g.makeBucket(t, name, policy)
		}
		return storagetest.Bucket{Driver: d, Secrets: []string{s3test.SecretKey}}
	}})
}

// gateway is one versitygw for all tests of the process.
var gateway = gatewayProcess{secret: s3test.SecretKey}

type gatewayProcess struct {
	secret   string
	once     sync.Once
	why      string // it does not run
	endpoint string
	cmd      *exec.Cmd
	dir      string
	buckets  atomic.Int64
}

// start starts it, or skips the test with the reason; where everything has to
// be at hand (CI=true) a missing program is a failure.
func (g *gatewayProcess) start(t *testing.T) {
	t.Helper()
	g.once.Do(func() { g.why = g.run() })
	if g.why == "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(g.why)
	}
	t.Skip(g.why)
}

func (g *gatewayProcess) run() string {
	program := findGateway()
	if program == "" {
		return "versitygw is neither in $WEDROP_TEST_BIN, nor in .bin, nor on PATH"
	}
	if err := g.makeFolder(); err != nil {
		return "no folder with extended attributes for versitygw: " + err.Error()
	}
	address, err := freeAddress()
	if err != nil {
		return err.Error()
	}
	g.cmd = exec.Command(program, "--quiet", "--keep-alive", "-p", address, "-a", s3test.AccessKey, "-s", g.secret, "posix", g.dir)
	if err := g.cmd.Start(); err != nil {
		return err.Error()
	}
	g.endpoint = "http://" + address
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return ""
		}
		time.Sleep(5 * time.Millisecond)
	}
	return "versitygw does not answer"
}

// freeAddress has a port below those that systems give to whoever asks for
// any: no other test takes it before versitygw does.
func freeAddress() (address string, err error) {
	for range 100 {
		var l net.Listener
		address = fmt.Sprintf("127.0.0.1:%d", 15000+rand.IntN(15000))
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", err
}

func findGateway() string {
	for _, dir := range []string{os.Getenv("WEDROP_TEST_BIN"), filepath.Join("..", "..", ".bin")} {
		if dir == "" {
			continue
		}
		program, err := filepath.Abs(filepath.Join(dir, "versitygw"))
		if err != nil {
			continue
		}
		if _, err := os.Stat(program); err == nil {
			return program
		}
	}
	program, _ := exec.LookPath("versitygw")
	return program
}

// makeFolder finds a place for objects whose attributes versitygw keeps in
// extended attributes of files, which not every file system has.
func (g *gatewayProcess) makeFolder() (err error) {
	for _, parent := range []string{os.TempDir(), "/dev/shm"} {
		if g.dir, err = os.MkdirTemp(parent, "versitygw-"); err != nil {
			continue
		}
		if err = hasAttributes(g.dir); err == nil {
			return nil
		}
		os.RemoveAll(g.dir)
	}
	return err
}

func (g *gatewayProcess) stop() {
	if g.cmd != nil && g.cmd.Process != nil {
		g.cmd.Process.Kill()
		g.cmd.Wait()
	}
	if g.dir != "" {
		os.RemoveAll(g.dir)
	}
}

func (g *gatewayProcess) name() string {
	return fmt.Sprintf("wedrop-test-%d", g.buckets.Add(1))
}

func (g *gatewayProcess) makeBucket(t *testing.T, name, policy string) {
	t.Helper()
	client := s3.New(s3.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(g.endpoint),
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(s3test.AccessKey, g.secret, ""),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	require.NoError(t, err)
	if policy != "" {
		_, err = client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &name, Policy: &policy})
		require.NoError(t, err)
	}
}
