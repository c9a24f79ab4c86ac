package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// csp is what the server sends with the page; the stand-in is no laxer.
const csp = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"

type object = map[string]any

// A standIn serves the page with an API that says whatever a test wants it to
// say: states that would take days to come about.
type standIn struct {
	*httptest.Server
	items   []object
	flights []object
	history []object
	lang    string
}

func newStandIn(t *testing.T, items ...object) *standIn {
	t.Helper()
	s := &standIn{items: items, flights: []object{}, lang: "zh"}
	mux := http.NewServeMux()
	mux.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir("../static"))))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "../static/index.html") })
	mux.HandleFunc("GET /signin.html", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "../static/signin.html") })
	mux.HandleFunc("GET /api/items", func(w http.ResponseWriter, r *http.Request) { answer(w, s.list(r)) })
	mux.HandleFunc("GET /api/items/{id}/history", func(w http.ResponseWriter, r *http.Request) { answer(w, object{"events": s.history}) })
	mux.HandleFunc("GET /api/status", func(w http.ResponseWriter, r *http.Request) {
		answer(w, object{"version": "v0.9.0", "lang": s.lang, "min_size": 5, "max_size": 209715200, "renew_before_seconds": 43200, "token": true, "types": []string{"auto", "video", "file"}})
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", csp)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}

func (s *standIn) list(r *http.Request) object {
	counts := map[string]int{"working": 0, "done": 0, "held": 0, "expiring": 0}
	ask := r.URL.Query()
	limit, before := number(ask.Get("limit"), 200), number(ask.Get("before"), 1<<30)
	out := []object{}
	for _, it := range s.items {
		state := stateOf(it)
		counts[state]++
		near := near(it)
		if near {
			counts["expiring"]++
		}
		want := ask.Get("state")
		if (want == "" || want == state || want == "expiring" && near) && strings.Contains(it["name"].(string), ask.Get("q")) && it["id"].(int) < before {
			out = append(out, in(ask.Get("lang"), it))
		}
	}
	slices.SortFunc(out, func(a, b object) int { return b["id"].(int) - a["id"].(int) })
	var next any
	if len(out) > limit {
		out = out[:limit]
		next = out[limit-1]["id"]
	}
	return object{"items": out, "next": next, "rev": 7, "now": time.Now().UTC().Format(time.RFC3339), "counts": counts, "flights": s.flights}
}

func number(s string, other int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return other
}

// in is the object in a language, where the test has given both.
func in(lang string, it object) object {
	f, ok := it["fault"].(object)
	if !ok || lang != "en" || f["en"] == nil {
		return it
	}
	en := f["en"].([2]string)
	it, f = maps.Clone(it), maps.Clone(f)
	f["message"], f["remedy"] = en[0], en[1]
	delete(f, "en")
	it["fault"] = f
	return it
}

func stateOf(it object) string {
	if f, ok := it["fault"].(object); ok && f["retry"] == false {
		return "held"
	}
	if it["step"] == "done" {
		return "done"
	}
	return "working"
}

func near(it object) bool {
	m, ok := it["media"].(object)
	if !ok {
		return false
	}
	at, _ := time.Parse(time.RFC3339, m["expires_at"].(string))
	return time.Until(at) < 12*time.Hour
}

// item makes an object of the API; more replaces or adds members.
func item(id int, name string, size int64, step string, more object) object {
	it := object{"id": id, "path": "/srv/material/" + name, "name": name, "type": "file", "size": size, "md5": fmt.Sprintf("%032x", id*7919), "step": step,
		"object": nil, "job": nil, "media": nil, "fault": nil, "warnings": []object{}, "reused": false, "due": nil, "preview": false,
		"created": ago(50 * time.Minute), "updated": ago(time.Minute), "waiting_since": nil}
	if strings.HasSuffix(name, ".mp4") {
		it["type"], it["preview"] = "video", true
	}
	for k, v := range more {
		it[k] = v
	}
	return it
}

func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }

// media is a media_id that still lives for a while.
func media(id string, lives time.Duration) object {
	return object{"id": id, "created_at": ago(72*time.Hour - lives), "expires_at": ago(-lives)}
}

func fault(step, code, message, remedy string, retry bool, en ...string) object {
	f := object{"step": step, "code": code, "message": message, "remedy": remedy, "retry": retry, "at": ago(time.Minute)}
	if len(en) == 2 {
		f["en"] = [2]string(en)
	}
	return f
}

// everyState has one item in each state that the page can show.
func everyState() []object {
	id := func(s string) string { return "3*1*G6nrLmr5EC5MMb_-zK1dDdzmd0p7cNliYu9V5w7" + s }
	job := object{"id": "jobid_S0MrnndvRG5fadSlLwiBqiDDbM143UqTmKP3152FZk4", "submitted_at": ago(12 * time.Second)}
	public := object{"key": "media/0cc175b9.mp4", "url": "https://material-1250000000.cos.ap-shanghai.myqcloud.com/media/0cc175b9c0f1b6a831c399e269772661.mp4"}
	return []object{
		item(112, "双十一主会场预热_竖版_终稿.mp4", 43_212_345, "stage", object{}),
		item(111, "新品发布会.mp4", 88_400_000, "await", object{"job": job, "object": public, "waiting_since": ago(12 * time.Second)}),
		item(110, "十二月活动海报.png", 2_345_678, "inspect", object{}),
		item(109, "门店导购话术（2026 版）.docx", 345_678, "submit", object{"object": public}),
		item(108, "社群福利领取教程.mp4", 12_345_678, "stage", object{"due": ago(-14 * time.Second), "fault": fault("stage", "storage/unreachable", "连不上存储桶：网络超时。", "会自动再试，无需操作。", true, "the bucket cannot be reached: timeout", "it is tried again by itself")}),
		item(107, "旧片_产品介绍.mp4", 31_457_280, "inspect", object{"preview": false, "fault": fault("inspect", "inspect/not-mp4", "“旧片_产品介绍.mp4”不是 MP4 视频，内容其实是：AVI 视频。",
			"改扩展名没有用。请用剪映、格式工厂等软件转换为 MP4（H.264），或运行 ffmpeg -i 原文件 -c:v libx264 -c:a aac -movflags +faststart out.mp4；也可以加 --type file 作为普通文件发送。", false,
			`"旧片_产品介绍.mp4" is not an MP4 video; its content is really: AVI.`,
			"Renaming does not help. Convert it to MP4 (H.264), for example with ffmpeg -i INPUT -c:v libx264 -c:a aac -movflags +faststart out.mp4; or send it as an ordinary file with --type file.")}),
		item(106, "入群欢迎语_品牌故事.mp4", 128_000_000, "done", object{"media": media(id("aB1"), 71*time.Hour+12*time.Minute), "job": job, "object": public, "due": ago(-60 * time.Hour)}),
		item(105, "<img src=x onerror=alert(1)>.mp4", 5_242_880, "done", object{"media": media(id("cD2"), 47*time.Hour), "due": ago(-35 * time.Hour)}),
		item(104, "价格表.pdf", 1_153_434, "done", object{"media": media(id("eF3"), 5*time.Hour+20*time.Minute), "warnings": []object{{"code": "name-changed", "message": "客户看到的文件名将是“价格表.pdf”（原名超过 128 字节、含特殊字符，或扩展名与内容不符）"}}}),
		item(103, "限时优惠倒计时.mp4", 8_388_608, "done", object{"media": media(id("gH4"), 42*time.Minute)}),
		item(102, "国庆活动回顾.mp4", 66_000_000, "done", object{"media": media(id("iJ5"), -3*time.Hour)}),
		item(101, "客服常见问题.mp4", 9_000_000, "await", object{"media": media(id("kL6"), 6*time.Hour), "job": job, "waiting_since": ago(4 * time.Second)}),
		item(100, "会员日主视觉.mp4", 18_000_000, "submit", object{"fault": fault("submit", "wecom/60020", "企业微信拒绝了这台机器的访问（60020）：访问地址不在可信 IP 里。", "请管理员在企业微信后台把服务器的公网 IP 加入该应用的“企业可信 IP”，再点重试。", false,
			"WeCom refuses this machine (60020): its address is not a trusted one.", "Let an administrator add the server's public address to the app's trusted IPs, then retry.")}),
	}
}

func shotsDir(t *testing.T) string {
	dir := os.Getenv("WEDROP_TEST_SHOTS")
	if dir == "" {
		t.Skip("screenshots are taken where WEDROP_TEST_SHOTS names a folder for them")
	}
	return dir
}
