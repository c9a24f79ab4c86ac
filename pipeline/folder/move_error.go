package folder

import (
	"errors"
	"path/filepath"
)

// MoveError says why a file was not put away.
type MoveError struct {
	Path string
	Err  error // ErrReplaced, or of the system
}

func moveError(path string, err error) error {
	if err == nil {
		return nil
	}
	return &MoveError{Path: path, Err: err}
}

func (e *MoveError) Error() string { return "put away " + e.Path + ": " + e.Err.Error() }
func (e *MoveError) Unwrap() error { return e.Err }

// Explain returns the message and the remedy in "zh" or "en".
func (e *MoveError) Explain(lang string) (message, remedy string) {
	name := filepath.Base(e.Path)
	zh := lang == "zh"
	var place *notFolder
	switch {
	case errors.Is(e.Err, ErrReplaced) && zh:
		return name + " 没有移走：处理完之后它又被改过", "不用处理，新的内容会当作新文件重新发送"
	case errors.Is(e.Err, ErrReplaced):
		return name + " was not moved: it was changed after it had been processed", "nothing to do, the new content goes as a new file"
	case errors.As(e.Err, &place) && zh:
		return name + " 没有移走：" + place.path + " 不是普通文件夹", "请把它改名或删除，wedrop 会自己建一个文件夹"
	case errors.As(e.Err, &place):
		return name + " was not moved: " + place.path + " is not an ordinary folder", "rename or remove it, wedrop makes a folder itself"
	case (inUse(e.Err) || errors.Is(e.Err, errOther)) && zh:
		return name + " 没有移走：正被另一个程序占用", "请关闭打开它的程序，之后会自动再试"
	case inUse(e.Err) || errors.Is(e.Err, errOther):
		return name + " was not moved: another program holds it", "close the program, it is tried again by itself"
	case zh:
		why, remedy := cause(e.Err, lang)
		return name + " 没有移走，还在原处：" + why, remedy
	}
	why, remedy := cause(e.Err, lang)
	return name + " was not moved, it is where it was: " + why, remedy
}

// notFolder is something else where a folder of ours should be.
type notFolder struct{ path string }

func (e *notFolder) Error() string { return e.path + " is not a folder" }
