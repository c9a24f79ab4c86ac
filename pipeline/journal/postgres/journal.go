package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"wedrop/pipeline"
)

// Lease is how long a claim lasts without a Beat.
const Lease = 30 * time.Second

// Options of Open.
type Options struct {
	// Now is the ledger's clock, for tests; the database's if nil.
	Now func() time.Time
	// Wake is called inside each transaction that makes Items due, or
	// changes when they are, while nobody has claimed them. If it fails, so
	// does the transaction. Nil: nobody is told.
	Wake func(ctx context.Context, tx pgx.Tx, wakes []Wake) error
	// Noted reports whether this process looks at an Item again when that
	// says, and nobody has to be woken. It is called before the Item is
	// recorded, and again if that made it due sooner; nil: never.
	Noted func(Wake) bool
	// Conns is how many connections are open at most; 8 if zero.
	Conns int
}

// A Wake says when an Item is due.
type Wake struct {
	Item int64
	At   time.Time
	Host string // that reads its file
	Step pipeline.Step
}

// A Journal is a ledger on PostgreSQL.
type Journal struct {
	o     Options
	host  string // for errors: host:port/database
	owner string
	pool  *pgxpool.Pool
	clock clock
	once  sync.Once

	mu   sync.Mutex
	held map[int64]claimed // by this process

	post     sync.Mutex
	notes    []note // that no courier has taken yet
	couriers int
}

var _ pipeline.Journal = (*Journal)(nil)

// Open opens the ledger in the database at rawURL (postgres://user@host/name;
// what is not in it comes from PGPASSWORD and the other variables of libpq),
// and makes its tables where there are none. Close it after use. Its errors
// are *Error.
func Open(ctx context.Context, rawURL string, o Options) (*Journal, error) {
	cfg, err := pgxpool.ParseConfig(rawURL)
	if err != nil { // what pgx says of it may hold the password
		return nil, &Error{Kind: KindURL}
	}
	cfg.MaxConns = 8
	if o.Conns > 0 {
		cfg.MaxConns = int32(o.Conns)
	}
	if t := &cfg.ConnConfig.ConnectTimeout; *t >= 2*time.Minute { // pgx's own; connect_timeout in the address stands
		*t = 5 * time.Second
	}
	setDefault(cfg.ConnConfig.RuntimeParams, "application_name", "wedrop")
	// What hangs must not hold rows for longer than a lease lasts.
	setDefault(cfg.ConnConfig.RuntimeParams, "statement_timeout", "15000")
	setDefault(cfg.ConnConfig.RuntimeParams, "idle_in_transaction_session_timeout", "15000")
	// Nor must a machine that was cut off in the middle of what it sent: then
	// neither of these runs, and the server would wait for the rest for two hours.
	setDefault(cfg.ConnConfig.RuntimeParams, "tcp_keepalives_idle", "10")
	setDefault(cfg.ConnConfig.RuntimeParams, "tcp_keepalives_interval", "5")
	setDefault(cfg.ConnConfig.RuntimeParams, "tcp_keepalives_count", "3")
	setDefault(cfg.ConnConfig.RuntimeParams, "tcp_user_timeout", "25000")
	j := &Journal{o: o, owner: newOwner(), held: map[int64]claimed{},
		host: fmt.Sprintf("%s:%d/%s", cfg.ConnConfig.Host, cfg.ConnConfig.Port, cfg.ConnConfig.Database)}
	if j.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, j.explained(err)
	}
	if err := j.prepare(ctx); err != nil {
		j.pool.Close()
		return nil, j.explained(err)
	}
	return j, nil
}

func setDefault(m map[string]string, key, value string) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

func (j *Journal) prepare(ctx context.Context) error {
	var version int
	if err := j.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return err
	}
	if version < 130000 {
		return &Error{Kind: KindOld, Host: j.host, Err: fmt.Errorf("version %d", version/10000)}
	}
	if err := j.migrate(ctx); err != nil {
		return err
	}
	_, err := j.Now(ctx)
	return err
}

// Pool is the connections to the database, for what shares it.
func (j *Journal) Pool() *pgxpool.Pool { return j.pool }

// Where names the database, without user and password.
func (j *Journal) Where() string { return "postgres://" + j.host }

// Shown is the address of a ledger as it may be shown: without a password,
// wherever it stands.
func Shown(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Opaque != "" {
		return "postgres://"
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		u.RawQuery = ""
	}
	for key := range q {
		if strings.Contains(strings.ToLower(key), "pass") { // password, sslpassword
			q.Del(key)
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}

// A clock knows how far the database's clock is from this process's monotonic
// one.
type clock struct {
	mu    sync.Mutex
	there time.Time // the database's,
	here  time.Time // at this reading of ours
}

// age is how old the measurement is, the time included in which this machine
// slept, and its monotonic clock stood still.
func (c *clock) age() time.Duration {
	return max(time.Since(c.here), time.Now().Round(0).Sub(c.here.Round(0)))
}

// clockFor is how long a measured difference is believed.
const clockFor = 10 * time.Second

// Now is the ledger's clock. It is measured every ten seconds; while the
// database cannot be asked the last measurement holds.
func (j *Journal) Now(ctx context.Context) (time.Time, error) {
	if j.o.Now != nil {
		return j.o.Now(), nil
	}
	j.clock.mu.Lock()
	defer j.clock.mu.Unlock()
	if c := &j.clock; c.here.IsZero() || c.age() > clockFor {
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		before := time.Now()
		var micros int64
		err := j.pool.QueryRow(ask, `SELECT (extract(epoch FROM clock_timestamp())*1000000)::bigint`).Scan(&micros)
		switch {
		case err == nil:
			c.there, c.here = time.UnixMicro(micros), before.Add(time.Since(before)/2)
		case c.here.IsZero():
			return time.Time{}, j.explained(err)
		default: // ask again soon, not at each call
			c.there, c.here = c.there.Add(time.Since(c.here)), time.Now().Add(-clockFor*9/10)
			c.there = c.there.Add(-clockFor * 9 / 10)
		}
	}
	return j.clock.there.Add(time.Since(j.clock.here)), nil
}

// Lease is how long a claim lasts without a Beat.
func (j *Journal) Lease() time.Duration { return Lease }

// Rev is that of the newest change that Items would show.
func (j *Journal) Rev(ctx context.Context) (rev int64, err error) {
	err = j.read(ctx, func(ctx context.Context) error {
		return j.pool.QueryRow(ctx, `SELECT coalesce((SELECT rev FROM items WHERE `+settled+` ORDER BY rev DESC LIMIT 1),0)`).Scan(&rev)
	})
	return rev, err
}

// settled says that a change is older than every one that is still under way.
// Transactions that are known to be another database's of the same server do
// not count.
const settled = `rev < (SELECT coalesce(min(x::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
	FROM pg_snapshot_xip(pg_current_snapshot()) x WHERE NOT EXISTS (
		SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid=l.pid
		WHERE l.locktype='transactionid' AND l.mode='ExclusiveLock' AND l.transactionid=x::xid AND a.datname<>current_database()))`

// Close ends the process's claims and closes the connections. A second Close
// does nothing.
func (j *Journal) Close() error {
	err := error(nil)
	j.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = j.attempt(ctx, j.freeAll)
		j.pool.Close()
	})
	return j.explained(err)
}

func newOwner() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// ms and from turn times into what the tables hold, and back.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func from(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
