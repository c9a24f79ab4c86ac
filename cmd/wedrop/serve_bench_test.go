package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/pipeline/journal"
	"wedrop/wecom/wecomtest"
)

// From WeCom's finish of a job to the media_id in the ledger, with callbacks:
// the event, its check, the query and two transactions. The first query by
// itself would come after half an hour. To reach: a median of 50 ms or less.
//
// The simulator tells of a job's end within 5 ms of it.
func BenchmarkCallback(b *testing.B) {
	const batch = 20
	o := newOffice(b, 0)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder, "WEDROP_POLL_MIN=30m", "WEDROP_POLL_MAX=30m",
		"WEDROP_CALLBACK_TOKEN="+testToken, "WEDROP_CALLBACK_AES_KEY="+testAESKey)
	o.we.SetJobTime(200 * time.Millisecond)
	s := o.serve(j)
	require.NoError(b, o.we.SetCallback(wecomtest.Callback{URL: s.url + "/callback", Token: testToken, AESKey: testAESKey}))
	n := 0
	for b.Loop() {
		for range batch {
			n++
			o.drop(o.folder, fmt.Sprintf("%05d.mp4", n), inspecttest.MP4(20_000, uint64(n)))
		}
		s.until("media_ids", func() bool { return strings.Count(o.table(o.folder), "3*1*") == n })
	}
	b.StopTimer()
	s.stop()
	ledger, err := journal.Open(context.Background(), filepath.Clean(j), journal.Options{})
	require.NoError(b, err)
	defer ledger.Close()
	items, err := ledger.Items(context.Background(), pipeline.Query{})
	require.NoError(b, err)
	var took []time.Duration
	for _, it := range items {
		job, ok := o.we.Job(it.Job.ID)
		require.True(b, ok)
		took = append(took, it.Updated.Sub(job.Ended))
	}
	require.Len(b, took, n)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms-p95")
	b.ReportMetric(float64(n), "files")
}

// A daemon over a folder of 10,000 files that are all done: what it costs to
// sit there. To reach: less than 2 % of one core.
func BenchmarkIdle(b *testing.B) {
	const files = 10_000
	const sitting = 20 * time.Second
	if runtime.GOOS != "linux" {
		b.Skip("reads /proc")
	}
	o := newOffice(b, 0)
	o.we.SetJobTime(0)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder, "WEDROP_RATE_LIMIT=10000")
	for n := range files {
		o.drop(o.folder, fmt.Sprintf("%05d.txt", n), fmt.Appendf(nil, "file %d of the folder", n))
	}
	for b.Loop() {
		s := o.serve(j)
		s.patience = 5 * time.Minute // at most 10,000 submits a minute
		s.until("media_ids", func() bool {
			time.Sleep(100 * time.Millisecond)
			return strings.Count(o.table(o.folder), "3*1*") == files
		})
		time.Sleep(15 * time.Second) // the last of the work: a table is written after a pause
		before := cpuOf(b, s.cmd.Process.Pid)
		time.Sleep(sitting)
		b.ReportMetric(100*(cpuOf(b, s.cmd.Process.Pid)-before).Seconds()/sitting.Seconds(), "%cpu")
		b.ReportMetric(statusOf(b, s.cmd.Process.Pid, "VmRSS:")/1024, "MB-rss")
		b.ReportMetric(statusOf(b, s.cmd.Process.Pid, "VmHWM:")/1024, "MB-peak")
		b.StopTimer()
		s.stop()
		b.StartTimer()
	}
}

// cpuOf is the time that a process has spent (proc_pid_stat(5): utime and
// stime, in hundredths of a second).
func cpuOf(b *testing.B, pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	require.NoError(b, err1)
	require.NoError(b, err2)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// statusOf is a figure of proc_pid_status(5), in KiB.
func statusOf(b *testing.B, pid int, name string) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	_, rest, ok := strings.Cut(string(data), name)
	require.True(b, ok)
	v, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	require.NoError(b, err)
	return v
}
