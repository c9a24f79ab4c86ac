package wecomtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Callback is an app's callback address, and how events reach it. With URL,
// Token and AESKey alone, each job's end is told once, as WeCom would.
type Callback struct {
	URL       string // may have a query of its own; without an address nothing is told
	Token     string
	AESKey    string // EncodingAESKey
	AgentID   int    // in the envelope; 1000002 if zero
	ReceiveID string // whom events are sealed for; the job's corp if empty

	Never  bool          // jobs end and nothing is told
	Twice  bool          // tell again, with a nonce of its own
	Replay bool          // send the request again, byte for byte
	Before bool          // the answer to the submit waits until the job's end was told
	Delay  time.Duration // from a job's end to its event, by the Server's clock

	Forged   bool          // sign with another Token
	Tampered bool          // change the text once it is signed
	Skew     time.Duration // added to the timestamp: a clock that differs, or an old request

	Timeout      time.Duration // for one try, in real time; 5 s if zero
	RetryRefused bool          // an answer other than 200 is tried again as well, as older pages say
}

// A Sent is one try to tell something to the callback address.
type Sent struct {
	JobID  string // "" for an event that is not about a job
	Try    int    // from 1
	At     time.Time
	Took   time.Duration // in real time, to the end of the answer
	Status int           // 0 if there was no answer
	Answer string        // its first 4 KiB
	Err    string        // why there was no answer
}

// retries is how often what was not answered is sent again: 总共重试三次.
const retries = 3

// told is what the Server tells callback addresses.
type told struct {
	to      Callback
	seal    seal
	telling bool // tellEnded runs
	waiting []event
	queue   []event
	active  int
	client  *http.Client
	sent    tail[Sent]
	tries   int
}

// An event is what is to be told about a job, and how.
type event struct {
	job  *job
	id   string
	corp string
	due  time.Time
	made time.Time // CreateTime
	to   Callback
	seal seal
}

func newTold() told {
	return told{client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: senders},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// senders is how many events are on their way at once.
const senders = 32

// SetCallback replaces the callback address from now on. The error says what
// is wrong with c.
func (s *Server) SetCallback(c Callback) error {
	var sl seal
	if c.URL != "" {
		to, err := url.Parse(c.URL)
		if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
			return errors.New("wecomtest: callback: the URL is not one")
		}
		if sl, err = newSeal(c.Token, c.AESKey); err != nil {
			return fmt.Errorf("wecomtest: callback: %w", err)
		}
	}
	def(&c.AgentID, mainAgent)
	def(&c.Timeout, 5*time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endAll()
	s.told.to, s.told.seal = c, sl
	if c.URL != "" {
		s.startTelling()
	}
	return nil
}

// startTelling needs mu.
func (s *Server) startTelling() {
	if !s.told.telling && s.ctx.Err() == nil {
		s.told.telling = true
		s.work.Go(s.tellEnded)
	}
}

// tellOf plans the event about a job that has just ended. It needs mu.
func (s *Server) tellOf(j *job) {
	if to := s.told.to; to.URL != "" && !to.Never {
		s.told.waiting = append(s.told.waiting, event{j, j.ID, j.Corp, j.Ended.Add(to.Delay), j.Ended, to, s.told.seal})
	}
}

// sendDue starts what is due. It needs mu.
func (s *Server) sendDue() {
	now, left := s.now(), s.told.waiting[:0]
	for _, e := range s.told.waiting {
		if now.Before(e.due) {
			left = append(left, e)
			continue
		}
		s.told.queue = append(s.told.queue, e)
		if s.told.active < senders && s.ctx.Err() == nil {
			s.told.active++
			s.work.Go(s.sendQueued)
		}
	}
	clear(s.told.waiting[len(left):])
	s.told.waiting = left
}

// sendQueued sends until nothing is queued.
func (s *Server) sendQueued() {
	for {
		s.mu.Lock()
		if len(s.told.queue) == 0 || s.ctx.Err() != nil {
			s.told.active--
			s.mu.Unlock()
			return
		}
		e := s.told.queue[0]
		s.told.queue = s.told.queue[1:]
		s.mu.Unlock()
		s.tell(e)
	}
}

// tell tells an event as its Callback wants it.
func (s *Server) tell(e event) {
	message := finished(e.corp, e.id, e.made)
	times := 1
	if e.to.Twice {
		times = 2
	}
	for range times {
		req := s.sealed(e, message)
		s.insist(e, req)
		if e.to.Replay {
			s.insist(e, req)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.job.told = true
	s.changed.Broadcast()
}

// finished is the event of document/path/97126, to the byte.
func finished(corp, job string, at time.Time) string {
	return fmt.Sprintf(`<xml>
  <ToUserName><![CDATA[%s]]></ToUserName>
  <FromUserName><![CDATA[sys]]></FromUserName>
  <CreateTime>%d</CreateTime>
  <MsgType><![CDATA[event]]></MsgType>
  <Event><![CDATA[upload_media_job_finish]]></Event>
  <JobId><![CDATA[%s]]></JobId>
</xml>`, corp, at.Unix(), job)
}

// A sealedPost is a request on its way to a callback address.
type sealedPost struct{ url, body string }

// sealed is the request for a message.
func (s *Server) sealed(e event, message string) sealedPost {
	receiver := e.corp
	if e.to.ReceiveID != "" {
		receiver = e.to.ReceiveID
	}
	text := e.seal.close(message, receiver)
	by := e.seal
	if e.to.Forged {
		by.token = "forged"
	}
	query := by.stamp(text, s.now().Add(e.to.Skew))
	if e.to.Tampered {
		text = tampered(text)
	}
	return sealedPost{withQuery(e.to.URL, query), fmt.Sprintf(
		"<xml><ToUserName><![CDATA[%s]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt><AgentID><![CDATA[%d]]></AgentID></xml>",
		e.corp, text, e.to.AgentID)}
}

// tampered changes one character in the middle.
func tampered(text string) string {
	middle, other := len(text)/2, "A"
	if text[middle] == 'A' {
		other = "B"
	}
	return text[:middle] + other + text[middle+1:]
}

// withQuery adds a query to an address that may have one of its own.
func withQuery(address string, query url.Values) string {
	if strings.Contains(address, "?") {
		return address + "&" + query.Encode()
	}
	return address + "?" + query.Encode()
}

// insist sends a request until it is answered, and three times more at most.
func (s *Server) insist(e event, p sealedPost) {
	for try := 1; try <= 1+retries && s.ctx.Err() == nil; try++ {
		sent := s.try(s.ctx, e, p, try)
		if sent.Status == http.StatusOK || sent.Status != 0 && !e.to.RetryRefused {
			return
		}
	}
}

func (s *Server) try(ctx context.Context, e event, p sealedPost, nth int) Sent {
	sent := Sent{JobID: e.id, Try: nth, At: s.now()}
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, e.to.Timeout)
	defer cancel()
	status, answer, err := s.exchange(ctx, http.MethodPost, p.url, p.body)
	sent.Took = time.Since(start)
	if err == nil {
		sent.Status, sent.Answer = status, answer
	} else {
		sent.Err = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told.sent.add(sent, s.o.Keep)
	s.told.tries++
	if s.o.Log != nil {
		fmt.Fprintf(s.o.Log, "%s callback try %d -> %d %s\n", sent.At.Format(time.RFC3339), nth, sent.Status, e.id)
	}
	s.changed.Broadcast()
	return sent
}

// exchange makes one request. Its error does not name the query.
func (s *Server) exchange(ctx context.Context, method, to, body string) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return 0, "", errors.New("the address cannot be called")
	}
	if body != "" {
		req.Header.Set("Content-Type", "text/xml")
	}
	resp, err := s.told.client.Do(req)
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	return resp.StatusCode, string(text), err
}

// Callbacks returns the last tries to tell something, oldest first.
func (s *Server) Callbacks() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told.sent.last(s.o.Keep)
}

// WaitCallbacks waits until n tries or more have ended, well or not. It
// returns ctx's error if that came first.
func (s *Server) WaitCallbacks(ctx context.Context, n int) error {
	return s.wait(ctx, func() bool { return s.told.tries >= n })
}

// Send seals a message, XML or JSON, and sends it to the callback address,
// once: an event of any other kind. Forged, Tampered, Skew, ReceiveID and
// Timeout hold for it. The error says that there was no answer.
func (s *Server) Send(ctx context.Context, message string) (Sent, error) {
	e, err := s.address()
	if err != nil {
		return Sent{}, err
	}
	sent := s.try(ctx, e, s.sealed(e, message), 1)
	if sent.Err != "" {
		return sent, errors.New("wecomtest: callback: " + sent.Err)
	}
	return sent, nil
}

// address is an event about nothing, to the callback address.
func (s *Server) address() (event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told.to.URL == "" {
		return event{}, errors.New("wecomtest: callback: no address is set")
	}
	return event{corp: s.o.CorpID, to: s.told.to, seal: s.told.seal}, nil
}

// checkTime is how long the admin console waits (document/path/101033).
const checkTime = time.Second

// CheckURL checks the callback address as the admin console does when it is
// saved: the text that it sends, sealed, must come back plain within a
// second, and nothing else with it. The error says what came instead.
func (s *Server) CheckURL(ctx context.Context) error {
	e, err := s.address()
	if err != nil {
		return err
	}
	want := s.hint()[:19]
	text := e.seal.close(want, e.corp)
	query := e.seal.stamp(text, s.now())
	query.Set("echostr", text)
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	status, got, err := s.exchange(ctx, http.MethodGet, withQuery(e.to.URL, query), "")
	switch {
	case err != nil:
		return fmt.Errorf("wecomtest: callback: %w", err)
	case status != http.StatusOK:
		return fmt.Errorf("wecomtest: callback: HTTP %d, not the text that was sent", status)
	case got != want:
		return fmt.Errorf("wecomtest: callback: got %.40q, want %q", got, want)
	}
	return nil
}

// tellFirst holds back the answer to a submit until the job's end was told,
// if the Callback wants that and there is an end.
func (s *Server) tellFirst(r *request, id string) {
	s.mu.Lock()
	j, to := s.jobs.byID[id], s.told.to
	s.mu.Unlock()
	if to.URL == "" || to.Never || !to.Before || r.fault.JobForever {
		return
	}
	s.wait(r.Context(), func() bool { return j.told }) // or the caller goes away
}
