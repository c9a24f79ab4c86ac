package main

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"

	"wedrop/pipeline/inspect/inspecttest"
)

// Two clips of four seconds, made with a real encoder, so that what the demo
// sends can be played.
var (
	//go:embed samples/opening.mp4
	openingClip []byte
	//go:embed samples/launch.mp4
	launchClip []byte
)

// writeSamples makes the files of the demo: two videos, a document, and a
// video of an iPhone that somebody has merely renamed.
func writeSamples(dir string) ([]string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	var paths []string
	for _, s := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"双十一_开场.mp4", padded(openingClip, 3<<20)},
		{"新品发布会.mp4", padded(launchClip, 20<<20)},
		{"prices-价格表.pdf", whole(inspecttest.PDF())},
		{"iphone-clip.mp4", padded(quickTime(openingClip), 1<<20)},
	} {
		path := filepath.Join(dir, s.name)
		if err := writeSample(path, s.write); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// padded writes a clip that a box without meaning fills up to size bytes: a
// small program shows files of the sizes that people send.
func padded(clip []byte, size int64) func(io.Writer) error {
	return func(w io.Writer) error {
		free := size - int64(len(clip))
		head := binary.BigEndian.AppendUint32(nil, uint32(free))
		_, err := io.Copy(w, io.MultiReader(bytes.NewReader(clip), bytes.NewReader(append(head, "free"...)),
			io.LimitReader(zeroes{}, free-8)))
		return err
	}
}

// zeroes never ends.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// quickTime is an MP4 whose brands say that it is a QuickTime MOV, as an
// iPhone writes it.
func quickTime(mp4 []byte) []byte {
	mov := bytes.Clone(mp4)
	brands := mov[8:binary.BigEndian.Uint32(mov)]
	for i := 0; i+4 <= len(brands); i += 4 {
		if i != 4 { // the minor version
			copy(brands[i:], "qt  ")
		}
	}
	return mov
}

func whole(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(b))
		return err
	}
}

func writeSample(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
