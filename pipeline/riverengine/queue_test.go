package riverengine

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
)

// River takes names of up to 64 characters of this form, and panics at others.
var takes = regexp.MustCompile(`^(?:[a-z0-9])+(?:[_|\-]?[a-z0-9]+)*$`)

func TestQueueNames(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, host := range []string{"", "a", "A", "media-1", "media--1", "-x-", "市场部电脑", "share:/mnt/视频", "share:/mnt/x", "share:/mnt/x/",
		strings.Repeat("long", 40), strings.Repeat("long", 41), "a b", "a_b", "A.example.com"} {
		e := &Engine{o: Options{Corp: "wwA"}}
		name := e.queueOf(host)
		require.Regexp(t, takes, name, host)
		require.LessOrEqual(t, len(name), 64)
		require.Empty(t, seen[name], "%q and %q", seen[name], host)
		seen[name] = "host " + host
		require.NotEqual(t, name, e.shared())
		require.NotEqual(t, name, (&Engine{o: Options{Corp: "wwB"}}).queueOf(host), "two corps share no queue")
	}
}

func TestWhoeverIsThereGetsWhatIsOverdue(t *testing.T) {
	t.Parallel()
	e := &Engine{o: Options{Corp: "ww"}, clock: &clock{}}
	there := map[string]bool{e.queueOf("a"): true}
	now := time.Now()
	for _, c := range []struct {
		name  string
		step  pipeline.Step
		host  string
		since time.Duration
		queue string // "": no job
		away  bool
	}{
		{"a file of a machine that is there", pipeline.Inspect, "a", time.Hour, e.queueOf("a"), false},
		{"an upload of a machine that is there", pipeline.Stage, "a", time.Hour, e.queueOf("a"), false},
		{"a file of a machine that may come back", pipeline.Stage, "b", 20 * time.Second, "", false},
		{"a file of a machine that is away", pipeline.Stage, "b", 2 * time.Minute, "", true},
		{"a submit of a machine that is away", pipeline.Submit, "b", time.Hour, e.shared(), false},
		{"a query of a machine that is away", pipeline.Await, "b", time.Hour, e.shared(), false},
		{"a renewal where the file is", pipeline.Done, "a", time.Hour, e.queueOf("a"), false},
		{"a renewal of a machine that is away", pipeline.Done, "b", time.Hour, e.shared(), false},
	} {
		jobs, away := e.overdue([]postgres.Wake{{Item: 1, At: now.Add(-c.since), Host: c.host, Step: c.step}}, there, nil)
		queue := ""
		if len(jobs) > 0 {
			queue = jobs[0].InsertOpts.Queue
		}
		require.Equal(t, c.queue, queue, c.name)
		require.Equal(t, c.away, len(away) > 0, c.name)
	}
	overdue := func(queue string) int {
		jobs, _ := e.overdue([]postgres.Wake{{Item: 1, At: now.Add(-time.Hour), Host: "a", Step: pipeline.Await}}, there, map[turn]bool{{1, queue}: true})
		return len(jobs)
	}
	require.Zero(t, overdue(e.shared()), "its job waits already")
	require.Equal(t, 1, overdue(e.queueOf("a")), "its job waits for a machine that read it, and may have gone")
}
