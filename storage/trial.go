package storage

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// A Stranger is a Driver which knows where somebody without credentials would
// ask its service for a list of objects. Whatever the answer, it has the
// service's Date.
type Stranger interface {
	// ListURL is that address for the objects that begin with prefix, with
	// a query; "" if there is none.
	ListURL(prefix string) string
}

// trialName is under the prefix, and always the same: what a trial that was
// killed has left there, the next one replaces and removes.
const trialName = "wedrop-doctor.bin"

// trialHead begins every trial's object; what follows is new each time.
const trialHead = "wedrop doctor: a trial of this bucket. It may be removed at any time.\n"

// A Trial tries a Bucket out with an object of about a hundred bytes: Write,
// Read and Listed, and Remove in any case. It is for one goroutine.
type Trial struct {
	b       *Bucket
	obj     Object
	content []byte
}

// Try returns a Trial. It makes no call.
func (b *Bucket) Try() *Trial {
	key := b.prefix + trialName
	return &Trial{
		b:       b,
		obj:     Object{Bucket: b.driver.ID(), Key: key, URL: b.link(key)},
		content: []byte(trialHead + rand.Text()),
	}
}

// Object says where the Trial's object is.
func (t *Trial) Object() Object { return t.obj }

// Write stores the object as Put stores a file: in one PUT with its MD5, and
// public by the Bucket's Access. Its errors are those of Put.
func (t *Trial) Write(ctx context.Context) error {
	sum := md5.Sum(t.content)
	_, err := t.b.ensure(ctx, t.obj, Blob{
		Open:    func() (io.ReadSeekCloser, error) { return unclosed{bytes.NewReader(t.content)}, nil },
		Size:    int64(len(t.content)),
		MD5:     hex.EncodeToString(sum[:]),
		Replace: true,
	})
	return err
}

type unclosed struct{ *bytes.Reader }

func (unclosed) Close() error { return nil }

// Read fetches the object in ranges as a stranger, after Write. Its errors are
// those of Prove. fresh is false if the bytes are those of an earlier Trial:
// something before the bucket keeps copies, so the answer proves ranges, and
// not that the bucket is public today.
func (t *Trial) Read(ctx context.Context) (fresh bool, err error) {
	head := part{0, t.content[:len(trialHead)]}
	tail := part{int64(len(trialHead)), t.content[len(trialHead):]}
	if err := t.fetch(ctx, head); err != nil {
		return false, err
	}
	err = t.fetch(ctx, tail)
	var e *Error
	if errors.As(err, &e) && e.Kind == Changed {
		return false, nil
	}
	return err == nil, err
}

func (t *Trial) fetch(ctx context.Context, p part) error {
	return t.b.again(ctx, func(ctx context.Context) (error, bool) {
		e := t.b.fetch(ctx, t.obj, p, int64(len(t.content)))
		if e == nil {
			return nil, false
		}
		return e, e.Temporary() || e.Detail == notFound
	})
}

// Remove deletes the object, be it this Trial's or one that was left behind.
// Its errors are those of Bucket.Remove.
func (t *Trial) Remove(ctx context.Context) error { return t.b.Remove(ctx, t.obj.Key) }

// Listed reports, after Write, whether a stranger can see which objects there
// are: at the service's own address, and where the public links lead to. Its
// error is an *Error of Kind Unreachable if nobody answers.
func (t *Trial) Listed(ctx context.Context) (bool, error) {
	for _, link := range t.lists() {
		resp, page, err := t.b.visit(ctx, link)
		if err != nil {
			return false, err
		}
		// A page that says back what it was asked for shows nothing by that.
		named := bytes.Contains(page, []byte(trialName)) && !strings.Contains(link, trialName)
		if resp.StatusCode == http.StatusOK && (named || bytes.Contains(page, []byte("<ListBucketResult"))) {
			return true, nil
		}
	}
	return false, nil
}

// lists are the addresses to try: a service's, and that of the folder in which
// the public link is, which web servers may show as an index.
func (t *Trial) lists() (links []string) {
	query := ""
	if s, ok := t.b.driver.(Stranger); ok {
		if link := s.ListURL(t.obj.Key); link != "" {
			links = append(links, link)
			if u, err := url.Parse(link); err == nil {
				query = "?" + u.RawQuery
			}
		}
	}
	public := strings.TrimSuffix(t.obj.URL, EscapeKey(t.obj.Key))
	links = append(links, public+query)
	if folder := strings.TrimSuffix(t.obj.URL, path.Base(t.obj.URL)); folder != public {
		links = append(links, folder)
	}
	return links
}

// ServerTime is the service's clock, by which it judges signatures; the zero
// time where there is none to ask. Its error is an *Error of Kind Unreachable.
func (b *Bucket) ServerTime(ctx context.Context) (time.Time, error) {
	s, ok := b.driver.(Stranger)
	if !ok || s.ListURL(b.prefix) == "" {
		return time.Time{}, nil
	}
	resp, _, err := b.visit(ctx, s.ListURL(b.prefix))
	if err != nil {
		return time.Time{}, err
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}, nil
	}
	if age, err := strconv.ParseUint(resp.Header.Get("Age"), 10, 32); err == nil {
		at = at.Add(time.Duration(age) * time.Second) // a cache gives the Date of when it was filled
	}
	return at, nil
}

// LongestLink is how many bytes the longest link has that Put can make. WeCom
// takes 1024; New sees to it.
func (b *Bucket) LongestLink() int { return len(b.longest()) }

func (b *Bucket) longest() string { return b.link(b.prefix + strings.Repeat("0", 32+maxExt)) }

// visit is an anonymous GET of a page of at most a megabyte. The answer's body
// is closed.
func (b *Bucket) visit(ctx context.Context, link string) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, min(b.stall, 30*time.Second))
	defer cancel()
	fail := func(err error) error {
		e := b.failure("visit", Object{Bucket: b.driver.ID()}, Unreachable)
		e.URL, e.Detail, e.Err = link, reach(err), err
		return e
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, nil, fail(err)
	}
	resp, err := b.probe.Do(req)
	if resp == nil {
		return nil, nil, fail(err)
	}
	defer resp.Body.Close()
	if err != nil { // a redirect elsewhere: an answer all the same
		return resp, nil, nil
	}
	page, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, nil, fail(err)
	}
	return resp, page, nil
}
