package storagetest

import (
	"wedrop/storage"
)

func (c *check) trial() {
	c.open(Open)
	b := c.bucketOf(storage.AccessPolicy)
	for range 2 { // the second one finds nothing of the first
		t := b.Try()
		c.ok("Trial.Write", t.Write(c.Context()))
		fresh, err := t.Read(c.Context())
		c.ok("Trial.Read", err)
		if !fresh {
			c.broken("Trial.Read: got the bytes of an earlier Trial")
		}
		listed, err := t.Listed(c.Context())
		c.ok("Trial.Listed", err)
		if listed {
			c.broken("Trial.Listed: got true, want false of a bucket that opens single objects alone")
		}
		c.ok("Trial.Remove", t.Remove(c.Context()))
		if _, err := c.Driver.Head(c.Context(), t.Object().Key); err == nil {
			c.broken("the Trial's object is still there")
		}
	}
	if _, err := b.ServerTime(c.Context()); err != nil {
		c.broken("ServerTime: %v", err)
	}
}
