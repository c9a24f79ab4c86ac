package wecomtest

import (
	"bytes"
	"context"
	"time"
)

// jobs are the uploads that were taken, and the media that came of them.
type jobs struct {
	byID    map[string]*job
	order   []*job
	running []*job         // those that have not ended, as far as anybody looked
	submits map[string]int // by MD5
	media   map[string]*job
	untold  []Job // have ended, and Options.Ended was not told yet
}

// A job has been fetched when its verdict is known, and ends JobTime later.
type job struct {
	Job
	taken   time.Time // as At, in real time
	fetched bool
	at      time.Time // of the fetch's end
	code    int       // verdict
	body    []byte    // with KeepMedia
	told    bool      // the callback address knows of its end, or was tried
}

func (j *jobs) init() {
	j.byID, j.submits, j.media = map[string]*job{}, map[string]int{}, map[string]*job{}
}

// take enters a job, starts its fetch and returns its id.
func (s *Server) take(of Job, f Fault) string {
	j := &job{Job: of, taken: time.Now()}
	j.At, j.Status = s.now(), StatusRunning
	// The form that was seen live.
	j.ID = "job" + itoa(j.At.Unix()) + "_" + random(32)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs.byID[j.ID] = j
	s.jobs.order = append(s.jobs.order, j)
	s.jobs.running = append(s.jobs.running, j)
	s.jobs.submits[j.MD5]++
	switch {
	case f.JobErrcode != 0:
		j.fetched, j.at, j.code = true, j.At, f.JobErrcode
	case !f.JobForever:
		s.queueFetch(j)
	}
	return j.ID
}

// fetchEnded notes the verdict on a job. The fetch took the real time that it
// took: if the clock was advanced meanwhile, that counts for JobTime.
func (s *Server) fetchEnded(j *job, size int64, body []byte, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.fetched, j.at, j.code = true, j.At.Add(time.Since(j.taken)), code
	if now := s.now(); now.Before(j.at) {
		j.at = now
	}
	j.Size, j.body = size, body
}

// end ends a job whose time has come. It needs mu.
func (s *Server) end(j *job, now time.Time) {
	if j.Status != StatusRunning || !j.fetched || now.Before(j.at.Add(s.jobTime)) {
		return
	}
	j.Ended, j.Errcode, j.Status = j.at.Add(s.jobTime), j.code, StatusFailed
	if j.code == 0 {
		j.Status, j.MediaID = StatusFinished, "3*1*"+random(32)
		s.jobs.media[j.MediaID] = j
	}
	if s.o.Ended != nil {
		s.jobs.untold = append(s.jobs.untold, j.Job)
	}
	s.tellOf(j)
}

// endAll ends every job whose time has come and returns how many have ended
// so far. It needs mu.
func (s *Server) endAll() int {
	now, left := s.now(), s.jobs.running[:0]
	for _, j := range s.jobs.running {
		if s.end(j, now); j.Status == StatusRunning {
			left = append(left, j)
		}
	}
	clear(s.jobs.running[len(left):])
	s.jobs.running = left
	return len(s.jobs.order) - len(left)
}

// SetJobTime changes how long jobs take after their fetch, also for those
// that still run.
func (s *Server) SetJobTime(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endAll()
	s.jobTime = d
}

// Jobs returns all jobs in the order of their submits.
func (s *Server) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endAll()
	all := make([]Job, 0, len(s.jobs.order))
	for _, j := range s.jobs.order {
		all = append(all, j.Job)
	}
	return all
}

// Job returns the job of that id, as it is now.
func (s *Server) Job(id string) (Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs.byID[id]
	if j == nil {
		return Job{}, false
	}
	s.end(j, s.now())
	return j.Job, true
}

// Submits returns how many jobs were taken for content of that MD5.
func (s *Server) Submits(md5 string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jobs.submits[md5]
}

// Media returns what the media_id stands for, however old it is.
func (s *Server) Media(id string) (Media, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endAll()
	j := s.jobs.media[id]
	if j == nil {
		return Media{}, false
	}
	return Media{ID: id, Corp: j.Corp, Type: j.Type, Filename: j.Filename, Size: j.Size, MD5: j.MD5,
		Created: j.Ended.Add(s.o.CreatedSkew), Body: j.body}, true
}

// Spoil exchanges a byte of what is kept under the media_id, and reports
// whether anything is.
func (s *Server) Spoil(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endAll()
	j := s.jobs.media[id]
	if j == nil || len(j.body) == 0 {
		return false
	}
	j.body = bytes.Clone(j.body) // the old one may be on its way out
	j.body[len(j.body)/2] ^= 1
	return true
}

// Forget makes a media_id dead before its time, as if WeCom had cleaned it up,
// and reports whether it was alive.
func (s *Server) Forget(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endAll()
	_, known := s.jobs.media[id]
	delete(s.jobs.media, id)
	return known
}

// lookAgain is how often waiting jobs are looked at: a clock that is advanced
// tells nobody.
const lookAgain = 5 * time.Millisecond

// WaitJobs waits until n jobs or more have ended, well or not. It returns
// ctx's error if that came first.
func (s *Server) WaitJobs(ctx context.Context, n int) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		s.mu.Lock()
		ended := s.endAll()
		s.mu.Unlock()
		if ended >= n {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tellEnded calls Options.Ended and callback addresses until the Server is
// closed.
func (s *Server) tellEnded() {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
		s.mu.Lock()
		s.endAll()
		s.sendDue()
		ended := s.jobs.untold
		s.jobs.untold = nil
		s.mu.Unlock()
		for _, j := range ended {
			s.o.Ended(j)
		}
	}
}
