package wecomtest_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/wecomtest"
)

// start returns a Server that ends with the test.
func start(t testing.TB, o wecomtest.Options) *wecomtest.Server {
	t.Helper()
	s, err := wecomtest.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// An answer is what the calls of the tests decode.
type answer struct {
	Errcode     int
	Errmsg      string
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	JobID       string
	Status      any
	Detail      map[string]any
}

// get and post make one call and decode its answer.
func get(t testing.TB, s *wecomtest.Server, api string, query ...string) answer {
	t.Helper()
	resp, err := http.Get(s.URL + "/cgi-bin/" + api + "?" + pairs(query))
	require.NoError(t, err)
	return decode(t, resp)
}

func post(t testing.TB, s *wecomtest.Server, token, api string, body any) answer {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		require.NoError(t, err)
		text = string(b)
	}
	resp, err := http.Post(s.URL+"/cgi-bin/"+api+"?access_token="+url.QueryEscape(token), "application/json", strings.NewReader(text))
	require.NoError(t, err)
	return decode(t, resp)
}

func pairs(query []string) string {
	v := url.Values{}
	for i := 0; i < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	return v.Encode()
}

func decode(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	var a answer
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&a))
	return a
}

// token fetches the token of the corp's first app.
func token(t testing.TB, s *wecomtest.Server) string {
	t.Helper()
	a := get(t, s, "gettoken", "corpid", "wwtest", "corpsecret", "secret")
	require.Zero(t, a.Errcode, a.Errmsg)
	return a.AccessToken
}

// serve publishes content under a link with Range.
func serve(t testing.TB, content []byte) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	t.Cleanup(web.Close)
	return web.URL + "/it"
}

func sum(b []byte) string {
	s := md5.Sum(b)
	return hex.EncodeToString(s[:])
}

type members = map[string]any

func upload(link string, content []byte) members {
	return members{"scene": 1, "type": "file", "filename": "表格.xlsx", "url": link, "md5": sum(content)}
}

func TestFileBecomesMedia(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	content := []byte("hello, WeCom")
	tok := token(t, s)
	a := post(t, s, tok, "media/upload_by_url", upload(serve(t, content), content))
	require.Zero(t, a.Errcode, a.Errmsg)
	require.LessOrEqual(t, len(a.JobID), 128)
	require.Regexp(t, `^job[0-9]{10}_[A-Za-z0-9_-]{43}$`, a.JobID) // as seen live
	require.NoError(t, s.WaitJobs(t.Context(), 1))
	result := post(t, s, tok, "media/get_upload_by_url_result", members{"jobid": a.JobID})

	job, found := s.Job(a.JobID)
	require.True(t, found)
	require.Equal(t, []wecomtest.Job{job}, s.Jobs())
	require.Equal(t, wecomtest.StatusFinished, job.Status)
	require.EqualValues(t, len(content), job.Size)
	require.EqualValues(t, 2, result.Status)
	require.Equal(t, members{"errcode": 0., "errmsg": "ok", "media_id": job.MediaID,
		"created_at": strconv.FormatInt(job.Ended.Unix(), 10)}, result.Detail)
	require.Equal(t, 1, s.Submits(sum(content)))
	require.Zero(t, s.Submits(sum(nil)))
	media, found := s.Media(job.MediaID)
	require.True(t, found)
	require.Equal(t, "表格.xlsx", media.Filename)
	require.Nil(t, media.Body, "media are held with KeepMedia alone")
}

func TestCallsAreSeen(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := start(t, wecomtest.Options{Log: &log, FreshTokens: true})
	first, second := token(t, s), token(t, s)
	post(t, s, second, "media/get_upload_by_url_result", members{"jobid": "jobid_none"})
	post(t, s, "made up", "media/get_upload_by_url_result", "{}")
	require.NoError(t, s.WaitCalls(t.Context(), "media/get_upload_by_url_result", 2))

	calls := s.Calls()
	require.Len(t, calls, 4)
	require.Equal(t, map[string]string{"corpid": "wwtest"}, calls[0].Query, "no secret in the record of a call")
	require.Empty(t, calls[2].Query, "no token either")
	require.Equal(t, []int{1, 2, 2, 0}, []int{calls[0].Token, calls[1].Token, calls[2].Token, calls[3].Token})
	require.Equal(t, []int{0, 0, 60136, 40014}, []int{calls[0].Errcode, calls[1].Errcode, calls[2].Errcode, calls[3].Errcode})
	require.JSONEq(t, `{"jobid":"jobid_none"}`, string(calls[2].Body))
	require.Equal(t, []int{2, 2, 4, 0}, []int{s.Count("gettoken"), s.Count("media/get_upload_by_url_result"), s.Count("*"), s.Count("media/get")})

	require.Equal(t, 4, strings.Count(log.String(), "\n"), "a line a call")
	for _, secret := range []string{first, second, "=secret", "made up"} {
		require.NotContains(t, log.String(), secret)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.WaitCalls(ctx, "*", 1), context.DeadlineExceeded)
	require.ErrorIs(t, s.WaitJobs(ctx, 1), context.DeadlineExceeded)
}

func TestOnlyTheLastCallsAreKept(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{Keep: 3})
	for i := range 11 {
		get(t, s, "gettoken", "corpid", strconv.Itoa(i))
	}
	calls := s.Calls()
	require.Len(t, calls, 3)
	require.Equal(t, []string{"8", "9", "10"}, []string{calls[0].Query["corpid"], calls[1].Query["corpid"], calls[2].Query["corpid"]})
	require.Equal(t, 11, s.Count("gettoken"))
}

func TestPrefixIsKept(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{Prefix: "proxy/wecom/"})
	require.True(t, strings.HasSuffix(s.URL, "/proxy/wecom"), s.URL)
	require.NotEmpty(t, token(t, s))
	resp, err := http.Get(strings.TrimSuffix(s.URL, "/proxy/wecom") + "/cgi-bin/gettoken")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 404, resp.StatusCode)
}

func TestAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	s := start(t, wecomtest.Options{})
	_, err := wecomtest.Start(wecomtest.Options{Addr: strings.TrimPrefix(s.URL, "http://")})
	require.ErrorContains(t, err, "wecomtest: ")
}

func TestClock(t *testing.T) {
	t.Parallel()
	var c wecomtest.Clock
	require.WithinDuration(t, time.Now(), c.Now(), time.Second)
	c.Advance(time.Hour)
	require.WithinDuration(t, time.Now().Add(time.Hour), c.Now(), time.Second)
	c.Set(time.Unix(1_380_000_000, 0))
	require.WithinDuration(t, time.Unix(1_380_000_000, 0), c.Now(), time.Second)
}

// Close ends what is under way, or tests would wait for time-outs.
func TestCloseDoesNotWaitForTheSlow(t *testing.T) {
	t.Parallel()
	s, err := wecomtest.Start(wecomtest.Options{})
	require.NoError(t, err)
	asked, hangs := make(chan bool, 1), make(chan bool)
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- true; <-hangs }))
	defer web.Close()
	defer close(hangs)
	tok := token(t, s)
	post(t, s, tok, "media/upload_by_url", upload(web.URL, nil))
	<-asked
	s.Inject("gettoken", wecomtest.Fault{Slow: time.Hour})
	go http.Get(s.URL + "/cgi-bin/gettoken")
	require.NoError(t, s.WaitCalls(t.Context(), "gettoken", 2))
	s.Close()
}
