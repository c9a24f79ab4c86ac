package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect"
	"wedrop/storage"
	"wedrop/wecom"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	pol  = policy{pollMin: time.Second, pollMax: 30 * time.Second, renewBefore: 12 * time.Hour}
)

// allErrors is one of each kind of error that a step can end with.
func allErrors() map[string]error {
	all := map[string]error{
		"waiting":         errWaiting,
		"moved":           moved{},
		"unforeseen":      errors.New("disk on fire"),
		"panicked":        panicked{},
		"deadline":        context.DeadlineExceeded,
		"wecom cancelled": &wecom.Error{API: "x", Kind: wecom.KindUnreachable, Err: context.Canceled},
		"unreachable":     &wecom.Error{API: "x", Kind: wecom.KindUnreachable},
		"html":            &wecom.Error{API: "x", Kind: wecom.KindBadResponse, Status: 502},
		"too many":        &wecom.Error{API: "x", Kind: wecom.KindBadResponse, Status: 429, RetryAfter: 5 * time.Minute},
		"field":           &wecom.Error{API: "x", Kind: wecom.KindInput, Field: "filename"},
	}
	for _, c := range []inspect.Code{inspect.TooSmall, inspect.TooLarge, inspect.NotMP4, inspect.TruncatedMP4, inspect.BrokenMP4,
		inspect.EncryptedMP4, inspect.NoVideoTrack, inspect.UnsupportedVideo, inspect.NotRegular, inspect.Changed, inspect.Unreadable, inspect.BadName} {
		all["inspect "+string(c)] = &inspect.Error{Code: c, Path: "/a.mp4"}
	}
	for _, k := range []storage.Kind{storage.Denied, storage.Unreachable, storage.NotPublic, storage.NoRange, storage.Changed, storage.BadConfig} {
		all["storage "+string(k)] = &storage.Error{Op: "put", Kind: k, Bucket: "s3://b", Key: "k"}
	}
	for _, c := range []wecom.Code{-1, 6000, 40001, 40013, 40014, 42001, 45009, 45033, 48002, 60020, 40004, 40058, 40063, 45001, 830001, 830003, 301019, 99999} {
		all[fmt.Sprintf("call %d", c)] = &wecom.Error{API: "x", Code: c}
		all[fmt.Sprintf("job %d", c)] = &wecom.Error{API: "x", Code: c, Job: true}
	}
	return all
}

// at is an Item that waits for a step.
func at(s Step) Item {
	it := Item{ID: 1, Path: "/a.mp4", Step: s, Due: noon}
	if s == Inspect {
		return it
	}
	it.MD5, it.Type, it.Name = "0cc175b9c0f1b6a831c399e269772661", inspect.Video, "a.mp4"
	if s == Stage {
		return it
	}
	it.Object = &Object{Key: "k", URL: "https://b/k"}
	if s == Submit {
		return it
	}
	it.Job = &Job{"job", noon}
	it.Media = &Media{"m", noon, noon.Add(wecom.MediaLife)}
	return it
}

// Every Item ends done or held, within a bound of steps, whatever error a
// step ends with, and however long it stays so.
func TestEveryItemEnds(t *testing.T) {
	for _, step := range []Step{Inspect, Stage, Submit, Await} {
		for name, err := range allErrors() {
			if (err == errWaiting) && step != Await {
				continue
			}
			t.Run(string(step)+" "+name, func(t *testing.T) {
				it := at(step)
				steps := 0
				for ; it.Step != Done && !it.Held(); steps++ {
					require.Less(t, steps, 500, "still going: %+v", it)
					now := it.Due
					e := err
					if it.Step != step { // the steps before go well again
						e = nil
						switch it.Step {
						case Stage:
							it.Object = &Object{Key: "k", URL: "https://b/k"}
						case Submit:
							it.Job = &Job{"job2", now}
						case Await:
							it.Media = &Media{"m", now, now.Add(wecom.MediaLife)}
						}
					}
					it = settle(it, e, now, pol)
					require.False(t, it.Due.Before(now), "due in the past")
					if it.Fault != nil {
						requireExplained(t, *it.Fault)
					}
				}
				if it.Held() {
					require.Contains(t, it.Fault.Code, "/")
				}
			})
		}
	}
}

func requireExplained(t *testing.T, f Fault) {
	t.Helper()
	for _, s := range []string{f.Message.ZH, f.Message.EN, f.Remedy.ZH, f.Remedy.EN} {
		require.NotEmpty(t, s, "%s: a fault tells what happened and what to do, in both languages", f.Code)
	}
	require.NotEqual(t, f.Message.ZH, f.Message.EN)
	require.NotEqual(t, f.Remedy.ZH, f.Remedy.EN)
}

func TestForward(t *testing.T) {
	for _, c := range []struct {
		from, to Step
		due      time.Time
	}{
		{Inspect, Stage, noon},
		{Stage, Submit, noon},
		{Submit, Await, noon.Add(time.Second)},
		{Await, Done, noon.Add(60 * time.Hour)},
	} {
		it := at(c.from)
		it.Fault, it.Tries = &Fault{Retry: true}, 3
		it = settle(it, nil, noon, pol)
		require.Equal(t, c.to, it.Step)
		require.Equal(t, c.due, it.Due, c.from)
		require.Nil(t, it.Fault)
		require.Zero(t, it.Tries)
	}
}

// What each error leads to at the step where it happens.
func TestJudgement(t *testing.T) {
	call := func(c wecom.Code) error { return &wecom.Error{API: "x", Code: c} }
	job := func(c wecom.Code) error { return &wecom.Error{API: "x", Code: c, Job: true} }
	sto := func(k storage.Kind) error { return &storage.Error{Kind: k} }
	ins := func(c inspect.Code) error { return &inspect.Error{Code: c} }
	const again, held, config = "again", "held", "config"
	for _, c := range []struct {
		name string
		step Step
		err  error
		what string
		to   Step
		due  time.Duration
	}{
		{"a file that is refused waits for a person", Inspect, ins(inspect.NotMP4), held, Inspect, 0},
		{"a file that is being written is read again", Inspect, ins(inspect.Changed), again, Inspect, time.Second},
		{"a file that vanished before its upload is inspected by the next try", Stage, ins(inspect.Unreadable), held, Inspect, 0},
		{"a file that changed before its upload is inspected again", Stage, ins(inspect.Changed), again, Inspect, time.Second},
		{"an unreachable bucket is tried again", Stage, sto(storage.Unreachable), again, Stage, time.Second},
		{"a bucket that is not public ends the run", Stage, sto(storage.NotPublic), config, Stage, 0},
		{"what the bucket refuses about one file is for a person", Stage, &storage.Error{Kind: storage.BadConfig, Reason: storage.ReasonExecutable}, held, Stage, 0},
		{"a copy that is not the file sends both back to inspect", Stage, sto(storage.Changed), again, Inspect, time.Second},
		{"a busy WeCom is asked again", Submit, call(-1), again, Submit, time.Second},
		{"a limit is waited out for its minute", Submit, call(45009), again, Submit, time.Minute},
		{"too many at once passes in seconds", Submit, call(45033), again, Submit, 2 * time.Second},
		{"a missing permission ends the run", Submit, call(48002), config, Submit, 0},
		{"an untrusted address ends the run", Await, call(60020), config, Await, 0},
		{"an unknown code is asked again a few times", Submit, call(99999), again, Submit, time.Second},
		{"a refused parameter is for a person", Submit, call(40058), held, Submit, 0},
		{"a job id that WeCom does not take is lost", Await, call(40058), again, Submit, time.Second},
		{"a link that WeCom could not fetch is proven again", Await, job(830003), again, Stage, time.Second},
		{"a link without Range is proven again", Await, job(830001), again, Stage, time.Second},
		{"other bytes are read and staged again", Await, job(301019), again, Inspect, time.Second},
		{"a job that failed for a passing reason is submitted again", Await, job(-1), again, Submit, time.Second},
		{"a size that WeCom refuses is for a person", Await, job(45001), held, Submit, 0},
		{"a job's unknown verdict is for a person", Await, job(99999), held, Submit, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			it := settle(at(c.step), c.err, noon, pol)
			require.Equal(t, c.to, it.Step)
			require.Equal(t, c.what == again, it.Fault.Retry)
			require.Equal(t, c.what == config, it.Fault.Config)
			require.Equal(t, c.step, it.Fault.Step, "the fault says where it stopped")
			require.Equal(t, c.due, it.Due.Sub(noon))
		})
	}
}

func TestOtherBytesAreStagedAnew(t *testing.T) {
	it := settle(at(Await), &wecom.Error{Code: wecom.CodeMD5Mismatch, Job: true}, noon, pol)
	require.True(t, it.Replace)
	it = settle(at(Await), &wecom.Error{Code: 830003, Job: true}, noon, pol)
	require.False(t, it.Replace, "a link that failed is proven, not uploaded again")
}

func TestWaitingIsNotATry(t *testing.T) {
	it, now := at(Await), noon
	var pauses []time.Duration
	for now.Sub(noon) < time.Hour {
		it = settle(it, errWaiting, now, pol)
		if it.Step != Await {
			break
		}
		require.Nil(t, it.Fault)
		require.Zero(t, it.Tries)
		pauses = append(pauses, it.Due.Sub(now))
		now = it.Due
	}
	require.Equal(t, time.Second, pauses[0])
	require.Equal(t, 30*time.Second, pauses[len(pauses)-1])
	require.Less(t, len(pauses), 150, "queries for a job that takes an hour")
}

func TestAJobEndsAfterAnHour(t *testing.T) {
	it := settle(at(Await), errWaiting, noon.Add(wecom.JobLife), pol)
	require.Equal(t, Submit, it.Step)
	require.Equal(t, "wecom/job-expired", it.Fault.Code)
	require.True(t, it.Fault.Retry)
	require.NotNil(t, it.Object, "it is submitted again from the same object")

	for _, code := range []wecom.Code{60136, 99999} {
		it = settle(at(Await), &wecom.Error{Code: code}, noon.Add(wecom.JobLife), pol)
		require.Equal(t, Submit, it.Step, "what WeCom says of an expired job is not known: any answer means lost")
	}
}

func TestBirth(t *testing.T) {
	for _, c := range []struct {
		name          string
		created, want time.Time
	}{
		{"as WeCom says", noon.Add(time.Minute), noon.Add(time.Minute)},
		{"not said: from the submit, which is before it", time.Time{}, noon},
		{"the example of the official page, 2013", time.Unix(1380000000, 0), noon},
		{"older than the job: the same media_id once more", noon.Add(-20 * time.Hour), noon.Add(-20 * time.Hour)},
		{"in the future, by a clock that is ahead", noon.Add(time.Hour), noon.Add(2 * time.Minute)},
	} {
		require.Equal(t, c.want, birth(c.created, noon, noon.Add(2*time.Minute)), c.name)
	}
}
