package pipeline

import (
	"context"
	"hash/crc32"
	"io"
	"time"

	"wedrop/pipeline/inspect"
	"wedrop/storage"
	"wedrop/wecom"
)

// line is what carries an Item from a file to its media_id: each step binds
// one part of the Item to one function of a package that has never heard of
// Items. A step that fails leaves the Item as it was; settle decides then.
var line = map[Step]func(*Pipeline, context.Context, *Item, *flight) error{
	Inspect: (*Pipeline).inspect,
	Stage:   (*Pipeline).stage,
	Submit:  (*Pipeline).submit,
	Await:   (*Pipeline).await,
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// inspect reads the file once.
func (p *Pipeline) inspect(ctx context.Context, it *Item, f *flight) error {
	crc := crc32.New(castagnoli)
	file, err := p.open(it.Path)
	if err != nil {
		return err
	}
	fi, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	if !entered(*it, fi) {
		file.Close()
		// Another file has its place. That one is entered with the next try,
		// and no third one instead of it.
		it.File = known(it.Host, inspect.ID(fi))
		return &inspect.Error{Code: inspect.Changed, Path: it.Path, Detail: "replaced"}
	}
	facts, err := inspect.Read(ctx, it.Path, inspect.Options{Type: it.Want, Name: it.WantName, Read: &f.bytes, Also: crc, File: file.File, Now: file.now})
	if err != nil {
		if facts.Size > 0 {
			it.Size = facts.Size
		}
		return err
	}
	it.take(facts)
	it.crc = crc.Sum32()
	it.File = known(it.Host, facts.File)
	return nil
}

// take puts what a reading established into the Item. What was made of other
// content is not its own any more.
func (it *Item) take(f inspect.Facts) {
	if it.MD5 != f.MD5 {
		it.Object, it.Job, it.Media = nil, nil, nil
	}
	it.File, it.Size, it.MD5, it.MIME = f.File, f.Size, f.MD5, f.MIME
	it.Type, it.Name, it.Ext = f.Type, f.Name, f.Ext
	it.Warnings = nil
	for _, w := range f.Warnings {
		it.Warnings = append(it.Warnings, Warning{w.Code, Text{w.ZH, w.EN}})
	}
}

// stage makes sure of the public copy and proves that WeCom can fetch it.
func (p *Pipeline) stage(ctx context.Context, it *Item, f *flight) error {
	b := p.blob(*it)
	b.Sent = &f.bytes
	b.Starting = func(ctx context.Context, o storage.Object) error {
		return p.Journal.Staging(ctx, o.Bucket, o.Key, it.MD5)
	}
	o, err := p.Bucket.PutPublic(ctx, b)
	if err != nil {
		return err
	}
	it.Object = &Object{Bucket: o.Bucket, Key: o.Key, URL: o.URL, Staged: f.now()}
	it.Replace = false
	return nil
}

// blob is the Item's file for the bucket.
func (p *Pipeline) blob(it Item) storage.Blob {
	return storage.Blob{
		Open:        func() (io.ReadSeekCloser, error) { return p.reopen(it) },
		Size:        it.Size,
		MD5:         it.MD5,
		CRC32C:      it.crc,
		Ext:         it.Ext,
		ContentType: it.MIME,
		Replace:     it.Replace,
	}
}

// submit hands the link in. The job counts from before the call, so that it
// is never thought younger than it is.
func (p *Pipeline) submit(ctx context.Context, it *Item, f *flight) error {
	if it.Object == nil || it.Object.URL != p.Bucket.Where(p.blob(*it)).URL {
		return moved{}
	}
	at := f.now()
	id, err := p.WeCom.UploadByURL(ctx, wecom.Upload{
		Type: wecom.MediaType(it.Type), Filename: it.Name, URL: it.Object.URL, MD5: it.MD5,
	})
	if err != nil {
		return err
	}
	it.Job = &Job{ID: id, SubmittedAt: at}
	return nil
}

// await asks for the job's result.
func (p *Pipeline) await(ctx context.Context, it *Item, f *flight) error {
	r, err := p.WeCom.UploadResult(ctx, it.Job.ID)
	switch {
	case err != nil:
		return err
	case r.Err != nil:
		return r.Err
	case !r.Ready():
		return errWaiting
	}
	born := birth(r.CreatedAt, it.Job.SubmittedAt, f.now())
	it.Media = &Media{ID: r.MediaID, CreatedAt: born, ExpiresAt: born.Add(wecom.MediaLife)}
	return nil
}

// birth is from when a media_id's three days count. WeCom's created_at is
// believed if it can be true of a media_id that was just handed out: it may
// be older than the job, should WeCom give out the same one again, but not
// so old that it is dead, and not in the future.
func birth(created, submitted, now time.Time) time.Time {
	switch {
	case created.IsZero() || now.Sub(created) >= wecom.MediaLife:
		return submitted
	case created.After(now):
		return now
	}
	return created
}
