// Welcometool is a welcome-message tool in small: it sees to it that a group
// welcome template shows a video with a text, and that the video's media_id
// lives. It uses nothing but wedrop's public packages.
//
//	welcometool TEXT VIDEO
//
// The first run sends the video, adds the template and prints its id. A later
// one with the same video takes the media_id from the ledger, or renews it
// first, and edits the template if the text or the media_id is another one.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"wedrop/pipeline"
	"wedrop/pipeline/inspect"
	"wedrop/pipeline/journal"
	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/wecom"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: welcometool TEXT VIDEO")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		tell(err)
		os.Exit(1)
	}
}

func run(ctx context.Context, text, video string) error {
	p, ledger, err := open(ctx)
	if err != nil {
		return err
	}
	defer ledger.Close()

	item, err := p.PushFile(ctx, pipeline.File{Path: video, Type: inspect.Video})
	if err == nil {
		item, err = p.Media(ctx, item.MD5, 12*time.Hour) // one that lives for a while
	}
	if err != nil {
		return err
	}
	want := wecom.WelcomeTemplate{Text: text, Video: &wecom.WelcomeMedia{MediaID: item.Media.ID}, Notify: new(bool)}

	all, err := p.Templates(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Item != item.ID {
			continue
		}
		if t.Sent().Text == text && t.Media == item.Media.ID {
			fmt.Println("unchanged", t.ID)
			return nil
		}
		_, err := p.EditTemplate(ctx, t.ID, want)
		if err == nil {
			fmt.Println("edited", t.ID)
		}
		return err
	}
	added, err := p.AddTemplate(ctx, want)
	if added.ID != "" {
		fmt.Println("added", added.ID)
	}
	return err
}

// open is where a program in earnest has its configuration: another bucket
// (s3bucket, cosbucket) and WeCom's own address, which is the default.
func open(ctx context.Context) (*pipeline.Pipeline, *journal.Journal, error) {
	driver, err := dirbucket.Open(os.Getenv("TOOL_BUCKET"))
	if err != nil {
		return nil, nil, err
	}
	bucket, err := storage.New(driver, storage.Options{PublicURL: os.Getenv("TOOL_PUBLIC_URL")})
	if err != nil {
		return nil, nil, err
	}
	ledger, err := journal.Open(ctx, os.Getenv("TOOL_LEDGER"), journal.Options{})
	if err != nil {
		return nil, nil, err
	}
	corp := os.Getenv("TOOL_CORP_ID")
	client, err := wecom.New(wecom.Config{BaseURL: os.Getenv("TOOL_WECOM"), CorpID: corp, Secret: os.Getenv("TOOL_SECRET"), Store: ledger})
	if err != nil {
		ledger.Close()
		return nil, nil, err
	}
	return &pipeline.Pipeline{Corp: corp, Journal: ledger, Bucket: bucket, WeCom: client}, ledger, nil
}

// tell says what happened and what to do now.
func tell(err error) {
	var fault *pipeline.FaultError
	var stop *pipeline.StopError
	var other interface {
		Explain(lang string) (message, remedy string)
	}
	message, remedy := err.Error(), ""
	switch {
	case errors.As(err, &fault):
		message, remedy = fault.Item.Fault.Message.ZH, fault.Item.Fault.Remedy.ZH
	case errors.As(err, &stop):
		message, remedy = stop.Fault.Message.ZH, stop.Fault.Remedy.ZH
	case errors.As(err, &other):
		message, remedy = other.Explain("zh")
	}
	fmt.Fprintln(os.Stderr, message)
	fmt.Fprintln(os.Stderr, "→", remedy)
}
