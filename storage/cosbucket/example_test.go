package cosbucket_test

import (
	"fmt"

	"wedrop/storage"
	"wedrop/storage/cosbucket"
)

func ExampleOpen() {
	d, err := cosbucket.Open("cos://media-1250000000/wedrop?region=ap-guangzhou",
		cosbucket.Options{SecretID: "AKID...", SecretKey: "..."}) // or from the environment
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := storage.New(d, storage.Options{Prefix: d.Prefix()})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = b // b.Put, b.Prove
	fmt.Println(d.ID(), d.URL("wedrop/0cc175b9c0f1b6a831c399e269772661.mp4"))
	// Output: cos://media-1250000000 https://media-1250000000.cos.ap-guangzhou.myqcloud.com/wedrop/0cc175b9c0f1b6a831c399e269772661.mp4
}
