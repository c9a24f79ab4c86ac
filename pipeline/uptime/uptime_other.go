//go:build !linux

package uptime

import "time"

func now() (time.Duration, bool) { return 0, false }

func boot() string { return "" }
