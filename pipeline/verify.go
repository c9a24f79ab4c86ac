package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"wedrop/wecom"
)

// A DiffersError says that WeCom holds other bytes under a media_id than the
// file has that it was made from.
type DiffersError struct {
	Item Item
	Size int64  // of what WeCom has, bytes
	MD5  string // of what WeCom has, in lower-case hex
}

func (e *DiffersError) Error() string {
	return fmt.Sprintf("wecom has %d bytes with MD5 %s, the file %d with %s", e.Size, e.MD5, e.Item.Size, e.Item.MD5)
}

// FaultCode is "wedrop/verify-failed".
func (e *DiffersError) FaultCode() string { return "wedrop/verify-failed" }

// Explain says what happened and what to do now, in "zh" or "en".
func (e *DiffersError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		return fmt.Sprintf("从企业微信读回的内容和原文件不一样（企业微信：%d 字节，MD5 %s；原文件：%d 字节，MD5 %s）", e.Size, e.MD5, e.Item.Size, e.Item.MD5),
			"不要用这个 media_id。请用 wedrop push --force --verify 重新发送；若仍不一致，检查公网地址前面的 CDN 是否改动了内容（压缩、转码、加水印）"
	}
	return fmt.Sprintf("what WeCom holds is not the file (WeCom: %d bytes, MD5 %s; the file: %d bytes, MD5 %s)", e.Size, e.MD5, e.Item.Size, e.Item.MD5),
		"do not use this media_id; send the file again with wedrop push --force --verify, and if it stays so see whether a CDN before the bucket changes what it serves (compression, transcoding, watermarks)"
}

// Verify reads the media of a done Item back from WeCom, in ranges and without
// keeping it, and compares size and MD5 with the Item's, which it returns with
// Verified set. If they differ, or WeCom has nothing to compare with, the Item
// has the Fault and the error is a *FaultError, and the media_id is discarded in
// the ledger (see Discard), so that nobody is given it again. If
// ctx ended, the error is ctx's, there is no verdict, and the Fault says that it
// was not finished. read, if it is not nil, is called as bytes arrive.
func (p *Pipeline) Verify(ctx context.Context, it Item, read func(done, total int64)) (Item, error) {
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return it, err
	}
	got, err := p.WeCom.Download(ctx, it.Media.ID, io.Discard, wecom.DownloadOptions{Progress: read})
	same := err == nil && got.Size == it.Size && got.MD5 == it.MD5
	var retry, config bool
	switch {
	case ctx.Err() != nil:
		cause := ctx.Err()
		if errors.Is(cause, context.DeadlineExceeded) {
			cause = errTimeout
		}
		f := unfinished(it, cause, now)
		it.Fault = &f
		return it, ctx.Err()
	case err != nil:
		v := judge(it, err, now)
		retry, config = v.limit > 0, v.config
	case !same:
		err = &DiffersError{Item: it, Size: got.Size, MD5: got.MD5}
	}
	if err == nil || errors.As(err, new(*DiffersError)) {
		it.Verified = &same
	}
	if err == nil {
		return it, nil
	}
	if other := it.Verified != nil; other || DeadMedia(err) {
		if _, err := p.Discard(ctx, it.Media.ID, other); err != nil {
			return it, err
		}
	}
	f := faultOf(err, Done, now)
	f.Retry, f.Config = retry, config
	it.Fault = &f
	return it, &FaultError{it}
}
