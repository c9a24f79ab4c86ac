package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/storage"
	"wedrop/wecom"
)

func TestSeveralExitsAtOnce(t *testing.T) {
	t.Parallel()
	require.Equal(t, exitDone, worst())
	require.Equal(t, exitUnfinished, worst(exitDone, exitUnfinished))
	require.Equal(t, exitFailed, worst(exitUnfinished, exitFailed, exitDone))
	require.Equal(t, exitConfig, worst(exitFailed, exitConfig, exitUnfinished))
}

func TestExitOfAnItem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		item   pipeline.Item
		noWait bool
		want   exit
	}{
		{"done", pipeline.Item{Step: pipeline.Done}, false, exitDone},
		{"held for good", pipeline.Item{Step: pipeline.Await, Fault: &pipeline.Fault{}}, false, exitFailed},
		{"held by the configuration", pipeline.Item{Step: pipeline.Submit, Fault: &pipeline.Fault{Config: true}}, false, exitConfig},
		{"tries again", pipeline.Item{Step: pipeline.Submit, Fault: &pipeline.Fault{Retry: true}}, false, exitUnfinished},
		{"waits at WeCom", pipeline.Item{Step: pipeline.Await}, false, exitUnfinished},
		{"waits at WeCom, which was all that was asked for", pipeline.Item{Step: pipeline.Await}, true, exitDone},
		{"not submitted, although nothing else was asked for", pipeline.Item{Step: pipeline.Submit}, true, exitUnfinished},
		{"a done item whose renewal failed", pipeline.Item{Step: pipeline.Done, Fault: &pipeline.Fault{}}, false, exitFailed},
	} {
		require.Equal(t, c.want, exitOfItem(c.item, c.noWait), c.name)
	}
}

func TestExitOfAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want exit
	}{
		{nil, exitDone},
		{&usageError{}, exitUsage},
		{&ConfigError{}, exitConfig},
		{&pipeline.StopError{}, exitConfig},
		{&pipeline.NotFoundError{}, exitFailed},
		{&pipeline.AmbiguousError{}, exitFailed},
		{&pipeline.FaultError{Item: pipeline.Item{Fault: &pipeline.Fault{Config: true}}}, exitConfig},
		{&pipeline.FaultError{Item: pipeline.Item{Fault: &pipeline.Fault{}}}, exitFailed},
		{&notReadyError{}, exitUnfinished},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), exitUnfinished},
		{context.Canceled, exitUnfinished},
		{&storage.Error{Kind: storage.Unreachable}, exitUnfinished},
		{&storage.Error{Kind: storage.NotPublic}, exitConfig},
		{&storage.Error{Kind: storage.Denied}, exitConfig},
		{&wecom.Error{API: "gettoken", Code: 60020}, exitConfig},
		{&wecom.Error{API: "gettoken", Code: 45009}, exitUnfinished},
		{&wecom.Error{API: "gettoken", Code: 40013}, exitConfig},
		{errors.New("anything else"), exitFailed},
	} {
		require.Equal(t, c.want, exitOf(c.err), "%T %v", c.err, c.err)
	}
}
