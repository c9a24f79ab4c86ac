package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/chromedp/chromedp"

	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/wecom/wecomtest"
)

// One browser and one program for all of it: each takes seconds to come about.
func TestPage(t *testing.T) {
	browser := startBrowser(t)
	bin := build(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, context.Context, string)
	}{
		{"a dropped file shows its media_id", dropped},
		{"a wrong file is refused before a byte is sent, in both languages", refusedEarly},
		{"what only the server sees is refused in both languages, and goes as a file", refusedByServer},
		{"a picture is previewed, and nothing that could run", previewed},
		{"a name is never markup", hostileName},
		{"a held file is retried", heldIsRetried},
		{"one refusal is one banner, and unfinished files are seen", oneBanner},
		{"the countdown runs and warns", countdown},
		{"people sign in and out", signIn},
		{"an upload goes on where the connection broke", brokenConnection},
		{"an upload goes on after another request for it", displaced},
		{"an upload goes on after a reload", reloaded},
		{"an upload is paused, carried on and cancelled", paused},
		{"everything works by keyboard", keyboard},
		{"a thousand files are listed without a stall", thousand},
		{"a thousand files of a folder are seen on their way", thousandForReal},
		{"a hundred files are dropped at once", hundred},
		{"a daemon that is away is told of calmly", away},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, browser, bin) })
	}
}

// ready is true in the page once the file with this name has its media_id.
func ready(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.item')].some(r => r.querySelector('.name').textContent === %q && r.dataset.state === 'ready' && r.querySelector('.media code'))`, name)
}

// mediaID is what the page shows for the file with this name.
func mediaID(p *tab, name string) string {
	p.t.Helper()
	return js[string](p, fmt.Sprintf(`[...document.querySelectorAll('.item')].find(r => r.querySelector('.name').textContent === %q).querySelector('.media code').textContent`, name))
}

const connected = `document.getElementById('link').dataset.ok === 'true'`

func dropped(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{JobTime: 50 * time.Millisecond})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	path := o.video("双十一_开场.mp4", 3<<20, 1)
	began := time.Now()
	p.drag(path)
	p.until(ready("双十一_开场.mp4"))
	t.Logf("3 MiB: %s from the drop to the visible media_id", time.Since(began).Round(10*time.Millisecond))
	jobs := o.we.Jobs()
	require.Len(t, jobs, 1)
	require.Equal(t, jobs[0].MediaID, mediaID(p, "双十一_开场.mp4"))
	p.click(".item .copy")
	p.until(`document.querySelector('.item .copy.ok')?.textContent.includes('已复制')`)

	// The same again, by the file input: it is the same item.
	p.pick(path)
	p.sees("以前发过，直接可用")
	require.Equal(t, 1, js[int](p, `document.querySelectorAll('.item').length`))
	require.Len(t, o.we.Jobs(), 1)

	p.click(".item .name")
	p.sees("拿到 media_id")
	require.True(t, js[bool](p, `document.getElementById('detail').contains(document.activeElement)`), "the dialog has the focus")
	p.keys(kb.Escape)
	p.until(`!document.getElementById('detail').open`)
	require.True(t, js[bool](p, `document.activeElement.classList.contains('name')`), "the focus is back where it was")

	// From another machine, over plain HTTP, there is no navigator.clipboard.
	js[bool](p, `(Object.defineProperty(navigator, 'clipboard', {value: undefined}), true)`)
	p.until(`!document.querySelector('.item .copy.ok')`)
	p.click(".item .copy")
	p.until(`document.querySelector('.item .copy.ok')`)
}

func previewed(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 320, 200))))
	p.pick(o.file("海报.png", picture.Bytes()), o.file("报价.html", []byte("<html><script>alert(1)</script></html>")))
	p.until(ready("海报.png"))
	p.until(ready("报价.html"))
	previews := js[[]string](p, `[...document.querySelectorAll('.item')].filter(r => r.querySelector('.acts').textContent.includes('预览')).map(r => r.querySelector('.name').textContent)`)
	require.Equal(t, []string{"海报.png"}, previews)
	p.click(`.item .acts button[aria-label="预览 海报.png"]`)
	p.until(`document.querySelector('#preview-stage img')?.naturalWidth === 320`)
	p.keys(kb.Escape)
	p.until(`!document.querySelector('#preview-stage img')`)
}

func paused(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	o.wire.stopAfter(3 << 20)
	p.pick(o.video("暂停.mp4", 20<<20, 21))
	p.until(`document.querySelector('.up[data-state=going] .up-say')?.textContent.includes('%')`)
	require.Eventually(t, o.wire.broken, patience, 10*time.Millisecond)
	p.click(".up .up-acts button") // the first of 暂停 and 取消
	p.until(`document.querySelector('.up[data-state=paused]')`)
	o.wire.free()
	p.mind("409") // see reloaded
	p.mind("400") // to the request that was stuck, when the new one takes its place
	p.click(".up .up-acts button")
	p.until(ready("暂停.mp4"))

	o.wire.stopAfter(3 << 20)
	p.pick(o.video("取消.mp4", 20<<20, 23))
	p.until(`document.querySelector('.up[data-state=going] .up-say')?.textContent.includes('%')`)
	require.Eventually(t, o.wire.broken, patience, 10*time.Millisecond)
	p.click(".up .up-acts button:last-child")
	p.until(`document.getElementById('uploads').hidden`)
	o.wire.free()
	p.do(chromedp.Reload())
	p.until(ready("暂停.mp4"))
	require.Equal(t, 1, js[int](p, `document.querySelectorAll('.item').length`))
	require.Zero(t, p.askedToLeave(), "there is nothing to lose")
}

func refusedEarly(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	mov := o.file("手机视频.mov", inspecttest.MOV(200_000, 1))
	tiny := o.file("空.mp4", []byte("abc"))
	huge := filepath.Join(o.dir, "整场直播.mp4")
	f, err := os.Create(huge)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(209_715_201))
	require.NoError(t, f.Close())

	before := o.wire.count()
	p.pick(mov, tiny, huge)
	p.sees("请用剪映、格式工厂等软件转换为 MP4")
	p.sees("内容其实是：苹果 QuickTime MOV 视频")
	p.sees("“空.mp4”只有 3 字节")
	p.sees("请压缩或剪短到 200 MB 以内再试")
	p.click("#lang")
	p.sees("Drop files here")
	p.click("#lang")
	p.sees("把文件拖到这里")
	require.Less(t, o.wire.count()-before, int64(100_000), "nothing of the files went over the wire")
	require.Zero(t, js[int](p, `document.querySelectorAll('.item').length`))

	// In English, from the start: the choice is kept.
	p.click("#lang")
	p.open(o.URL)
	p.sees("Drop files here")
	p.pick(mov)
	p.sees("Convert it to MP4 (renaming does not help)")
	p.sees("is not an MP4 video; its content is really: QuickTime MOV")
	// One click, and it goes as an ordinary file.
	p.click(".up .fault .strong")
	p.until(ready("手机视频.mov"))
	p.sees("File · 195 KB")
}

func refusedByServer(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.mind("422")
	p.open(o.URL)
	p.until(connected)
	cut := o.file("没下完.mp4", inspecttest.Truncated(300_000, 50_000, 3))
	p.pick(cut)
	p.sees("请从原处重新复制或下载完整的文件")
	require.Zero(t, js[int](p, `document.querySelectorAll('.item').length`))
	p.click("#lang")
	p.open(o.URL)
	p.pick(cut)
	p.sees("Copy or download the whole file again")
	require.Greater(t, js[float64](p, `parseFloat(getComputedStyle(document.querySelector('.up .remedy')).fontSize)`),
		js[float64](p, `parseFloat(getComputedStyle(document.querySelector('.up .message')).fontSize)`), "the remedy is larger than what happened")
	p.click(".up .fault .strong")
	p.until(ready("没下完.mp4"))
}

func hostileName(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	// The name as it is, on the way up and in a refusal; what the receiver
	// sees has no < and > any more.
	const name = `<img src=x onerror=alert(1)>.mp4`
	p.pick(o.file(name, []byte("no mp4 at all, no mp4 at all")), o.video(filepath.Join("good", name), 300_000, 5))
	p.until(fmt.Sprintf(`[...document.querySelectorAll('.up-name')].some(e => e.textContent === %q)`, name))
	p.until(`document.querySelector('.item[data-state=ready] .media code')`)
	require.Contains(t, js[string](p, `document.querySelector('.item .name').textContent`), "img src=x onerror=alert(1)")
	p.click(".item .name")
	p.sees("拿到 media_id")
	require.Zero(t, js[int](p, `document.querySelectorAll('#rows img, #uploads img, #detail img, [onerror]').length`))

	// And where an API gave it out unchanged.
	s := newStandIn(t, item(1, name, 5, "done", object{"media": media(name, 50*time.Hour)}),
		item(2, "x", 5, "inspect", object{"fault": fault("inspect", name, name, name, false), "path": name}))
	p.open(s.URL)
	p.until(`document.querySelectorAll('.item').length === 2`)
	require.Equal(t, name, js[string](p, `document.querySelector('[data-id="1"] .name').textContent`))
	require.Equal(t, name, js[string](p, `document.querySelector('[data-id="2"] .remedy').textContent`))
	p.click(`[data-id="2"] .name`)
	p.until(`document.getElementById('detail').open`)
	require.Zero(t, js[int](p, `document.querySelectorAll('#rows img, #detail img, [onerror]').length`))
}

func heldIsRetried(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	// A type of media that WeCom does not take: nothing but a person helps.
	o.we.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 40004})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	p.pick(o.video("会员日.mp4", 300_000, 7))
	p.until(`document.querySelector('.item[data-state=held] .remedy')?.textContent.length > 5`)
	p.until(`document.querySelector('.chip[data-filter=held] b').textContent === '1'`)
	p.click(".chip[data-filter=held]")
	p.until(`document.querySelectorAll('.item[data-state=held]').length === 1`)
	p.click(".chip[data-filter=done]")
	p.sees("没有符合条件的素材")
	p.click(`.chip[data-filter=""]`)
	p.click(".item[data-state=held] .acts .strong")
	p.until(ready("会员日.mp4"))
	p.until(`document.querySelector('.chip[data-filter=held] b').textContent === '0'`)
	p.click(".item .name")
	p.sees("有人点了重试")
}

// One refusal of WeCom's left one file red and the others silent, and what was
// empty or half copied could not be seen.
func oneBanner(t *testing.T, browser context.Context, bin string) {
	dir := t.TempDir()
	o := openOffice(t, bin, wecomtest.Options{TrustedIPs: []string{"198.51.100.1"}}, "WEDROP_FOLDERS="+dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "空文件.mp4"), nil, 0o644))
	p := newTab(t, browser)
	p.look(1280, 900, false)
	p.open(o.URL)
	p.until(connected)
	p.pick(o.video("会员日.mp4", 300_000, 7), o.video("周年庆.mp4", 200_000, 8), o.video("开场.mp4", 100_000, 9))
	p.until(`document.querySelectorAll('.banner.blocked').length === 1 && document.querySelector('.banner.blocked').textContent.includes('3 个文件')`)
	p.until(`[...document.querySelectorAll('.item .fault')].filter(f => f.checkVisibility() && f.textContent.includes('203.0.113.9')).length === 3`)
	require.Contains(t, js[string](p, `document.querySelector('.banner.blocked').textContent`), "企业可信IP")
	p.until(`document.querySelectorAll('.item .remedy').length === 0`)
	p.until(`document.querySelector('#waiting').checkVisibility() && document.querySelector('#waiting').textContent.includes('空文件.mp4 还不完整：文件还是空的')`)
	if at := os.Getenv("WEDROP_TEST_SHOTS"); at != "" {
		p.shoot(filepath.Join(at, "blocked.png"), false)
		p.look(360, 900, true)
		p.shoot(filepath.Join(at, "blocked-360-dark.png"), false)
		p.look(1280, 900, false)
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "空文件.mp4")))
	p.until(`document.querySelector('#waiting').hidden`)
	o.we.SetTrustedIPs("203.0.113.9")
	p.click(".item[data-state=held] .acts .strong")
	p.until(`document.querySelectorAll('.banner.blocked').length === 0`)
}

func countdown(t *testing.T, browser context.Context, bin string) {
	// Nothing lives longer than three days, so it is to be renewed at once.
	o := openOffice(t, bin, wecomtest.Options{}, "WEDROP_RENEW=off", "WEDROP_RENEW_BEFORE=71h59m59s")
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	p.pick(o.video("倒计时.mp4", 300_000, 9))
	p.until(ready("倒计时.mp4"))
	p.until(`document.querySelector('.item .life').dataset.level === 'amber'`)
	require.Regexp(t, `剩 2 天 23 小时`, js[string](p, `document.querySelector('.item .life').textContent`))
	p.click(".item .name")
	p.until(`/剩 2 天 \d\d:\d\d:\d\d/.test(document.querySelector('#detail .life').textContent)`)
	first := js[string](p, `document.querySelector('#detail .life').textContent`)
	p.until(fmt.Sprintf(`document.querySelector('#detail .life').textContent !== %q`, first))

	// A renewal, asked for by hand.
	p.keys(kb.Escape)
	p.click(".item .renew")
	p.sees("开始续期")
	require.Eventually(t, func() bool { return len(o.we.Jobs()) == 2 }, patience, 20*time.Millisecond)
	p.until(ready("倒计时.mp4"))

	s := newStandIn(t, item(1, "红.mp4", 5, "done", object{"media": media("M1", 40*time.Minute)}),
		item(2, "过期.mp4", 5, "done", object{"media": media("M2", -time.Minute)}),
		item(3, "将尽.mp4", 5, "done", object{"media": media("M3", 3*time.Second)}),
		item(4, "还早.mp4", 5, "done", object{"media": media("M4", 60*time.Hour)}))
	p.open(s.URL)
	p.until(`document.querySelector('[data-id="1"] .life')?.dataset.level === 'red'`)
	p.until(`document.querySelector('[data-id="2"]').dataset.state === 'expired'`)
	p.until(`document.querySelector('[data-id="4"] .life').dataset.level === 'good'`)
	p.until(`document.querySelector('[data-id="3"]').dataset.state === 'expired'`) // while it is looked at
	require.Contains(t, js[string](p, `document.querySelector('[data-id="2"]').innerText`), "已过期", "not by colour alone")
}

func signIn(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{}, "WEDROP_PAGE_TOKEN=correct-horse-battery")
	p := newTab(t, browser)
	p.mind("401")
	p.open(o.URL)
	p.until(`document.getElementById('token')`)
	p.do(chromedp.SendKeys(chromedp.CSS("#token"), "wrong"+kb.Enter))
	p.sees("口令不对")
	p.click("#lang")
	p.sees("Sign in")
	p.click("#lang")
	p.do(chromedp.SendKeys(chromedp.CSS("#token"), "correct-horse-battery"+kb.Enter))
	p.sees("把文件拖到这里")
	p.until(connected)
	require.Empty(t, js[string](p, `document.cookie`), "no script can read the session")
	p.pick(o.video("登录后.mp4", 300_000, 11))
	p.until(ready("登录后.mp4"))

	// A session that is over leads back to the sign-in page by itself.
	p.mind("ERR_") // the daemon is away for a moment
	o.stop()
	o.start()
	p.until(`document.getElementById('token')`)
	p.do(chromedp.SendKeys(chromedp.CSS("#token"), "correct-horse-battery"+kb.Enter))
	p.until(ready("登录后.mp4"))

	p.click("#signout button")
	p.until(`document.getElementById('token')`)
	p.open(o.URL)
	p.until(`document.getElementById('token')`)
	require.Equal(t, http.StatusUnauthorized, js[int](p, `fetch('/api/items').then(r => r.status)`))
}

func brokenConnection(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.mind("ERR_")
	p.open(o.URL)
	p.until(connected)
	const size = 40 << 20
	path := o.video("断线.mp4", size, 13)
	before := o.wire.count()
	o.wire.breakAfter(size * 4 / 10)
	p.drag(path)
	require.Eventually(t, o.wire.broken, patience, 10*time.Millisecond)
	p.sees("连接断了，正在自动重连")
	o.wire.free()
	p.until(ready("断线.mp4"))
	all := o.wire.count() - before
	t.Logf("%d bytes over the wire for a file of %d: %d more", all, size, all-size)
	require.Less(t, all, int64(size+size/10), "it went on at its offset, not from the beginning")
}

// Whoever asks how far an upload is ends the request that carries it: tusd
// takes that one for dead, and answers it with 400.
func displaced(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.mind("400")
	p.mind("409")
	p.mind("ERR_")
	p.open(o.URL)
	p.until(connected)
	o.wire.stopAfter(3 << 20)
	p.pick(o.video("插队.mp4", 20<<20, 25))
	require.Eventually(t, o.wire.broken, patience, 10*time.Millisecond)
	path := js[string](p, `JSON.parse(localStorage.getItem(Object.keys(localStorage).find(k => k.startsWith('tus::')))).uploadUrl`)
	req, err := http.NewRequest(http.MethodHead, o.URL+strings.TrimPrefix(path, o.URL), nil)
	require.NoError(t, err)
	req.Header.Set("Tus-Resumable", "1.0.0")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	o.wire.free()
	p.until(ready("插队.mp4"))
	require.Zero(t, js[int](p, `document.querySelectorAll('.up').length`))
}

func reloaded(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	const size = 40 << 20
	path := o.video("刷新.mp4", size, 15)
	before := o.wire.count()
	o.wire.stopAfter(size / 2)
	p.pick(path)
	p.until(`document.querySelector('.up[data-state=going] .up-say')?.textContent.includes('%')`)
	require.Eventually(t, o.wire.broken, patience, 10*time.Millisecond)
	js[bool](p, `(document.getElementById('drop').focus(), true)`)
	p.keys(kb.Tab) // people have touched the page, so it may ask
	p.mind("ERR_")
	p.mind("409") // what was on the wire still came in when the page asked how far it was
	o.wire.breakAll()
	o.wire.free()
	o.wire.stopAfter(1 << 20)
	p.do(chromedp.Reload())
	require.Equal(t, 1, p.askedToLeave(), "the page asks before an upload is left")
	o.wire.free()
	p.until(`document.querySelector('.up[data-state=orphan]')`)
	words := js[string](p, `document.querySelector('.up-say').textContent`)
	require.Regexp(t, `“刷新.mp4”上次传到 [1-9]\d?%`, words)
	p.pick(path)
	p.until(ready("刷新.mp4"))
	require.Zero(t, js[int](p, `document.querySelectorAll('.up').length`))
	require.Less(t, o.wire.count()-before, int64(size+size/5), "it went on where it was")
	p.do(chromedp.Reload())
	p.until(ready("刷新.mp4"))
	require.Zero(t, js[int](p, `document.querySelectorAll('.up').length`))
}

func keyboard(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	// From the top to the drop zone, and Enter opens the picker.
	js[bool](p, `(document.getElementById('pick').addEventListener('click', e => { e.preventDefault(); document.body.dataset.picker = 'open' }), true)`)
	tabTo(p, `document.activeElement.id === 'drop'`)
	p.keys(kb.Enter)
	p.until(`document.body.dataset.picker === 'open'`)
	p.pick(o.video("键盘.mp4", 300_000, 17))
	p.until(ready("键盘.mp4"))
	tabTo(p, `document.activeElement.name === 'type'`)
	p.keys(kb.ArrowRight)
	p.sees("只收 MP4，客户点开就能播放")
	tabTo(p, `document.activeElement.classList.contains('chip')`)
	tabTo(p, `document.activeElement.classList.contains('name')`)
	p.keys(kb.Enter)
	p.until(`document.getElementById('detail').open`)
	p.keys(kb.Escape)
	p.until(`!document.getElementById('detail').open`)
	tabTo(p, `document.activeElement.classList.contains('copy')`)
	require.NotEqual(t, "none", js[string](p, `getComputedStyle(document.activeElement).outlineStyle`), "the focus can be seen")
	p.keys(kb.Enter)
	p.until(`document.querySelector('.item .copy.ok')`)
	unnamed := js[[]string](p, `[...document.querySelectorAll('button, input:not([aria-hidden]), a')].filter(e => e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)`)
	require.Empty(t, unnamed, "everything that can be pressed has a name")
}

// tabTo presses Tab until the focus is where it is wanted.
func tabTo(p *tab, there string) {
	p.t.Helper()
	for range 40 {
		if js[bool](p, there) {
			return
		}
		p.keys(kb.Tab)
	}
	p.t.Fatalf("Tab never comes to %s", there)
}

func thousand(t *testing.T, browser context.Context, bin string) {
	var items []object
	for n := 1200; n > 0; n-- {
		items = append(items, item(n, fmt.Sprintf("素材 %04d.mp4", n), int64(n)<<12, "done", object{"media": media(fmt.Sprintf("M%d", n), time.Duration(n)*time.Minute)}))
	}
	s := newStandIn(t, items...)
	p := newTab(t, browser)
	_, err := chromedp.Call(p.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 1})
	require.NoError(t, err)
	began := time.Now()
	p.open(s.URL)
	p.until(`document.querySelectorAll('.item').length >= 50`)
	first := time.Since(began)
	p.until(`document.querySelectorAll('.item').length === 1000`)
	all := time.Since(began)
	// Long tasks from here on: polls, ticks, a filter, another language.
	js[bool](p, `(window.longest = 0, new PerformanceObserver(l => { for (const e of l.getEntries()) longest = Math.max(longest, e.duration) }).observe({type: 'longtask', buffered: true}), true)`)
	p.sees("只列出最新的 1,000 个，共 1,200 个")
	p.click("#lang")
	p.sees("The newest 1,000 of 1,200")
	p.do(chromedp.SendKeys(chromedp.CSS("#q"), "0777"))
	p.until(`document.querySelectorAll('.item').length === 1`)
	p.click(".chip[data-filter=expiring]")
	p.sees("Nothing matches")
	longest := js[float64](p, `longest`)
	t.Logf("50 rows after %s, 1,000 after %s; longest task %.0f ms", first.Round(10*time.Millisecond), all.Round(10*time.Millisecond), longest)
	require.Less(t, longest, 2000.0, "the page stalls")
}

// The same from the daemon itself, while it works on them.
func thousandForReal(t *testing.T, browser context.Context, bin string) {
	folder := t.TempDir()
	old := time.Now().Add(-time.Minute)
	for n := range 1000 {
		path := filepath.Join(folder, fmt.Sprintf("报价 %04d.txt", n))
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "报价 %d", n), 0o644))
		require.NoError(t, os.Chtimes(path, old, old))
	}
	began := time.Now()
	o := openOffice(t, bin, wecomtest.Options{}, "WEDROP_FOLDERS="+folder)
	p := newTab(t, browser)
	p.open(o.URL)
	js[bool](p, `(window.longest = 0, new PerformanceObserver(l => { for (const e of l.getEntries()) longest = Math.max(longest, e.duration) }).observe({type: 'longtask', buffered: true}), true)`)
	p.until(`document.querySelectorAll('.item[data-state=ready]').length === 1000`)
	longest := js[float64](p, `longest`)
	t.Logf("1,000 files of a folder had their media_ids on the page after %s; longest task %.0f ms", time.Since(began).Round(100*time.Millisecond), longest)
	require.Less(t, longest, 2000.0, "the page stalls")
	began = time.Now()
	p.open(o.URL)
	p.until(`document.querySelectorAll('.item').length === 1000`)
	t.Logf("1,000 rows after %s", time.Since(began).Round(10*time.Millisecond))
}

func hundred(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.open(o.URL)
	p.until(connected)
	var paths []string
	for n := range 100 {
		paths = append(paths, o.video(fmt.Sprintf("批量/%03d.mp4", n), 20_000, uint64(100+n)))
	}
	js[bool](p, `(window.most = 0, new MutationObserver(() => { most = Math.max(most, document.querySelectorAll('.up[data-state=going], .up[data-state=entering]').length) }).observe(document.getElementById('uploads'), {subtree: true, childList: true, attributes: true}), true)`)
	began := time.Now()
	p.drag(filepath.Dir(paths[0])) // the folder, as people do
	p.until(`document.getElementById('uploads-sum').textContent.includes('/ 100 个')`)
	p.until(`document.querySelectorAll('.item[data-state=ready]').length === 100`)
	t.Logf("100 files of 20 KB: %s", time.Since(began).Round(10*time.Millisecond))
	require.LessOrEqual(t, js[int](p, `most`), 3)
	require.Len(t, o.we.Jobs(), 100)
}

func away(t *testing.T, browser context.Context, bin string) {
	o := openOffice(t, bin, wecomtest.Options{})
	p := newTab(t, browser)
	p.mind("ERR_")
	p.open(o.URL)
	p.until(connected)
	o.stop()
	p.sees("暂时连不上 wedrop")
	require.True(t, strings.Contains(js[string](p, `document.getElementById('link-text').textContent`), "中断"))
	o.start()
	p.until(connected)
	p.until(`document.getElementById('offline').hidden`)
}
