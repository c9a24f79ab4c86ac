//go:build !unix || aix || solaris

package wecom

import "os"

// openLocked returns nil: nothing is locked here.
func openLocked(string) (*os.File, error) { return nil, nil }

// rename gives f its name and closes it, the other way round: an open file
// cannot be renamed everywhere.
func rename(f *os.File, to string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), to)
}
