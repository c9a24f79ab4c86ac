//go:build !linux && !darwin && !windows

package folder

// renameNew renames a file within a drive and replaces nothing: the error is
// fs.ErrExist then.
func renameNew(from, to string) error { return renameByLink(from, to) }
