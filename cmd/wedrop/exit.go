package main

import (
	"context"
	"errors"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
	"wedrop/pipeline/journal/postgres"
	"wedrop/storage"
	"wedrop/wecom"
)

// An exit is what the caller of the program is told.
type exit int

const (
	exitDone       exit = 0 // everything that was asked for is done
	exitFailed     exit = 1 // at least one file was refused or failed for good
	exitUsage      exit = 2
	exitConfig     exit = 3 // nothing can succeed until a person mends it
	exitUnfinished exit = 4 // still waiting, or trouble that passes: run again
)

// worst is the one of several that counts: 3 before 1 before 4.
func worst(codes ...exit) exit {
	rank := map[exit]int{exitDone: 0, exitUnfinished: 1, exitFailed: 2, exitConfig: 3, exitUsage: 4}
	w := exitDone
	for _, c := range codes {
		if rank[c] > rank[w] {
			w = c
		}
	}
	return w
}

// exitOfItem is what an Item at the end of a run amounts to. With noWait one
// that WeCom has taken is all that was asked for.
func exitOfItem(it pipeline.Item, noWait bool) exit {
	switch f := it.Fault; {
	case f != nil && f.Config:
		return exitConfig
	case f != nil && !f.Retry:
		return exitFailed
	case f == nil && it.Step == pipeline.Done:
		return exitDone
	case f == nil && it.Step == pipeline.Await && noWait:
		return exitDone
	}
	return exitUnfinished
}

// exitOf is what an error amounts to that ended a command.
func exitOf(err error) exit {
	var (
		usage   *usageError
		config  *ConfigError
		stop    *pipeline.StopError
		fault   *pipeline.FaultError
		bucket  *storage.Error
		we      *wecom.Error
		waiting *notReadyError
		ledger  *postgres.Error
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &config), errors.As(err, &stop), errors.As(err, new(*journal.FullError)), errors.As(err, new(*journal.ReplacedError)),
		errors.As(err, new(*journal.CorruptError)), errors.As(err, new(*journal.DiskError)):
		return exitConfig
	case errors.As(err, &fault):
		return exitOfItem(fault.Item, false)
	case errors.As(err, &waiting), errors.As(err, new(*journal.BusyError)), errors.As(err, new(*takenError)), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exitUnfinished
	case errors.As(err, &ledger): // what a person has to mend is a ConfigError by now
		return exitUnfinished
	case errors.As(err, &bucket):
		return exitOfBucket(bucket.Kind)
	case errors.As(err, &we):
		return exitOfWeCom(we.Class())
	}
	return exitFailed
}

func exitOfBucket(k storage.Kind) exit {
	switch k {
	case storage.Unreachable:
		return exitUnfinished
	case storage.Changed:
		return exitFailed
	}
	return exitConfig
}

func exitOfWeCom(c wecom.Class) exit {
	switch c {
	case wecom.ClassConfig, wecom.ClassToken:
		return exitConfig
	case wecom.ClassRetry, wecom.ClassBackOff, wecom.ClassCancelled:
		return exitUnfinished
	}
	return exitFailed
}
