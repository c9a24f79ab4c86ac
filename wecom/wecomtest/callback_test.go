package wecomtest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/callback"
	"wedrop/wecom/wecomtest"
)

const (
	callbackToken = "QDG6eK"
	callbackKey   = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)

// An app is the other side: a callback.Handler, and what it was told.
type app struct {
	url string
	h   *callback.Handler

	mu   sync.Mutex
	jobs []string
}

func startApp(t testing.TB, now func() time.Time) *app {
	t.Helper()
	codec, err := callback.New(callback.Config{Token: callbackToken, AESKey: callbackKey, ReceiveID: "wwtest"})
	require.NoError(t, err)
	a := &app{}
	a.h = &callback.Handler{Codec: codec, Now: now, Finished: func(_ context.Context, job string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.jobs = append(a.jobs, job)
		return nil
	}}
	web := httptest.NewServer(a.h)
	t.Cleanup(web.Close)
	a.url = web.URL + "/callback"
	return a
}

func (a *app) told() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.jobs)
}

// startBoth starts an app and the Server that tells it of jobs as c says.
func startBoth(t testing.TB, c wecomtest.Callback, o wecomtest.Options) (*wecomtest.Server, *app) {
	t.Helper()
	o.Clock = &wecomtest.Clock{}
	a := startApp(t, o.Clock.Now)
	c.URL, c.Token, c.AESKey = a.url+c.URL, callbackToken, callbackKey
	o.Callback = c
	return start(t, o), a
}

// submitOne submits a file that will be fetched, and returns the job id.
func submitOne(t testing.TB, s *wecomtest.Server) string {
	t.Helper()
	content := []byte("hello, WeCom")
	a := post(t, s, token(t, s), "media/upload_by_url", upload(serve(t, content), content))
	require.Zero(t, a.Errcode, a.Errmsg)
	return a.JobID
}

func statuses(sent []wecomtest.Sent) []int {
	var all []int
	for _, s := range sent {
		all = append(all, s.Status)
	}
	return all
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		c      wecomtest.Callback
		status []int // of each try
		told   int
	}{
		"as it should be":                  {wecomtest.Callback{}, []int{200}, 1},
		"an address with its own query":    {wecomtest.Callback{URL: "?x=y"}, []int{200}, 1},
		"twice, with nonces of their own":  {wecomtest.Callback{Twice: true}, []int{200, 200}, 1},
		"replayed":                         {wecomtest.Callback{Replay: true}, []int{200, 200}, 1},
		"twice and replayed":               {wecomtest.Callback{Twice: true, Replay: true}, []int{200, 200, 200, 200}, 1},
		"forged":                           {wecomtest.Callback{Forged: true}, []int{403}, 0},
		"tampered":                         {wecomtest.Callback{Tampered: true}, []int{403}, 0},
		"for another corp":                 {wecomtest.Callback{ReceiveID: "wwother"}, []int{403}, 0},
		"a clock nine minutes slow":        {wecomtest.Callback{Skew: -9 * time.Minute}, []int{200}, 1},
		"an hour old":                      {wecomtest.Callback{Skew: -time.Hour}, []int{403}, 0},
		"an hour ahead":                    {wecomtest.Callback{Skew: time.Hour}, []int{403}, 0},
		"a refusal that is tried again":    {wecomtest.Callback{Forged: true, RetryRefused: true}, []int{403, 403, 403, 403}, 0},
		"a success that is not told again": {wecomtest.Callback{RetryRefused: true}, []int{200}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.c.Before = true // so that all is told when the submit is answered
			s, a := startBoth(t, row.c, wecomtest.Options{})
			id := submitOne(t, s)
			require.Equal(t, row.status, statuses(s.Callbacks()))
			require.Len(t, a.told(), row.told)
			for i, sent := range s.Callbacks() {
				require.Equal(t, id, sent.JobID)
				require.Positive(t, sent.Took)
				require.Empty(t, sent.Err)
				if row.c.RetryRefused {
					require.Equal(t, i+1, sent.Try)
				}
			}
			for _, job := range a.told() {
				require.Equal(t, id, job)
			}
		})
	}
}

// The Client, the simulator and the Handler together: the event makes known
// when to ask, and the answer is there.
func TestFromSubmitToResultByCallback(t *testing.T) {
	t.Parallel()
	s, a := startBoth(t, wecomtest.Callback{}, wecomtest.Options{KeepMedia: true})
	done := make(chan string, 1)
	a.h.Finished = func(_ context.Context, job string) error { done <- job; return nil }
	client, err := wecom.New(wecom.Config{BaseURL: s.URL, CorpID: "wwtest", Secret: "secret"})
	require.NoError(t, err)
	content := []byte("hello, WeCom")
	job, err := client.UploadByURL(t.Context(), wecom.Upload{Type: "file", Filename: "a.txt", URL: serve(t, content), MD5: sum(content)})
	require.NoError(t, err)
	require.Equal(t, string(job), <-done)
	result, err := client.UploadResult(t.Context(), job)
	require.NoError(t, err)
	require.True(t, result.Ready())
	require.NoError(t, s.WaitCallbacks(t.Context(), 1))
	require.Equal(t, []int{200}, statuses(s.Callbacks()))
}

func TestTheEventIsTheOfficialPages(t *testing.T) {
	t.Parallel()
	type request struct {
		query url.Values
		body  string
	}
	got := make(chan request, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.URL.Query(), string(body)}
	}))
	defer web.Close()
	clock := &wecomtest.Clock{}
	s := start(t, wecomtest.Options{Clock: clock, Callback: wecomtest.Callback{URL: web.URL + "/?x=y", Token: callbackToken, AESKey: callbackKey}})
	id := submitOne(t, s)
	r := <-got
	require.Equal(t, []string{"y"}, r.query["x"])
	require.Regexp(t, `^<xml><ToUserName><!\[CDATA\[wwtest\]\]></ToUserName><Encrypt><!\[CDATA\[[A-Za-z0-9+/=]+\]\]></Encrypt><AgentID><!\[CDATA\[1000002\]\]></AgentID></xml>$`, r.body)
	_, rest, _ := strings.Cut(r.body, "<Encrypt><![CDATA[")
	sealed, _, _ := strings.Cut(rest, "]]>")
	codec, err := callback.New(callback.Config{Token: callbackToken, AESKey: callbackKey, ReceiveID: "wwtest"})
	require.NoError(t, err)
	stamp := callback.Stamp{Signature: r.query.Get("msg_signature"), Timestamp: r.query.Get("timestamp"), Nonce: r.query.Get("nonce")}
	message, err := codec.Open(stamp, sealed)
	require.NoError(t, err)
	job, found := s.Job(id)
	require.True(t, found)
	event, err := callback.ParseEvent(message)
	require.NoError(t, err)
	require.Equal(t, callback.Event{Corp: "wwtest", From: "sys", Created: time.Unix(job.Ended.Unix(), 0), MsgType: "event",
		Name: "upload_media_job_finish", JobID: id, Message: message}, event)
	at, ok := stamp.Time()
	require.True(t, ok)
	require.WithinDuration(t, clock.Now(), at, 5*time.Second)
}

// A job that failed is told as well: the event carries no result.
func TestFailedJobsAreTold(t *testing.T) {
	t.Parallel()
	s, a := startBoth(t, wecomtest.Callback{}, wecomtest.Options{})
	s.Inject("media/upload_by_url", wecomtest.Fault{JobErrcode: 830003})
	id := submitOne(t, s)
	require.NoError(t, s.WaitCallbacks(t.Context(), 1))
	require.Equal(t, []string{id}, a.told())
}

func TestNeverTold(t *testing.T) {
	t.Parallel()
	told := make(chan wecomtest.Job, 1)
	s, a := startBoth(t, wecomtest.Callback{Never: true, Before: true}, wecomtest.Options{Ended: func(j wecomtest.Job) { told <- j }})
	submitOne(t, s)
	<-told // what is to be sent is queued by now
	require.NoError(t, s.SetCallback(wecomtest.Callback{URL: a.url, Token: callbackToken, AESKey: callbackKey}))
	second := submitOne(t, s)
	require.NoError(t, s.WaitCallbacks(t.Context(), 1))
	require.Equal(t, second, s.Callbacks()[0].JobID)
	require.Equal(t, []string{second}, a.told())
}

// WeCom may be faster than its own answer: the id comes before the caller
// has ever heard of it.
func TestToldBeforeTheSubmitIsAnswered(t *testing.T) {
	t.Parallel()
	s, a := startBoth(t, wecomtest.Callback{Before: true, Twice: true}, wecomtest.Options{})
	for n := 1; n <= 3; n++ {
		id := submitOne(t, s)
		require.Equal(t, id, a.told()[n-1])
		require.Len(t, s.Callbacks(), 2*n)
	}
	s.Inject("media/upload_by_url", wecomtest.Fault{JobForever: true}, wecomtest.Fault{ResetAfter: true})
	submitOne(t, s) // answered, though it never ends
	_, err := ask(s, token(t, s), "media/upload_by_url", submit)
	require.Error(t, err)
	require.Len(t, s.Callbacks(), 8, "told of a job whose submit had no answer at all")
}

func TestBeforeWaitsNoLongerThanTheCaller(t *testing.T) {
	t.Parallel()
	s, _ := startBoth(t, wecomtest.Callback{Before: true}, wecomtest.Options{JobTime: time.Hour})
	content := []byte("hello")
	tok, link := token(t, s), serve(t, content)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", s.URL+"/cgi-bin/media/upload_by_url?access_token="+tok,
		strings.NewReader(`{"scene":1,"type":"file","filename":"a","url":"`+link+`","md5":"`+sum(content)+`"}`))
	require.NoError(t, err)
	gone := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(req)
		gone <- err
	}()
	require.Eventually(t, func() bool { return s.Submits(sum(content)) == 1 }, 5*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	require.NoError(t, s.WaitCalls(t.Context(), "media/upload_by_url", 1))
	require.Empty(t, s.Callbacks())
}

func TestDelayIsByTheClock(t *testing.T) {
	t.Parallel()
	clock := &wecomtest.Clock{}
	a := startApp(t, clock.Now)
	ended := make(chan wecomtest.Job, 1)
	s := start(t, wecomtest.Options{Clock: clock, Ended: func(j wecomtest.Job) { ended <- j },
		Callback: wecomtest.Callback{URL: a.url, Token: callbackToken, AESKey: callbackKey, Delay: time.Hour}})
	id := submitOne(t, s)
	<-ended
	require.Empty(t, s.Callbacks())
	clock.Advance(time.Hour)
	require.NoError(t, s.WaitCallbacks(t.Context(), 1))
	require.Equal(t, []string{id}, a.told())
}

// 五秒内收不到响应会断掉连接，并且重新发起请求，总共重试三次: three times more,
// the same request.
func TestWhatIsNotAnsweredIsSentAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	var queries sync.Map
	hang := make(chan bool)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		queries.Store(r.URL.RawQuery, true)
		io.Copy(io.Discard, r.Body)
		if asked.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler) // the connection breaks
		}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer web.Close()
	defer close(hang)
	s := start(t, wecomtest.Options{Callback: wecomtest.Callback{URL: web.URL, Token: callbackToken, AESKey: callbackKey, Before: true, Timeout: 50 * time.Millisecond}})
	submitOne(t, s)
	require.Len(t, s.Callbacks(), 4)
	for i, sent := range s.Callbacks() {
		require.Equal(t, i+1, sent.Try)
		require.Zero(t, sent.Status)
		require.NotEmpty(t, sent.Err)
		require.NotContains(t, sent.Err, "msg_signature")
	}
	different := 0
	queries.Range(func(any, any) bool { different++; return true })
	require.Equal(t, 1, different, "one and the same request")

	require.NoError(t, s.SetCallback(wecomtest.Callback{URL: "http://127.0.0.1:1/", Token: callbackToken, AESKey: callbackKey, Before: true}))
	submitOne(t, s)
	require.Len(t, s.Callbacks(), 8, "nobody listens there, and four tries are all")
}

func TestOtherEventsCanBeSent(t *testing.T) {
	t.Parallel()
	s, a := startBoth(t, wecomtest.Callback{}, wecomtest.Options{})
	other := make(chan callback.Event, 1)
	a.h.Other = func(_ context.Context, e callback.Event) { other <- e }
	sent, err := s.Send(t.Context(), "<xml><MsgType>event</MsgType><Event>change_external_chat</Event></xml>")
	require.NoError(t, err)
	require.Equal(t, 200, sent.Status)
	require.Equal(t, "change_external_chat", (<-other).Name)
	sent, err = s.Send(t.Context(), "garbage")
	require.NoError(t, err)
	require.Equal(t, 403, sent.Status)

	require.NoError(t, s.SetCallback(wecomtest.Callback{URL: "http://127.0.0.1:1/", Token: callbackToken, AESKey: callbackKey}))
	sent, err = s.Send(t.Context(), "<xml/>")
	require.Error(t, err)
	require.NotEmpty(t, sent.Err)
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	s, a := startBoth(t, wecomtest.Callback{URL: "?x=y"}, wecomtest.Options{})
	require.NoError(t, s.CheckURL(t.Context()))

	quoted := func(before, after string, status ...int) string {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			a.h.ServeHTTP(rec, r)
			for _, code := range status {
				w.WriteHeader(code)
			}
			io.WriteString(w, before+rec.Body.String()+after)
		}))
		t.Cleanup(web.Close)
		return web.URL
	}
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hangs.Close)
	moved := httptest.NewServer(http.RedirectHandler(a.url, http.StatusFound))
	t.Cleanup(moved.Close)
	for name, row := range map[string]struct{ url, token, key string }{
		"another token":        {a.url, "other", callbackKey},
		"another key":          {a.url, callbackToken, "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws"},
		"an answer in quotes":  {quoted(`"`, `"`), callbackToken, callbackKey},
		"an answer with a BOM": {quoted("\xef\xbb\xbf", ""), callbackToken, callbackKey},
		"a line break behind":  {quoted("", "\n"), callbackToken, callbackKey},
		"the text with a 500":  {quoted("", "", 500), callbackToken, callbackKey},
		"a redirect":           {moved.URL, callbackToken, callbackKey},
		"nobody there":         {"http://127.0.0.1:1/", callbackToken, callbackKey},
		"no answer in time":    {hangs.URL, callbackToken, callbackKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, wecomtest.Options{Callback: wecomtest.Callback{URL: row.url, Token: row.token, AESKey: row.key}})
			err := s.CheckURL(t.Context())
			require.ErrorContains(t, err, "wecomtest: callback: ")
			require.NotContains(t, err.Error(), "msg_signature")
		})
	}
}

func TestCallbackAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, c := range []wecomtest.Callback{
		{URL: "127.0.0.1:80", Token: callbackToken, AESKey: callbackKey},
		{URL: "/callback", Token: callbackToken, AESKey: callbackKey},
		{URL: "ftp://127.0.0.1/", Token: callbackToken, AESKey: callbackKey},
		{URL: "http://127.0.0.1/", Token: callbackToken, AESKey: "short"},
		{URL: "http://127.0.0.1/", Token: callbackToken, AESKey: strings.Repeat("-", 43)},
	} {
		_, err := wecomtest.Start(wecomtest.Options{Callback: c})
		require.ErrorContains(t, err, "wecomtest: callback: ", "%+v", c)
	}
	s := start(t, wecomtest.Options{})
	require.Error(t, s.CheckURL(t.Context()))
	_, err := s.Send(t.Context(), "<xml/>")
	require.Error(t, err)
}

func TestCloseDoesNotWaitForTheAddress(t *testing.T) {
	t.Parallel()
	asked := make(chan bool, 1)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		asked <- true
		<-r.Context().Done()
	}))
	defer web.Close()
	s, err := wecomtest.Start(wecomtest.Options{Callback: wecomtest.Callback{URL: web.URL, Token: callbackToken, AESKey: callbackKey, Timeout: time.Hour}})
	require.NoError(t, err)
	submitOne(t, s)
	<-asked
	s.Close()
	require.Len(t, s.Callbacks(), 1)
}

// 200 jobs that end together are told each, and each once.
func TestManyJobsAreTold(t *testing.T) {
	t.Parallel()
	s, a := startBoth(t, wecomtest.Callback{Twice: true}, wecomtest.Options{})
	content := []byte("hello, WeCom")
	tok, link := token(t, s), serve(t, content)
	var ids []string
	for range 200 {
		ids = append(ids, post(t, s, tok, "media/upload_by_url", upload(link, content)).JobID)
	}
	require.NoError(t, s.WaitCallbacks(t.Context(), 400))
	require.ElementsMatch(t, ids, a.told())
}

// From the job's end to the event in hand. The Server looks for ends every 5
// ms, which is the most of it.
func BenchmarkFromEndToEvent(b *testing.B) {
	s, a := startBoth(b, wecomtest.Callback{}, wecomtest.Options{})
	got := make(chan time.Time, 1)
	a.h.Finished = func(context.Context, string) error { got <- time.Now(); return nil }
	content := []byte("hello")
	tok, link := token(b, s), serve(b, content)
	var waits, answers []time.Duration
	for range b.N {
		id := post(b, s, tok, "media/upload_by_url", upload(link, content)).JobID
		at := <-got
		job, _ := s.Job(id)
		waits = append(waits, at.Sub(job.Ended))
	}
	if err := s.WaitCallbacks(context.Background(), b.N); err != nil {
		b.Fatal(errors.New("not all were answered"))
	}
	for _, sent := range s.Callbacks() {
		answers = append(answers, sent.Took)
	}
	slices.Sort(waits)
	slices.Sort(answers)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "us-end-to-event")
	b.ReportMetric(float64(answers[len(answers)/2].Microseconds()), "us-answer-median")
	b.ReportMetric(float64(answers[len(answers)*99/100].Microseconds()), "us-answer-p99")
}
