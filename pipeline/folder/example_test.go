package folder_test

import (
	"context"

	"wedrop/pipeline"
	"wedrop/pipeline/folder"
	"wedrop/pipeline/inspect"
)

// A daemon enters each finished file into the ledger; the runs of the pipeline
// do the rest.
func ExampleWatcher() {
	line := &pipeline.Pipeline{} // see package pipeline
	files := func(found []folder.Candidate) []pipeline.File {
		out := make([]pipeline.File, len(found))
		for n, c := range found {
			out[n] = pipeline.File{Path: c.Path, Type: c.Type, ID: c.ID}
		}
		return out
	}
	w := &folder.Watcher{
		Folders: []folder.Folder{{Path: "/srv/素材", Type: inspect.Auto, Recursive: true, After: folder.Move}},
		Known: func(ctx context.Context, found []folder.Candidate) ([]bool, error) {
			entries, err := line.Known(ctx, files(found))
			known := make([]bool, len(entries))
			for n, e := range entries {
				known[n] = e.ID != 0
			}
			return known, err
		},
		Found: func(ctx context.Context, found []folder.Candidate) error {
			_, err := line.Enter(ctx, files(found), pipeline.EnterOptions{})
			return err
		},
	}
	_ = w.Run // until its context ends
}
