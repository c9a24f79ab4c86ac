//go:build !linux

package journal

// localDisk cannot tell here.
func localDisk(string) error { return nil }

// diskOf cannot tell here.
func diskOf(string) string { return "" }
