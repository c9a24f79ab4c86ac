package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"wedrop/pipeline/inspect/inspecttest"
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
		{"双十一_开场.mp4", func(w io.Writer) error { return inspecttest.WriteMP4(w, 3<<20, 1) }},
		{"新品发布会.mp4", func(w io.Writer) error { return inspecttest.WriteMP4(w, 20<<20, 2) }},
		{"prices-价格表.pdf", whole(inspecttest.PDF())},
		{"iphone-clip.mp4", whole(inspecttest.MOV(1<<20, 3))},
	} {
		path := filepath.Join(dir, s.name)
		if err := writeSample(path, s.write); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
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
