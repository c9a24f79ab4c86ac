package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/wecom/wecomtest"
)

func (p *tab) shoot(path string, whole bool) {
	p.t.Helper()
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(p.ctx, take)
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(path, png, 0o644))
}

// Pictures for people who judge how the page looks, in every state.
func TestScreenshots(t *testing.T) {
	dir := shotsDir(t)
	browser := startBrowser(t)
	o := openOffice(t, build(t), wecomtest.Options{}, "WEDROP_PAGE_TOKEN=secret-token")
	going := o.video("直播回放_完整版.mp4", 30<<20, 1)
	queued := []string{o.video("开场.mp4", 12<<20, 2), o.video("花絮.mp4", 8<<20, 3), o.video("彩蛋.mp4", 2<<20, 4)}
	wrong := []string{o.file("手机视频.mov", inspecttest.MOV(200_000, 1)), o.file("空.mp4", []byte("a"))}
	for _, lang := range []string{"zh", "en"} {
		for _, width := range []int64{1280, 360} {
			for _, dark := range []bool{false, true} {
				scheme := map[bool]string{false: "light", true: "dark"}[dark]
				name := filepath.Join(dir, fmt.Sprintf("%s-%d-%s", lang, width, scheme))
				s := newStandIn(t, everyState()...)
				s.lang = lang
				s.flights = []object{{"id": 112, "step": "stage", "done": 18_600_000, "total": 43_212_345, "since": ago(0)}, {"id": 110, "step": "inspect", "done": 1_700_000, "total": 2_345_678, "since": ago(0)}}
				s.history = []object{
					{"at": ago(49e9), "what": "moved_on", "step": "stage", "n": 1}, {"at": ago(47e9), "what": "failed", "step": "stage", "code": "storage/unreachable", "message": "连不上存储桶：网络超时。", "n": 2},
					{"at": ago(40e9), "what": "moved_on", "step": "submit", "n": 1}, {"at": ago(39e9), "what": "moved_on", "step": "await", "n": 1}, {"at": ago(36e9), "what": "moved_on", "step": "done", "n": 1}}
				p := newTab(t, browser)
				p.look(width, 900, dark)
				p.open(s.URL)
				p.until(`document.querySelectorAll('.item').length === 13`)
				p.until(`document.documentElement.lang.startsWith('` + lang + `')`)
				p.do(chromedp.EmulateViewport(width, js[int64](p, `document.documentElement.scrollHeight`)+2000)) // all rows are drawn
				p.do(chromedp.EmulateViewport(width, js[int64](p, `document.querySelector('footer').getBoundingClientRect().bottom + 16 | 0`)))
				p.shoot(name+"-list.png", false)
				p.look(width, 900, dark)
				p.click(`[data-id="106"] .name`)
				p.until(`document.querySelectorAll('.history li').length === 6`)
				p.shoot(name+"-detail.png", false)
				speak := func() { js[bool](p, `(localStorage.setItem('wedrop.lang', '`+lang+`'), true)`) }
				speak()
				p.open(s.URL + "/signin.html")
				p.until(`document.getElementById('token').checkVisibility()`)
				p.shoot(name+"-signin.png", false)

				p.mind("401")
				p.mind("ERR_")
				p.open(o.URL)
				speak()
				p.open(o.URL)
				if dark == (width == 360) { // five wrong tries a minute are all there are
					p.do(chromedp.SendKeys(chromedp.CSS("#token"), "wrong-token"+kb.Enter))
					p.until(`document.getElementById('wrong').textContent`)
					p.shoot(name+"-signin-wrong.png", false)
				}
				p.do(chromedp.SendKeys(chromedp.CSS("#token"), "secret-token"+kb.Enter))
				p.until(connected)
				o.wire.slow(8 * time.Millisecond)
				p.pick(append(append([]string{going}, queued...), wrong...)...)
				p.until(`/(还要|to go)/.test(document.getElementById('uploads-list').textContent)`)
				p.shoot(name+"-uploads.png", false)
				o.wire.slow(0)
				p.until(`document.querySelectorAll('.up').length === 2`)
			}
		}
	}
}
