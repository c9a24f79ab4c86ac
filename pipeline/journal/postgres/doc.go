// Package postgres is the ledger for several machines, on PostgreSQL 13 or
// later. Open it with Open; what wakes the Items on each machine is package
// riverengine's.
//
// It keeps the rules of pipeline.Journal as package journal does on SQLite,
// and the same tables. What is different:
//
// Clock. The database's decides about due times, claims and rates. A process
// measures once in a while how far it is from its own monotonic clock, so that
// a machine whose clock is wrong, or is set, works rightly all the same.
//
// Claims. A claim is a lease of 30 seconds that Beat prolongs. The row is
// locked only while a statement changes it (FOR UPDATE SKIP LOCKED); what
// keeps others away is owner, fence and lease in the row, and each Record is
// conditional on them.
//
// Together. A change that needs no answer in between (a record, a claim by ids, a
// note before an upload) is one batch of statements, and those that come while
// others are under way share it: one round trip, one transaction, one wait for
// the disk. If one of them cannot be made, each is made again by itself.
//
// Rev. It is the id of the transaction that made a change. A number of a
// sequence would not do: a later one may be committed first, and whoever has
// seen that would never see the earlier one. Readers that ask for what is new
// see only what is older than every transaction that is still under way, so
// nothing comes later with a smaller Rev. A database that was dumped and
// restored into another server counts anew; Revs mean something to running
// processes alone.
//
// Equal content. Who stages, or removes an object, holds an advisory lock on
// its MD5 while looking and claiming, and gives up at once if somebody else
// has it; so two can never both find that nobody stages it. As these locks are
// never waited for, they cause no deadlock; those of rows may, in rare orders,
// and the transaction is then made again.
//
// Figures (two shared cores, PostgreSQL 15 beside the processes, fsync on; the
// benchmarks are in bench_test.go). Three processes with eight workers each
// record 600 to 700 files a second, five steps each; a step costs about 0.4 ms of
// processor time, the server's included. In a ledger of 1,000,000 Items a claim
// takes 1 to 3 ms (an index scan over items_due, 0.2 ms of it), a look-up by
// path, name, MD5, id or media_id 0.1 to 0.3 ms, a page of a hundred 1 to 6 ms, Rev
// 0.8 ms, sixteen turns of a rate 0.3 ms. What looks at all rows: Stats 0.3 s, a
// search that finds nothing 0.8 s, the search for objects that nobody needs 1 to 2.5 s.
package postgres
