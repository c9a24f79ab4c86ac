package storagetest

import (
	"net/http"
	"strings"

	"wedrop/storage"
)

func (c *check) acl() {
	c.open(ACLs)
	open, closed := newSample(300), newSample(300)
	r := open.request()
	r.ACL = true
	c.ok("Put with ACL", c.Driver.Put(c.Context(), r))
	c.served(open, 0, 299)
	c.put(closed)
	c.shut(closed.key)
}

// shut wants an anonymous request to be refused.
func (c *check) shut(key string) {
	c.Helper()
	if resp, _ := c.get(key, "bytes=0-0"); resp.StatusCode < 400 {
		c.broken("anonymous GET of %s: got %s, want a refusal", key, resp.Status)
	}
}

func (c *check) policy() {
	c.open(Open)
	s := newSample(300)
	c.put(s)
	c.served(s, 0, 299)
	if p := c.Driver.Policy(Prefix); p != "" && !strings.Contains(p, Prefix+"/*") {
		c.broken("Policy does not name %s/*: %s", Prefix, p)
	}
	if c.Driver.Policy(Prefix) == "" {
		return // a folder: there is nothing beside it
	}
	s.key = "closed/" + s.md5 + ".mp4"
	c.put(s)
	c.shut(s.key)
}

func (c *check) aclRefused() {
	c.open(ACLsRefused)
	s := newSample(300)
	r := s.request()
	r.ACL = true
	c.cause("Put with ACL", c.Driver.Put(c.Context(), r), storage.CauseNoACL)
	c.getsBy()
}

func (c *check) aclBlocked() {
	c.open(ACLsBlocked)
	s := newSample(300)
	r := s.request()
	r.ACL = true
	c.cause("Put with ACL", c.Driver.Put(c.Context(), r), storage.CauseNoACL, storage.CauseDenied)
	c.getsBy()
}

// getsBy wants auto to carry two files to a good proof, and object-acl to say
// what is wrong.
func (c *check) getsBy() {
	c.Helper()
	b := c.bucketOf(storage.AccessAuto)
	for range 2 {
		s := newSample(20_000)
		obj, err := b.Put(c.Context(), s.blob())
		c.ok("Put with access auto", err)
		c.ok("Prove", b.Prove(c.Context(), obj, s.blob()))
	}
	s := newSample(20_000)
	_, err := c.bucketOf(storage.AccessACL).Put(c.Context(), s.blob())
	if err == nil {
		c.broken("Put with access object-acl: got no error")
	}
	s = newSample(20_000)
	_, err = c.bucketOf(storage.AccessPolicy).Put(c.Context(), s.blob())
	c.ok("Put with access bucket-policy", err)
}

func (c *check) aclIgnored() {
	c.open(ACLsIgnored)
	b := c.bucketOf(storage.AccessAuto)
	s := newSample(300)
	obj, err := b.Put(c.Context(), s.blob())
	c.ok("Put", err)
	e := c.kind("Prove", b.Prove(c.Context(), obj, s.blob()), storage.NotPublic)
	if c.Driver.Policy(Prefix) != "" && !strings.Contains(e.Policy, Prefix) {
		c.broken("the error has no policy to paste: %q", e.Policy)
	}
	if !e.Config() || e.Temporary() {
		c.broken("Config is %v and Temporary %v, want true and false", e.Config(), e.Temporary())
	}
}

func (c *check) wrongSecret() {
	c.open(WrongSecret)
	s := newSample(300)
	c.cause("Put", c.Driver.Put(c.Context(), s.request()), storage.CauseDenied)
	_, err := c.Driver.Head(c.Context(), s.key)
	c.cause("Head", err, storage.CauseDenied)
	c.cause("Delete", c.Driver.Delete(c.Context(), s.key), storage.CauseDenied)
	_, err = c.bucketOf("").Put(c.Context(), s.blob())
	e := c.kind("Bucket.Put", err, storage.Denied)
	if e.FaultCode() != "storage/denied" || !e.Config() {
		c.broken("FaultCode is %q and Config %v, want storage/denied and true", e.FaultCode(), e.Config())
	}
}

func (c *check) readOnly() {
	c.open(ReadOnly)
	s := newSample(300)
	c.cause("Put", c.Driver.Put(c.Context(), s.request()), storage.CauseDenied)
	_, err := c.bucketOf("").Put(c.Context(), s.blob())
	c.kind("Bucket.Put", err, storage.Denied)
}

func (c *check) noBucket() {
	c.open(NoBucket)
	s := newSample(300)
	c.cause("Put", c.Driver.Put(c.Context(), s.request()), storage.CauseNoBucket)
	_, err := c.bucketOf("").Put(c.Context(), s.blob())
	c.kind("Bucket.Put", err, storage.BadConfig)
}

func (c *check) noRange() {
	c.openFaulty()
	b := c.bucketOf("")
	s := newSample(300)
	obj, err := b.Put(c.Context(), s.blob())
	c.ok("Put", err)
	c.Faults.NoRange(true)
	if resp, _ := c.get(s.key, "bytes=0-0"); resp.StatusCode != http.StatusOK {
		c.Fatalf("the server does not obey Faults.NoRange: %s", resp.Status)
	}
	c.kind("Prove", b.Prove(c.Context(), obj, s.blob()), storage.NoRange)
}
