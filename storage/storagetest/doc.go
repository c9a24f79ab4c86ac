// Package storagetest holds every rule to which a storage.Driver is bound.
//
// A driver's test calls [Run] with a [Harness] that opens buckets of its
// service; each rule that is not kept fails with the reason why it matters
// for a file on its way to WeCom. A service on loopback that wants to be told
// to fail embeds a [Faults], so that all fakes fail in the same ways.
package storagetest

import (
	"slices"
	"testing"

	"wedrop/storage"
)

// Prefix is before every key of the suite. It is open to everybody in the
// Situations that say so; "closed/" beside it never is.
const Prefix = "wedrop-test"

// A Situation is what a bucket is like.
type Situation string

const (
	// Open: the credentials may do everything, and everybody may read under
	// Prefix without any ACL (a bucket policy, a web server), and only there.
	Open Situation = "open"
	// ACLs: nothing is public but objects whose own ACL says so.
	ACLs Situation = "acls"
	// ACLsRefused: a request with an ACL is refused in words of its own
	// (AccessControlListNotSupported); everybody may read under Prefix.
	ACLsRefused Situation = "acls-refused"
	// ACLsBlocked: a request with a public ACL is refused as AccessDenied;
	// everybody may read under Prefix.
	ACLsBlocked Situation = "acls-blocked"
	// ACLsIgnored: ACLs are accepted and nothing is public.
	ACLsIgnored Situation = "acls-ignored"
	// WrongSecret: the credentials are not the bucket's.
	WrongSecret Situation = "wrong-secret"
	// ReadOnly: the credentials are right, but may not write or delete.
	ReadOnly Situation = "read-only"
	// NoBucket: there is no such bucket.
	NoBucket Situation = "no-bucket"
)

// A Bucket is one bucket of the service, empty unless the rule filled it.
type Bucket struct {
	Driver    storage.Driver
	PublicURL string   // for storage.Options; "" if Driver.URL knows it
	Faults    *Faults  // nil if the service cannot be told to fail
	Secrets   []string // must never be seen in an error
}

// A Harness is what a driver's test tells the suite of its service.
type Harness struct {
	// Open makes a new bucket that is in the situation. It cleans up by
	// t.Cleanup.
	Open func(t *testing.T, s Situation) Bucket

	// Without are the situations that the service does not know, and
	// NoFaults that it cannot be told to fail (Bucket.Faults is nil). Rules
	// that need them are not run.
	Without  []Situation
	NoFaults bool

	// Serial keeps the rules from running in parallel, for a service which
	// does not bear it.
	Serial bool
}

// Run runs every rule as a subtest.
func Run(t *testing.T, h Harness) {
	for _, r := range rules {
		if h.NoFaults && r.needs == faults || slices.Contains(h.Without, r.needs) {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			if !h.Serial {
				t.Parallel()
			}
			r.check(&check{T: t, h: h, why: r.why})
		})
	}
}

// A rule is what a Driver must do, and what breaks at WeCom if it does not.
type rule struct {
	name  string
	why   string
	check func(*check)
	needs Situation // Open if empty
}

// faults is what a rule needs whose server is told to fail.
const faults Situation = "faults"

var rules = []rule{
	{"a stored object is served to everybody in ranges", whyRange, (*check).putAndRead, ""},
	{"a single byte and a file of five bytes are stored", whyRange, (*check).tiny, ""},
	{"a body that differs from its MD5 is not stored", whyMD5, (*check).wrongMD5, ""},
	{"a body that differs from its MD5 replaces nothing", whyMD5, (*check).wrongMD5Over, ""},
	{"a large body that differs from its checksums is not stored", whyMD5, (*check).wrongLarge, ""},
	{"a body that is too short is not stored", whyWhole, (*check).shortBody, ""},
	{"a body that is too long is not stored", whyWhole, (*check).longBody, ""},
	{"a body that breaks is not stored", whyWhole, (*check).brokenBody, ""},
	{"the body is left open", whyOpen, (*check).leftOpen, ""},
	{"IfAbsent replaces nothing", whyAbsent, (*check).ifAbsent, ""},
	{"without IfAbsent an object is replaced", whyReplace, (*check).replace, ""},
	{"Head of a missing object is not-found", whyHead, (*check).headMissing, ""},
	{"Head knows size and MD5", whyHead, (*check).head, ""},
	{"Delete removes the object", whyDelete, (*check).remove, ""},
	{"Delete of a missing object is no error", whyDelete, (*check).removeMissing, ""},
	{"Chinese and reserved characters in keys are kept", whyKeys, (*check).strangeKeys, ""},
	{"content type and disposition are served", whyType, (*check).contentType, ""},
	{"an ACL makes an object public, and its absence does not", whyACL, (*check).acl, ACLs},
	{"a policy opens the prefix and nothing else", whyPolicy, (*check).policy, ""},
	{"a bucket that refuses ACLs gets by with its policy", whyNoACL, (*check).aclRefused, ACLsRefused},
	{"a bucket that blocks public ACLs gets by with its policy", whyNoACL, (*check).aclBlocked, ACLsBlocked},
	{"an ACL that is ignored is noticed", whyIgnored, (*check).aclIgnored, ACLsIgnored},
	{"wrong credentials are denied", whyDenied, (*check).wrongSecret, WrongSecret},
	{"missing rights are denied", whyDenied, (*check).readOnly, ReadOnly},
	{"a missing bucket is no-bucket", whyNoBucket, (*check).noBucket, NoBucket},
	{"a busy service is tried again by the Bucket alone", whyBusy, (*check).busy, faults},
	{"a busy service says when to come back", whyBusy, (*check).retryAfter, faults},
	{"a reset amid the body is unreachable and leaves nothing", whyReset, (*check).reset, faults},
	{"a refusal before the body is read arrives as what it is", whyEarly, (*check).early, faults},
	{"an ETag that is not the MD5 is an error and leaves nothing", whyETag, (*check).wrongETag, faults},
	{"a server without ranges is noticed", whyNoRange, (*check).noRange, faults},
	{"many files at once", whyMany, (*check).many, ""},
	{"one key at once from many", whyMany, (*check).sameKey, ""},
	{"a context that ends stops the upload and leaves nothing", whyCancel, (*check).cancel, ""},
	{"a Bucket carries a file from Put to Remove", whyBucket, (*check).bucket, ""},
	{"a Trial finds an open bucket good and leaves nothing", whyTrial, (*check).trial, ""},
	{"a poisoned object is replaced", whyPoison, (*check).poisoned, ""},
	{"ID names no endpoint and no secret", whyID, (*check).id, ""},
}

const (
	whyRange    = "WeCom fetches the link in ranges (830001 if it cannot), and tells a changed file by its MD5 (301019)"
	whyMD5      = "wrong bytes under a key that is the MD5 are trusted from then on: every later job of the file ends with 301019"
	whyWhole    = "a half file under the final key is taken for whole by the next run, and WeCom ends its job with 301019"
	whyOpen     = "the Bucket opens and closes the file for each try; a driver that closes it breaks the second try (SDKs do)"
	whyAbsent   = "two machines that stage the same file would replace an object that WeCom is reading"
	whyReplace  = "a poisoned object could never be mended"
	whyHead     = "whether a file has to be sent at all hangs on it: a wrong answer sends everything twice or stages nothing"
	whyDelete   = "clean-up runs again after a crash; an error for what is gone would hold it for ever"
	whyKeys     = "a folder in Chinese is normal for the people who use this; a wrongly escaped key is signed wrongly or found nowhere"
	whyType     = "a staged web page must not render under the company's domain, and a video must be one"
	whyACL      = "object-acl is the access where no policy may be written; without ACL the object must stay closed"
	whyPolicy   = "bucket-policy is the access where no ACLs are taken; what is beside the prefix is not ours to open"
	whyNoACL    = "S3 buckets take no ACLs since 2023 unless told to: every fresh bucket would fail"
	whyIgnored  = "services exist that answer 200 to an ACL and ignore it; WeCom would then be refused while everything here is green"
	whyDenied   = "a person must be told to look at keys and rights, once, and not after tries that get the account locked"
	whyNoBucket = "a typo in the bucket's name must not look like trouble that passes"
	whyBusy     = "a driver which tries by itself multiplies the tries of the Bucket, sends the file unasked and holds up cancelling"
	whyReset    = "what is cut must be sent again, and not be taken for a stored file"
	whyEarly    = "a refusal that ends as \"connection reset\" is tried again for ever, and the person never learns which right is missing"
	whyETag     = "the service says itself that it has stored other bytes; WeCom would find them with 301019 after minutes"
	whyNoRange  = "WeCom ends such a job with 830001 after minutes"
	whyMany     = "a folder of thousands of files is staged in parallel"
	whyCancel   = "Ctrl-C and a shutdown of the daemon must end at once"
	whyBucket   = "this is the way of every file"
	whyTrial    = "wedrop doctor would call a good bucket bad, or leave its litter in public"
	whyPoison   = "an object cut or replaced by hand would otherwise be submitted for ever"
	whyID       = "it is written into the ledger and shown to people"
)
