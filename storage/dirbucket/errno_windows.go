package dirbucket

import "syscall"

// errQuota is ERROR_DISK_FULL, which is how Windows says that no space is left.
var errQuota error = syscall.Errno(112)

func isInvalid(error) bool { return false }
