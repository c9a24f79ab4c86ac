package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"wedrop/pipeline"
)

// A notReadyError is a media_id that did not come in time.
type notReadyError struct{ waited time.Duration }

func (e *notReadyError) Error() string { return "not ready after " + e.waited.String() }

// An explainer is an error that says itself, in "zh" or "en", what happened
// and what to do now.
type explainer interface {
	error
	Explain(lang string) (message, remedy string)
}

// explain says what happened and what to do now.
func explain(err error, say *messages) (message, remedy string) {
	var (
		self      explainer
		usage     *usageError
		stop      *pipeline.StopError
		fault     *pipeline.FaultError
		missing   *pipeline.NotFoundError
		ambiguous *pipeline.AmbiguousError
		late      *notReadyError
	)
	switch {
	case errors.As(err, &usage):
		return usage.what, usage.hint(say)
	case errors.As(err, &self):
		return self.Explain(say.Lang)
	case errors.As(err, &stop):
		return stop.Fault.Message.In(say.Lang), stop.Fault.Remedy.In(say.Lang)
	case errors.As(err, &fault):
		f := fault.Item.Fault
		return shown(fault.Item.Name) + ": " + f.Message.In(say.Lang), f.Remedy.In(say.Lang)
	case errors.As(err, &missing):
		return say.NotFound(shown(missing.Name)), say.NotFoundRemedy
	case errors.As(err, &ambiguous):
		return say.Ambiguous(shown(ambiguous.Name), len(ambiguous.Items)) + candidates(ambiguous.Items, say), say.AmbiguousRemedy
	case errors.As(err, &late):
		return say.NotReady(late.waited), say.CarryOn
	case errors.Is(err, context.DeadlineExceeded):
		return say.TimedOut, say.CarryOn
	case errors.Is(err, context.Canceled):
		return say.Interrupted, say.CarryOn
	}
	return err.Error(), say.OtherRemedy
}

// candidates are the Items that a name may mean, each with what tells it from
// the others.
func candidates(items []pipeline.Item, say *messages) string {
	const most = 10
	var b strings.Builder
	for i, it := range items {
		if i == most {
			b.WriteString("\n  ...")
			break
		}
		until := "-"
		if it.Media != nil {
			until = it.Media.ExpiresAt.Local().Format(minute)
		}
		b.WriteString("\n  " + shown(it.Path) + "  " + shown(it.Name) + "  " + it.MD5 + "  " + say.Welcome.Until(until))
	}
	return b.String()
}
