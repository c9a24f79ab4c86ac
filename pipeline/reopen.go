package pipeline

import (
	"os"

	"wedrop/pipeline/inspect"
)

// reopen opens the file of an Item that was inspected, and fails if it is
// another one by now.
func reopen(it Item) (*os.File, error) {
	path := it.Path
	f, err := os.Open(path)
	if err != nil {
		return nil, &inspect.Error{Code: inspect.Unreadable, Path: path, Err: err}
	}
	fi, err := f.Stat()
	if err == nil && known(it.Host, inspect.ID(fi)) != it.File {
		err = &inspect.Error{Code: inspect.Changed, Path: path}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
