package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteError says why the table of results is not up to date.
type WriteError struct {
	Path string
	Err  error
}

func (e *WriteError) Error() string { return "results " + e.Path + ": " + bare(e.Err).Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// InUse reports whether another program has the file open, so that it is to be
// tried again a little later, with nobody doing anything but closing it.
func (e *WriteError) InUse() bool {
	var last *renameError
	return errors.Is(e.Err, errOther) || errors.As(e.Err, &last) && inUse(e.Err)
}

// Explain returns the message and the remedy in "zh" or "en".
func (e *WriteError) Explain(lang string) (message, remedy string) {
	name := filepath.Base(e.Path)
	switch zh := lang == "zh"; {
	case e.InUse() && zh:
		return name + " 正被另一个程序打开（多半是 Excel 或 WPS），这次没有更新", "关闭它就行，之后会自动更新"
	case e.InUse():
		return name + " is open in another program (Excel or WPS, as a rule) and was not updated", "close it, and it is updated by itself"
	case zh:
		why, remedy := cause(e.Err, lang)
		return "没能更新结果表 " + e.Path + "：" + why, remedy + "；文件照常发送，media_id 可用 wedrop list 查看"
	}
	why, remedy := cause(e.Err, lang)
	return "the table of results " + e.Path + " was not updated: " + why, remedy + "; files go all the same, wedrop list shows the media_ids"
}

// cause puts into words why the system refused to write into a folder.
func cause(err error, lang string) (why, remedy string) {
	t := [4]string{
		bare(err).Error(), "请检查磁盘和网络盘连接，之后会自动再试",
		bare(err).Error(), "check the disk and the network drive; it is tried again by itself",
	}
	switch {
	case errors.Is(err, errCopy):
		t = [4]string{
			"复制到另一个磁盘后核对，内容不一致", "请检查那个磁盘是否有故障，之后会自动再试",
			"the copy on the other drive differs from it", "check that drive; it is tried again by itself",
		}
	case diskFull(err):
		t = [4]string{"磁盘满了", "请清理出空间，之后会自动再试", "the disk is full", "make room; it is tried again by itself"}
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		t = [4]string{
			"没有写入权限", "请给运行 wedrop 的用户写入这个文件夹的权限",
			"no permission to write there", "let the user that runs wedrop write to the folder",
		}
	case errors.Is(err, fs.ErrNotExist):
		t = [4]string{
			"文件夹或文件不在了", "请检查网络盘是否连接、文件是否已被移走",
			"the folder or the file is not there any more", "see whether the network drive is connected, and whether somebody moved the file",
		}
	}
	if lang == "zh" {
		return t[0], t[1]
	}
	return t[2], t[3]
}

// bare is err without the paths that the system's errors repeat.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
