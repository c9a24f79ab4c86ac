package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wedrop/pipeline/inspect/inspecttest"
)

// demos ARG...: runs "wedrop demo ARG...", which has to serve its page; drops a
// file there, which has to get its media_id; and ends it as Ctrl-C does, which
// has to be its good end. What it wrote is in the files demo.out and demo.err.
func demos(ts *testscript.TestScript, neg bool, args []string) {
	out, err1 := os.Create(ts.MkAbs("demo.out"))
	errs, err2 := os.Create(ts.MkAbs("demo.err"))
	ts.Check(errors.Join(err1, err2))
	defer out.Close()
	defer errs.Close()
	self, err := exec.LookPath("wedrop")
	ts.Check(err)
	cmd := exec.Command(self, append([]string{"demo"}, args...)...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(siteOf(ts).env.Vars, "WEDROP_LISTEN="+ts.Getenv("WEDROP_LISTEN"), "TMPDIR="+ts.Getenv("TMPDIR"))
	cmd.Stdout, cmd.Stderr = out, errs
	ts.Check(cmd.Start())
	err = demoVisit(ts.MkAbs("demo.err"))
	ts.Check(errors.Join(err, cmd.Process.Signal(os.Interrupt)))
	ts.Check(cmd.Wait())
}

// demoVisit finds the page by what the demo says, and drops a file on it.
func demoVisit(errs string) error {
	address := ""
	for end := time.Now().Add(patience); address == ""; time.Sleep(10 * time.Millisecond) {
		said, _ := os.ReadFile(errs)
		if address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(string(said)); time.Now().After(end) {
			return errors.New("the demo says no address: " + string(said))
		}
	}
	var page struct{ Items []struct{ Name string } }
	if err := visit(http.MethodGet, address+"/api/items", "", nil, &page); err != nil {
		return err
	}
	if len(page.Items) != 4 {
		return errors.New("the page does not have the samples")
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if err := visit(http.MethodGet, address+path, "", nil, nil); err != nil {
			return err
		}
	}
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", "mine.mp4")
	if err != nil {
		return err
	}
	_, _ = part.Write(inspecttest.MP4(5000, 77))
	_ = m.Close()
	if err := visit(http.MethodPost, address+"/api/items", m.FormDataContentType(), &form, nil); err != nil {
		return err
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var it struct{ Media *struct{ ID string } }
		if err := visit(http.MethodGet, address+"/api/media?name=mine.mp4", "", nil, &it); err != nil {
			return err
		}
		if it.Media != nil {
			return nil
		}
		if time.Now().After(end) {
			return errors.New("what was dropped on the page gets no media_id")
		}
	}
}

func visit(method, url, kind string, body io.Reader, into any) error {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return errors.New(url + ": " + resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// occupies NAME: takes a port of loopback until the script ends, and puts its
// address into the environment.
func occupies(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}
