package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience is longer than anything here takes, on a loaded machine too.
const patience = 2 * time.Minute

// startBrowser starts a Chromium that talks to nobody but the tests. Without
// one the test is skipped; where CI is set that is a failure.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium: apt-get install chromium")
		}
		t.Skip("no chromium on this machine: apt-get install chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("lang", "zh-CN"), chromedp.WindowSize(1280, 900))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// A tab is a page in a browser session of its own. Errors on the console,
// violations of the CSP and dialogs that nobody expected fail its test.
type tab struct {
	t      *testing.T
	ctx    context.Context
	mu     sync.Mutex
	wrong  []string
	minded []string // what console lines may have: trouble that the test makes
	asked  int      // how often the page asked before it was left
}

func newTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	p := &tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		p.mu.Lock()
		wrong := strings.Join(p.wrong, "\n")
		p.mu.Unlock()
		if t.Failed() {
			p.report()
		}
		stop()
		cancel()
		require.Empty(t, wrong, "the console of the page")
	})
	require.NoError(t, chromedp.Do(ctx))
	require.NoError(t, chromedp.Listen(ctx, p.event))
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI))`})
		return err
	}))
	return p
}

// report shows what there was to see when a test failed.
func (p *tab) report() {
	body, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	p.t.Logf("the page: %v\n%.3000s", err, body)
	if dir := os.Getenv("WEDROP_TEST_SHOTS"); dir != "" {
		if png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100)); err == nil {
			_ = os.WriteFile(dir+"/failed-"+strings.ReplaceAll(p.t.Name(), "/", "-")+".png", png, 0o644)
		}
	}
}

func (p *tab) event(ev any) {
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		if ev.Type == "error" || ev.Type == "warning" || ev.Type == "assert" {
			var line []string
			for _, a := range ev.Args {
				line = append(line, string(a.Value)+a.Description)
			}
			p.note("console: " + strings.Join(line, " "))
		}
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if e := ev.ExceptionDetails.Exception; e != nil {
			text += " " + e.Description
		}
		p.note("exception: " + text)
	case *log.EventEntryAdded:
		if e := ev.Entry; e.Level == "error" || e.Level == "warning" {
			p.note(fmt.Sprintf("%s: %s %s", e.Source, e.Text, e.URL))
		}
	case *page.EventJavascriptDialogOpening:
		if ev.Type == page.DialogTypeBeforeunload {
			p.mu.Lock()
			p.asked++
			p.mu.Unlock()
		} else {
			p.note("dialog: " + ev.Message)
		}
		go func() {
			_, _ = chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	}
}

func (p *tab) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ok := range p.minded {
		if strings.Contains(line, ok) {
			return
		}
	}
	p.wrong = append(p.wrong, line)
}

// mind tells of trouble that the test makes itself.
func (p *tab) mind(part string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.minded = append(p.minded, part)
}

func (p *tab) askedToLeave() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, steps...))
}

func (p *tab) open(url string) { p.t.Helper(); p.do(chromedp.Navigate(url)) }

// js evaluates an expression in the page.
func js[T any](p *tab, expr string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expr, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expr)
	return v
}

// until waits for an expression to hold. It may fail meanwhile: the page may
// be on its way to another one.
func (p *tab) until(expr string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!!("+expr+")"))
		if ok && err == nil {
			return
		}
		require.True(p.t, time.Now().Before(end), "not within %s: %s (%v)", patience, expr, err)
	}
}

func (p *tab) sees(words string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.body.innerText.includes(%q)`, words))
}

func (p *tab) click(css string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, css))
	p.do(chromedp.Click(chromedp.CSS(css)))
}

// pick gives files to the page's file input.
func (p *tab) pick(paths ...string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#pick"), paths, chromedp.NodeReady))
}

// drag drops files on the page, as a mouse does.
func (p *tab) drag(paths ...string) {
	p.t.Helper()
	at := js[[]float64](p, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.getElementById('drop').getBoundingClientRect())`)
	data := input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
	for _, typ := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		_, err := chromedp.Call(p.ctx, input.DispatchDragEvent, input.DispatchDragEventParams{Type: typ, X: at[0], Y: at[1], Data: &data})
		require.NoError(p.t, err)
	}
}

func (p *tab) keys(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		p.do(chromedp.KeyEvent(k))
	}
}

// look sets the size of the window and whether the system is dark.
func (p *tab) look(width, height int64, dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.do(chromedp.EmulateViewport(width, height))
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	require.NoError(p.t, err)
}
