// Package pipeline carries local files to WeCom media_ids.
//
// To send one file, fill in a Pipeline and call PushFile; the example does
// what "wedrop push" does. To send many, call Enter, which puts them into the
// ledger, and Run, which works until each is at its end. To ask for a media_id
// that is valid now, call Media: it answers from the ledger, and renews first
// where needed. To put it into a group welcome template, call AddTemplate, and
// KeepTemplates beside Serve (RenewTemplates in runs of cron) for as long as
// the template is to live.
//
// An Item goes along a line of steps:
//
//	inspect → stage → submit → await → done
//
// Its Step, the work that it waits for, is its whole state. When a step ends,
// one function, settle, decides what happens next: forward, wait, again after
// a pause, back to an earlier step (a bounded number of times), or held for a
// person, always with a Fault that says what to do. A fault of the
// configuration (an untrusted address, a bucket that is not public) ends the
// whole run, because nothing could succeed; the next run tries again.
//
// What is recorded is recorded under a claim that others respect, so any
// number of processes may work on one ledger. A crash at any instant loses
// nothing and repeats at most the calls that were under way: uploads are
// found by their key, and only a submit at the very instant of death is made
// twice, for WeCom has no idempotency key. Submits are therefore made one at
// a time by each process (Pipeline.Submits).
//
// What is not known of the live service, and what happens then: whether
// WeCom gives the same media_id again for equal content (its created_at is
// believed within reason, see birth); what it answers about an expired job
// (any answer that is not about us or the network counts as lost); whether
// created_at may be missing (the life is counted from the submit, so it is
// never thought longer than it is).
package pipeline
