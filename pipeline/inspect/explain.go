package inspect

import (
	"errors"
	"fmt"
	"syscall"
)

// Explain says what is wrong with which file, and what to do now, for the
// person who has the file. lang is "zh" or "en"; any other is taken for "en".
// Neither text is ever empty.
func (e *Error) Explain(lang string) (message, remedy string) {
	m, r := e.message(), e.remedy()
	if lang == "zh" {
		return m.zh, r.zh
	}
	return m.en, r.en
}

// A text is one thought in both languages.
type text struct{ zh, en string }

// sayf formats both languages with the same arguments.
func sayf(zh, en string, args ...any) text {
	return text{fmt.Sprintf(zh, args...), fmt.Sprintf(en, args...)}
}

func (e *Error) message() text {
	n := e.name()
	switch e.Code {
	case TooSmall:
		if e.Size == 0 {
			return sayf("“%s”是空文件（0 字节）。", "%q is empty (0 bytes).", n)
		}
		return sayf("“%s”只有 %d 字节，企业微信要求至少 5 字节。", "%q has only %d bytes; WeCom wants at least 5.", n, e.Size)
	case TooLarge:
		return sayf("“%s”有 %s 字节（%.1f MB），超过企业微信 200 MB（209,715,200 字节）的上限。",
			"%q has %s bytes (%.1f MB), over WeCom's limit of 200 MB (209,715,200 bytes).", n, digits(e.Size), float64(e.Size)/(1<<20))
	case NotMP4, UnsupportedVideo:
		zh, en := e.found()
		return text{
			fmt.Sprintf("“%s”不是 MP4 视频，内容其实是：%s。", n, zh),
			fmt.Sprintf("%q is not an MP4 video; its content is really: %s.", n, en),
		}
	case TruncatedMP4:
		if e.Offset > 0 {
			return sayf("“%s”不完整，至少还缺 %s 字节（复制或下载中断了）。",
				"%q is incomplete: at least %s bytes are missing (a copy or download was cut off).", n, digits(e.Offset))
		}
		return sayf("“%s”不完整（复制或下载中断了）。", "%q is incomplete (a copy or download was cut off).", n)
	case BrokenMP4:
		return e.brokenMessage()
	case EncryptedMP4:
		return sayf("“%s”带有版权加密，别人收到后播放不了。", "%q is copy-protected; nobody else could play it.", n)
	case NoVideoTrack:
		if e.Detail == "no-video" {
			return sayf("“%s”里没有视频画面。", "%q has no picture in it.", n)
		}
		return sayf("“%s”里只有声音，没有视频画面。", "%q has only sound, no picture.", n)
	case NotRegular:
		zh, en := e.irregularWords()
		return text{fmt.Sprintf("“%s”是%s，不是普通文件。", n, zh), fmt.Sprintf("%q is %s, not an ordinary file.", n, en)}
	case Changed:
		return sayf("“%s”在读取过程中发生了变化，可能还在复制、下载或编辑。",
			"%q changed while it was read; it is probably still being copied, downloaded or edited.", n)
	case Outside:
		return sayf("“%s”不在配置的文件夹里，也没有人用 wedrop push 在这台机器上发送过它，所以没有读取。",
			"%q is in none of the configured folders and nobody sent it from this machine with wedrop push, so it was not read.", n)
	case BadName:
		return sayf("文件名“%s”里没有任何可以显示的字符。", "the file name %q has no character that can be shown.", n)
	}
	return e.unreadableMessage()
}

func (e *Error) brokenMessage() text {
	n := e.name()
	switch e.Detail {
	case "moov-missing":
		return sayf("“%s”没有正常保存：缺少视频索引（moov），任何播放器都打不开。",
			"%q was not saved properly: its index (moov) is missing, so no player can open it.", n)
	case "media-missing":
		return sayf("“%s”没有正常保存：只有文件头，没有画面数据。",
			"%q was not saved properly: it has headers but no picture data.", n)
	case "fragment":
		return sayf("“%s”只是流媒体视频的一个分片，不是完整视频。",
			"%q is one piece of a streaming video, not a whole one.", n)
	case "index-mismatch":
		return sayf("“%s”已损坏：视频索引与数据对不上（多半是传输时用了文本模式）。",
			"%q is damaged: its index does not match its data (often a transfer in text mode).", n)
	}
	return sayf("“%s”已损坏：第 %s 字节处的结构不对。", "%q is damaged: its structure breaks at byte %s.", n, digits(e.Offset))
}

func (e *Error) unreadableMessage() text {
	n := e.name()
	switch {
	case e.Detail == "missing":
		return sayf("找不到文件“%s”。", "there is no file %q.", n)
	case e.Detail == "permission":
		return sayf("没有读取“%s”的权限。", "no permission to read %q.", n)
	case e.Temporary():
		return sayf("暂时读不了“%s”：%s。", "%q cannot be read just now: %s.", n, cause(e.Err))
	}
	return sayf("读不了“%s”：%s。", "%q cannot be read: %s.", n, cause(e.Err))
}

// cause is the system's word without the path, which the sentence has.
func cause(err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case err == nil:
		return "unknown"
	}
	return err.Error()
}

func (e *Error) remedy() text {
	switch e.Code {
	case TooSmall:
		return text{"请重新复制或导出这个文件。", "Copy or export the file again."}
	case TooLarge:
		return text{"请压缩或剪短到 200 MB 以内再试。", "Compress it or cut it to less than 200 MB, then try again."}
	case NotMP4, UnsupportedVideo:
		return e.convertRemedy()
	case TruncatedMP4:
		return text{"请从原处重新复制或下载完整的文件。", "Copy or download the whole file again from where it came."}
	case BrokenMP4:
		switch e.Detail {
		case "fragment":
			return text{"请下载或导出完整的 MP4；确实要发这个分片，可加 --type file 作为普通文件发送。",
				"Download or export the whole MP4, or send this piece as an ordinary file with --type file."}
		case "index-mismatch":
			return text{"请重新导出；如果用 FTP 传输，请改用二进制模式重传。", "Export it again; if it came by FTP, transfer it in binary mode."}
		}
		return text{"请在剪辑软件或拍摄设备上重新导出，再试一次。", "Export it again from the editor or the camera, then try again."}
	case EncryptedMP4:
		return text{"请换成没有版权保护的原始视频。", "Use the original video without copy protection."}
	case NoVideoTrack:
		return text{"如果要发的就是这段声音，请改为“文件”类型发送（--type file）；否则请重新导出带画面的 MP4。",
			"If the sound is what you want to send, send it as a file (--type file); otherwise export an MP4 with its picture."}
	case NotRegular:
		switch e.Detail {
		case "directory":
			return text{"请指定文件夹里的文件；要发送整个文件夹，请用 wedrop sync。", "Name the files in it, or send a whole folder with wedrop sync."}
		case "symlink":
			return text{"请把原文件复制到这里，代替快捷方式（符号链接）。", "Put a copy of the real file here in place of the link."}
		}
		return text{"请把内容另存为普通文件后再试。", "Save the content as an ordinary file, then try again."}
	case Changed:
		return text{"不用处理：等它写完后会重试。如果是手动发送，请等复制或保存结束后再试。",
			"Nothing to mend: it is tried again once it has been written. If you send by hand, wait until the copy or save has ended."}
	case Outside:
		return text{"确实要发它，请再运行一次 wedrop push 加这个文件，或把它放进配置的文件夹；如果没有人放过这个文件，请管理员检查谁改动了账本。",
			"If it is to be sent, run wedrop push with the file again, or put it into a configured folder; if nobody asked for it, have the administrator see who changed the journal."}
	case BadName:
		return text{"请给文件改个名字，或用 --name 指定要显示的文件名。", "Rename the file, or give the name to show with --name."}
	}
	return e.unreadableRemedy()
}

func (e *Error) unreadableRemedy() text {
	switch {
	case e.Detail == "missing":
		return text{"请检查文件名和路径；如果文件在移动硬盘或网络盘上，请确认它已经连接。",
			"Check the name and the path; if it is on a removable or network disk, make sure the disk is connected."}
	case e.Detail == "permission":
		return text{"请让文件的所有者为运行 wedrop 的账号开放读取权限。", "Ask the file's owner to let the account that runs wedrop read it."}
	case e.Temporary():
		return text{"稍后会再试；如果一直这样，请检查磁盘或网络盘的连接。", "It is tried again later; if it stays so, check the disk or the network share."}
	}
	return text{"请检查磁盘和文件是否正常，再试一次。", "Check the disk and the file, then try again."}
}

// convertRemedy fits the cure to what the content really is.
func (e *Error) convertRemedy() text {
	switch e.Detail {
	case "quicktime":
		return text{"改扩展名没有用。请用剪映等软件导出为 MP4，或运行 ffmpeg -i in.mov -c copy -movflags +faststart out.mp4；也可以加 --type file 作为普通文件发送。",
			"Renaming does not help. Export it as MP4, or run ffmpeg -i in.mov -c copy -movflags +faststart out.mp4; or send it as an ordinary file with --type file."}
	case "3gp", "mj2", "matroska", "webm", "avi", "flv", "asf", "mpeg", "mpeg-ts", "ogv", "realmedia", "mxf", "dvb":
		return text{"改扩展名没有用。请用剪映、格式工厂等软件转换为 MP4（H.264），或运行 ffmpeg -i 原文件 -c:v libx264 -c:a aac -movflags +faststart out.mp4；也可以加 --type file 作为普通文件发送。",
			"Renaming does not help. Convert it to MP4 (H.264), for example with ffmpeg -i INPUT -c:v libx264 -c:a aac -movflags +faststart out.mp4; or send it as an ordinary file with --type file."}
	case "html", "json", "xml", "application/rss+xml":
		return text{"这多半是下载失败时存下来的网页或报错信息，请重新下载原视频；确实要发它，可加 --type file 作为普通文件发送。",
			"This is probably a web or error page saved in place of the video: download the video again, or send it as it is with --type file."}
	case "shortcut", "appledouble":
		return text{"请找到真正的视频文件再发送。", "Find the video file itself and send that."}
	case "unknown", "zeroes", "mp4":
		return text{"文件可能已损坏、被加密或没有下载完：请重新复制、下载或导出为 MP4；确实要发它，可加 --type file 作为普通文件发送。",
			"It may be damaged, scrambled or not fully downloaded: copy, download or export it as MP4 again, or send it as it is with --type file."}
	}
	return text{"如果要发的就是它，请改回原来的扩展名，或加 --type file 作为普通文件发送；要发视频，请换成 MP4 文件。",
		"If this is what you want to send, give it back its own extension or send it as an ordinary file with --type file; to send a video, use an MP4."}
}

// found is what the content is, in words.
func (e *Error) found() (zh, en string) {
	if zh, en, ok := kindName(e.Detail); ok {
		if e.Found != "" {
			en = e.Found
		}
		return zh, en
	}
	if e.Found != "" {
		return e.Found, e.Found
	}
	zh, en, _ = kindName("unknown")
	return zh, en
}

func (e *Error) irregularWords() (zh, en string) {
	switch e.Detail {
	case "directory":
		return "文件夹", "a folder"
	case "pipe":
		return "管道", "a pipe"
	case "socket":
		return "套接字", "a socket"
	case "symlink":
		return "快捷方式（符号链接）", "a symbolic link"
	}
	return "设备", "a device"
}
