// Package journal is the ledger of Items on SQLite: one file, safe for
// several processes of one machine at once, such as a cron run beside the
// daemon.
//
// Open is all there is to call; what it returns is a pipeline.Journal.
//
// The table of Items is the queue as well: a row has its step, when it is due
// and who has claimed it until when. A claim is a lease with a fence: what a
// worker writes after its lease lapsed, or after somebody else claimed the
// Item, changes nothing (pipeline.ErrLost). The process that has claimed
// proves that it lives by a lock on a file beside the ledger, so that what a
// killed process left behind is taken up at once and not only when its leases
// lapse.
//
// Writes of one process go through one goroutine, which puts what has
// gathered meanwhile into one transaction: durable (WAL, synchronous=FULL)
// before any of the callers goes on. What can wait does so for up to four
// milliseconds, so that there is more in one. SQLite's write lock orders the
// processes.
//
// Only files on local disks are taken: SQLite's locks do not hold on network
// file systems.
package journal
