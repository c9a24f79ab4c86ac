package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
	"wedrop/storage"
	"wedrop/storage/dirbucket"
	"wedrop/wecom"
)

// A media_id that lives for an hour at least, whatever that takes: the ledger
// answers, or the file is sent again first. Give ctx the time that it may take.
func ExamplePipeline_Media() {
	site, p := newPipeline()
	defer site.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	_, err := p.PushFile(ctx, pipeline.File{Path: site.path("clip.mp4")})
	check(err)

	item, err := p.Media(ctx, "clip.mp4", time.Hour)
	var several *pipeline.AmbiguousError
	switch {
	case errors.As(err, &several):
		fmt.Println("which of", len(several.Items)) // by path, MD5 or "id:12"
	case err != nil:
		check(err)
	default:
		fmt.Println(item.Name, item.Media.ID != "", time.Until(item.Media.ExpiresAt) > time.Hour)
	}
	// Output: clip.mp4 true true
}

// A welcome template that stays alive: KeepTemplates beside Serve, or
// RenewTemplates from time to time, renews its video and edits it.
func ExamplePipeline_AddTemplate() {
	site, p := newPipeline()
	defer site.Close()
	ctx := context.Background()
	item, err := p.PushFile(ctx, pipeline.File{Path: site.path("clip.mp4")})
	check(err)

	template, err := p.AddTemplate(ctx, wecom.WelcomeTemplate{
		Text:   "欢迎 %NICKNAME%",
		Video:  &wecom.WelcomeMedia{MediaID: item.Media.ID},
		Notify: new(bool), // false; nil would tell every member
	})
	if template.ID == "" {
		check(err)
	}
	fmt.Println("added:", template.ID != "")

	all, err := p.Templates(ctx)
	check(err)
	for _, t := range all {
		fmt.Println(t.State(), t.From.Name, t.Sent().Text)
	}
	edited, err := p.RenewTemplates(ctx)
	check(err)
	fmt.Println("renewed:", len(edited))
	// Output:
	// added: true
	// ready clip.mp4 欢迎 %NICKNAME%
	// renewed: 0
}

// newPipeline is what Example makes step by step.
func newPipeline() (*site, *pipeline.Pipeline) {
	s := newSite()
	ledger, err := journal.Open(context.Background(), s.path("wedrop.db"), journal.Options{})
	check(err)
	driver, err := dirbucket.Open("dir://" + s.path("public"))
	check(err)
	bucket, err := storage.New(driver, storage.Options{PublicURL: s.public.URL})
	check(err)
	client, err := wecom.New(wecom.Config{BaseURL: s.wecom.URL, CorpID: "wwtest", Secret: "secret", Store: ledger})
	check(err)
	s.ledger = ledger
	return s, &pipeline.Pipeline{Corp: "wwtest", Journal: ledger, Bucket: bucket, WeCom: client}
}
