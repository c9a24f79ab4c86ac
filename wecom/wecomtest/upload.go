package wecomtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Limits of document/path/97126, in bytes, and how long a job id is good for.
const (
	maxFilename = 128
	maxURL      = 1024
	sizeMD5     = 32
	maxJobID    = 128
	jobLife     = 60 * time.Minute
)

// uploadByURL takes a job (document/path/97126).
func (s *Server) uploadByURL(r *request) answer {
	job, code := parseUpload(r.body)
	r.note = fmt.Sprintf("%q", job.Filename)
	if code != 0 {
		return s.refuse(r, code)
	}
	job.Corp = r.corp
	id := s.take(job, r.fault)
	r.note += " " + id
	s.tellFirst(r, id)
	return s.aboutJobs(reply{"jobid": id})
}

// parseUpload reads the call's members, whose names are case-sensitive.
func parseUpload(body []byte) (Job, int) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members == nil {
		return Job{}, codeBadParameter
	}
	var (
		scene uint32
		job   Job
	)
	for name, target := range map[string]any{
		"scene": &scene, "type": &job.Type, "filename": &job.Filename, "url": &job.URL, "md5": &job.MD5,
	} {
		if raw, ok := members[name]; ok && json.Unmarshal(raw, target) != nil {
			return Job{}, codeBadParameter
		}
	}
	return job, checkUpload(members["scene"] != nil, scene, job)
}

func checkUpload(hasScene bool, scene uint32, job Job) int {
	switch {
	case !hasScene:
		return codeBadRequest
	case scene != 1:
		return codeBadParameter
	case job.Type != "video" && job.Type != "file":
		return codeBadType
	case job.Filename == "" || len(job.Filename) > maxFilename:
		return codeBadRequest
	case job.URL == "":
		return codeBadRequest
	case len(job.URL) > maxURL:
		return codeLongURL
	case !strings.HasPrefix(job.URL, "http://") && !strings.HasPrefix(job.URL, "https://"):
		return codeNotHTTP
	case len(job.MD5) != sizeMD5:
		return codeBadRequest
	}
	return 0
}

// uploadResult tells how far a job has come (document/path/97126).
func (s *Server) uploadResult(r *request) answer {
	var members map[string]json.RawMessage
	var id string
	if json.Unmarshal(r.body, &members) != nil || members == nil {
		return s.refuse(r, codeBadParameter)
	}
	if raw, ok := members["jobid"]; ok && json.Unmarshal(raw, &id) != nil {
		return s.refuse(r, codeBadParameter)
	}
	if id == "" || len(id) > maxJobID {
		return s.refuse(r, codeBadRequest)
	}
	job, found := s.Job(id)
	if !found || job.Corp != r.corp || !s.now().Before(job.At.Add(jobLife)) {
		return s.refuse(r, s.o.UnknownJobCode)
	}
	if r.fault.JobStatus != 0 {
		job.Status, job.Errcode = r.fault.JobStatus, 0
	}
	r.note = fmt.Sprintf("status %d %s", job.Status, id)
	return s.describe(job)
}

// describe is the answer about a job, in the shape that is set.
func (s *Server) describe(job Job) reply {
	shape := s.currentShape()
	answer := reply{"status": job.Status}
	if shape.StatusString {
		answer["status"] = itoa(job.Status)
	}
	detail := reply{"errcode": job.Errcode, "errmsg": "ok"}
	switch job.Status {
	case StatusFinished:
		detail["media_id"] = job.MediaID
		if shape.NoDetailCode {
			delete(detail, "errcode")
			delete(detail, "errmsg")
		}
		created := job.Ended.Add(s.o.CreatedSkew).Unix()
		if shape.CreatedNumber {
			detail["created_at"] = created
		} else {
			detail["created_at"] = itoa(created)
		}
		if shape.NoCreatedAt {
			delete(detail, "created_at")
		}
	case StatusFailed:
		detail["errmsg"] = textOf(job.Errcode)
	}
	if shape.Extra {
		detail["media_size"] = job.Size
	}
	if job.Status != StatusRunning || !shape.NoDetail {
		answer["detail"] = detail
	}
	return s.aboutJobs(answer)
}

// aboutJobs is a success with those members, in the shape that is set.
func (s *Server) aboutJobs(members reply) reply {
	return s.aboutJobsAs(s.currentShape(), members)
}

func (s *Server) aboutJobsAs(shape Shape, members reply) reply {
	answer := ok(members)
	if shape.NoErrcode {
		delete(answer, "errcode")
		delete(answer, "errmsg")
	}
	if shape.Extra {
		answer["trace"] = reply{"id": random(9), "step": nil}
	}
	return answer
}

func (s *Server) currentShape() Shape {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shape
}
