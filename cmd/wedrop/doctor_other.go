//go:build !linux && !darwin

package main

func freeSpace(string) (int64, bool) { return 0, false }

func device(string) uint64 { return 0 }

func others(string) bool { return false }
