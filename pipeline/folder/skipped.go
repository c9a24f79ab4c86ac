package folder

import "path/filepath"

// A Reason says why a file or folder is not taken.
type Reason string

const (
	Silent     Reason = "silent"     // hidden, the system's or our own; never in a list
	Unfinished Reason = "unfinished" // named like a download or a scratch file
	Symlink    Reason = "symlink"
	Special    Reason = "special"    // no regular file: a pipe, a device
	Open       Reason = "open"       // a program has the document open
	Unreadable Reason = "unreadable" // a folder within, or an entry, that cannot be read
)

// Skipped is something in a folder that Scan left out and that somebody may
// miss.
type Skipped struct {
	Path   string // absolute
	Reason Reason
	Err    error // of Unreadable
}

// Explain returns the message and the remedy in "zh" or "en".
func (s Skipped) Explain(lang string) (message, remedy string) {
	t := map[Reason][4]string{
		Unfinished: {
			"没有发送：从文件名看，它还没有下载或保存完", "完成后它会自动改名，之后就会发送；如果确实要发送这个文件，请改名，或用 wedrop push 指定它",
			"not sent: by its name it is an unfinished download or a scratch file", "it goes as soon as the program gives it its final name; to send it as it is, rename it or name it to wedrop push",
		},
		Symlink: {
			"没有发送：这是一个快捷链接（符号链接），不是文件本身", "请把文件本身复制到这个文件夹，或用 wedrop push 指定它",
			"not sent: it is a symbolic link, not the file itself", "copy the file itself into the folder, or name it to wedrop push",
		},
		Special: {
			"没有发送：这不是普通文件", "请换成普通文件",
			"not sent: it is not a regular file", "put a regular file there",
		},
		Open: {
			"没有发送：有人正在编辑这个文档", "请保存并关闭文档，之后会自动发送；如果没有人在编辑，请删除同一文件夹里以 ~$ 或 .~ 开头的残留文件",
			"not sent: somebody has the document open", "save and close it, and it goes; if nobody has it open, delete the left-over file beside it that begins with ~$ or .~",
		},
		Unreadable: {
			"没有读取：打不开", "请检查访问权限和网络盘连接，然后再运行一次",
			"not read: it cannot be opened", "check the permissions and the network drive, then run again",
		},
	}[s.Reason]
	name := filepath.Base(s.Path)
	if lang == "zh" {
		return name + " " + t[0], t[1]
	}
	return name + ": " + t[2], t[3]
}
