package pipeline

import (
	"os"

	"wedrop/pipeline/inspect"
)

// reopen opens the file of an Item that was inspected, and fails if it is
// another one by now.
func (p *Pipeline) reopen(it Item) (*os.File, error) {
	f, err := p.open(it.Path)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && known(it.Host, inspect.ID(fi)) != it.File {
		err = &inspect.Error{Code: inspect.Changed, Path: it.Path}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f.File, nil
}
