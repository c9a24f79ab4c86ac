package wecomtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strconv"
)

// An answer is what a caller gets: WeCom's JSON, a media, or trouble.
type answer interface {
	code() int // for the Call: the errcode, or NoErrcode
	send(http.ResponseWriter)
}

// A reply is the JSON that WeCom answers with.
type reply map[string]any

// ok is a success with further members.
func ok(members reply) reply {
	r := reply{"errcode": 0, "errmsg": "ok"}
	for name, value := range members {
		r[name] = value
	}
	return r
}

func (a reply) code() int {
	code, _ := a["errcode"].(int)
	return code
}

func (a reply) send(w http.ResponseWriter) {
	text, _ := json.Marshal(a) // numbers, strings and replies only
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Content-Length", itoa(len(text)))
	w.Write(text)
}

// refuse answers r with code.
func (s *Server) refuse(r *request, code int) reply {
	return s.refuseAs(r, Fault{Errcode: code})
}

// refuseAs answers r with f's code and text, and the tail that every error of
// WeCom's has: a hint for its support, the caller's address, a page to open.
func (s *Server) refuseAs(r *request, f Fault) reply {
	def(&f.Errmsg, textOf(f.Errcode))
	def(&f.FromIP, r.from)
	return reply{"errcode": f.Errcode, "errmsg": fmt.Sprintf(
		"%s, hint: [%s], from ip: %s, more info at https://open.work.weixin.qq.com/devtool/query?e=%d",
		f.Errmsg, s.hint(), f.FromIP, f.Errcode)}
}

// hint is the time in seconds and 15 digits, like the ones that people quote.
func (s *Server) hint() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1e15))
	return fmt.Sprintf("%d%015d", s.now().Unix(), n)
}

// A page is what a proxy would answer: an HTTP status and HTML.
type page struct {
	status int
	header http.Header
	body   string // a page that names the status if empty
}

func (page) code() int { return NoErrcode }

func (p page) send(w http.ResponseWriter) {
	name := http.StatusText(p.status)
	def(&p.body, "<html><head><title>"+name+"</title></head><body><h1>"+name+"</h1></body></html>\n")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.WriteHeader(p.status)
	io.WriteString(w, p.body)
}

// noAnswer is a connection that is reset.
type noAnswer struct{}

func (noAnswer) code() int { return NoErrcode }

func (noAnswer) send(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // it is gone already
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // an RST, not a FIN
	}
	conn.Close()
}

// A cut answer promises the whole body and sends its first bytes, never all.
type cut struct {
	answer
	bytes int
	reset bool // with an RST, not just the end
}

func (cut) code() int { return NoErrcode }

func (c cut) send(w http.ResponseWriter) {
	c.answer.send(&cutter{ResponseWriter: w, left: c.bytes})
	if c.reset {
		noAnswer{}.send(w)
		return
	}
	panic(http.ErrAbortHandler) // closes the connection
}

// A cutter lets so many bytes pass, and never all that were promised.
type cutter struct {
	http.ResponseWriter
	left int
	cut  bool
}

func (c *cutter) Write(p []byte) (int, error) {
	n := len(p)
	if !c.cut {
		promised, err := strconv.Atoi(c.Header().Get("Content-Length"))
		if err == nil {
			c.left = min(c.left, promised-1)
		}
		c.cut = true
	}
	pass := min(n, c.left)
	c.left -= pass
	if _, err := c.ResponseWriter.Write(p[:pass]); err != nil {
		return 0, err
	}
	return n, http.NewResponseController(c.ResponseWriter).Flush()
}

// random returns n random bytes as text, as WeCom's ids look. It needs no
// error: crypto/rand ends the program rather than fail.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func itoa[T int | int64](n T) string { return strconv.FormatInt(int64(n), 10) }
