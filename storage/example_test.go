package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"wedrop/storage"
	"wedrop/storage/dirbucket"
)

// A file is put into a folder that a web server publishes, proved as WeCom
// would fetch it, and taken away again.
func Example() {
	folder, err := os.MkdirTemp("", "public")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	driver, err := dirbucket.Open(folderURL(folder))
	if err != nil {
		log.Fatal(err)
	}
	defer driver.Close()
	web := httptest.NewServer(driver.Handler()) // nginx, in real life
	defer web.Close()

	bucket, err := storage.New(driver, storage.Options{Prefix: "media", PublicURL: web.URL})
	if err != nil {
		log.Fatal(err)
	}
	clip := filepath.Join(folder, "clip.txt")
	if err := os.WriteFile(clip, []byte("hello"), 0o600); err != nil {
		log.Fatal(err)
	}
	blob := storage.Blob{
		Open: func() (io.ReadSeekCloser, error) { return os.Open(clip) },
		Size: 5,
		MD5:  "5d41402abc4b2a76b9719d911017c592",
		Ext:  ".txt",
	}
	ctx := context.Background()
	obj, err := bucket.Put(ctx, blob)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(obj.Key, obj.Uploaded)
	fmt.Println("proof:", bucket.Prove(ctx, obj, blob))

	again, _ := bucket.Put(ctx, blob)
	fmt.Println("again:", again.Uploaded)
	fmt.Println("removed:", bucket.Remove(ctx, obj.Key))
	// Output:
	// media/5d41402abc4b2a76b9719d911017c592.txt true
	// proof: <nil>
	// again: false
	// removed: <nil>
}

// An Error says what happened and what to do, in two languages.
func ExampleError_Explain() {
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "sign in first", http.StatusForbidden)
	}))
	defer closed.Close()
	folder, err := os.MkdirTemp("", "public")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	driver, err := dirbucket.Open(folderURL(folder))
	if err != nil {
		log.Fatal(err)
	}
	defer driver.Close()
	bucket, err := storage.New(driver, storage.Options{PublicURL: closed.URL})
	if err != nil {
		log.Fatal(err)
	}
	blob := blobOf("hello")
	err = bucket.Prove(context.Background(), bucket.Where(blob), blob)

	var e *storage.Error
	if errors.As(err, &e) {
		fmt.Println(e.FaultCode(), "-", e.Detail, "- for a person:", e.Config())
		_, remedy := e.Explain("en")
		fmt.Println(remedy[:46])
	}
	// Output:
	// storage/not-public - HTTP 403 - for a person: true
	// Check that the web server publishes the very f
}

// Without a call: the link that a file would have.
func ExampleBucket_Where() {
	folder, err := os.MkdirTemp("", "public")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	driver, err := dirbucket.Open(folderURL(folder))
	if err != nil {
		log.Fatal(err)
	}
	defer driver.Close()
	bucket, err := storage.New(driver, storage.Options{Prefix: "media", PublicURL: "https://cdn.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	obj := bucket.Where(storage.Blob{MD5: "5d41402abc4b2a76b9719d911017c592", Ext: ".mp4"})
	fmt.Println(obj.URL)
	// Output: https://cdn.example.com/media/5d41402abc4b2a76b9719d911017c592.mp4
}

func folderURL(folder string) string {
	return "dir:///" + strings.TrimPrefix(filepath.ToSlash(folder), "/")
}
