package pipeline

import (
	"context"
	"strings"
)

// A Block is a fault of the configuration that holds some Items now, and for
// which others wait.
type Block struct {
	Fault   Fault
	Held    int // Items that stand with it
	Waiting int // Items that wait for a step that it concerns
}

// Blocks are the faults of the configuration that are current in a ledger: one
// for the bucket and one for WeCom at most, the newest of each.
type Blocks []Block

// concerned are the steps that a part of the configuration is needed for.
var concerned = map[string][]Step{"storage": {Stage}, "wecom": {Submit, Await}}

// Blocks returns what keeps Items from going on until a person mends the
// configuration. A process that works on the ledger tries now and then whether
// it is mended, and then there is none any more.
func (p *Pipeline) Blocks(ctx context.Context) (Blocks, error) {
	stats, err := p.Journal.Stats(ctx, p.Corp)
	if err != nil {
		return nil, err
	}
	return p.BlocksIn(ctx, stats)
}

// BlocksIn is Blocks for who has the journal's Stats already.
func (p *Pipeline) BlocksIn(ctx context.Context, stats []Stat) (Blocks, error) {
	held := map[string]int{} // by code
	for _, st := range stats {
		if who, _, _ := strings.Cut(st.Code, "/"); st.Held && concerned[who] != nil {
			held[st.Code] += st.N
		}
	}
	found := map[string]*Block{}
	for code, n := range held {
		items, err := p.Journal.Items(ctx, Query{Corp: p.Corp, Held: true, Code: code, Newest: true, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(items) == 0 || !items[0].Held() || !items[0].Fault.Config {
			continue
		}
		who, _, _ := strings.Cut(code, "/")
		if b := found[who]; b == nil || items[0].Fault.At.After(b.Fault.At) {
			found[who] = &Block{Fault: *items[0].Fault, Held: n}
		}
	}
	var out Blocks
	for _, who := range []string{"storage", "wecom"} {
		if b := found[who]; b != nil {
			for _, st := range stats {
				if !st.Held && st.Code == "" && concerns(who, st.Step) {
					b.Waiting += st.N
				}
			}
			out = append(out, *b)
		}
	}
	return out, nil
}

func concerns(who string, step Step) bool {
	for _, s := range concerned[who] {
		if s == step {
			return true
		}
	}
	return false
}

// Shown is an Item as people are to see it: one that waits for a step which a
// Block concerns has its Fault, with Retry, for it goes on by itself then.
func (b Blocks) Shown(it Item) Item {
	if it.Fault != nil {
		return it
	}
	for _, one := range b {
		if who, _, _ := strings.Cut(one.Fault.Code, "/"); concerns(who, it.Step) {
			f := one.Fault
			f.Step, f.Retry, f.Config = it.Step, true, false
			it.Fault = &f
			return it
		}
	}
	return it
}
