package s3bucket_test

import "syscall"

func hasAttributes(dir string) error {
	return syscall.Setxattr(dir, "user.wedrop", []byte("x"), 0)
}
