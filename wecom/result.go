package wecom

import (
	"context"
	"time"
)

// A JobStatus is how far a job of WeCom's has come. Values that WeCom does
// not document, and 0 for none, mean: keep waiting.
type JobStatus int

const (
	JobProcessing JobStatus = 1
	JobFinished   JobStatus = 2
	JobFailed     JobStatus = 3
)

// A Result is WeCom's answer about a job.
type Result struct {
	Status    JobStatus
	MediaID   string
	CreatedAt time.Time // zero if WeCom did not say
	Err       *Error    // why the job failed; nil unless Status is JobFailed
}

// Ready reports whether the media_id is there. It does not look at
// detail.errcode: live answers leave it out on success.
func (r Result) Ready() bool { return r.Status == JobFinished && r.MediaID != "" }

// UploadResult asks how the job stands. The error is about the call; the
// verdict on the job is in the Result, whose Err is set if it failed. Neither
// Ready nor Err means: ask again later, until JobLife has passed. Which
// errcode WeCom gives for an expired or unknown job id is not documented.
//
// https://developer.work.weixin.qq.com/document/path/97126
func (c *Client) UploadResult(ctx context.Context, jobID string) (Result, error) {
	if jobID == "" || len(jobID) > maxJobID {
		return Result{}, inputError(apiResult, "jobid", text{"任务编号（jobid）须为 1 到 128 字节", "the job id must have 1 to 128 bytes"},
			text{"请重新提交这个文件", "submit the file again"})
	}
	in := struct {
		JobID string `json:"jobid"`
	}{jobID}
	var out jobAnswer
	r, err := c.call(ctx, apiResult, in, &out)
	if err != nil {
		return Result{}, err
	}
	res := out.result(r)
	if res.Status < JobProcessing || res.Status > JobFailed {
		c.line.log.Warn("wecom answered with a job status that is not documented; waiting on", "status", int(res.Status))
	}
	return res, nil
}

// The page says string for status and created_at and shows a number for the
// one; on success the live service leaves out detail's errcode and errmsg
// (seen by the authors of WxJava in 2025); detail at status 1 is undocumented.
type jobAnswer struct {
	Status number `json:"status"`
	Detail object[struct {
		Errcode number `json:"errcode"`
		Errmsg  word   `json:"errmsg"`
		MediaID word   `json:"media_id"`
		Created number `json:"created_at"`
	}] `json:"detail"`
}

func (a jobAnswer) result(r request) Result {
	status, _ := a.Status.whole()
	d := a.Detail.is
	res := Result{Status: JobStatus(status), MediaID: string(d.MediaID), CreatedAt: d.Created.moment()}
	if res.Status == JobFailed {
		code, _ := d.Errcode.code()
		res.Err = r.refusal(code, string(d.Errmsg))
		res.Err.Job, res.Err.Status = true, 200
	}
	return res
}
