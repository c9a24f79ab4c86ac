package pipeline

import (
	"container/heap"
	"time"
)

// dues are Items by when they are due, the earliest first.
type dues []due

type due struct {
	id int64
	at time.Time
}

func (d *dues) push(it Item) { heap.Push((*dueHeap)(d), due{it.ID, it.Due}) }

// pop takes the earliest out, if it is due.
func (d *dues) pop(now time.Time) (due, bool) {
	if len(*d) == 0 || (*d)[0].at.After(now) {
		return due{}, false
	}
	return heap.Pop((*dueHeap)(d)).(due), true
}

// next is when the earliest is due, seen from now, or most.
func (d dues) next(now time.Time, most time.Duration) time.Duration {
	if len(d) == 0 {
		return most
	}
	return min(d[0].at.Sub(now), most)
}

type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(due)) }
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
