package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wedrop/pipeline/inspect"
	"wedrop/pipeline/inspect/inspecttest"
)

func ExampleRead() {
	dir, _ := os.MkdirTemp("", "inspect")
	defer os.RemoveAll(dir)
	clip, old := filepath.Join(dir, "开场.mp4"), filepath.Join(dir, "旧片.mov")
	os.WriteFile(clip, inspecttest.MP4(1<<20, 1), 0o600)
	os.WriteFile(old, inspecttest.MOV(1<<20, 1), 0o600)

	for _, path := range []string{clip, old} {
		facts, err := inspect.Read(context.Background(), path, inspect.Options{})
		var refused *inspect.Error
		if errors.As(err, &refused) {
			message, _ := refused.Explain("zh")
			fmt.Println(refused.FaultCode(), message)
			continue
		}
		fmt.Println(facts.Type, facts.Name, facts.Size, facts.Movie.Codec)
	}
	// Output:
	// video 开场.mp4 1048576 avc1
	// inspect/unsupported-video “旧片.mov”不是 MP4 视频，内容其实是：苹果 QuickTime MOV 视频。
}
