package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// NotMounted is a folder that cannot be read as a whole. It says nothing
// about the files in it: they are to be treated as if they were still there.
type NotMounted struct {
	Path string
	Err  error // of the system
}

// errUnmounted is the Err of an empty folder that was on another drive, and not
// empty, before.
var errUnmounted = fmt.Errorf("%w: the drive is gone, its folder is empty", fs.ErrNotExist)

func (e *NotMounted) Error() string {
	err := e.Err
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the path is in ours
	}
	return "folder " + e.Path + ": " + err.Error()
}

func (e *NotMounted) Unwrap() error { return e.Err }

// Explain returns the message and the remedy in "zh" or "en".
func (e *NotMounted) Explain(lang string) (message, remedy string) {
	zh := lang == "zh"
	switch {
	case errors.Is(e.Err, fs.ErrNotExist) && zh:
		return "找不到文件夹 " + e.Path + "，可能是网络盘没有连上，或者文件夹被改名、移走了",
			"请连接网络盘，或检查配置 folders 里的路径，然后再运行一次；之前的素材不受影响"
	case errors.Is(e.Err, fs.ErrNotExist):
		return "the folder " + e.Path + " is not there: its drive is not mounted, or it was renamed or moved",
			"mount the drive, or correct the path in folders, and run again; earlier media are not affected"
	case errors.Is(e.Err, fs.ErrPermission) && zh:
		return "没有权限读取文件夹 " + e.Path,
			"请给运行 wedrop 的用户读取这个文件夹的权限，然后再运行一次"
	case errors.Is(e.Err, fs.ErrPermission):
		return "no permission to read the folder " + e.Path,
			"let the user that runs wedrop read the folder, and run again"
	case errors.Is(e.Err, syscall.ENOTDIR) && zh:
		return e.Path + " 不是文件夹",
			"请在配置 folders 里填写文件夹的路径；要发送单个文件，请用 wedrop push"
	case errors.Is(e.Err, syscall.ENOTDIR):
		return e.Path + " is not a folder",
			"name a folder in folders; to send a single file use wedrop push"
	case zh:
		return "读不了文件夹 " + e.Path + "（" + e.cause() + "），可能是网络盘断开了",
			"请检查网络盘连接，然后再运行一次；之前的素材不受影响"
	}
	return "the folder " + e.Path + " cannot be read (" + e.cause() + "); its network drive may be gone",
		"check the network drive and run again; earlier media are not affected"
}

func (e *NotMounted) cause() string {
	var path *fs.PathError
	if errors.As(e.Err, &path) {
		return path.Err.Error()
	}
	return e.Err.Error()
}
