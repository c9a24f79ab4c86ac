// Package riverengine wakes Items by River jobs where the ledger is on
// PostgreSQL, and so spreads them over the machines that serve it.
//
// The row is the truth, and a job is only a wake-up: "somebody look at this
// Item". It is inserted in the transaction that makes the row due (Engine.Wake
// is the ledger's hook for that). Whoever fetches it carries the Item on, step
// by step, for as long as there is something to do, and then snoozes the job
// until the row's due time. If that is within seconds, as where WeCom has just
// been told of a link, the job ends and the process looks again by itself: a
// machine that stops inserts new jobs for these. So an Item has one job on its
// way at most, not one for each step. A job too many finds nothing to do and
// ends; a lost one is missed by nobody, because a sweep wakes every Item that is
// due and that nobody works on.
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
//
// # Scale
//
// A file costs one job (a second one where a callback comes), and about seven
// statements of the ledger that change something: claim, inspect, the note
// before the upload, stage, submit, claim, await. Those of several files that
// come at the same time share round trips and transactions. What bounds a
// machine is how soon a record is durable, for its submits are made one after
// the other (Pipeline.Submits), so that a kill repeats one at most; more machines
// add up until the database is busy, and all of them stay below the corp's
// rate: WeCom takes 10,000 calls a minute and 150,000 an hour of each API, that
// is 42 files a second over the hour, however many machines there are.
//
// Against wecomtest without delay, with the database and all machines on the
// same two cores and everything in memory, 1, 2, 3 and 10 machines did 420, 480,
// 500 and 390 files a second (BenchmarkMachines, medians, 2026-11-23): there the
// cores are the limit, of which a file takes 3.5 to 4.5 ms, more than half of it
// PostgreSQL's. Ten are worth their while for reading and uploading, not for
// submitting. Several corps share a database and nothing else: each has its own
// rate.
//
// An Item takes 1.8 KB with its indexes, its file 0.4 KB and its object 0.3 KB
// (1000 Items, vacuumed). At the limit of 150,000 files an hour, day and night,
// a year is 1.3 thousand million rows and 3.4 TB of each corp: then old ones have to
// go. At 10,000 files a day it is 9 GB a year, and nothing has to. River's table
// holds what is on its way and what ended in the last two minutes.
//
// Clean-up (Pipeline.Clean, every ten minutes by each machine) forgets an Item
// ninety days after its media_id died, if its public copy is removed, no
// template has it and none of its files is there any more. Whether one is only
// its host can tell; those of a machine that is gone for good stay.
package riverengine
