// Package riverengine wakes Items by River jobs where the ledger is on
// PostgreSQL, and so spreads them over the machines that serve it.
//
// The row is the truth, and a job is only a wake-up: "somebody look at this
// Item". It is inserted in the transaction that makes the row due (Engine.Wake
// is the ledger's hook for that). Whoever fetches it carries the Item on, step
// by step, for as long as there is something to do, and then snoozes the job
// until the row's due time. So an Item has one job on its way, not one for each
// step. A job too many finds nothing to do and ends; a lost one is missed by
// nobody, because a sweep wakes every Item that is due and that nobody works
// on.
//
// Two kinds of queues: one for the steps that any machine may do, and one for
// each machine or share that reads files (and that knows whether they are
// still in their folder, for renewals). Jobs for what is due in more than an
// hour, as renewals are, are not inserted: at 150,000 Items an hour nine
// million of them would wait for their sixty hours. The sweep brings them.
//
// River has no heartbeat: it gives a killed machine's jobs to others after
// RescueStuckJobsAfter, or thinks a slow upload dead. Neither matters here. A
// row's lease is the fence, and lasts as long as its machine beats; when it has
// lapsed the sweep wakes the Item. All times are the ledger's: a machine's own
// clock decides nothing.
package riverengine
