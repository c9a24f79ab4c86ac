package wecom_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
	"wedrop/wecom/wecomtest"
)

// The observer sees every call that was made, with what WeCom answered or why
// there was no answer, and nothing else.
func TestTheObserverSeesEachCall(t *testing.T) {
	t.Parallel()
	s := simulator(t, wecomtest.Options{})
	var mu sync.Mutex
	type seen struct {
		api  string
		code wecom.Code
		kind wecom.Kind
	}
	var calls []seen
	c := client(t, wecom.Config{BaseURL: s.URL, Observe: func(api string, code wecom.Code, kind wecom.Kind, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		require.Positive(t, took)
		calls = append(calls, seen{api, code, kind})
	}})
	_, err := c.UploadByURL(context.Background(), upload)
	require.NoError(t, err)
	s.Inject("media/upload_by_url", wecomtest.Fault{Errcode: 45009})
	_, err = c.UploadByURL(context.Background(), upload)
	require.Error(t, err)
	s.Inject("media/upload_by_url", wecomtest.Fault{ResetBefore: true})
	_, err = c.UploadByURL(context.Background(), upload)
	require.Error(t, err)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.UploadByURL(ended, upload)
	require.Error(t, err)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []seen{
		{"gettoken", 0, ""},
		{"media/upload_by_url", 0, ""},
		{"media/upload_by_url", 45009, ""},
		{"media/upload_by_url", 0, wecom.KindUnreachable},
	}, calls)
}
