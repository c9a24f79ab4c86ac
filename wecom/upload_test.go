package wecom_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// From document/path/97126: the body, with the link's & as it is.
func TestUploadByURLSends(t *testing.T) {
	t.Parallel()
	var method, kind, path string
	var body []byte
	u := upload
	u.MD5 = strings.ToUpper(u.MD5)
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		method, kind, path = r.Method, r.Header.Get("Content-Type"), r.URL.Path
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, `{"errcode":0,"errmsg":"ok","jobid":"jobid_1"}`)
	})
	id, err := client(t, wecom.Config{BaseURL: s.URL}).UploadByURL(context.Background(), u)
	require.NoError(t, err)
	require.Equal(t, "jobid_1", id)
	require.Equal(t, []string{"POST", "application/json", "/cgi-bin/media/upload_by_url"}, []string{method, kind, path})
	require.Equal(t, `{"scene":1,"type":"video","filename":"产品介绍.mp4",`+
		`"url":"https://media.example.com/a.mp4?x=1&y=2","md5":"0cc175b9c0f1b6a831c399e269772661"}`, string(body))
}

// From document/path/97126: the limits are bytes, and what breaks them is
// known here before WeCom is asked.
func TestUploadLimits(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	cl := client(t, wecom.Config{BaseURL: s.URL})
	link := func(n int) string {
		const base = "https://media.example.com/"
		return base + strings.Repeat("a", n-len(base))
	}
	for _, c := range []struct {
		name   string
		change func(*wecom.Upload)
		field  string // "" if it may go
	}{
		{"an image", func(u *wecom.Upload) { u.Type = "image" }, "type"},
		{"no type", func(u *wecom.Upload) { u.Type = "" }, "type"},
		{"a type of 33 bytes", func(u *wecom.Upload) { u.Type = wecom.MediaType(strings.Repeat("v", 33)) }, "type"},
		{"a file", func(u *wecom.Upload) { u.Type = wecom.TypeFile }, ""},
		{"no name", func(u *wecom.Upload) { u.Filename = "" }, "filename"},
		{"a name of 128 bytes", func(u *wecom.Upload) { u.Filename = strings.Repeat("名", 41) + "a.mp4" }, ""},
		{"a name of 129 bytes and 47 characters", func(u *wecom.Upload) { u.Filename = strings.Repeat("名", 41) + "ab.mp4" }, "filename"},
		{"a name that is no UTF-8", func(u *wecom.Upload) { u.Filename = "\xb2\xfa\xc6\xb7.mp4" }, "filename"},
		{"no link", func(u *wecom.Upload) { u.URL = "" }, "url"},
		{"a link without scheme", func(u *wecom.Upload) { u.URL = "media.example.com/a.mp4" }, "url"},
		{"a link to ftp", func(u *wecom.Upload) { u.URL = "ftp://media.example.com/a.mp4" }, "url"},
		{"a link to nowhere", func(u *wecom.Upload) { u.URL = "https:///a.mp4" }, "url"},
		{"a link of http", func(u *wecom.Upload) { u.URL = "http://127.0.0.1:1/a.mp4" }, ""},
		{"a link of 1024 bytes", func(u *wecom.Upload) { u.URL = link(1024) }, ""},
		{"a link of 1025 bytes", func(u *wecom.Upload) { u.URL = link(1025) }, "url"},
		{"no MD5", func(u *wecom.Upload) { u.MD5 = "" }, "md5"},
		{"an ETag in quotes", func(u *wecom.Upload) { u.MD5 = `"` + u.MD5[:30] + `"` }, "md5"},
		{"an ETag of a multipart upload", func(u *wecom.Upload) { u.MD5 += "-3" }, "md5"},
		{"an MD5 in upper case", func(u *wecom.Upload) { u.MD5 = strings.ToUpper(u.MD5) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, before := upload, s.Count("*")
			u.URL = "http://127.0.0.1:1/a.mp4"
			c.change(&u)
			_, err := cl.UploadByURL(context.Background(), u)
			if c.field == "" {
				require.NoError(t, err)
				return
			}
			e := asError(t, err)
			require.Equal(t, wecom.KindInput, e.Kind)
			require.Equal(t, c.field, e.Field)
			require.Equal(t, wecom.ClassInput, e.Class())
			require.Equal(t, "wecom/bad-request", e.FaultCode())
			require.Equal(t, before, s.Count("*"), "a call was made")
		})
	}
	for _, id := range []string{"", strings.Repeat("j", 129)} {
		_, err := cl.UploadResult(context.Background(), id)
		require.Equal(t, "jobid", asError(t, err).Field)
	}
}

// From document/path/97126, which says string and shows a number, and from
// the peers' decoders that break on the other: SKIT and WxJava on a status
// "2", PowerWeChat on an absent detail.errcode (live answers leave it out:
// WxJava MediaUploadByUrlResult.java), Senparc's test on the documented string.
func TestUploadResultShapes(t *testing.T) {
	t.Parallel()
	created := time.Unix(1380000000, 0)
	done := func(detail string) string { return `{"errcode":0,"errmsg":"ok","status":2,"detail":` + detail + `}` }
	for _, c := range []struct {
		name   string
		body   string
		status wecom.JobStatus
		ready  bool
		at     time.Time
	}{
		{"as the example shows", done(`{"errcode":0,"errmsg":"ok","media_id":"3*1*x","created_at":"1380000000"}`), 2, true, created},
		{"status a string", `{"errcode":0,"status":"2","detail":{"media_id":"3*1*x","created_at":"1380000000"}}`, 2, true, created},
		{"status 2.0", `{"status":2.0,"detail":{"media_id":"3*1*x","created_at":1380000000}}`, 2, true, created},
		{"no detail.errcode on success, as seen live", done(`{"media_id":"3*1*x","created_at":1380000000}`), 2, true, created},
		{"created_at in milliseconds", done(`{"media_id":"3*1*x","created_at":"1380000000000"}`), 2, true, created},
		{"created_at absent", done(`{"media_id":"3*1*x"}`), 2, true, time.Time{}},
		{"created_at null", done(`{"media_id":"3*1*x","created_at":null}`), 2, true, time.Time{}},
		{"created_at no number", done(`{"media_id":"3*1*x","created_at":"soon"}`), 2, true, time.Time{}},
		{"created_at 0", done(`{"media_id":"3*1*x","created_at":0}`), 2, true, time.Time{}},
		{"detail.errcode a stray value on success", done(`{"errcode":"-","media_id":"3*1*x"}`), 2, true, time.Time{}},
		{"finished without media_id", done(`{"errcode":0}`), 2, false, time.Time{}},
		{"finished with detail null", done(`null`), 2, false, time.Time{}},
		{"finished with an empty list for detail", done(`[]`), 2, false, time.Time{}},
		{"running", `{"errcode":0,"status":1,"detail":{}}`, 1, false, time.Time{}},
		{"running, a string, no detail", `{"errcode":0,"status":"1"}`, 1, false, time.Time{}},
		{"a media_id before the end", `{"status":1,"detail":{"media_id":"3*1*x"}}`, 1, false, time.Time{}},
		{"a status that nobody documented", `{"errcode":0,"status":7,"detail":null}`, 7, false, time.Time{}},
		{"a status that is a word", `{"errcode":0,"status":"done"}`, 0, false, time.Time{}},
		{"no status", `{"errcode":0,"errmsg":"ok"}`, 0, false, time.Time{}},
		{"an empty object", `{}`, 0, false, time.Time{}},
		{"a huge status", `{"status":1e300}`, 0, false, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := result(t, c.body)
			require.NoError(t, err)
			require.Equal(t, c.status, r.Status)
			require.Equal(t, c.ready, r.Ready())
			require.Nil(t, r.Err)
			require.True(t, c.at.Equal(r.CreatedAt), "created at %v, want %v", r.CreatedAt, c.at)
		})
	}
}

// From document/path/97126, table of detail.errcode: the verdict on a job is
// not an error of the call.
func TestUploadResultOfAFailedJob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		detail string
		code   wecom.Code
		class  wecom.Class
		says   string // in the Chinese message or remedy
	}{
		{"the link", `{"errcode":830001,"errmsg":"url invalid, hint: [9]"}`, 830001, wecom.ClassSource, "Range"},
		{"the download", `{"errcode":"830003","errmsg":"download"}`, 830003, wecom.ClassSource, "公开读取"},
		{"the MD5", `{"errcode":301019}`, 301019, wecom.ClassSource, "MD5"},
		{"the size, where the global table is stale", `{"errcode":45001,"errmsg":"media size out of limit"}`, 45001, wecom.ClassInput, "200 MB"},
		{"a code that nobody documented", `{"errcode":123456,"errmsg":"new"}`, 123456, wecom.ClassUnknown, "123456"},
		{"no code", `{"errmsg":"sorry"}`, 0, wecom.ClassUnknown, "没有给出原因"},
		{"no detail", `null`, 0, wecom.ClassUnknown, "没有给出原因"},
		{"a token's code, which no new token cures", `{"errcode":40014}`, 40014, wecom.ClassUnknown, "40014"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := result(t, `{"errcode":0,"errmsg":"ok","status":"3","detail":`+c.detail+`}`)
			require.NoError(t, err)
			require.Equal(t, wecom.JobFailed, r.Status)
			require.False(t, r.Ready())
			presentable(t, r.Err)
			require.True(t, r.Err.Job)
			require.Equal(t, c.code, r.Err.Code)
			require.Equal(t, c.class, r.Err.Class())
			zh, cure := r.Err.Explain("zh")
			require.Contains(t, zh+cure, c.says)
		})
	}
}

// A query that fails is never "keep waiting", and never a verdict on the job.
func TestUploadResultOfAFailedCall(t *testing.T) {
	t.Parallel()
	_, err := result(t, `{"errcode":48002,"errmsg":"api forbidden","status":2,"detail":{"media_id":"3*1*x"}}`)
	e := asError(t, err)
	require.False(t, e.Job)
	require.Equal(t, wecom.ClassConfig, e.Class())
}

// The whole way against the simulator, in every shape that it knows.
func TestUploadAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	files := answering(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("hello"))
	})
	for name, shape := range map[string]wecomtest.Shape{
		"as documented": {},
		"strings":       {StatusString: true},
		"as seen live":  {NoDetailCode: true, CreatedNumber: true, NoDetail: true},
		"bare":          {NoErrcode: true, NoCreatedAt: true, NoDetailCode: true},
		"extra":         {Extra: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := simulator(t, wecomtest.Options{Shape: shape})
			cl := client(t, wecom.Config{BaseURL: s.URL})
			good := wecom.Upload{Type: wecom.TypeFile, Filename: "a.txt", URL: files.URL + "/a.txt", MD5: "5d41402abc4b2a76b9719d911017c592"}
			bad := good
			bad.MD5 = upload.MD5
			r := await(t, cl, good)
			require.Nil(t, r.Err)
			require.NotEmpty(t, r.MediaID)
			require.Equal(t, shape.NoCreatedAt, r.CreatedAt.IsZero())
			r = await(t, cl, bad)
			require.Equal(t, wecom.CodeMD5Mismatch, r.Err.Code)
		})
	}
}

func await(t *testing.T, cl *wecom.Client, u wecom.Upload) wecom.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	id, err := cl.UploadByURL(ctx, u)
	require.NoError(t, err)
	for {
		r, err := cl.UploadResult(ctx, id)
		require.NoError(t, err)
		if r.Ready() || r.Err != nil {
			return r
		}
		select {
		case <-ctx.Done():
			t.Fatal("the job did not end")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
