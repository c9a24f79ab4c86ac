package callback_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom/callback"
)

// handler returns a Handler at noon and the jobs that it hands on.
func handler(t testing.TB) (*callback.Handler, *list) {
	t.Helper()
	var jobs list
	return &callback.Handler{
		Codec:    codec(t, config()),
		Finished: func(_ context.Context, job string) error { jobs.add(job); return nil },
		Now:      func() time.Time { return noon },
	}, &jobs
}

func TestAddressCheck(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		if v.want == "" {
			continue
		}
		query := url.Values{"msg_signature": {v.stamp.Signature}, "timestamp": {v.stamp.Timestamp}, "nonce": {v.stamp.Nonce}, "echostr": {v.sealed}}
		for name, raw := range map[string]string{
			"as it should be":             query.Encode(),
			"with a plus not escaped":     strings.ReplaceAll(query.Encode(), "%2B", "+"),
			"at an address with its own":  "x=y&app=1&" + query.Encode() + "&z=",
			"with nothing escaped at all": "echostr=" + v.sealed + "&msg_signature=" + v.stamp.Signature + "&timestamp=" + v.stamp.Timestamp + "&nonce=" + v.stamp.Nonce,
		} {
			t.Run(v.name+" "+name, func(t *testing.T) {
				t.Parallel()
				h := &callback.Handler{Codec: codec(t, v.config)} // years after it was signed
				w := answer(h, httptest.NewRequest("GET", "/callback?"+raw, nil))
				require.Equal(t, 200, w.Code)
				require.Equal(t, v.want, w.Body.String(), "no quotes, no BOM, no newline")
				require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
				require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
				require.Equal(t, fmt.Sprint(len(v.want)), w.Header().Get("Content-Length"))
			})
		}
	}
}

func TestAddressChecksThatAreRefused(t *testing.T) {
	t.Parallel()
	echo := func(s sender, message string) url.Values {
		sealed := s.seal(message)
		q := s.query(noon, "1", sealed)
		q.Set("echostr", sealed)
		return q
	}
	changed := echo(us(), "123")
	changed.Set("timestamp", "1")
	for name, q := range map[string]url.Values{
		"a person with a browser":     {},
		"another time":                changed,
		"another token":               echo(sender{"other", aesKey, corp}, "123"),
		"another corp":                echo(sender{token, aesKey, "wwother"}, "123"),
		"a POST's text, to be opened": echo(us(), finish("job")),
		"JSON":                        echo(us(), `{"jobid":"job"}`),
		"an empty text":               echo(us(), ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := handler(t)
			w := answer(h, httptest.NewRequest("GET", "/callback?"+q.Encode(), nil))
			require.Equal(t, 403, w.Code)
			require.NotContains(t, w.Body.String(), "job")
			require.NotContains(t, w.Body.String(), "123")
		})
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		r := us().post(noon, "1", finish("job"))
		r.Method = method
		w := answer(h, r)
		require.Equal(t, 405, w.Code, method)
		require.Equal(t, "GET, POST", w.Header().Get("Allow"))
	}
	require.Empty(t, jobs.all())
}

func TestJobIsHandedOn(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	w := answer(h, us().post(noon, "1", finish("jobid_S0Mrnndv")))
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Body.String())
	require.Equal(t, []string{"jobid_S0Mrnndv"}, jobs.all())
}

// Each of these WeCom might send, and each hands the job on.
func TestPostsThatAreTaken(t *testing.T) {
	t.Parallel()
	sealed := us().seal(finish("job"))
	query := us().query(noon, "1", sealed)
	own := us().query(noon, "1", sealed)
	own.Set("x", "y") // go-workwx signs every parameter: such an address never verifies there
	own.Set("app", "1000002")
	asJSON := us().seal(`{"ToUserName":"` + corp + `","CreateTime":1795348800,"msgtype":"event","event":"upload_media_job_finish","jobid":"job"}`)
	for name, r := range map[string]*http.Request{
		"the official page's":            request(query, envelope(sealed)),
		"an address with its own query":  request(own, envelope(sealed)),
		"with a declaration":             request(query, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+envelope(sealed)+"\n"),
		"with a BOM":                     request(query, "\xef\xbb\xbf"+envelope(sealed)),
		"without CDATA":                  request(query, "<xml><Encrypt>"+sealed+"</Encrypt></xml>"),
		"with breaks around the text":    request(query, "<xml>\n<Encrypt>\n<![CDATA["+sealed+"]]>\n</Encrypt></xml>"),
		"with elements that are unknown": request(query, "<xml><New a='b'><Encrypt>no</Encrypt></New><Encrypt>"+sealed+"</Encrypt><E/></xml>"),
		"JSON around it":                 request(query, `{"tousername":"`+corp+`","encrypt":"`+sealed+`","agentid":1000002}`),
		"JSON around JSON":               request(us().query(noon, "1", asJSON), `{"encrypt":"`+asJSON+`"}`),
		"ten minutes old":                us().post(noon.Add(-10*time.Minute), "1", finish("job")),
		"ten minutes ahead":              us().post(noon.Add(10*time.Minute), "1", finish("job")),
		"with 32 levels":                 request(query, "<xml><Encrypt>"+sealed+"</Encrypt>"+strings.Repeat("<a>", 31)+strings.Repeat("</a>", 31)+"</xml>"),
		"of exactly 64 KiB":              request(query, envelope(sealed)+strings.Repeat(" ", 64<<10-len(envelope(sealed)))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, jobs := handler(t)
			w := answer(h, r)
			require.Equal(t, 200, w.Code)
			require.Empty(t, w.Body.String())
			require.Equal(t, []string{"job"}, jobs.all())
		})
	}
}

// What nobody should send, or nobody but WeCom: refused, and nothing happens.
func TestPostsThatAreRefused(t *testing.T) {
	t.Parallel()
	good := us().seal(finish("job"))
	signed := func(body string) *http.Request { return request(us().query(noon, "1", good), body) }
	holding := func(message string) *http.Request { return us().post(noon, "1", message) }
	with := func(name, value string) *http.Request {
		q := us().query(noon, "1", good)
		q.Set(name, value)
		if value == "" {
			q.Del(name)
		}
		return request(q, envelope(good))
	}
	untimed := func(ts string) *http.Request {
		return request(url.Values{"msg_signature": {us().sign(ts, "1", good)}, "timestamp": {ts}, "nonce": {"1"}}, envelope(good))
	}
	endless := signed("")
	endless.Body, endless.ContentLength = io.NopCloser(io.LimitReader(forever('a'), 1<<40)), -1
	claimed := signed("x")
	claimed.ContentLength = 64<<10 + 1
	cut := signed("")
	cut.Body, cut.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("<xml>"), broken{})), 500
	deep := func(n int) string {
		return strings.Repeat("<a>", n) + strings.Repeat("</a>", n)
	}

	for name, row := range map[string]struct {
		r    *http.Request
		code int
		why  callback.Kind
	}{
		"forged: signed with another token": {sender{"another", aesKey, corp}.post(noon, "1", finish("job")), 403, callback.KindSignature},
		"forged: no signature":              {with("msg_signature", ""), 403, callback.KindSignature},
		"forged: a made-up signature":       {with("msg_signature", strings.Repeat("a", 40)), 403, callback.KindSignature},
		"forged: no token, no parameters":   {request(nil, envelope(good)), 403, callback.KindSignature},
		"tampered: another text":            {signed(envelope(us().seal(finish("other")))), 403, callback.KindSignature},
		"tampered: one bit of the text":     {signed(envelope(flipped(good))), 403, callback.KindSignature},
		"tampered: a new time":              {with("timestamp", "1795348801"), 403, callback.KindSignature},
		"tampered: a new nonce":             {with("nonce", "2"), 403, callback.KindSignature},
		"tampered: no nonce":                {with("nonce", ""), 403, callback.KindSignature},
		"tampered: a text before ours":      {signed("<xml><Encrypt>AAAA</Encrypt><Encrypt>" + good + "</Encrypt></xml>"), 403, callback.KindSignature},

		"replayed: over ten minutes old":   {us().post(noon.Add(-10*time.Minute-time.Second), "1", finish("job")), 403, callback.KindStale},
		"replayed: from the future":        {us().post(noon.Add(10*time.Minute+time.Second), "1", finish("job")), 403, callback.KindStale},
		"replayed: a year old":             {us().post(noon.AddDate(-1, 0, 0), "1", finish("job")), 403, callback.KindStale},
		"replayed: at the end of all time": {untimed("999999999999"), 403, callback.KindStale},
		"replayed: time beyond all bounds": {untimed("9223372036854775807"), 403, callback.KindStale},
		"replayed: before 1970":            {untimed("-62135596800"), 403, callback.KindStale},
		"replayed: no time":                {untimed(""), 403, callback.KindStale},
		"replayed: a time in words":        {untimed("noon"), 403, callback.KindStale},

		"oversized":                        {signed(envelope(good) + strings.Repeat(" ", 64<<10)), 413, callback.KindTooLarge},
		"oversized: one byte":              {signed(envelope(good) + strings.Repeat(" ", 64<<10+1-len(envelope(good)))), 413, callback.KindTooLarge},
		"oversized: without end or length": {endless, 413, callback.KindTooLarge},
		"oversized: as it says itself":     {claimed, 413, callback.KindTooLarge},
		"oversized: and not signed":        {request(nil, strings.Repeat("a", 1<<20)), 413, callback.KindTooLarge},

		"garbage: nothing (PowerWeChat: panic)":  {signed(""), 403, callback.KindContent},
		"garbage: spaces":                        {signed(" \n"), 403, callback.KindContent},
		"garbage: text":                          {signed("hello"), 403, callback.KindContent},
		"garbage: zeros":                         {signed(strings.Repeat("\x00", 100)), 403, callback.KindContent},
		"garbage: no UTF-8":                      {signed("<xml><Encrypt>\xff\xfe</Encrypt></xml>"), 403, callback.KindContent},
		"garbage: a body that breaks off":        {cut, 403, callback.KindContent},
		"garbage: XML that breaks off":           {signed(envelope(good)[:100]), 403, callback.KindContent},
		"garbage: XML that is not closed":        {signed("<xml><Encrypt>" + good + "</Encrypt>"), 403, callback.KindContent},
		"garbage: XML that is closed wrongly":    {signed("<xml><Encrypt>" + good + "</xml></Encrypt>"), 403, callback.KindContent},
		"garbage: a root that is closed wrongly": {signed("<xml><Encrypt>" + good + "</Encrypt></yml>"), 403, callback.KindContent},
		"garbage: XML without Encrypt":           {signed("<xml><Event>" + good + "</Event></xml>"), 403, callback.KindContent},
		"garbage: an Encrypt that is empty":      {signed("<xml><Encrypt/></xml>"), 403, callback.KindContent},
		"garbage: an Encrypt too far in":         {signed("<xml><a><Encrypt>" + good + "</Encrypt></a></xml>"), 403, callback.KindContent},
		"garbage: two roots":                     {signed(envelope(good) + envelope(good)), 403, callback.KindContent},
		"garbage: text behind the root":          {signed(envelope(good) + "more"), 403, callback.KindContent},
		"garbage: XML in another encoding":       {signed(`<?xml version="1.0" encoding="GBK"?>` + envelope(good)), 403, callback.KindContent},
		"garbage: XML that is deep":              {signed("<xml><Encrypt>" + good + "</Encrypt>" + deep(32) + "</xml>"), 403, callback.KindContent},
		"garbage: XML that is as deep as it can": {signed(deep(9000)), 403, callback.KindContent},
		"garbage: JSON that breaks off":          {signed(`{"encrypt":"` + good), 403, callback.KindContent},
		"garbage: JSON without encrypt":          {signed(`{"a":1}`), 403, callback.KindContent},
		"garbage: JSON that is no object":        {signed(`[{"encrypt":"` + good + `"}]`), 403, callback.KindContent},
		"garbage: JSON that is deep":             {signed(`{"a":` + strings.Repeat("[", 60_000)), 403, callback.KindContent},
		"garbage: JSON with encrypt in a list":   {signed(`{"encrypt":["` + good + `"]}`), 403, callback.KindContent},
		"entities: a DOCTYPE":                    {signed("<!DOCTYPE xml>" + envelope(good)), 403, callback.KindContent},
		"entities: one from a file":              {signed(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Encrypt>&e;</Encrypt></xml>`), 403, callback.KindContent},
		"entities: a billion laughs":             {signed(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>`), 403, callback.KindContent},
		"entities: one that nobody defined":      {signed("<xml><Encrypt>&e;</Encrypt></xml>"), 403, callback.KindContent},

		"sealed: for another corp":             {sender{token, aesKey, "wwother"}.post(noon, "1", finish("job")), 403, callback.KindReceiver},
		"sealed: for nobody":                   {sender{token, aesKey, ""}.post(noon, "1", finish("job")), 403, callback.KindReceiver},
		"sealed: with another key":             {sender{token, "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", corp}.post(noon, "1", finish("job")), 403, callback.KindContent},
		"sealed: garbage":                      {holding("hello"), 403, callback.KindContent},
		"sealed: nothing":                      {holding(""), 403, callback.KindContent},
		"sealed: a DOCTYPE":                    {holding("<!DOCTYPE xml>" + finish("job")), 403, callback.KindContent},
		"sealed: an address check":             {holding("1616140317555161061"), 403, callback.KindContent},
		"sealed: an end without a job":         {holding(finish("")), 403, callback.KindContent},
		"sealed: a job id of 129 bytes":        {holding(finish(strings.Repeat("j", 129))), 403, callback.KindContent},
		"sealed: a job id with a line break":   {holding(finish("job\nid")), 403, callback.KindContent},
		"sealed: a job id that turns the text": {holding(finish("job\u202eid")), 403, callback.KindContent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h, jobs := handler(t)
			h.Log = slog.New(slog.NewJSONHandler(&log, nil))
			h.Other = func(context.Context, callback.Event) { t.Error("something was handed on") }
			w := answer(h, row.r)
			require.Equal(t, row.code, w.Code)
			require.Empty(t, jobs.all())
			require.Contains(t, log.String(), `"reason":"`+string(row.why)+`"`)
			require.Contains(t, log.String(), `"remedy":"`)
			require.Equal(t, 1, strings.Count(log.String(), "\n"))
			for _, hush := range []string{good[:20], token, aesKey, "Encrypt>", row.r.URL.Query().Get("msg_signature") + "\x00"} {
				require.NotContains(t, log.String(), hush)
			}
		})
	}
}

type forever byte

func (f forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(f)
	}
	return len(p), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func flipped(sealed string) string {
	b := []byte(sealed)
	if b[30]++; b[30] == '{' || b[30] == '[' || b[30] == ':' || b[30] == ',' {
		b[30] = '0'
	}
	return string(b)
}

func TestWindowCanBeSet(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	h.Window = time.Minute
	require.Equal(t, 403, answer(h, us().post(noon.Add(-2*time.Minute), "1", finish("a"))).Code)
	h.Window = 3 * time.Minute
	require.Equal(t, 200, answer(h, us().post(noon.Add(-2*time.Minute), "1", finish("a"))).Code)
	require.Equal(t, []string{"a"}, jobs.all())
}

// What is new is delivered, what nobody has heard of is no error.
func TestOtherEvents(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	var others []callback.Event
	h.Other = func(_ context.Context, e callback.Event) { others = append(others, e) }
	text := "<xml><ToUserName>" + corp + "</ToUserName><FromUserName>zhang</FromUserName><CreateTime>1795348800</CreateTime>" +
		"<MsgType>text</MsgType><Content>upload_media_job_finish</Content><Event>upload_media_job_finish</Event><JobId>job</JobId></xml>"
	change := "<xml><MsgType>event</MsgType><Event>change_external_chat</Event><List><Item>1</Item><Item>2</Item></List></xml>"
	bare := "<xml/>"
	robot := `{"msgtype":"event","event":{"eventtype":"enter_chat"},"from":{"userid":"zhang"}}`
	for i, message := range []string{text, change, bare, robot, "{}"} {
		for range 2 {
			w := answer(h, us().post(noon, fmt.Sprint(i), message))
			require.Equal(t, 200, w.Code, message)
			require.Empty(t, w.Body.String())
		}
	}
	require.Empty(t, jobs.all())
	require.Len(t, others, 5, "each once, the identical redelivery not again")
	require.Equal(t, callback.Event{Corp: corp, From: "zhang", Created: noon, MsgType: "text", Message: []byte(text)}, others[0])
	require.Equal(t, "change_external_chat", others[1].Name)
	require.Equal(t, change, string(others[1].Message))
	require.Equal(t, "event", others[3].MsgType)

	silent := &callback.Handler{Codec: h.Codec, Now: h.Now}
	require.Equal(t, 200, answer(silent, us().post(noon, "9", change)).Code)
	require.Equal(t, 200, answer(silent, us().post(noon, "10", finish("job"))).Code)
}

func TestRedeliveryIs200AndHandedOnOnce(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	sealed := us().seal(finish("job"))
	for range 4 {
		require.Equal(t, 200, answer(h, request(us().query(noon, "1", sealed), envelope(sealed))).Code)
	}
	require.Equal(t, []string{"job"}, jobs.all())
	require.Equal(t, 200, answer(h, us().post(noon, "2", finish("job"))).Code, "an event of its own about the same job")
	require.Equal(t, []string{"job"}, jobs.all())
}

// WxJava's key is CreateTime, FromUserName, Event and the like: two jobs that
// end in the same second collapse into one (#1745, #2321).
func TestJobsOfTheSameSecondAreTwo(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	for _, job := range []string{"one", "two", "Two"} {
		require.Equal(t, 200, answer(h, us().post(noon, "1", finish(job))).Code)
	}
	require.Equal(t, []string{"one", "two", "Two"}, jobs.all())
}

// A captured request is worth nothing: within the window it is known, behind
// it too old. Time and nonce change places without a change of the signature,
// so it is the signature that is remembered.
func TestReplay(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	now := noon
	h.Now = func() time.Time { return now }
	sealed := us().seal(finish("job"))
	nonce := fmt.Sprint(noon.Add(30 * time.Minute).Unix())
	again := func() int {
		return answer(h, request(us().query(noon, nonce, sealed), envelope(sealed))).Code
	}
	require.Equal(t, 200, again())
	now = noon.Add(9 * time.Minute)
	require.Equal(t, 200, again())
	now = noon.Add(30 * time.Minute)
	require.Equal(t, 403, again())
	q := us().query(noon, nonce, sealed)
	q["timestamp"], q["nonce"] = q["nonce"], q["timestamp"]
	require.Equal(t, 200, answer(h, request(q, envelope(sealed))).Code)
	require.Equal(t, []string{"job"}, jobs.all())
}

// The id may come before the submit's answer is recorded, and Finished may
// have nothing to do with it yet: an event that comes again later is told.
func TestJobIsToldAgainAfterAMinute(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	now := noon
	h.Now = func() time.Time { return now }
	for i := range 3 {
		require.Equal(t, 200, answer(h, us().post(now, fmt.Sprint("a", i), finish("job"))).Code)
		require.Equal(t, 200, answer(h, us().post(now, fmt.Sprint("b", i), finish("job"))).Code)
		require.Len(t, jobs.all(), i+1)
		now = now.Add(time.Minute)
	}
}

func TestJobThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	h, _ := handler(t)
	var log bytes.Buffer
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	tries, broken := 0, errors.New("journal: disk full")
	h.Finished = func(context.Context, string) error {
		if tries++; tries < 3 {
			return broken
		}
		return nil
	}
	sealed := us().seal(finish("job"))
	again := func() int {
		return answer(h, request(us().query(noon, "1", sealed), envelope(sealed))).Code
	}
	require.Equal(t, []int{500, 500, 200, 200}, []int{again(), again(), again(), again()})
	require.Equal(t, 3, tries)
	require.Equal(t, 2, strings.Count(log.String(), "disk full"))
	require.Contains(t, log.String(), "polling")
}

func TestPanicOfFinishedEndsOneCallback(t *testing.T) {
	t.Parallel()
	h, _ := handler(t)
	h.Finished = func(context.Context, string) error { panic("nil map") }
	require.Equal(t, 500, answer(h, us().post(noon, "1", finish("job"))).Code)
	require.Equal(t, 500, answer(h, us().post(noon, "2", finish("job"))).Code)
}

// WeCom hangs up after five seconds: a Finished that hangs is not waited for,
// and a redelivery meanwhile starts no second one.
func TestFinishedThatHangs(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	h.Patience = 20 * time.Millisecond
	hang, over := make(chan bool), make(chan error, 1)
	h.Finished = func(ctx context.Context, job string) error {
		jobs.add(job)
		<-ctx.Done()
		over <- ctx.Err()
		<-hang // longer than it may
		return nil
	}
	require.Equal(t, 500, answer(h, us().post(noon, "1", finish("job"))).Code)
	require.Equal(t, 500, answer(h, us().post(noon, "2", finish("job"))).Code)
	require.ErrorIs(t, <-over, context.DeadlineExceeded)
	close(hang)
	require.Eventually(t, func() bool { return answer(h, us().post(noon, "1", finish("job"))).Code == 200 }, 5*time.Second, time.Millisecond)
	require.Equal(t, []string{"job"}, jobs.all())

	h.Other = func(ctx context.Context, _ callback.Event) { <-ctx.Done() }
	require.Equal(t, 200, answer(h, us().post(noon, "3", "<xml/>")).Code)
}

func TestHangingUpDoesNotStopFinished(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	gone, hangUp := context.WithCancel(t.Context())
	h.Finished = func(ctx context.Context, job string) error {
		hangUp()
		jobs.add(job)
		return ctx.Err()
	}
	require.Equal(t, 200, answer(h, us().post(noon, "1", finish("job")).WithContext(gone)).Code)
	require.Equal(t, []string{"job"}, jobs.all())
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 50 {
				if code := answer(h, us().post(noon, fmt.Sprint(i), finish(fmt.Sprint("job", n)))).Code; code != 200 {
					t.Errorf("got %d, want 200", code)
				}
				answer(h, request(nil, "garbage"))
			}
		})
	}
	all.Wait()
	require.Len(t, jobs.all(), 50, "each job once, though 16 told of it")
}

// A sender that never ends its body keeps no goroutine for ever: it is cut
// off after as long as WeCom itself would wait.
func TestSlowBodyIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds")
	}
	t.Parallel()
	h, _ := handler(t)
	web := httptest.NewServer(h)
	defer web.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<xml>")
	conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	head := make([]byte, 12)
	_, err = io.ReadFull(conn, head)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 403", string(head))
}

func TestOverTheWire(t *testing.T) {
	t.Parallel()
	h, jobs := handler(t)
	web := httptest.NewServer(h)
	defer web.Close()
	send := func(query url.Values, body io.Reader) *http.Response {
		resp, err := http.Post(web.URL+"/callback?"+query.Encode(), "text/xml", body)
		require.NoError(t, err)
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		return resp
	}
	for i := range 3 { // over one connection, which a deadline must not have spoilt
		sealed := us().seal(finish(fmt.Sprint("job", i)))
		resp := send(us().query(noon, "1", sealed), strings.NewReader(envelope(sealed)))
		require.Equal(t, 200, resp.StatusCode)
		require.Zero(t, resp.ContentLength)
	}
	require.Equal(t, []string{"job0", "job1", "job2"}, jobs.all())
	require.Equal(t, 413, send(nil, strings.NewReader(strings.Repeat("a", 100_000))).StatusCode)
	require.Equal(t, 413, send(nil, io.LimitReader(forever('a'), 100_000)).StatusCode, "in chunks, of no known length")
	require.Equal(t, 403, send(nil, strings.NewReader("a")).StatusCode)
}

// A body of many elements cost 6 ms, whoever sent it.
func TestWhatCannotBeWeComsIsNotRead(t *testing.T) {
	t.Parallel()
	good := us().seal(finish("job"))
	for name, change := range map[string]func(url.Values){
		"no signature":             func(q url.Values) { q.Del("msg_signature") },
		"a short signature":        func(q url.Values) { q.Set("msg_signature", strings.Repeat("a", 39)) },
		"a signature of no digits": func(q url.Values) { q.Set("msg_signature", strings.Repeat("z", 40)) },
		"no nonce":                 func(q url.Values) { q.Del("nonce") },
	} {
		t.Run(name, func(t *testing.T) {
			q := us().query(noon, "1", good)
			change(q)
			r := request(q, envelope(good))
			r.Body = io.NopCloser(unread{t})
			w := answer(&callback.Handler{Codec: codec(t, config()), Now: func() time.Time { return noon }}, r)
			require.Equal(t, 403, w.Code)
		})
	}
}

type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// Each refusal logged 358 bytes, without a limit.
func TestTheLogTellsOfRefusalsOnceAMinute(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	now := noon
	h := &callback.Handler{Codec: codec(t, config()), Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 1000 {
		require.Equal(t, 403, answer(h, request(nil, "x")).Code)
	}
	require.Equal(t, 1, strings.Count(log.String(), "callback refused"))
	now = now.Add(time.Minute)
	answer(h, request(nil, "x"))
	require.Equal(t, 2, strings.Count(log.String(), "callback refused"))
	require.Contains(t, log.String(), "like_it_since=999")
}
