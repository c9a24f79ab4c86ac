// Package uptime tells how long the machine has been up, its sleep included.
// Unlike the wall clock nobody sets it; unlike Go's monotonic clock it goes on
// while the machine sleeps, and all processes of the machine agree about it.
package uptime

import "time"

// Now returns the time since the machine started. ok is false where the system
// does not tell.
func Now() (d time.Duration, ok bool) { return now() }

// Boot names this run of the machine: times of different runs cannot be
// compared. It is empty where the system does not tell.
func Boot() string { return boot() }
