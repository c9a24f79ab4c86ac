package pipeline

import "context"

// Wake sets those Items of entries going that have something to do, as Enter
// does for files that it finds in the ledger. The entries, of Known, then
// stand as Run wants them. Zero ones are left alone.
func (p *Pipeline) Wake(ctx context.Context, entries []Entry, o EnterOptions) error {
	if err := p.wake(ctx, entries, o); err != nil {
		return err
	}
	p.ring()
	return nil
}
