package storage

import "sync/atomic"

const (
	// habitAfter is how many objects have to agree before a small file is
	// spared a request.
	habitAfter = 8
	// smallBlob is as large as a file may be that is sent without asking
	// whether it is there: it costs little more than the question.
	smallBlob = 256 << 10
	// smallProof is as large as a file may be that is fetched in one piece
	// to prove it.
	smallProof = 32 << 10
)

// A habit is what a Bucket has seen its service do so often in a row that it
// saves a request for each small file: with thousands of them requests are all
// that counts.
type habit struct {
	absent atomic.Int32 // looks that found nothing
	ranges atomic.Int32 // proofs of both ends that held
}

// sends reports whether blob is sent without looking first. Where a copy is
// there after all, the service refuses the PUT (IfAbsent), or takes the same
// content again.
func (h *habit) sends(blob Blob) bool {
	return blob.Size <= smallBlob && h.absent.Load() >= habitAfter
}

// looked takes in what a look has found.
func (h *habit) looked(found finding) {
	if found == nothing {
		h.absent.Add(1)
	} else {
		h.absent.Store(0)
	}
}

// whole reports whether one request is proof enough for a blob that was
// uploaded: it asks for all bytes but the first, so the server has to serve a
// range.
func (h *habit) whole(blob Blob) bool {
	return blob.Size > 1 && blob.Size <= smallProof && h.ranges.Load() >= habitAfter
}

// proved takes in how a proof ended.
func (h *habit) proved(err error) {
	if err == nil {
		h.ranges.Add(1)
	} else {
		h.ranges.Store(0)
	}
}
