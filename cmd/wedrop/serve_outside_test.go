//go:build unix

package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"wedrop/pipeline/inspect/inspecttest"
	"wedrop/storage/s3bucket/s3test"
)

func (s *served) retries(id int64) {
	s.t.Helper()
	r := s.asks(http.MethodPost, fmt.Sprintf("/api/items/%d/retry", id), "application/json", nil)
	require.Less(s.t, r.StatusCode, 300)
}

// faults waits until the item has that fault, and returns its remedy.
func (s *served) faults(o *office, id int64, code string) (remedy string) {
	s.t.Helper()
	s.until(code, func() bool {
		for _, it := range o.list() {
			if it.ID == id && it.Fault != nil && it.Fault.Code == code {
				remedy = it.Fault.Remedy
				return true
			}
		}
		return false
	})
	return remedy
}

// Found by an attacker who may write into a drop folder: a refused file is
// replaced by a link, or its folder is, or by a FIFO, and sent to be tried
// again. Nothing of what the link leads to may reach the bucket.
func TestALinkInADropFolderPublishesNothing(t *testing.T) {
	t.Parallel()
	for name, swap := range map[string]struct {
		do   func(t *testing.T, path, secret string)
		code string
	}{
		"the file becomes a link": {func(t *testing.T, path, secret string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Symlink(secret, path))
		}, "inspect/not-regular"},
		"its folder becomes a link": {func(t *testing.T, path, secret string) {
			require.NoError(t, os.RemoveAll(filepath.Dir(path)))
			require.NoError(t, os.Symlink(filepath.Dir(secret), filepath.Dir(path)))
		}, "inspect/not-regular"},
		"the file becomes a FIFO": {func(t *testing.T, path, _ string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, unix.Mkfifo(path, 0o644))
		}, "inspect/not-regular"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, 0)
			j := o.journal()
			secret := o.drop(t.TempDir(), "a.txt", []byte("the secret of the daemon"))
			config := o.drop(t.TempDir(), "wedrop.yaml", []byte("folders: [{path: "+o.folder+", recursive: true}]\n"))
			require.NoError(t, os.Mkdir(filepath.Join(o.folder, "sub"), 0o755))
			path := o.drop(filepath.Join(o.folder, "sub"), "a.txt", []byte("abc"))
			s := o.serve(j, "--config", config)
			s.until("a refusal", func() bool { l := o.list(); return len(l) == 1 && l[0].Fault != nil })
			id := o.list()[0].ID
			swap.do(t, path, secret)
			s.retries(id)
			s.faults(o, id, swap.code)
			// The workers are free: an honest file goes.
			good := o.drop(o.folder, "good.mp4", inspecttest.MP4(20_000, 3))
			s.until("an honest file done", func() bool {
				for _, it := range o.list() {
					if it.Path == good && it.Step == "done" {
						return true
					}
				}
				return false
			})
			require.Len(t, o.s3.Keys(), 1)
		})
	}
}

// Whoever can write the journal's database cannot have any file read: not by
// the daemon, and not by a preview.
func TestAPathWrittenIntoTheJournalIsNotRead(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	j := o.journal()
	o.env = append(o.env, "WEDROP_FOLDERS="+o.folder)
	secret := o.drop(t.TempDir(), "secret.txt", []byte("the secret of the daemon"))
	fi, err := os.Stat(secret)
	require.NoError(t, err)
	o.drop(o.folder, "a.txt", []byte("abc"))
	s := o.serve(j)
	s.until("a refusal", func() bool { l := o.list(); return len(l) == 1 && l[0].Fault != nil })
	id := o.list()[0].ID

	db, err := sql.Open("sqlite", "file:"+j+"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	var st unix.Stat_t
	require.NoError(t, unix.Stat(secret, &st))
	_, err = db.Exec(`UPDATE items SET path=?, dev=?, ino=?, fsize=? WHERE id=?`, secret, int64(st.Dev), int64(st.Ino), fi.Size(), id)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	s.retries(id)
	remedy := s.faults(o, id, "inspect/outside")
	require.Contains(t, remedy, "wedrop push")
	require.Empty(t, o.s3.Keys())
	require.Zero(t, o.we.Count("media/upload_by_url"))

	// Who names it, may send it, and the daemon may carry that on.
	out, err := o.wedrop("push", secret).Output()
	require.NoError(t, err)
	require.NotEmpty(t, out)
	s.stop()
}

// What a push left unfinished, the daemon carries on: a person named it.
func TestTheDaemonCarriesOnWhatAPersonNamed(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 0)
	j := o.journal()
	path := o.drop(t.TempDir(), "clip.mp4", inspecttest.MP4(20_000, 9))
	o.s3.Set(func(s *s3test.Settings) { s.ReadOnly = true })
	require.Error(t, o.wedrop("push", path).Run())
	require.NotEqual(t, "done", o.list()[0].Step)
	o.s3.Set(func(s *s3test.Settings) { s.ReadOnly = false })
	require.NoError(t, o.wedrop("retry", "--all").Run())
	s := o.serve(j)
	s.until("a media_id", func() bool { return o.list()[0].Step == "done" })
}
