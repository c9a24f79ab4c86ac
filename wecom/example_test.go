package wecom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

func ExampleClient_UploadByURL() {
	server, err := wecomtest.Start(wecomtest.Options{CorpID: "ww1234", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "hello.txt", time.Time{}, strings.NewReader("hello"))
	}))
	defer bucket.Close()

	client, err := wecom.New(wecom.Config{BaseURL: server.URL, CorpID: "ww1234", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	job, err := client.UploadByURL(ctx, wecom.Upload{
		Type: wecom.TypeFile, Filename: "hello.txt",
		URL: bucket.URL + "/hello.txt", MD5: "5d41402abc4b2a76b9719d911017c592"})
	if err != nil {
		log.Fatal(err)
	}
	for {
		result, err := client.UploadResult(ctx, job)
		switch {
		case err != nil:
			log.Fatal(err)
		case result.Err != nil:
			log.Fatal(result.Err)
		case result.Ready():
			fmt.Println("media_id begins with", result.MediaID[:4])
			return
		}
		time.Sleep(10 * time.Millisecond) // a second or more with the real WeCom
	}
	// Output: media_id begins with 3*1*
}

// A text and a file become a welcome message, of which no member is told; a
// second attachment is refused before WeCom would hide it.
func ExampleClient_AddWelcomeTemplate() {
	server, err := wecomtest.Start(wecomtest.Options{CorpID: "ww1234", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := wecom.New(wecom.Config{BaseURL: server.URL, CorpID: "ww1234", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	quiet := false
	hello := wecom.WelcomeTemplate{Text: "欢迎 %NICKNAME%", Notify: &quiet,
		Link: &wecom.WelcomeLink{Title: "产品手册", URL: "https://example.com/handbook"}}

	id, err := client.AddWelcomeTemplate(ctx, hello)
	if err != nil {
		log.Fatal(err)
	}
	hello.Text = "欢迎 %NICKNAME%，请看手册"
	if err := client.EditWelcomeTemplate(ctx, id, hello); err != nil {
		log.Fatal(err)
	}
	now, err := client.WelcomeTemplate(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(now.Text, now.Link.Title, now.Video)
	fmt.Println("members were told", server.Notified(), "times")

	hello.Video = &wecom.WelcomeMedia{MediaID: "3*1*abc"}
	var refused *wecom.Error
	if errors.As(hello.Check(), &refused) {
		message, remedy := refused.Explain("en")
		fmt.Println(message)
		fmt.Println(remedy)
	}
	// Output:
	// 欢迎 %NICKNAME%，请看手册 产品手册 <nil>
	// members were told 0 times
	// a welcome message takes one attachment and here are 2 (link, video): members would see the link alone, WeCom hides the rest without a word (externalcontact/group_welcome_template/add, video)
	// keep one of them; for several things make several templates
}

// What WeCom holds under a media_id is read back: into a file, or to nowhere
// if it is the MD5 that matters.
func ExampleClient_DownloadFile() {
	server, err := wecomtest.Start(wecomtest.Options{CorpID: "ww1234", Secret: "app-secret", KeepMedia: true})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := wecom.New(wecom.Config{BaseURL: server.URL, CorpID: "ww1234", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	mediaID := helloAt(server, client) // as ExampleClient_UploadByURL does
	dir, err := os.MkdirTemp("", "wecom-example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	got, err := client.DownloadFile(ctx, mediaID, filepath.Join(dir, "back.txt"), wecom.DownloadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Name, got.Size, got.MD5)
	got, err = client.Download(ctx, mediaID, io.Discard, wecom.DownloadOptions{})
	fmt.Println(got.MD5 == "5d41402abc4b2a76b9719d911017c592", err)
	// Output:
	// hello.txt 5 5d41402abc4b2a76b9719d911017c592
	// true <nil>
}

// helloAt brings five bytes to a media_id.
func helloAt(server *wecomtest.Server, client *wecom.Client) string {
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "hello.txt", time.Time{}, strings.NewReader("hello"))
	}))
	defer bucket.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	job, err := client.UploadByURL(ctx, wecom.Upload{Type: wecom.TypeFile, Filename: "hello.txt",
		URL: bucket.URL, MD5: "5d41402abc4b2a76b9719d911017c592"})
	if err != nil {
		log.Fatal(err)
	}
	if err := server.WaitJobs(ctx, 1); err != nil {
		log.Fatal(err)
	}
	result, err := client.UploadResult(ctx, job)
	if err != nil {
		log.Fatal(err)
	}
	return result.MediaID
}

// An error says what happened and what to do, in both languages, and its
// class tells a program whether trying again can help.
func ExampleError_Explain() {
	server, err := wecomtest.Start(wecomtest.Options{Secret: "app-secret", TrustedIPs: []string{"192.0.2.1"}, SeenFrom: "203.0.113.9"})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := wecom.New(wecom.Config{BaseURL: server.URL, CorpID: "wwtest", Secret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.UploadResult(context.Background(), "jobid_1")
	var e *wecom.Error
	if errors.As(err, &e) {
		message, remedy := e.Explain("zh")
		remedy, _, _ = strings.Cut(remedy, "。")
		fmt.Println(e.FaultCode(), e.Class())
		fmt.Println(message)
		fmt.Println(remedy)
	}
	// Output:
	// wecom/60020 config
	// 企业微信拒绝了来自 203.0.113.9 的请求：这个 IP 不在应用的「企业可信IP」里（media/get_upload_by_url_result，错误码 60020）
	// 请到管理后台打开该应用，把 203.0.113.9 加入「企业可信IP」，约 1 分钟后生效，然后重试
}
