package folder

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
)

func TestTheTableIsForExcel(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, WriteCSV(root, []Row{
		{Name: "开场.mp4", MediaID: "3*1*G6n", ValidUntil: "2026-11-25 16:40", State: "可用"},
		{Name: `旧片,"二".avi`, State: "已停下", Todo: "不是 MP4。\n请转换；再放进来。"},
	}, "zh"))
	b, err := os.ReadFile(filepath.Join(root, "wedrop-media.csv"))
	require.NoError(t, err)
	require.Equal(t, "\xef\xbb\xbf名称,media_id,有效期至,状态,怎么办\r\n"+
		"开场.mp4,3*1*G6n,2026-11-25 16:40,可用,\r\n"+
		"\"旧片,\"\"二\"\".avi\",,,已停下,不是 MP4。 请转换；再放进来。\r\n", string(b))

	require.NoError(t, WriteCSV(root, nil, "en"))
	b, err = os.ReadFile(filepath.Join(root, "wedrop-media.csv"))
	require.NoError(t, err)
	require.Equal(t, "\xef\xbb\xbfname,media_id,valid until,state,what to do\r\n", string(b))
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no scratch file is left")

	found, skipped, err := Scan(t.Context(), Folder{Path: root})
	require.NoError(t, err)
	require.Empty(t, found, "and it is not taken for a file to send")
	require.Empty(t, skipped)
}

// Names are made by anybody who may write into the folder.
func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		`=HYPERLINK("http://evil","x").mp4`, "+1.mp4", "-1.mp4", "@SUM(A1).mp4", "\tx.mp4", "\r=1.mp4", "\n=1",
		"＝1.mp4", "＋1.mp4", "－1.mp4", "＠1.mp4", `=cmd|' /C calc'!A0`, `a";=1`, "a,=1+1", "普通.mp4", "=", "",
	} {
		b := table([]Row{{Name: name, State: name, Todo: name, MediaID: name}}, "zh")
		records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), bom))).ReadAll()
		require.NoError(t, err)
		require.Len(t, records, 2, "%q", name)
		require.Len(t, records[1], 5, "%q", name)
		readable := strings.NewReplacer("\t", " ", "\r", " ", "\n", " ").Replace(name)
		for n, cell := range records[1] {
			if n == 1 && strings.HasPrefix(cell, `="`) { // exact: says a text
				require.Equal(t, 2, strings.Count(cell, `"`), "%q", cell)
				continue
			}
			require.False(t, formula(cell), "%q became %q", name, cell)
			if n != 1 && n != 2 {
				require.Equal(t, readable, strings.TrimPrefix(cell, "'"))
			}
		}
	}
}

func TestAMediaIDIsCopiedAsItIs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"3*1*G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0": "3*1*G6nrLmr5EC3MMb_-zK1dDdzmd0p7cNliYu9V5w7o8K0",
		"12345678901234567890":                            `="12345678901234567890"`, // or it loses its last digits
		"0012":                                            `="0012"`,
		"1E5":                                             `="1E5"`,
		"1-2":                                             `="1-2"`, // or it is the first of February
		"-abc":                                            `="-abc"`,
		"@abc":                                            `="@abc"`,
		"":                                                "",
	} {
		require.Equal(t, want, exact(id))
	}
}

func TestTheTableIsTouchedOnlyWhenItChanges(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, ResultsName)
	rows := []Row{{Name: "a.mp4", State: "可用"}}
	require.NoError(t, WriteCSV(root, rows, "zh"))
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	require.NoError(t, os.Chtimes(path, old, old))
	require.NoError(t, WriteCSV(root, rows, "zh"))
	fi, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, fi.ModTime().Equal(old))
	rows[0].State = "过期" // as long as before
	require.NoError(t, WriteCSV(root, rows, "zh"))
	fi, err = os.Stat(path)
	require.NoError(t, err)
	require.False(t, fi.ModTime().Equal(old))
}

func TestATableThatCannotBeWrittenSaysWhy(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "nas")
	err := WriteCSV(gone, nil, "zh")
	var e *WriteError
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.False(t, e.InUse())
	require.NoDirExists(t, gone, "a drive that is not mounted is not made")

	// Something else has its place: the former one stays, and no scratch file.
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, ResultsName, "x"), 0o755))
	require.ErrorAs(t, WriteCSV(root, nil, "zh"), &e)
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Len(t, entries, 1)

	// Another process writes it just now.
	root = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "."+ResultsName+".tmp"), nil, 0o600))
	require.ErrorAs(t, WriteCSV(root, nil, "zh"), &e)
	require.True(t, e.InUse())

	seen := map[string]bool{}
	for _, err := range []error{errOther, syscall.ENOSPC, fs.ErrPermission, fs.ErrNotExist, errCopy, syscall.EIO} {
		e := &WriteError{Path: "/drop/wedrop-media.csv", Err: &fs.PathError{Op: "open", Path: "/drop/wedrop-media.csv", Err: err}}
		require.Equal(t, 1, strings.Count(e.Error(), "/drop"), e.Error())
		for _, lang := range []string{"zh", "en"} {
			message, remedy := e.Explain(lang)
			require.Contains(t, message, "wedrop-media.csv")
			require.NotEmpty(t, remedy)
			require.False(t, seen[message], message)
			seen[message] = true
		}
	}
}

func TestReadersOfTheTableSeeAWholeOne(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a reader keeps the writer out there")
	}
	root := t.TempDir()
	rows := [][]Row{make([]Row, 2000), make([]Row, 1000)}
	for _, r := range rows {
		for n := range r {
			r[n] = Row{Name: "一个名字.mp4", State: "可用"}
		}
	}
	require.NoError(t, WriteCSV(root, rows[0], "zh"))
	ended := make(chan error)
	go func() {
		defer close(ended)
		for n := range 40 {
			if err := WriteCSV(root, rows[n%2], "zh"); err != nil {
				ended <- err
				return
			}
		}
	}()
	for {
		b, err := os.ReadFile(filepath.Join(root, ResultsName))
		require.NoError(t, err)
		n := strings.Count(string(b), "\n")
		require.Contains(t, []int{2001, 1001}, n)
		select {
		case err := <-ended:
			require.NoError(t, err)
			return
		default:
		}
	}
}

func TestARowSaysHowThingsStand(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 16, 40, 0, 0, time.Local)
	media := func(left time.Duration) *pipeline.Media {
		return &pipeline.Media{ID: "3*1*G6n", ExpiresAt: now.Add(left)}
	}
	fault := func(retry bool) *pipeline.Fault {
		return &pipeline.Fault{Code: "inspect/not-mp4", Message: pipeline.Text{ZH: "不是 MP4", EN: "not an MP4"},
			Remedy: pipeline.Text{ZH: "请转成 MP4", EN: "convert it"}, Retry: retry}
	}
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		it     pipeline.Item
		zh, en Row
	}{
		"done": {pipeline.Item{Step: pipeline.Done, Media: media(3 * day)},
			Row{State: "可用", MediaID: "3*1*G6n", ValidUntil: "2026-11-25 16:40"}, Row{State: "ready"}},
		"done, with a warning": {pipeline.Item{Step: pipeline.Done, Media: media(3 * day), Warnings: []pipeline.Warning{{Message: pipeline.Text{ZH: "H.265 编码", EN: "H.265"}}}},
			Row{State: "可用", MediaID: "3*1*G6n", ValidUntil: "2026-11-25 16:40", Todo: "H.265 编码。"}, Row{State: "ready", Todo: "H.265."}},
		"under way": {pipeline.Item{Step: pipeline.Await}, Row{State: "处理中"}, Row{State: "in progress"}},
		"renewed while the old one lives": {pipeline.Item{Step: pipeline.Submit, Media: media(11 * time.Hour)},
			Row{State: "快过期", MediaID: "3*1*G6n", ValidUntil: "2026-11-23 03:40", Todo: "正在续期"}, Row{State: "expires soon", Todo: "being renewed"}},
		"not renewed": {pipeline.Item{Step: pipeline.Done, Media: media(time.Hour)},
			Row{State: "快过期", MediaID: "3*1*G6n", ValidUntil: "2026-11-22 17:40", Todo: "自动续期"}, Row{State: "expires soon", Todo: "renewed by itself"}},
		"expired": {pipeline.Item{Step: pipeline.Done, Media: media(-time.Second)},
			Row{State: "已过期", MediaID: "3*1*G6n", ValidUntil: "2026-11-22 16:39", Todo: "自动续期"}, Row{State: "expired", Todo: "renewed by itself"}},
		"expired, and being renewed": {pipeline.Item{Step: pipeline.Await, Media: media(-time.Second)},
			Row{State: "处理中", MediaID: "3*1*G6n", ValidUntil: "2026-11-22 16:39"}, Row{State: "in progress"}},
		"held": {pipeline.Item{Step: pipeline.Inspect, Fault: fault(false)},
			Row{State: "已停下", Todo: "不是 MP4。请转成 MP4。"}, Row{State: "stopped", Todo: "not an MP4. convert it."}},
		"held while the old one lives": {pipeline.Item{Step: pipeline.Submit, Media: media(day), Fault: fault(false)},
			Row{State: "已停下", MediaID: "3*1*G6n", ValidUntil: "2026-11-23 16:40", Todo: "不是 MP4。请转成 MP4。"}, Row{State: "stopped", Todo: "not an MP4"}},
		"goes on by itself": {pipeline.Item{Step: pipeline.Stage, Fault: fault(true)},
			Row{State: "稍后重试", Todo: "不是 MP4。请转成 MP4。"}, Row{State: "will try again", Todo: "not an MP4"}},
		"a renewal that goes on by itself": {pipeline.Item{Step: pipeline.Stage, Media: media(day), Fault: fault(true)},
			Row{State: "可用", MediaID: "3*1*G6n", ValidUntil: "2026-11-23 16:40"}, Row{State: "ready"}},
	} {
		c.it.Path = "/drop/开场.mp4"
		for lang, want := range map[string]Row{"zh": c.zh, "en": c.en} {
			got := RowOf(c.it, now, lang)
			require.Equal(t, "开场.mp4", got.Name)
			require.Equal(t, want.State, got.State, "%s, %s", name, lang)
			require.Contains(t, got.Todo, want.Todo, "%s, %s", name, lang)
			require.Equal(t, want.Todo == "", got.Todo == "", "%s, %s: %q", name, lang, got.Todo)
			require.Equal(t, c.zh.MediaID, got.MediaID, name)
			require.Equal(t, c.zh.ValidUntil, got.ValidUntil, name)
		}
	}
}

func TestRowsAreCalledByTheirPlaceInTheFolder(t *testing.T) {
	t.Parallel()
	root := filepath.FromSlash("/drop")
	var entries []pipeline.Entry
	for _, p := range []string{"b.mp4", "大促/a.mp4", "_已完成/2026-11/c.mp4", "_已完成/2026-11/大促/d.mp4", "_失败/e.avi", "_失败/大促/深/f.avi", "../elsewhere/g.mp4"} {
		e := pipeline.Entry{Item: pipeline.Item{Path: "/another/of/the/same/content.mp4"}}
		e.File.Path = filepath.Join(root, filepath.FromSlash(p))
		e.Item.Name = filepath.Base(p)
		entries = append(entries, e)
	}
	var names []string
	for _, r := range Rows(root, entries, time.Now(), "zh") {
		names = append(names, r.Name)
	}
	require.Equal(t, []string{"b.mp4", "c.mp4", "e.avi", "g.mp4", "大促/a.mp4", "大促/d.mp4", "大促/深/f.avi"}, names)
}
