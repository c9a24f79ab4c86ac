//go:build !linux && !darwin && !windows

package folder

import (
	"errors"
	"syscall"
)

func ownClock(string) bool { return false }

func held(string) bool { return false }

func inUse(error) bool { return false }

func diskFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
