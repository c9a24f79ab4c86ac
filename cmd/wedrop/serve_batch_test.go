package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A fakeLedger makes Items with growing Revs.
type fakeLedger struct{ rev int64 }

func (l *fakeLedger) item(id int64, step pipeline.Step, f *pipeline.Fault) pipeline.Item {
	l.rev++
	it := pipeline.Item{ID: id, Path: fmt.Sprintf("/d/%d.mp4", id), Name: fmt.Sprintf("%d.mp4", id), Step: step, Fault: f, Rev: l.rev, Due: noon}
	if step == pipeline.Done {
		it.Media = &pipeline.Media{ID: fmt.Sprintf("m%d", id), ExpiresAt: noon.Add(time.Hour)}
	}
	return it
}

func refused() *pipeline.Fault {
	return &pipeline.Fault{Code: "inspect/not-mp4", Message: pipeline.Text{ZH: "不是 MP4", EN: "no MP4"}, Remedy: pipeline.Text{ZH: "转换", EN: "convert it"}}
}

func passing() *pipeline.Fault { return &pipeline.Fault{Code: "storage/unreachable", Retry: true} }

func denied() *pipeline.Fault {
	return &pipeline.Fault{Code: "wecom/60020", Config: true, Message: pipeline.Text{ZH: "不可信", EN: "not trusted"}, Remedy: pipeline.Text{ZH: "加上", EN: "add it"}}
}

func TestABatchIsToldOfWhenItHasEnded(t *testing.T) {
	t.Parallel()
	var l fakeLedger
	b := newBatch(0)
	at := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	b.take([]pipeline.Item{l.item(1, pipeline.Inspect, nil), l.item(2, pipeline.Stage, nil)}, at(0))
	ends := b.take([]pipeline.Item{l.item(1, pipeline.Inspect, refused())}, at(1))
	require.Len(t, ends, 1)
	require.Equal(t, time.Second, ends[0].took)
	_, ok := b.due(at(20))
	require.False(t, ok, "one is still on its way")
	b.take([]pipeline.Item{l.item(2, pipeline.Done, nil)}, at(21))
	_, ok = b.due(at(25.9))
	require.False(t, ok, "something may follow at once")
	what, ok := b.due(at(26.1))
	require.True(t, ok)
	require.Equal(t, 1, what.done)
	require.Len(t, what.failed, 1)
	_, ok = b.due(at(30))
	require.False(t, ok, "it was told")

	// Another one within the minute waits, and takes on what comes meanwhile.
	for id := int64(3); id < 5; id++ {
		b.take([]pipeline.Item{l.item(id, pipeline.Inspect, nil)}, at(31))
		b.take([]pipeline.Item{l.item(id, pipeline.Inspect, refused())}, at(32))
	}
	_, ok = b.due(at(60))
	require.False(t, ok)
	what, ok = b.due(at(90))
	require.True(t, ok)
	require.Len(t, what.failed, 2)
}

func TestAGoodBatchDisturbsNobody(t *testing.T) {
	t.Parallel()
	var l fakeLedger
	b := newBatch(0)
	b.take([]pipeline.Item{l.item(1, pipeline.Await, nil)}, noon)
	b.take([]pipeline.Item{l.item(1, pipeline.Done, nil)}, noon)
	_, ok := b.due(noon.Add(time.Hour))
	require.False(t, ok)
	b.take([]pipeline.Item{l.item(2, pipeline.Await, nil)}, noon.Add(time.Hour))
	b.take([]pipeline.Item{l.item(2, pipeline.Await, refused())}, noon.Add(time.Hour))
	what, ok := b.due(noon.Add(2 * time.Hour))
	require.True(t, ok)
	require.Zero(t, what.done, "the good batch is over")
}

func TestChangesOfDoneItemsAreNoResults(t *testing.T) {
	t.Parallel()
	var l fakeLedger
	b := newBatch(0)
	require.Empty(t, b.take([]pipeline.Item{l.item(1, pipeline.Done, nil)}, noon), "it was moved, or its object removed")
	it := l.item(2, pipeline.Done, nil) // its query was under way when the daemon started
	b.step(it, noon)
	require.Len(t, b.take([]pipeline.Item{it}, noon), 1)
	b.step(it, noon) // the news was faster than the one who made it
	require.Empty(t, b.waits(noon.Add(time.Hour)))
}

func TestEqualContentIsReused(t *testing.T) {
	t.Parallel()
	var l fakeLedger
	b := newBatch(0)
	b.enter([]pipeline.Entry{{ID: 1, File: pipeline.File{Path: "/d/copy.mp4"}, Item: l.item(7, pipeline.Inspect, nil)}}, noon)
	other := l.item(3, pipeline.Done, nil)
	other.Path = "/d/copy.mp4" // which took over the file of 7
	ends := b.take([]pipeline.Item{other}, noon)
	require.Len(t, ends, 1)
	require.True(t, ends[0].reused)
	require.Empty(t, b.waits(noon.Add(time.Hour)), "7 is gone")
}

func TestTroubleThatPassesKeepsNoBatchOpenForLong(t *testing.T) {
	t.Parallel()
	var l fakeLedger
	b := newBatch(0)
	later := l.item(1, pipeline.Stage, passing())
	later.Due = noon.Add(5 * time.Minute)
	b.take([]pipeline.Item{later, l.item(2, pipeline.Inspect, nil), l.item(2, pipeline.Inspect, refused())}, noon)
	_, ok := b.due(noon.Add(time.Minute))
	require.True(t, ok)
}

// Where nothing goes on before a person acts the rest does not end: it is told
// of all the same, once until it is mended.
func TestAStopIsToldOnce(t *testing.T) {
	t.Parallel()
	var l fakeLedger
	b := newBatch(0)
	b.take([]pipeline.Item{l.item(1, pipeline.Submit, nil), l.item(2, pipeline.Submit, nil)}, noon)
	b.take([]pipeline.Item{l.item(1, pipeline.Submit, denied())}, noon)
	what, ok := b.due(noon.Add(quietFor))
	require.True(t, ok)
	require.Equal(t, "wecom/60020", what.stop.Code)
	text := newMessages("zh").tell(what)
	require.Contains(t, text, "不可信")
	require.Contains(t, text, "→ 加上")
	for n := range 5 { // it is tried again and again
		at := noon.Add(time.Duration(n+2) * time.Minute)
		b.take([]pipeline.Item{l.item(1, pipeline.Submit, nil)}, at)
		b.take([]pipeline.Item{l.item(1, pipeline.Submit, denied())}, at)
		_, ok = b.due(at.Add(quietFor))
		require.False(t, ok)
	}
	at := noon.Add(time.Hour)
	b.take([]pipeline.Item{l.item(1, pipeline.Submit, nil), l.item(1, pipeline.Done, nil), l.item(2, pipeline.Submit, denied())}, at)
	_, ok = b.due(at.Add(quietFor))
	require.True(t, ok, "it was mended, and came again")
}

func TestMediaThatDieAreToldOnce(t *testing.T) {
	t.Parallel()
	var l fakeLedger
	b := newBatch(0)
	it := l.item(1, pipeline.Done, nil)
	b.dies([]pipeline.Item{it}, noon)
	what, ok := b.due(noon)
	require.True(t, ok)
	text := newMessages("en").tell(what)
	require.Contains(t, text, "1 about to expire")
	require.Contains(t, text, "1.mp4 expires at")
	require.Contains(t, text, "→")
	b.dies([]pipeline.Item{it}, noon.Add(2*time.Minute))
	_, ok = b.due(noon.Add(2 * time.Minute))
	require.False(t, ok)
}

// However many and whatever their names, a message is one that the robot
// takes, says how many it leaves out, and calls nobody.
func TestMessagesFit(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"zh", "en"} {
		m := newMessages(lang)
		for _, n := range []int{0, 1, 5, 17, 300} {
			for _, long := range []int{1, 20, 128, 3000} {
				var what tally
				for range n {
					f := refused()
					f.Remedy.ZH = strings.Repeat("请重新导出", long/5+1)
					what.failed = append(what.failed, pipeline.Item{Name: "<@all>" + strings.Repeat("入", long), Fault: f})
				}
				text := m.tell(what)
				require.LessOrEqual(t, len(text), maxRobot)
				require.True(t, utf8.ValidString(text))
				require.NotContains(t, text, "<@")
				if n == 300 {
					require.Regexp(t, `(more|还有) \d+|\d+ more`, text)
				}
			}
		}
		what := tally{stop: denied()}
		what.stop.Message.ZH, what.stop.Message.EN = strings.Repeat("长", 3000), strings.Repeat("l", 3000)
		require.LessOrEqual(t, len(m.tell(what)), maxRobot)
	}
}
