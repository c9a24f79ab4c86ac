package wecom

import (
	"context"
	"encoding/hex"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// SceneGroupWelcome is the only scene that upload_by_url knows: media for
// group welcome templates (入群欢迎语素材).
// Source: developer.work.weixin.qq.com/document/path/97126.
const SceneGroupWelcome = 1

// MediaLife is how long a media_id is good for, counted from its created_at
// (same page: 三天内有效).
const MediaLife = 72 * time.Hour

// JobLife is how long WeCom answers for a job id (same page: 60分钟内有效).
const JobLife = 60 * time.Minute

// A MediaType is what WeCom is told the media is.
type MediaType string

// The types that upload_by_url takes; images and voice are not supported.
const (
	TypeVideo MediaType = "video" // MP4 only
	TypeFile  MediaType = "file"
)

// The page's limits, in bytes.
const (
	maxFilename = 128
	maxURL      = 1024
	maxJobID    = 128
)

const (
	apiUpload = "media/upload_by_url"
	apiResult = "media/get_upload_by_url_result"
)

// An Upload asks WeCom to fetch a file by its link.
type Upload struct {
	Scene    uint32 // SceneGroupWelcome if zero
	Type     MediaType
	Filename string // what the receiver sees; at most 128 bytes
	URL      string // serves Range requests to anybody; at most 1024 bytes
	MD5      string // hex of the bytes behind URL; sent in lower case
}

// UploadByURL makes WeCom fetch u.URL and returns the id of that job, for
// UploadResult. A field that WeCom would refuse is an *Error of KindInput that
// names the Field, and no call is made. After a lost answer (KindUnreachable,
// KindBadResponse) a job may exist all the same; WeCom cannot be asked.
//
// https://developer.work.weixin.qq.com/document/path/97126
func (c *Client) UploadByURL(ctx context.Context, u Upload) (jobID string, err error) {
	u.MD5 = strings.ToLower(u.MD5)
	if u.Scene == 0 {
		u.Scene = SceneGroupWelcome
	}
	if err := u.check(); err != nil {
		return "", err
	}
	in := struct {
		Scene    uint32    `json:"scene"`
		Type     MediaType `json:"type"`
		Filename string    `json:"filename"`
		URL      string    `json:"url"`
		MD5      string    `json:"md5"`
	}(u)
	var out struct {
		JobID word `json:"jobid"`
	}
	if _, err := c.call(ctx, apiUpload, in, &out); err != nil {
		return "", err
	}
	if out.JobID == "" {
		return "", &Error{API: apiUpload, Kind: KindBadResponse, Status: 200, Err: noJobID}
	}
	return string(out.JobID), nil
}

func (u Upload) check() error {
	link, err := url.Parse(u.URL)
	sum, notHex := hex.DecodeString(u.MD5)
	switch {
	case u.Type != TypeVideo && u.Type != TypeFile:
		return inputError(apiUpload, "type", text{"媒体类型只能是 video 或 file", "the type must be video or file"},
			text{"MP4 视频用 video，其他文件用 file", "use video for an MP4, file for anything else"})
	case u.Filename == "":
		return nameError(text{"显示的文件名是空的", "the shown name is empty"})
	case len(u.Filename) > maxFilename:
		return nameError(text{"显示的文件名超过 128 字节", "the shown name is over 128 bytes"})
	case !utf8.ValidString(u.Filename):
		return nameError(text{"显示的文件名不是合法的 UTF-8 文字", "the shown name is not valid UTF-8"})
	case len(u.URL) > maxURL:
		return linkError(text{"文件链接超过 1024 字节", "the link is over 1024 bytes"})
	case err != nil || !web(link.Scheme) || link.Hostname() == "":
		return linkError(text{"文件链接不是以 http:// 或 https:// 开头的完整网址", "the link is not a whole address that begins with http:// or https://"})
	case notHex != nil || len(sum) != 16:
		return inputError(apiUpload, "md5", text{"MD5 必须是 32 个十六进制字符", "the MD5 must be 32 hex digits"},
			text{"请重新计算文件的 MD5（对象存储的 ETag 不一定是 MD5）", "compute the file's MD5 again (a bucket's ETag need not be one)"})
	}
	return nil
}

func web(scheme string) bool { return scheme == "http" || scheme == "https" }

func nameError(what text) error {
	return inputError(apiUpload, "filename", what, text{"请换一个较短的普通文件名（汉字最多约 42 个）", "give it a plain name of at most 128 bytes"})
}

func linkError(what text) error {
	return inputError(apiUpload, "url", what, text{"请检查 storage.public_url 和存储的路径前缀", "check storage.public_url and the bucket's prefix"})
}

func inputError(api, field string, what, cure text) error {
	return &Error{API: api, Kind: KindInput, Field: field, Err: &reason{what, cure}}
}
