package pipeline

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"wedrop/pipeline/inspect"
)

// sharePrefix begins the name that all machines use in the ledger for a folder
// that several of them see.
const sharePrefix = "share:"

// What is looked at to know whether a share is there.
const (
	sightLasts = 2 * time.Second  // so long an answer is believed
	sightStale = 15 * time.Second // so long the last one, while a drive hangs
	sightWait  = time.Second      // for the first answer
)

// Hosts are the names under which this machine can read files now: its own,
// and those of the Shares that are there. A share counts as there if its
// folder can be listed and is not empty, for an empty folder is what is left
// where a drive is not mounted. A drive that hangs holds nobody up: it is not
// there until it answers.
func (p *Pipeline) Hosts() []string {
	hosts := []string{p.host()}
	for _, s := range p.Shares {
		if s = filepath.Clean(s); p.sights.has(s) {
			hosts = append(hosts, sharePrefix+s)
		}
	}
	return hosts
}

// hostOf is the name in the ledger of who reads the file at path.
func (p *Pipeline) hostOf(path string) string {
	best := ""
	for _, s := range p.Shares {
		s = filepath.Clean(s)
		below := strings.TrimSuffix(s, string(filepath.Separator)) + string(filepath.Separator)
		if strings.HasPrefix(path, below) && len(s) > len(best) {
			best = s
		}
	}
	if best == "" {
		return p.host()
	}
	return sharePrefix + best
}

// sees reports whether an Item's next step can be done here: only the first
// two read the file.
func (p *Pipeline) sees(it Item) bool {
	return it.Step != Inspect && it.Step != Stage || slices.Contains(p.Hosts(), it.Host)
}

// FileID is what the ledger knows a file by, where fi, of os.Stat, tells what
// it is on this machine. In one of the Shares that is what all machines see
// alike: size and time, for device numbers, and on SMB inodes and ctimes too,
// are each machine's own. The time is cut to microseconds, because NFS tells
// more of it than SMB. So on a share a file that is replaced by another one of
// the same size and time is not noticed.
func (p *Pipeline) FileID(path string, fi fs.FileInfo) inspect.FileID {
	return known(p.hostOf(abs(path)), inspect.ID(fi))
}

// known is id as the ledger has it for a file of host.
func known(host string, id inspect.FileID) inspect.FileID {
	if !strings.HasPrefix(host, sharePrefix) || id == (inspect.FileID{}) {
		return id
	}
	return inspect.FileID{Size: id.Size, MTime: id.MTime - id.MTime%int64(time.Microsecond)}
}

// sights are what was last seen of shares.
type sights struct {
	sync.Mutex
	of map[string]*sight
}

type sight struct {
	there  bool
	at     time.Time     // of the answer
	asking chan struct{} // closed with the answer; nil: nobody asks
}

func (s *sights) has(dir string) bool {
	s.Lock()
	defer s.Unlock()
	if s.of == nil {
		s.of = map[string]*sight{}
	}
	v := s.of[dir]
	if v == nil {
		v = &sight{}
		s.of[dir] = v
	}
	if time.Since(v.at) > sightLasts && v.asking == nil {
		v.asking = make(chan struct{})
		go s.look(dir, v)
	}
	if asking := v.asking; asking != nil && time.Since(v.at) > sightStale {
		s.Unlock()
		select {
		case <-asking:
		case <-time.After(sightWait):
		}
		s.Lock()
	}
	return v.there && time.Since(v.at) <= sightStale
}

func (s *sights) look(dir string, v *sight) {
	there := false
	if f, err := os.Open(dir); err == nil {
		names, _ := f.Readdirnames(1)
		there = len(names) > 0
		f.Close()
	}
	s.Lock()
	defer s.Unlock()
	v.there, v.at = there, time.Now()
	close(v.asking)
	v.asking = nil
}

// Moved tells the ledger that a file has another path now, with the same
// content; id is inspect.ID of it there.
func (p *Pipeline) Moved(ctx context.Context, from, to string, id inspect.FileID) error {
	host := p.hostOf(from)
	return p.Journal.Moved(ctx, host, from, to, known(host, id))
}
