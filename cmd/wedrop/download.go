package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/wecom"
)

func (a *app) downloadCommand() *cobra.Command {
	var d download
	c := a.command("download MEDIA_ID -o FILE", a.say.Download.About, cobra.ExactArgs(1))
	c.Flags().StringVarP(&d.out, "output", "o", "", a.say.Download.FlagOutput)
	c.Flags().BoolVar(&d.force, "force", false, a.say.Download.FlagForce)
	c.Flags().BoolVar(&d.verify, "verify", false, a.say.Download.FlagVerify)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if d.out == "" {
			return &usageError{what: a.say.Download.NoOutput, cmd: cmd}
		}
		d.a, d.id = a, args[0]
		return d.run(cmd.Context())
	}
	return c
}

// A download is one media on its way to a file.
type download struct {
	a             *app
	id, out       string
	force, verify bool

	line *line
	item *pipeline.Item // that has this media_id; nil: the ledger does not know it
}

func (d *download) run(ctx context.Context) (err error) {
	if d.line, err = d.a.caller(ctx); err != nil {
		return err
	}
	defer closing(d.line, &err)
	if d.item, err = ofMedia(ctx, d.line, d.id); err != nil {
		return err
	}
	if d.verify && d.item == nil {
		return &downloadError{what: d.a.say.Download.UnknownMedia(shown(d.id)), cure: d.a.say.Download.UnknownMediaRemedy}
	}
	err = d.carry(ctx)
	if pipeline.DeadMedia(err) && d.item != nil {
		it, e := d.a.replaced(ctx, d.line, d.id, err)
		if e != nil {
			return e
		}
		d.id, d.item = it.Media.ID, &it
		err = d.carry(ctx)
	}
	var other *pipeline.DiffersError
	if errors.As(err, &other) { // nobody is given it again
		if _, e := d.line.Discard(ctx, d.id, true); e != nil {
			return errors.Join(err, e)
		}
	}
	return err
}

// carry brings the media to its place.
func (d *download) carry(ctx context.Context) error {
	folder, path, err := d.place()
	if err != nil {
		return err
	}
	if path != "" && !d.verify {
		got, err := d.fetch(ctx, path)
		if err != nil {
			return err
		}
		return d.done(path, got)
	}
	return d.byWay(ctx, folder, path)
}

// place is where the file is to be: its folder, and its path unless only WeCom
// can tell its name.
func (d *download) place() (folder, path string, err error) {
	fi, err := os.Stat(d.out)
	switch {
	case err == nil && fi.IsDir():
		folder = d.out
		if d.item != nil {
			err = d.free(filepath.Join(folder, safeName(d.item.Name)))
		}
		return folder, "", err
	case strings.HasSuffix(d.out, string(filepath.Separator)) || !isFolder(filepath.Dir(d.out)):
		dir := filepath.Dir(d.out)
		return "", "", &downloadError{what: d.a.say.Download.NoFolder(shown(dir)), cure: d.a.say.Download.NoFolderRemedy}
	}
	return filepath.Dir(d.out), d.out, d.free(d.out)
}

func isFolder(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

// free refuses a path where something is, unless it may be replaced.
func (d *download) free(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err == nil && d.force {
		if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() { // a rename would put a file in a device's place
			return &downloadError{what: d.a.say.Download.NotWritten(d.a.say.Download.NotPlain(shown(path))), cure: d.a.say.Download.NotPlainRemedy}
		}
		return nil
	} else if err != nil {
		return &downloadError{what: d.a.say.Download.NotWritten(rootCause(err)), cure: d.a.say.Download.NotWrittenRemedy}
	}
	return &downloadError{what: d.a.say.Download.Exists(shown(path)), cure: d.a.say.Download.ExistsRemedy}
}

// byWay downloads to a hidden name in the folder first: the final one is known
// only then, or is to be given only to what was compared.
func (d *download) byWay(ctx context.Context, folder, path string) error {
	sum := sha256.Sum256([]byte(d.id + "\x00" + path))
	way := filepath.Join(folder, ".wedrop-"+hex.EncodeToString(sum[:8])+".tmp")
	got, err := d.fetch(ctx, way)
	if err != nil {
		return err
	}
	if d.verify && (got.Size != d.item.Size || got.MD5 != d.item.MD5) {
		_ = os.Remove(way)
		return &pipeline.DiffersError{Item: *d.item, Size: got.Size, MD5: got.MD5}
	}
	if path == "" {
		path = filepath.Join(folder, d.name(got))
	}
	err = d.free(path)
	if err == nil {
		if e := put(way, path, d.force); e != nil {
			err = &downloadError{what: d.a.say.Download.NotWritten(rootCause(e)), cure: d.a.say.Download.NotWrittenRemedy}
		}
	}
	if err != nil {
		_ = os.Remove(way)
		return err
	}
	return d.done(path, got)
}

// put gives a file its final name. Without replace it takes no other's place,
// where the file system can do that.
func put(from, to string, replace bool) error {
	if !replace {
		err := os.Link(from, to)
		if err == nil {
			return os.Remove(from)
		}
		if errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return os.Rename(from, to)
}

// name is what a file is called whose name nobody gave.
func (d *download) name(got wecom.DownloadResult) string {
	for _, name := range []string{got.Name, d.itemName(), d.id} {
		if name = safeName(name); name != "" {
			return name
		}
	}
	return "media"
}

func (d *download) itemName() string {
	if d.item == nil {
		return ""
	}
	return d.item.Name
}

// safeName is a name from elsewhere as it may stand in a folder of any system;
// empty if nothing is left of it.
func safeName(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	name = name[strings.LastIndex(name, "/")+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
	if name == "" {
		return ""
	}
	name, _ = inspect.ShownName(name, inspect.File)
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch strings.TrimRight(base, "0123456789") {
	case "CON", "PRN", "AUX", "NUL", "COM", "LPT": // devices, on Windows
		name = "_" + name
	}
	return name
}

func (d *download) fetch(ctx context.Context, path string) (wecom.DownloadResult, error) {
	name := d.itemName()
	if name == "" {
		name = filepath.Base(d.out)
	}
	m := d.a.startMeter(d.a.say.Download.Downloading(shown(name)))
	defer m.stop()
	return d.line.WeCom.DownloadFile(ctx, d.id, path, wecom.DownloadOptions{Progress: m.at})
}

// done tells where the file is.
func (d *download) done(path string, got wecom.DownloadResult) error {
	if !d.a.json {
		_, _ = fmt.Fprintln(d.a.stdout, field(path))
		return nil
	}
	v := struct {
		ID       string `json:"media_id"`
		Path     string `json:"path"`
		Name     string `json:"name"`
		Size     int64  `json:"size"`
		MD5      string `json:"md5"`
		Type     string `json:"content_type"`
		Resumed  int64  `json:"resumed"`
		Verified *bool  `json:"verified,omitempty"`
	}{d.id, absolute(path), got.Name, got.Size, got.MD5, got.ContentType, got.Resumed, nil}
	if d.verify {
		v.Verified = &d.verify
	}
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, _ = d.a.stdout.Write(append(line, '\n'))
	return nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// A downloadError is a place that a file cannot go to, or nothing to compare
// it with.
type downloadError struct{ what, cure string }

func (e *downloadError) Error() string { return e.what }

// Explain is in the language of the run, whichever is asked for.
func (e *downloadError) Explain(string) (message, remedy string) { return e.what, e.cure }
