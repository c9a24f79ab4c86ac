package wecomtest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

// A submit and the query for its result, over loopback with keep-alive, by 16
// callers: what a Server takes before it is the brake of a test. The fetch of
// a small file runs beside it.
func BenchmarkSubmitAndResult(b *testing.B) {
	for _, fetched := range []bool{false, true} {
		b.Run(fmt.Sprintf("fetched=%v", fetched), func(b *testing.B) { submitAndAsk(b, fetched) })
	}
}

func submitAndAsk(b *testing.B, fetched bool) {
	s := start(b, wecomtest.Options{})
	tok, content := token(b, s), []byte("hello")
	link := serve(b, content)
	if !fetched {
		s.Inject("media/upload_by_url", wecomtest.Fault{JobErrcode: 830003, Times: -1})
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	call := func(api, body string) string {
		resp, err := client.Post(s.URL+"/cgi-bin/"+api+"?access_token="+tok, "application/json", strings.NewReader(body))
		if err != nil {
			b.Error(err)
			return ""
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	submit := fmt.Sprintf(`{"scene":1,"type":"file","filename":"a","url":%q,"md5":%q}`, link, sum(content))
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for left.Add(-1) >= 0 {
				_, rest, _ := strings.Cut(call("media/upload_by_url", submit), `"jobid":"`)
				id, _, _ := strings.Cut(rest, `"`)
				call("media/get_upload_by_url_result", `{"jobid":"`+id+`"}`)
			}
		})
	}
	callers.Wait()
	require.NoError(b, s.WaitJobs(context.Background(), b.N))
	b.ReportMetric(float64(2*b.N)/b.Elapsed().Seconds(), "calls/s")
}
