package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
)

// What a killed process had claimed is free at once, long before its leases
// lapse: a cron run that is started again does not wait half a minute.
func TestAKilledProcessHoldsNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file is not renamed on Windows: leases lapse by time there")
	}
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "l.db")
	j := open(t, path, journal.Options{})
	_, err := j.Enter(ctx, "corp", "here", []pipeline.File{{Path: "/a.mp4", Type: inspect.Auto, ID: inspect.FileID{Size: 9}}})
	require.NoError(t, err)

	victim := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.v")
	victim.Env = append(os.Environ(), "WEDROP_TEST_VICTIM="+path)
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "claimed" {
	}
	require.Equal(t, "claimed", lines.Text())

	want := pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{pipeline.Inspect}, Limit: 1}
	got, err := j.Claim(ctx, want)
	require.NoError(t, err)
	require.Empty(t, got, "it lives")
	leased, err := j.LeaseToken(ctx, "key", "me", time.Second)
	require.NoError(t, err)
	require.False(t, leased, "it lives")

	require.NoError(t, victim.Process.Kill())
	victim.Wait()
	// Another process that saw this may have tidied up, and been killed
	// before it could record what it had freed.
	open(t, path, journal.Options{})
	left, err := os.ReadDir(path + ".owners")
	require.NoError(t, err)
	require.Len(t, left, 2, "those of the two that live")
	leased, err = j.LeaseToken(ctx, "key", "me", time.Second)
	require.NoError(t, err)
	require.True(t, leased, "it is dead")
	require.Eventually(t, func() bool {
		got, err := j.Claim(ctx, want)
		require.NoError(t, err)
		return len(got) == 1
	}, 5*time.Second, 50*time.Millisecond, "it is dead")
}

// TestVictim is the other process of the test above.
func TestVictim(t *testing.T) {
	path := os.Getenv("WEDROP_TEST_VICTIM")
	if path == "" {
		return
	}
	ctx := context.Background()
	j, err := journal.Open(ctx, path, journal.Options{})
	require.NoError(t, err)
	items, err := j.Claim(ctx, pipeline.Want{Corp: "corp", Hosts: []string{"here"}, Steps: []pipeline.Step{pipeline.Inspect}, Limit: 1})
	require.NoError(t, err)
	require.Len(t, items, 1)
	got, err := j.LeaseToken(ctx, "key", "victim", time.Hour)
	require.NoError(t, err)
	require.True(t, got)
	fmt.Println("claimed")
	time.Sleep(time.Minute)
}

func TestTheFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "l.db")
	open(t, path, journal.Options{})
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		fi, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, mode, fi.Mode().Perm(), name)
	}
}

func TestAnotherFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	require.NoError(t, os.WriteFile(path, []byte("this is the quarterly report, and no database"), 0o600))
	_, err := journal.Open(context.Background(), path, journal.Options{})
	require.ErrorContains(t, err, "not a ledger")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(b), "quarterly report", "and left as it was")
}
