package inspect

import "strings"

// kindName returns what people call the content with this id, and whether the
// id is known. An id that is no kind's is given the MIME type's name.
func kindName(id string) (zh, en string, ok bool) {
	n, ok := kindNames()[id]
	return n[0], n[1], ok
}

// kindNames is a function so that nothing can write to it.
func kindNames() map[string][2]string {
	return map[string][2]string{
		"mp4":         {"MP4 视频", "MP4"},
		"fragment":    {"流媒体分片", "a streaming fragment"},
		"3gp":         {"3GP 视频", "3GP"},
		"quicktime":   {"苹果 QuickTime MOV 视频", "QuickTime MOV"},
		"mj2":         {"Motion JPEG 2000 视频", "Motion JPEG 2000"},
		"matroska":    {"Matroska（MKV）视频", "Matroska (MKV)"},
		"webm":        {"WebM 视频", "WebM"},
		"avi":         {"AVI 视频", "AVI"},
		"flv":         {"Flash 视频（FLV）", "Flash video (FLV)"},
		"asf":         {"Windows Media 视频（WMV/ASF）", "Windows Media (WMV/ASF)"},
		"mpeg":        {"MPEG-1/2 视频（MPG）", "MPEG-1/2 (MPG)"},
		"mpeg-ts":     {"MPEG-TS 视频流（TS）", "MPEG-TS"},
		"ogv":         {"Ogg 视频（OGV）", "Ogg video (OGV)"},
		"realmedia":   {"RealMedia 视频（RM/RMVB）", "RealMedia (RM/RMVB)"},
		"mxf":         {"MXF 视频", "MXF"},
		"dvb":         {"DVB 视频", "DVB video"},
		"m4a":         {"M4A 音频", "M4A audio"},
		"mp3":         {"MP3 音频", "MP3 audio"},
		"audio":       {"音频", "audio"},
		"heif":        {"HEIC/HEIF 图片", "HEIC/HEIF picture"},
		"avif":        {"AVIF 图片", "AVIF picture"},
		"cr3":         {"佳能 RAW 照片（CR3）", "Canon raw photo (CR3)"},
		"jpeg":        {"JPEG 图片", "JPEG picture"},
		"png":         {"PNG 图片", "PNG picture"},
		"gif":         {"GIF 动图", "GIF picture"},
		"webp":        {"WebP 图片", "WebP picture"},
		"image":       {"图片", "picture"},
		"pdf":         {"PDF 文档", "PDF document"},
		"word":        {"Word 文档", "Word document"},
		"excel":       {"Excel 表格", "Excel spreadsheet"},
		"powerpoint":  {"PowerPoint 演示文稿", "PowerPoint presentation"},
		"zip":         {"ZIP 压缩包", "ZIP archive"},
		"archive":     {"压缩包", "archive"},
		"html":        {"网页（HTML）", "web page (HTML)"},
		"json":        {"接口返回的文本（JSON）", "JSON text"},
		"xml":         {"XML 文本", "XML text"},
		"text":        {"纯文本", "plain text"},
		"shortcut":    {"快捷方式", "shortcut"},
		"appledouble": {"macOS 的附属文件（以 ._ 开头，不是视频本身）", "macOS sidecar file (its name starts with ._; it is not the video itself)"},
		"program":     {"程序", "program"},
		"zeroes":      {"空白数据（全是 0）", "blank data (all zeroes)"},
		"unknown":     {"无法识别的数据", "unrecognised data"},
	}
}

// mimeKind is the id for a MIME type of mimetype's.
func mimeKind(mime string) string {
	switch mime {
	case "video/matroska", "video/x-matroska":
		return "matroska"
	case "video/webm":
		return "webm"
	case "video/x-msvideo":
		return "avi"
	case "video/x-flv":
		return "flv"
	case "video/x-ms-asf":
		return "asf"
	case "video/mpeg":
		return "mpeg"
	case "video/ogg":
		return "ogv"
	case "video/quicktime":
		return "quicktime"
	case "video/vnd.dvb.file":
		return "dvb"
	case "application/vnd.rn-realmedia-vbr":
		return "realmedia"
	case "audio/mpeg":
		return "mp3"
	case "image/jpeg":
		return "jpeg"
	case "image/png", "image/apng":
		return "png"
	case "image/gif":
		return "gif"
	case "image/webp":
		return "webp"
	case "application/pdf":
		return "pdf"
	case "application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
		return "word"
	case "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return "excel"
	case "application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation":
		return "powerpoint"
	case "application/zip":
		return "zip"
	case "application/gzip", "application/x-7z-compressed", "application/vnd.rar", "application/x-tar", "application/x-xz",
		"application/x-bz2", "application/zstd", "application/vnd.ms-cab-compressed":
		return "archive"
	case "text/html", "application/xhtml+xml":
		return "html"
	case "application/json", "application/x-ndjson", "application/geo+json":
		return "json"
	case "text/xml":
		return "xml"
	case "application/x-ms-shortcut":
		return "shortcut"
	case "application/vnd.microsoft.portable-executable", "application/x-executable", "application/x-elf", "application/x-mach-binary":
		return "program"
	case "application/octet-stream":
		return "unknown"
	}
	switch top, _, _ := strings.Cut(mime, "/"); top {
	case "audio", "image", "text":
		return top
	}
	return mime
}
