package pipeline

import (
	"errors"
	"time"

	"wedrop/pipeline/inspect"
	"wedrop/storage"
	"wedrop/wecom"
)

// The bounds within which every Item ends done or held.
const (
	maxBacks   = 2  // going back to an earlier step, per media_id: a poisoned object would loop for ever
	maxTries   = 40 // of one step while trouble passes: about three hours
	maxUnknown = 3  // of one step with an error that nobody knows
	maxChanged = 5  // readings of a file that is being written
)

// errWaiting says that WeCom has not finished the job. Waiting is not an
// error and not a try.
var errWaiting = errors.New("not finished yet")

// policy is what settle needs to know besides the Item and the error.
type policy struct {
	pollMin, pollMax time.Duration
	renewBefore      time.Duration
}

// settle decides what happens next with an Item whose step ended with err:
// forward, wait, again, back to an earlier step, or held for a person. It is
// pure, and the only place that decides.
func settle(it Item, err error, now time.Time, pol policy) Item {
	switch {
	case err == nil:
		return forward(it, now, pol)
	case err == errWaiting:
		age := now.Sub(it.Job.SubmittedAt)
		if age < wecom.JobLife {
			it.Fault, it.Tries = nil, 0
			it.Due = now.Add(pollPause(age, pol))
			return it
		}
		err = jobExpired{age}
	}
	f := faultOf(err, it.Step, now)
	v := judge(it, err, now)
	switch {
	case v.limit > 0: // again
		it.Tries++
		f.Retry = it.Tries < v.limit
		it.Due = now.Add(max(v.pause, pause(it.Tries)))
	case v.back:
		it.Backs++
		it.Tries = 0
		f.Retry = it.Backs <= maxBacks
		it.Due = now.Add(pause(it.Backs))
	default:
		f.Config = v.config
		it.Due = now
	}
	if v.to != "" {
		it.Step = v.to
	}
	it.Replace = it.Replace || v.replace
	it.Fault = &f
	return it
}

// forward moves on after a step that went well.
func forward(it Item, now time.Time, pol policy) Item {
	it.Fault, it.Tries, it.Due = nil, 0, now
	switch it.Step {
	case Inspect:
		it.Step = Stage
	case Stage:
		it.Step = Submit
	case Submit:
		it.Step = Await
		it.Due = now.Add(pollPause(0, pol))
	case Await:
		it.Step = Done
		it.Backs = 0
		it.Due = it.Media.ExpiresAt.Add(-pol.renewBefore)
	}
	return it
}

// verdict is what judge makes of an error. Its zero value holds the Item.
type verdict struct {
	limit   int           // again, so often
	pause   time.Duration // and not before it
	back    bool          // back to another step, at most maxBacks times
	to      Step          // the step that begins the cure, by itself or by a person; where it stands if empty
	replace bool          // the public copy is in doubt
	config  bool          // held for a person who mends the configuration
}

// judge is the policy, error by error.
func judge(it Item, err error, now time.Time) verdict {
	var (
		ins *inspect.Error
		sto *storage.Error
		wec *wecom.Error
	)
	switch {
	case errors.As(err, &ins):
		switch {
		case !ins.Temporary():
			return verdict{to: Inspect}
		case it.Step == Inspect:
			return verdict{limit: maxChanged}
		}
		return verdict{back: true, to: Inspect} // bounded, though each new reading goes well
	case errors.As(err, &sto):
		return judgeStorage(sto)
	case errors.As(err, &wec) && wec.Job:
		return judgeJob(wec)
	case errors.As(err, &wec):
		return judgeCall(it, wec, now)
	case errors.As(err, new(jobExpired)):
		return verdict{back: true, to: Submit}
	case errors.As(err, new(moved)):
		return verdict{back: true, to: Stage}
	}
	return verdict{limit: maxUnknown}
}

func judgeStorage(e *storage.Error) verdict {
	switch {
	case e.Kind == storage.Changed: // the file, or the copy: look at both again
		return verdict{back: true, to: Inspect, replace: true}
	case e.Config():
		return verdict{config: true}
	case e.Temporary():
		return verdict{limit: maxTries}
	}
	return verdict{} // about this file alone
}

// judgeJob is for the verdict on a job: the job is over, whatever it says.
func judgeJob(e *wecom.Error) verdict {
	switch e.Class() {
	case wecom.ClassSource:
		return source(e)
	case wecom.ClassRetry, wecom.ClassBackOff:
		return verdict{back: true, to: Submit}
	case wecom.ClassConfig:
		return verdict{to: Submit, config: true}
	}
	return verdict{to: Submit}
}

// judgeCall is for a call that failed. At Await, an error about the job id
// itself means that its result is lost; what WeCom answers about an unknown
// or expired one is not known, so after the life of a job every answer that
// is about neither us nor the network is taken for that.
func judgeCall(it Item, e *wecom.Error, now time.Time) verdict {
	lost := it.Step == Await && it.Job != nil && now.Sub(it.Job.SubmittedAt) >= wecom.JobLife
	switch e.Class() {
	case wecom.ClassRetry, wecom.ClassCancelled:
		return verdict{limit: maxTries}
	case wecom.ClassBackOff:
		least := time.Minute
		if e.Code == wecom.CodeConcurrency { // over as soon as other calls are
			least = 2 * time.Second
		}
		return verdict{limit: maxTries, pause: max(least, e.RetryAfter)}
	case wecom.ClassConfig, wecom.ClassToken:
		return verdict{config: true}
	case wecom.ClassSource:
		return source(e)
	case wecom.ClassInput:
		if it.Step == Await {
			return verdict{back: true, to: Submit}
		}
		return verdict{}
	}
	if lost {
		return verdict{back: true, to: Submit}
	}
	return verdict{limit: maxUnknown}
}

// source is for what WeCom fetched: the link (830001, 830003) is proven
// again, other bytes (301019) are read and staged again.
func source(e *wecom.Error) verdict {
	if e.Code == wecom.CodeMD5Mismatch {
		return verdict{back: true, to: Inspect, replace: true}
	}
	return verdict{back: true, to: Stage}
}

// pause grows with the tries: 1, 2, 4 ... seconds, five minutes at most.
func pause(tries int) time.Duration {
	return min(time.Second<<min(max(tries, 1)-1, 10), 5*time.Minute)
}

// pollPause grows with the age of the job: a quarter of it, so that a result
// is seen at most a quarter late, within the configured bounds.
func pollPause(age time.Duration, pol policy) time.Duration {
	return min(max(age/4, pol.pollMin), pol.pollMax)
}
