package wecomtest_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"wedrop/wecom/wecomtest"
)

// A file that a loopback server publishes gets its media_id.
func Example() {
	wecom, err := wecomtest.Start(wecomtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer wecom.Close()
	content := []byte("hello, WeCom")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	defer web.Close()

	call := func(method, path string, body any) (answer struct {
		AccessToken string `json:"access_token"`
		Errmsg      string `json:"errmsg"`
	}) {
		text, _ := json.Marshal(body)
		req, _ := http.NewRequest(method, wecom.URL+"/cgi-bin/"+path, bytes.NewReader(text))
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			defer resp.Body.Close()
			json.NewDecoder(resp.Body).Decode(&answer)
		}
		return answer
	}
	token := call("GET", "gettoken?corpid=wwtest&corpsecret=secret", nil).AccessToken
	call("POST", "media/upload_by_url?access_token="+token, map[string]any{"scene": 1, "type": "file",
		"filename": "hello.txt", "url": web.URL, "md5": fmt.Sprintf("%x", md5.Sum(content))})
	wecom.WaitJobs(context.Background(), 1)

	job := wecom.Jobs()[0]
	fmt.Println(job.Filename, job.Size, job.Status == wecomtest.StatusFinished, job.MediaID[:4])
	// Output: hello.txt 12 true 3*1*
}

// The next submit is limited, and the one after it does its work but loses
// its answer.
func ExampleServer_Inject() {
	wecom, err := wecomtest.Start(wecomtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer wecom.Close()
	wecom.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 45009}, wecomtest.Fault{ResetAfter: true})
	for range 2 {
		resp, err := http.Post(wecom.URL+"/cgi-bin/media/upload_by_url", "application/json", nil)
		if err == nil {
			resp.Body.Close()
		}
		fmt.Println(err == nil, wecom.Calls()[wecom.Count("*")-1].Errcode)
	}
	// Output:
	// true 45009
	// false -1000
}
