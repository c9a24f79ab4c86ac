package callback_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"wedrop/wecom/callback"
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
