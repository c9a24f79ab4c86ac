package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"wedrop/pipeline/inspect/inspecttest"
)

// files makes n MP4 files of the same size in a new folder, and reads them
// once.
func (b *bench) files(name string, n int, size int64) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for i := range n {
		if err := makeFile(filepath.Join(dir, fmt.Sprintf("%05d.mp4", i)), size, uint64(i)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func makeFile(path string, size int64, seed uint64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := inspecttest.WriteMP4(f, size, seed); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, f)
	return err
}

// less is n, or a part of it where time is short.
func (b *bench) less(n, quick int) int {
	if b.quick {
		return quick
	}
	return n
}
