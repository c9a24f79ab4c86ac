package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline/inspect/inspecttest"
)

// One refusal of WeCom's is one cause for all that wait because of it: one
// file used to be red, and the others silent.
func TestARefusalIsTheCauseOfAllThatWait(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 5)
	j := o.journal()
	o.we.SetTrustedIPs("198.51.100.1")
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	s := o.serve(j)
	s.until("the cause at each file in the table", func() bool {
		return strings.Count(o.table(o.folder), "203.0.113.9 is not") == 0 && strings.Count(o.table(o.folder), "refuses calls from 203.0.113.9") == 5
	})
	table := o.table(o.folder)
	require.Equal(t, 4, strings.Count(table, ",will try again,"), table)
	require.Equal(t, 1, strings.Count(table, ",stopped,"), table)

	var page struct {
		Items []struct {
			Step  string
			Fault *struct {
				Code, Message, Remedy string
				Retry                 bool
			}
		}
		Blocked []struct {
			Code, Message, Remedy string
			Items                 int
		}
	}
	code, body := s.get("/api/items", "")
	require.Equal(t, 200, code, body)
	require.NoError(t, json.Unmarshal([]byte(body), &page))
	require.Len(t, page.Items, 5)
	going := 0
	for _, it := range page.Items {
		require.NotNil(t, it.Fault, body)
		require.Equal(t, "wecom/60020", it.Fault.Code)
		require.Contains(t, it.Fault.Remedy, "203.0.113.9")
		if it.Fault.Retry {
			going++
		}
	}
	require.Equal(t, 4, going)
	require.Len(t, page.Blocked, 1, body)
	require.Equal(t, 5, page.Blocked[0].Items)
	require.Contains(t, page.Blocked[0].Message, "203.0.113.9")
	s.stop()

	list, err := o.wedrop("list").CombinedOutput()
	require.NoError(t, err, string(list))
	require.Equal(t, 5, strings.Count(string(list), "refuses calls from 203.0.113.9"), string(list))

	o.we.SetTrustedIPs("203.0.113.9")
	s = o.serve(j)
	s.until("all media_ids, and no cause any more", func() bool {
		table := o.table(o.folder)
		return strings.Count(table, "3*1*") == 5 && !strings.Contains(table, "60020") && !strings.Contains(table, "203.0.113.9")
	})
	_, body = s.get("/api/items", "")
	require.Contains(t, body, `"blocked":[]`)
}

// Files that are empty or half copied were invisible for half an hour.
func TestUnfinishedFilesAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 1)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	whole := inspecttest.MP4(40_000, 9)
	half := filepath.Join(o.folder, "half.mp4")
	require.NoError(t, os.WriteFile(half, whole[:15_000], 0o644))
	empty := filepath.Join(o.folder, "empty.mp4")
	require.NoError(t, os.WriteFile(empty, nil, 0o644))
	s := o.serve(j)
	s.until("both in the table, with the reason", func() bool {
		table := o.table(o.folder)
		return strings.Count(table, "3*1*") == 1 && strings.Contains(table, "empty.mp4,,,waiting for the file,\"not whole yet: the file is still empty.") &&
			strings.Contains(table, "half.mp4,,,waiting for the file,\"not whole yet: the video")
	})
	_, body := s.get("/api/items?lang=zh", "")
	require.Contains(t, body, "empty.mp4 还不完整：文件还是空的")
	require.Contains(t, body, `"name":"half.mp4"`)

	require.NoError(t, os.WriteFile(half, whole, 0o644))
	require.NoError(t, os.Remove(empty))
	s.until("a media_id for the one, and no trace of the other", func() bool {
		table := o.table(o.folder)
		return strings.Count(table, "3*1*") == 2 && !strings.Contains(table, "empty.mp4") && !strings.Contains(table, "waiting for")
	})
	_, body = s.get("/api/items", "")
	require.Contains(t, body, `"waiting":[]`)
}

// sync counts those that it leaves, in words, and has them in its table.
func TestSyncCountsUnfinishedFiles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	drop := t.TempDir()
	d.env["WEDROP_FOLDERS"] = drop
	whole := inspecttest.MP4(40_000, 9)
	require.NoError(t, os.WriteFile(filepath.Join(drop, "whole.mp4"), whole, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(drop, "half.mp4"), whole[:15_000], 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(drop, "empty.mp4"), nil, 0o644))
	require.Equal(t, exitDone, d.run(time.Second, "sync"), d.err.String())
	require.Contains(t, d.err.String(), "3 files: 1 done, 2 still being written and left to the next run")
	require.NotContains(t, d.err.String(), "mdat-", "no code in place of words")
	table, err := os.ReadFile(filepath.Join(drop, "wedrop-media.csv"))
	require.NoError(t, err)
	require.Contains(t, string(table), "empty.mp4,,,waiting for the file,")
	require.Contains(t, string(table), "half.mp4,,,waiting for the file,")
}
