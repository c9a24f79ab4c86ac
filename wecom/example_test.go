package wecom_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
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
