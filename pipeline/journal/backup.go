package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Counts is how much a ledger holds.
type Counts struct{ Items, Files, Objects, Callbacks, Templates int64 }

// ErrExists is returned by Backup and WriteFile if there is a file of that
// name and it may not be replaced.
var ErrExists = errors.New("journal: the file exists")

// ErrLive is returned for a file that is a ledger at work, where a backup is
// meant.
var ErrLive = errors.New("journal: that file is a ledger which is worked with, no backup")

// A DamagedError says that a file is not a whole ledger.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string { return e.Path + ": not a whole journal: " + e.Err.Error() }

func (e *DamagedError) Unwrap() error { return e.Err }

// Backup writes a copy of the ledger as it is at one moment into a file (mode
// 0600), while others go on working, and checks that copy before it gets its
// name. An existing file is left alone (ErrExists), but for a backup where
// replace says so. Tokens and claims are not in it.
func (j *Journal) Backup(ctx context.Context, file string, replace bool) (n Counts, err error) {
	return publish(ctx, file, replace, func(tmp string) error {
		db, err := connect(j.store.path, "", 1)
		if err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, `VACUUM INTO ?`, tmp)
		if e := db.Close(); err == nil {
			err = e
		}
		if err != nil {
			return j.explained(err)
		}
		db, err = alone(tmp)
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.ExecContext(ctx, `PRAGMA secure_delete=1; BEGIN; DELETE FROM tokens; DELETE FROM rates;
			UPDATE items SET lease=0, owner='' WHERE lease<>0 OR owner<>'';
			INSERT OR REPLACE INTO about VALUES ('backup',`+strconv.FormatInt(ms(j.now()), 10)+`); COMMIT`)
		return err
	})
}

// A Writer fills a new ledger.
type Writer struct {
	ctx context.Context
	tx  *sql.Tx
}

// WriteFile makes a ledger in a file, of rows that fill puts into it, checks
// it and gives it its name, as Backup does.
func WriteFile(ctx context.Context, file string, replace bool, fill func(*Writer) error) (Counts, error) {
	return publish(ctx, file, replace, func(tmp string) error { return build(ctx, tmp, len(migrations), fill) })
}

// Columns are the table's; none if this schema does not have it.
func (w *Writer) Columns(table string) ([]string, error) {
	rows, err := w.tx.QueryContext(w.ctx, `SELECT name FROM pragma_table_info(?)`, table)
	if err != nil {
		return nil, err
	}
	return collect(rows, readString)
}

// Put adds a row.
func (w *Writer) Put(table string, columns []string, row []any) error {
	q := `INSERT OR REPLACE INTO "` + table + `" ("` + strings.Join(columns, `","`) + `") VALUES (?` + strings.Repeat(",?", len(columns)-1) + `)`
	if table != "about" {
		q = strings.Replace(q, " OR REPLACE", "", 1)
	}
	_, err := w.tx.ExecContext(w.ctx, q, row...)
	return err
}

// Sequence lets the next id of "items" or "files" be higher than last.
func (w *Writer) Sequence(table string, last int64) error {
	r, err := w.tx.ExecContext(w.ctx, `UPDATE sqlite_sequence SET seq=max(seq,?) WHERE name=?`, last, table)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); n > 0 || err != nil {
		return err
	}
	_, err = w.tx.ExecContext(w.ctx, `INSERT INTO sqlite_sequence (name,seq) VALUES (?,?)`, table, last)
	return err
}

// build makes a file with the tables of a version, fills them, and then brings
// them up to date. Nobody owns what is in it.
func build(ctx context.Context, path string, version int, fill func(*Writer) error) error {
	db, err := alone(path)
	if err != nil {
		return err
	}
	defer db.Close()
	for n := range version {
		if err := migrateTo(ctx, db, n); err != nil {
			return err
		}
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fill(&Writer{ctx, tx}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE items SET lease=0, owner='' WHERE lease<>0 OR owner<>'';
		UPDATE counter SET rev=max(rev,(SELECT coalesce(max(rev),0) FROM items))`); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return migrate(ctx, db)
}

// alone opens a file that nobody else knows of; there is no WAL.
func alone(path string) (*sql.DB, error) {
	return openPool(path, "_pragma=foreign_keys(1)&_pragma=synchronous(OFF)&_pragma=journal_mode(MEMORY)", 1)
}

// unchanging opens a file that nobody changes, and does not change it either:
// not even beside it anything is made. What its schema says is not trusted.
func unchanging(path string) (*sql.DB, error) {
	return openPool(path, "mode=ro&immutable=1&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)&_pragma=query_only(1)", 1)
}

// publish lets write make a file beside the one that is wanted, checks it, and
// gives it the name at once and for good. Nothing stays where it fails.
func publish(ctx context.Context, file string, replace bool, write func(tmp string) error) (n Counts, err error) {
	file, err = filepath.Abs(file)
	if err != nil {
		return n, err
	}
	if err := replaceable(file, replace); err != nil {
		return n, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(file), ".wedrop-backup-*")
	if err != nil {
		return n, err
	}
	defer os.RemoveAll(dir)
	tmp, err := emptyFile(dir)
	if err != nil {
		return n, err
	}
	if err := write(tmp); err != nil {
		return n, err
	}
	if n, err = check(ctx, tmp); err != nil {
		return n, err
	}
	if err := durable(tmp); err != nil {
		return n, err
	}
	if err := name(tmp, file, replace); err != nil {
		return n, err
	}
	_ = durable(filepath.Dir(file)) // not on Windows
	return n, nil
}

// emptyFile makes a file in a new folder, which SQLite will write into, and
// which is nobody else's to read.
func emptyFile(dir string) (string, error) {
	path := filepath.Join(dir, "journal.db")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	return path, f.Close()
}

// replaceable says whether a file may get that name.
func replaceable(file string, replace bool) error {
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !replace || !info.Mode().IsRegular():
		return ErrExists
	case live(file):
		return ErrLive
	}
	return nil
}

// live reports whether a ledger is or was opened at that path: its backups have
// neither a WAL nor owners.
func live(path string) bool {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return true
	}
	_, err := os.Stat(path + ".owners")
	return err == nil
}

// name gives tmp its final name. A file that has come there in the meantime
// stays, unless it may be replaced.
func name(tmp, file string, replace bool) error {
	if replace {
		return os.Rename(tmp, file)
	}
	err := os.Link(tmp, file)
	if errors.Is(err, fs.ErrExist) {
		return ErrExists
	}
	if err == nil {
		return nil
	}
	// A disk without hard links.
	if _, err := os.Lstat(file); err == nil {
		return ErrExists
	}
	return os.Rename(tmp, file)
}

// durable makes a file's content, or a folder's names, survive a power cut.
func durable(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if f, err = os.Open(path); err != nil {
			return err
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// check reads a whole ledger in a file that nobody changes: the pages, the
// references, and every row as the program reads it.
func check(ctx context.Context, path string) (n Counts, err error) {
	db, err := unchanging(path)
	if err != nil {
		return n, err
	}
	defer db.Close()
	if err := intact(ctx, db); err != nil {
		return n, &DamagedError{path, err}
	}
	for table, into := range n.tables() {
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(into); err != nil {
			return n, &DamagedError{path, err}
		}
	}
	if err := legible(ctx, db); err != nil {
		return n, &DamagedError{path, err}
	}
	return n, nil
}

func (n *Counts) tables() map[string]*int64 {
	return map[string]*int64{"items": &n.Items, "files": &n.Files, "objects": &n.Objects, "callbacks": &n.Callbacks, "templates": &n.Templates}
}

func intact(ctx context.Context, db *sql.DB) error {
	var said string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil {
		return notALedger(err)
	}
	if said != "ok" {
		return errors.New(said)
	}
	rows, err := db.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		return errors.New("a file belongs to an item that is not there")
	}
	return rows.Err()
}

// legible reads every row into what the program makes of it.
func legible(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT `+all+` FROM items`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if _, err := scanItem(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, q := range []string{
		`SELECT dev,ino,fsize,mtime,ctime,seen FROM files`,
		`SELECT made,doomed,0,0,0,0 FROM objects`,
		`SELECT at,0,0,0,0,0 FROM callbacks`,
		`SELECT item,created,updated,0,0,0 FROM templates`,
	} {
		if err := integers(ctx, db, q); err != nil {
			return err
		}
	}
	return nil
}

func integers(ctx context.Context, db *sql.DB, query string) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var v [6]int64
	for rows.Next() {
		if err := rows.Scan(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5]); err != nil {
			return err
		}
	}
	return rows.Err()
}

// imported are the tables that a backup is read for.
var imported = [...]string{"items", "files", "objects", "callbacks", "templates", "about"}

// read makes a ledger at path of the rows of a backup. Nothing of that file
// but its rows is taken: the tables and what must hold for them are made anew.
func read(ctx context.Context, backup, path string) error {
	db, err := unchanging(backup)
	if err != nil {
		return err
	}
	defer db.Close()
	damaged := func(err error) error {
		if err == nil || ctx.Err() != nil {
			return err
		}
		return &DamagedError{backup, err}
	}
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return damaged(notALedger(err))
	}
	switch {
	case version > len(migrations):
		return newer(ctx, db, version)
	case version < 1:
		return damaged(errors.New("there is no ledger of wedrop's in it"))
	}
	if err := intact(ctx, db); err != nil {
		return damaged(err)
	}
	return damaged(build(ctx, path, version, func(w *Writer) error {
		for _, table := range imported {
			if err := w.copy(db, table); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		rows, err := db.QueryContext(ctx, `SELECT name,seq FROM sqlite_sequence WHERE name IN ('items','files')`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var seq int64
			if err := rows.Scan(&name, &seq); err != nil {
				return err
			}
			if err := w.Sequence(name, seq); err != nil {
				return err
			}
		}
		return rows.Err()
	}))
}

// copy adds the rows of another file's table.
func (w *Writer) copy(from *sql.DB, table string) error {
	columns, err := w.Columns(table)
	if err != nil || len(columns) == 0 {
		return err
	}
	var sql string
	if err := from.QueryRowContext(w.ctx, `SELECT sql FROM sqlite_master WHERE type='table' AND name=?`, table).Scan(&sql); err != nil {
		return err
	}
	if strings.HasPrefix(strings.ToUpper(sql), "CREATE VIRTUAL") {
		return errors.New("is no table")
	}
	rows, err := from.QueryContext(w.ctx, `SELECT "`+strings.Join(columns, `","`)+`" FROM "`+table+`"`)
	if err != nil {
		return err
	}
	defer rows.Close()
	t := &Table{table, columns, rows}
	for t.Next() {
		row, err := t.Values()
		if err != nil {
			return err
		}
		if table == "about" && row[0] == "moved" {
			continue
		}
		if err := w.Put(table, columns, row); err != nil {
			return err
		}
	}
	return t.Err()
}

// Restored is what Restore did.
type Restored struct {
	Counts
	Made time.Time // when the backup was made; zero if it is not known
	Kept string    // where the journal is now that was replaced; empty if there was none
	// Unread is why the journal that was replaced could not be read; nil if
	// it could.
	Unread error
	// Newer is what was taken over from it, because it is true whatever the
	// backup says: jobs and media_ids of WeCom's, objects in the bucket.
	Newer     Counts
	Templates []string // the ids of templates that were taken over
}

// Restore puts the ledger of a backup in the place of the one at path. Nobody
// may work with that one (ErrInUse), and nobody can before it is done. It is
// kept beside under another name. What it knows of the world and the backup
// does not is taken over, as far as it can be read. The backup stays as it was.
func Restore(ctx context.Context, backup, path string) (r Restored, err error) {
	if backup, err = filepath.Abs(backup); err != nil {
		return r, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return r, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	info, err := os.Stat(backup)
	if err != nil {
		return r, err
	}
	if now, err := os.Stat(path); err == nil && os.SameFile(now, info) {
		return r, ErrLive
	}
	if wal, err := os.Stat(backup + "-wal"); err == nil && wal.Size() > 0 {
		return r, ErrLive
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, err
	}
	if err := localDisk(dir); err != nil {
		return r, err
	}
	gate := flock.New(path + ".lock") // whoever opens it waits
	if got, err := gate.TryLock(); err != nil {
		return r, err
	} else if !got {
		return r, ErrInUse
	}
	defer gate.Unlock()
	if used, err := owned(path); err != nil {
		return r, err
	} else if used {
		return r, ErrInUse
	}
	work, err := os.MkdirTemp(dir, ".wedrop-restore-*")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(work)
	tmp, err := emptyFile(work)
	if err != nil {
		return r, err
	}
	if err := read(ctx, backup, tmp); err != nil {
		return r, err
	}
	if r.Made, err = made(ctx, tmp); err != nil {
		return r, err
	}
	if err := r.takeOver(ctx, tmp, path); err != nil {
		return r, err
	}
	if r.Counts, err = check(ctx, tmp); err != nil {
		return r, err
	}
	if err := durable(tmp); err != nil {
		return r, err
	}
	return r, r.swap(tmp, path)
}

// made is when the ledger at path was written as a backup.
func made(ctx context.Context, path string) (time.Time, error) {
	db, err := unchanging(path)
	if err != nil {
		return time.Time{}, err
	}
	defer db.Close()
	var at string
	if err := db.QueryRowContext(ctx, `SELECT value FROM about WHERE key='backup'`).Scan(&at); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, err
	}
	millis, _ := strconv.ParseInt(at, 10, 64) // 0: not known
	return from(millis), nil
}

// owned reports whether a process that lives has the ledger at path open.
func owned(path string) (bool, error) {
	files, err := os.ReadDir(path + ".owners")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, f := range files {
		lock := flock.New(filepath.Join(path+".owners", f.Name()))
		got, err := lock.TryLock()
		if err != nil || !got {
			return true, err
		}
		lock.Unlock()
	}
	return false, nil
}

// swap sets the ledger at path aside and gives tmp its name. At each moment
// there is one or the other under that name, but for a ledger whose WAL could
// not be emptied.
func (r *Restored) swap(tmp, path string) error {
	if _, err := os.Lstat(path); err == nil {
		r.Kept = path + ".replaced-" + time.Now().UTC().Format("20060102T150405.000Z")
		wal := path + "-wal"
		if info, err := os.Stat(wal); err == nil && info.Size() > 0 {
			err = os.Rename(path, r.Kept)
			if err = errors.Join(err, os.Rename(wal, r.Kept+"-wal")); err != nil {
				return err
			}
		} else if err := os.Link(path, r.Kept); err != nil {
			if err := os.Rename(path, r.Kept); err != nil {
				return err
			}
		}
	}
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	_ = durable(filepath.Dir(path)) // not on Windows
	return nil
}

// takeOver puts into the ledger at tmp what the one at path knows of the world
// besides: it is no less true for the backup being older.
func (r *Restored) takeOver(ctx context.Context, tmp, path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	if r.Unread = legibleAt(ctx, path); r.Unread != nil {
		return ctx.Err()
	}
	db, err := alone(tmp)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `ATTACH ? AS was`, path); err != nil {
		return err
	}
	var same bool
	if err := db.QueryRowContext(ctx, `SELECT (SELECT value FROM about WHERE key='id') = (SELECT value FROM was.about WHERE key='id')`).Scan(&same); err != nil {
		return err
	}
	if !same {
		r.Unread = errors.New("it is another journal, not an earlier or later state of this one")
		return nil
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, `SELECT id FROM was.templates WHERE (corp,id) NOT IN (SELECT corp,id FROM main.templates) ORDER BY created,id`)
	if err != nil {
		return err
	}
	if r.Templates, err = collect(rows, readString); err != nil {
		return err
	}
	for _, s := range []struct {
		into *int64
		sql  string
	}{
		// An id is given once, so one id is one item: the later state of it holds.
		{nil, `DELETE FROM main.files WHERE item IN (SELECT i.id FROM main.items i JOIN was.items w USING (id,created) WHERE w.updated>i.updated AND w.step IN ('await','done'))`},
		{nil, `DELETE FROM main.items WHERE id IN (SELECT i.id FROM main.items i JOIN was.items w USING (id,created) WHERE w.updated>i.updated AND w.step IN ('await','done'))`},
		{&r.Newer.Items, `INSERT OR IGNORE INTO main.items SELECT * FROM was.items WHERE step IN ('await','done') AND id NOT IN (SELECT id FROM main.items)`},
		{&r.Newer.Files, `INSERT OR IGNORE INTO main.files SELECT * FROM was.files WHERE item IN (SELECT i.id FROM main.items i JOIN was.items w USING (id,created)) AND id NOT IN (SELECT id FROM main.files)`},
		{&r.Newer.Objects, `INSERT OR IGNORE INTO main.objects SELECT * FROM was.objects`},
		{&r.Newer.Callbacks, `INSERT OR IGNORE INTO main.callbacks SELECT * FROM was.callbacks`},
		{&r.Newer.Templates, `INSERT OR IGNORE INTO main.templates SELECT * FROM was.templates`},
		{nil, `UPDATE main.templates SET item=0 WHERE item NOT IN (SELECT id FROM main.items)`},
		{nil, `UPDATE main.items SET lease=0, owner='' WHERE lease<>0 OR owner<>''`},
		{nil, `UPDATE main.counter SET rev=max(rev,(SELECT rev FROM was.counter))`},
		{nil, `UPDATE main.sqlite_sequence SET seq=max(seq,coalesce((SELECT w.seq FROM was.sqlite_sequence w WHERE w.name=main.sqlite_sequence.name),0))`},
	} {
		done, err := tx.ExecContext(ctx, s.sql)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err == nil && s.into != nil {
			*s.into = n
		}
	}
	return tx.Commit()
}

// legibleAt empties the WAL of the ledger at path into its file and reads the
// whole of it. It has to have the tables of this program.
func legibleAt(ctx context.Context, path string) error {
	db, err := openPool(path, "mode=rw&_pragma=busy_timeout(2000)", 1)
	if err != nil {
		return err
	}
	defer db.Close()
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return notALedger(err)
	}
	if version != len(migrations) {
		return fmt.Errorf("schema %d, not %d", version, len(migrations))
	}
	if err := intact(ctx, db); err != nil {
		return err
	}
	if err := legible(ctx, db); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}
