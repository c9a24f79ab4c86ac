//go:build !windows

package dirbucket

import (
	"errors"
	"syscall"
)

// errQuota is the user's share of a disk that is used up.
var errQuota error = syscall.EDQUOT

// isInvalid is how some file systems say that they sync no folders.
func isInvalid(err error) bool { return errors.Is(err, syscall.EINVAL) }
