package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/pipeline/journal"
	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// What "wedrop push clip.mp4" does. Instead of dirbucket a program in earnest
// opens s3bucket or cosbucket, and WeCom's own address is the default.
func Example() {
	ctx := context.Background()
	site := newSite() // a simulated WeCom, a served folder and clip.mp4
	defer site.Close()

	ledger, err := journal.Open(ctx, site.path("wedrop.db"), journal.Options{})
	check(err)
	defer ledger.Close()
	driver, err := dirbucket.Open("dir://" + site.path("public"))
	check(err)
	bucket, err := storage.New(driver, storage.Options{PublicURL: site.public.URL})
	check(err)
	client, err := wecom.New(wecom.Config{BaseURL: site.wecom.URL, CorpID: "wwtest", Secret: "secret", Store: ledger})
	check(err)
	p := &pipeline.Pipeline{Corp: "wwtest", Journal: ledger, Bucket: bucket, WeCom: client}
	item, err := p.PushFile(ctx, pipeline.File{Path: site.path("clip.mp4")})
	check(err)

	fmt.Println(item.Name, item.Type, item.Step, item.Media.ID != "")
	again, err := p.Media(ctx, "clip.mp4", time.Hour) // from the ledger
	check(err)
	fmt.Println(again.Media.ID == item.Media.ID)
	// Output:
	// clip.mp4 video done true
	// true
}

// site is the world that the example runs in.
type site struct {
	dir    string
	wecom  *wecomtest.Server
	public *httptest.Server
	ledger io.Closer // may be nil
}

func newSite() *site {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	s := &site{dir: dir}
	check(os.Mkdir(s.path("public"), 0o755))
	check(os.WriteFile(s.path("clip.mp4"), inspecttest.MP4(5000, 1), 0o644))
	d, err := dirbucket.Open("dir://" + s.path("public"))
	check(err)
	s.public = httptest.NewServer(d.Handler())
	s.wecom, err = wecomtest.Start(wecomtest.Options{})
	check(err)
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) Close() {
	if s.ledger != nil {
		s.ledger.Close()
	}
	s.public.Close()
	s.wecom.Close()
	os.RemoveAll(s.dir)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
