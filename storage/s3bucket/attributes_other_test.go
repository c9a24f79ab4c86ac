//go:build !linux

package s3bucket_test

func hasAttributes(string) error { return nil }
