package main

import (
	"io"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
)

// A table has its columns aligned on a screen where Chinese characters are
// two cells wide. It is printed page by page; columns never get narrower.
type table struct {
	head   []string
	rows   [][]string
	widths []int
}

func newTable(head ...string) *table {
	return &table{head: head, widths: make([]int, len(head))}
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// flush prints what was added, below the heading if it is the first page.
// Nothing added prints nothing.
func (t *table) flush(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	if t.head != nil {
		t.rows = append([][]string{t.head}, t.rows...)
		t.head = nil
	}
	for _, row := range t.rows {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], width(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", t.widths[i]-width(cell)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, _ = io.WriteString(w, b.String())
	t.rows = nil
}

// width is how many cells s takes on a screen. Characters of ambiguous width
// count as one, as terminals draw them today in Chinese locales too.
func width(s string) int {
	return (&runewidth.Condition{StrictEmojiNeutral: true}).StringWidth(s)
}

// cut is s in at most n cells, with ".." where something was left out of its
// middle, because the end of a file's name tells its kind.
func cut(s string, n int) string {
	if width(s) <= n {
		return s
	}
	runes := []rune(s)
	head, tail := "", ""
	for i, j := 0, len(runes)-1; i <= j; {
		if width(head) <= width(tail) {
			if width(head+string(runes[i])+tail)+2 > n {
				break
			}
			head += string(runes[i])
			i++
			continue
		}
		if width(head+string(runes[j])+tail)+2 > n {
			break
		}
		tail = string(runes[j]) + tail
		j--
	}
	return head + ".." + tail
}

// fit is s in exactly n cells.
func fit(s string, n int) string {
	s = cut(s, n)
	return s + strings.Repeat(" ", max(0, n-width(s)))
}

// size is a number of bytes for people, in the units of 1024 in which WeCom's
// 200 MB is meant too.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KB"
	}
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
}

// minute is how points in time are shown to people.
const minute = "2006-01-02 15:04"
