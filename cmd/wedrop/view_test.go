package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

func TestTableIsAlignedWithChineseNames(t *testing.T) {
	t.Parallel()
	tab := newTable("名称", "SIZE")
	tab.add("双十一.mp4", "1 B")
	tab.add("a.mp4", "2 B")
	var b bytes.Buffer
	tab.flush(&b)
	require.Equal(t, "名称        SIZE\n双十一.mp4  1 B\na.mp4       2 B\n", b.String())

	b.Reset()
	tab.flush(&b)
	require.Empty(t, b.String(), "nothing added prints nothing")
	tab.add("b", "3 B")
	tab.flush(&b)
	require.Equal(t, "b           3 B\n", b.String(), "the next page keeps the columns and has no heading")
}

func TestCutKeepsBothEndsOfAName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		n    int
		want string
	}{
		{"short.mp4", 20, "short.mp4"},
		{"a-very-long-name.mp4", 12, "a-ver..e.mp4"},
		{"新品发布会最终版.mp4", 14, "新品发..版.mp4"},
	} {
		got := cut(c.name, c.n)
		require.Equal(t, c.want, got)
		require.LessOrEqual(t, width(got), c.n)
	}
	for n := 4; n < 40; n++ {
		require.Equal(t, n, width(fit("双十一_开场_最终版_v2.mp4", n)))
	}
}

// The lines of a run keep their columns whatever the names and the width of
// the screen, and never wrap.
func TestLinesOfARun(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for _, lang := range []string{"zh", "en"} {
		waiting := pipeline.Item{ID: 9, Name: "双十一_开场.mp4", Step: pipeline.Await, Job: &pipeline.Job{ID: "j", SubmittedAt: now.Add(-72 * time.Second)}}
		v := newView(newMessages(lang), []pipeline.Entry{{Item: waiting}, {}, {}}, false)
		flights := []pipeline.Flight{
			{Item: pipeline.Item{ID: 1, Name: "a.mp4", Step: pipeline.Stage, Size: 100 << 20}, Bytes: 50 << 20},
			{Item: pipeline.Item{ID: 2, Name: strings.Repeat("长名字", 20), Step: pipeline.Inspect, Size: 10}, Bytes: 10},
		}
		for _, columns := range []int{40, 60, 80, 110, 200} {
			lines := v.lines(flights, now, columns)
			require.Len(t, lines, 4)
			for _, l := range lines {
				require.Less(t, width(l), columns, l)
			}
			if columns < 60 {
				continue
			}
			require.Contains(t, lines[0], " 50 %")
			require.Contains(t, lines[1], "100 %")
			require.Equal(t, before(lines[0], "["), before(lines[1], "["), "bars begin in one column")
			require.Contains(t, lines[2], "01:12")
		}
		require.NotContains(t, strings.Join(v.lines(nil, now, 80), ""), "[", "no bar without a file")
		v.changed(pipeline.Item{ID: 9, Step: pipeline.Done})
		require.Len(t, v.lines(nil, now, 80), 1, "what is done leaves nothing behind")
	}
}

func before(s, mark string) int { return width(s[:strings.Index(s, mark)]) }

// Many files do not fill the screen.
func TestManyFilesAreAFewLines(t *testing.T) {
	t.Parallel()
	now := time.Now()
	v := newView(newMessages("en"), make([]pipeline.Entry, 5000), false)
	for i := range 5000 {
		v.changed(pipeline.Item{ID: int64(i + 1), Name: "n", Step: pipeline.Await, Job: &pipeline.Job{SubmittedAt: now}})
	}
	lines := v.lines(nil, now, 80)
	require.Len(t, lines, maxLines+1)
	require.Contains(t, lines[maxLines], "5000 at WeCom")
}

func TestSpeedIsOfTheLastSeconds(t *testing.T) {
	t.Parallel()
	v := newView(newMessages("en"), nil, false)
	at := time.Now()
	f := pipeline.Flight{Item: pipeline.Item{ID: 1, Step: pipeline.Stage, Size: 100}}
	require.Zero(t, v.speedOf(f, at))
	f.Bytes = 10 << 20
	require.EqualValues(t, 10<<20, v.speedOf(f, at.Add(time.Second)))
	f.Bytes = 0 // a second try begins
	require.Zero(t, v.speedOf(f, at.Add(2*time.Second)))
}

func TestNamesCannotMoveTheCursor(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a\ufffd[2Jb\ufffdc\ufffdgpj.exe", shown("a\x1b[2Jb\nc\u202egpj.exe"))
	require.Equal(t, `a\tb\nc`, field("a\tb\nc"))
}
