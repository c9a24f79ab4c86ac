package callback_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"wedrop/wecom"
	"wedrop/wecom/callback"
	"wedrop/wecom/wecomtest"
)

// WeCom tells that a job has ended: its id is handed on, and WeCom has its
// answer at once.
func Example() {
	codec, err := callback.New(callback.Config{
		Token:     "kjr2TKI8umCBfVF3wAHk8JiPwma5VBme", // as the admin console shows them
		AESKey:    "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws",
		ReceiveID: "ww6a112864f8022910", // the corp id
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	web := httptest.NewServer(&callback.Handler{
		Codec: codec,
		Finished: func(_ context.Context, jobID string) error {
			fmt.Println("ask about", jobID)
			return nil
		},
	})
	defer web.Close()

	// What follows is WeCom's part.
	stamp, sealed := codec.Seal([]byte(`<xml><MsgType>event</MsgType><Event>upload_media_job_finish</Event><JobId>jobid_S0Mrnndv</JobId></xml>`), time.Now())
	query := url.Values{"msg_signature": {stamp.Signature}, "timestamp": {stamp.Timestamp}, "nonce": {stamp.Nonce}}
	resp, err := http.Post(web.URL+"?"+query.Encode(), "text/xml", strings.NewReader("<xml><Encrypt>"+sealed+"</Encrypt></xml>"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, len(body))
	// Output:
	// ask about jobid_S0Mrnndv
	// 200 0
}

// A job's end is told, and then its result is asked for: here WeCom is the
// simulator of package wecomtest.
func ExampleHandler() {
	const token, key = "kjr2TKI8umCBfVF3wAHk8JiPwma5VBme", "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws"
	codec, err := callback.New(callback.Config{Token: token, AESKey: key, ReceiveID: "ww1234"})
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan string, 1)
	app := httptest.NewServer(&callback.Handler{
		Codec: codec,
		Finished: func(ctx context.Context, jobID string) error {
			select {
			case ended <- jobID: // recorded: WeCom gets its 200
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	})
	defer app.Close()
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("hello"))
	}))
	defer bucket.Close()
	server, err := wecomtest.Start(wecomtest.Options{CorpID: "ww1234", Secret: "app-secret",
		Callback: wecomtest.Callback{URL: app.URL, Token: token, AESKey: key}})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := wecom.New(wecom.Config{BaseURL: server.URL, CorpID: "ww1234", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.CheckURL(ctx); err != nil { // what the admin console does when the address is saved
		log.Fatal(err)
	}
	job, err := client.UploadByURL(ctx, wecom.Upload{Type: wecom.TypeFile, Filename: "hello.txt",
		URL: bucket.URL, MD5: "5d41402abc4b2a76b9719d911017c592"})
	if err != nil {
		log.Fatal(err)
	}
	select {
	case id := <-ended:
		result, err := client.UploadResult(ctx, id)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(id == job, result.Ready())
	case <-ctx.Done(): // and with a poll now and then the callback may as well be lost
		log.Fatal(ctx.Err())
	}
	// Output: true true
}
