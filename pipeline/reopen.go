package pipeline

import (
	"os"

	"wedrop/pipeline/inspect"
)

// reopen opens a file that was inspected, and fails if it is another one by
// now.
func reopen(path string, id inspect.FileID) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &inspect.Error{Code: inspect.Unreadable, Path: path, Err: err}
	}
	fi, err := f.Stat()
	if err == nil && inspect.ID(fi) != id {
		err = &inspect.Error{Code: inspect.Changed, Path: path}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
