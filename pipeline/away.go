package pipeline

import (
	"context"
	"strings"
	"time"
)

// awayPause is when an Item is looked at again whose file nobody can read, if
// nobody comes: Back is called for whoever does.
const awayPause = 2 * time.Hour

// hostAway says that no machine is there that could read a file.
type hostAway struct {
	host, path string
}

func (e hostAway) Error() string     { return e.host + " is not there to read " + e.path }
func (e hostAway) FaultCode() string { return "wedrop/host-away" }
func (e hostAway) Explain(lang string) (string, string) {
	share, shared := strings.CutPrefix(e.host, sharePrefix)
	switch {
	case shared && lang == "zh":
		return "现在没有任何一台机器能看到共享文件夹 " + share + "，文件还读不到。",
			"请检查共享文件夹是否已挂载、运行 wedrop serve 的机器是否开着；恢复后会自动继续，无需其他操作。"
	case shared:
		return "no machine sees the shared folder " + share + " now, so the file cannot be read",
			"check that the folder is mounted and that a machine with wedrop serve is on; the file then goes on by itself"
	case lang == "zh":
		return "这个文件在机器 " + e.host + " 的本地文件夹里，而这台机器现在不在线。",
			"请让 " + e.host + " 重新开机并运行 wedrop serve，之后会自动继续；也可以在另一台机器上重新发送这个文件。"
	}
	return "the file is in a local folder of the machine " + e.host + ", and that machine is not there now",
		"start " + e.host + " and wedrop serve on it again, and the file goes on by itself; or send it again from another machine"
}

// Away tells that nobody is there who could read the files of these Items.
// Those that still wait to be read or staged get a Fault that says so. They go
// on with Back.
func (p *Pipeline) Away(ctx context.Context, ids []int64) error {
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return err
	}
	_, err = p.Journal.Amend(ctx, ids, func(it *Item) bool {
		if it.Step != Inspect && it.Step != Stage || it.Held() || it.Due.After(now) || p.sees(*it) {
			return false
		}
		f := faultOf(hostAway{it.Host, it.Path}, it.Step, now)
		f.Retry = true
		it.Fault, it.Due = &f, now.Add(awayPause)
		it.tell(now, Failed)
		return true
	})
	return err
}

// Back tells that files of these hosts can be read: the Items go on for which
// Away was called. It costs little where there are none, and may be called often.
func (p *Pipeline) Back(ctx context.Context, hosts []string) error {
	back := map[string]bool{}
	for _, h := range hosts {
		back[h] = true
	}
	goes := func(it Item) bool {
		return it.Fault != nil && it.Fault.Code == hostAway{}.FaultCode() && back[it.Host]
	}
	const page = 500
	for after := int64(0); ; {
		items, err := p.Journal.Items(ctx, Query{Corp: p.Corp, Steps: []Step{Inspect, Stage}, Code: hostAway{}.FaultCode(), After: after, Limit: page})
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].ID
		if err := p.goOn(ctx, items, goes); err != nil {
			return err
		}
	}
}

// goOn makes those Items due at once, without their Fault, for which goes
// holds.
func (p *Pipeline) goOn(ctx context.Context, items []Item, goes func(Item) bool) error {
	var ids []int64
	for _, it := range items {
		if goes(it) {
			ids = append(ids, it.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	now, err := p.Journal.Now(ctx)
	if err != nil {
		return err
	}
	_, err = p.Journal.Amend(ctx, ids, func(it *Item) bool {
		if !goes(*it) {
			return false
		}
		release(it, now)
		return true
	})
	return err
}
