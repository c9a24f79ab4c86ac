package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// Read reads the file at path once and returns what it established.
//
// It refuses with an *Error, and returns what it knew by then: File, Size and
// Name, and Type and MIME if it came so far. A file that changes while it is
// read is refused with Changed; the file may be read again at once, but
// whoever writes it needs time. If ctx ends, its error is returned as it is.
//
// Kind and size are looked at before the first byte, so what is too large
// costs nothing, and a FIFO or a device is never opened. What is to go as
// video is read no further than to the piece with the first thing that rules
// it out (and one more with Ahead).
//
// Read holds one buffer of 256 KiB whatever the file's size, and a megabyte
// more with Ahead. It may be called concurrently; one file cannot be read faster
// than MD5 takes it, so as many files at once as there are processors is the
// most that pays.
func Read(ctx context.Context, path string, opt Options) (Facts, error) {
	if err := ctx.Err(); err != nil {
		return Facts{}, err
	}
	name := opt.Name
	if name == "" {
		name = filepath.Base(path)
	}
	facts := Facts{}
	if opt.Type == Video || opt.Type == File {
		facts.Type = opt.Type
	}
	facts.Name, _ = ShownName(name, File)
	f, id, err := open(path, opt)
	facts.File, facts.Size = id, id.Size
	if err != nil {
		return facts, named(err, facts.Name)
	}
	defer f.Close()
	if facts.Name == "" {
		return facts, &Error{Code: BadName, Path: path, Size: id.Size}
	}
	facts.Ext = keyExt(facts.Name)

	p := passes.Get().(*pass)
	defer passes.Put(p)
	err = p.run(ctx, f, &facts, opt, name, filepath.Base(path))
	if ctxErr := ctx.Err(); ctxErr != nil && errors.Is(err, ctxErr) {
		return facts, err
	}
	if detail := changed(f, id, path, opt, err); detail != "" {
		err = &Error{Code: Changed, Detail: detail}
	}
	if err != nil {
		facts.MD5, facts.Movie, facts.Warnings = "", nil, nil
		return facts, located(err, path, facts)
	}
	return finishName(facts, name, path)
}

// finishName gives the file the name and the extension of its type.
func finishName(facts Facts, name, path string) (Facts, error) {
	shown, changed := ShownName(name, facts.Type)
	if shown == "" {
		facts.MD5 = ""
		return facts, &Error{Code: BadName, Path: path, Size: facts.Size}
	}
	facts.Name, facts.Ext = shown, keyExt(shown)
	if changed {
		facts.Warnings = append(facts.Warnings, warnName(shown))
	}
	if facts.Size > GreySize {
		facts.Warnings = append(facts.Warnings, warnGrey(facts.Size))
	}
	return facts, nil
}

func named(err error, name string) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		e.Name = name
	}
	return err
}

// located makes every error of the pass an *Error that knows its file.
func located(err error, path string, facts Facts) error {
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		e = unreadable(path, err)
	}
	e.Path, e.Name, e.Size = path, facts.Name, facts.Size
	return e
}

// errSize is a file that ended before its size said.
var errSize = errors.New("fewer bytes than its size")

// changed tells how the file is no longer the one that id stands for, if so:
// the bytes read then say nothing about it, whatever they seemed to say.
func changed(f *os.File, id FileID, path string, opt Options, err error) string {
	fi, statErr := f.Stat()
	switch {
	case errors.Is(err, errSize):
		return "size"
	case statErr == nil && ID(fi).Size != id.Size:
		return "size"
	case statErr == nil && ID(fi) != id:
		return "written"
	case now(path, opt) != id:
		return "replaced"
	}
	return ""
}
