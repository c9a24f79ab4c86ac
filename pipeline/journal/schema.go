package journal

// migrations are applied in order, each once; user_version counts them. One
// that has landed is never edited: what it made is changed by a further one.
//
// Times are milliseconds since 1970, 0 for none. What must never be stands
// here as a CHECK or a UNIQUE, so that no version of the program can write it.
var migrations = []string{`
CREATE TABLE items (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  corp      TEXT    NOT NULL,
  scene     INTEGER NOT NULL,
  host      TEXT    NOT NULL,
  path      TEXT    NOT NULL,
  want      TEXT    NOT NULL CHECK (want IN ('auto','video','file')),
  want_name TEXT    NOT NULL,

  dev INTEGER NOT NULL, ino INTEGER NOT NULL, fsize INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,
  name      TEXT    NOT NULL,
  type      TEXT    NOT NULL CHECK (type IN ('','video','file')),
  size      INTEGER NOT NULL CHECK (size >= 0),
  md5       TEXT    NOT NULL CHECK (md5 = '' OR length(md5) = 32),
  mime      TEXT    NOT NULL,
  ext       TEXT    NOT NULL,
  warnings  TEXT    NOT NULL, -- JSON; '' for none

  step      TEXT    NOT NULL CHECK (step IN ('inspect','stage','submit','await','done')),
  due       INTEGER NOT NULL,
  fault     TEXT    NOT NULL, -- JSON; '' for none
  held      INTEGER NOT NULL CHECK (held IN (0,1)),
  tries     INTEGER NOT NULL CHECK (tries >= 0),
  backs     INTEGER NOT NULL CHECK (backs >= 0),
  renew     INTEGER NOT NULL CHECK (renew IN (0,1)), -- Item.Replace

  bucket TEXT NOT NULL, object TEXT NOT NULL, url TEXT NOT NULL, staged INTEGER NOT NULL,
  job    TEXT NOT NULL, submitted INTEGER NOT NULL,
  media  TEXT NOT NULL, media_created INTEGER NOT NULL, media_expires INTEGER NOT NULL,

  owner TEXT NOT NULL DEFAULT '', fence INTEGER NOT NULL DEFAULT 0, lease INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, rev INTEGER NOT NULL,

  CHECK (held = 0 OR fault <> ''),
  CHECK (step = 'inspect' OR (md5 <> '' AND type <> '' AND name <> '')),
  CHECK (step NOT IN ('submit','await') OR object <> ''),
  CHECK (step <> 'await' OR job <> ''),
  CHECK (step <> 'done' OR (media <> '' AND held = 0))
);
-- One content, type and name of a corp is one Item.
CREATE UNIQUE INDEX items_identity ON items (corp, scene, md5, type, name) WHERE md5 <> '';
CREATE INDEX items_due     ON items (corp, step, due) WHERE held = 0;
CREATE INDEX items_held    ON items (corp, id) WHERE held = 1;
CREATE INDEX items_fault   ON items (corp, step) WHERE fault <> '';
CREATE INDEX items_lease   ON items (lease) WHERE lease > 0;
CREATE INDEX items_md5     ON items (md5) WHERE md5 <> '';
CREATE INDEX items_name    ON items (name);
CREATE INDEX items_object  ON items (object) WHERE object <> '';
CREATE INDEX items_expires ON items (media_expires) WHERE media <> '';
CREATE INDEX items_rev     ON items (rev);
CREATE INDEX items_job     ON items (job) WHERE step = 'await';

-- Jobs that WeCom called ended while nobody could act on it: the submit's
-- answer was not recorded yet, or a query was under way.
CREATE TABLE callbacks (
  job TEXT PRIMARY KEY,
  at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX callbacks_at ON callbacks (at);

-- Which Item carries the content of a file now.
CREATE TABLE files (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  corp      TEXT NOT NULL,
  host      TEXT NOT NULL,
  path      TEXT NOT NULL,
  want      TEXT NOT NULL,
  want_name TEXT NOT NULL,
  dev INTEGER NOT NULL, ino INTEGER NOT NULL, fsize INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,
  item      INTEGER NOT NULL REFERENCES items (id),
  seen      INTEGER NOT NULL,
  UNIQUE (path, host, corp, want, want_name)
);
CREATE INDEX files_item ON files (item);

-- The objects that this ledger made, or was about to make.
CREATE TABLE objects (
  bucket TEXT NOT NULL,
  key    TEXT NOT NULL,
  md5    TEXT NOT NULL,
  made   INTEGER NOT NULL,
  doomed INTEGER NOT NULL DEFAULT 0, -- until then somebody is removing it
  PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE INDEX objects_doomed ON objects (md5) WHERE doomed > 0;

CREATE TABLE tokens (
  key     TEXT PRIMARY KEY,
  sealed  BLOB,
  expires INTEGER NOT NULL DEFAULT 0,
  refusal BLOB,
  refused INTEGER NOT NULL DEFAULT 0, -- until then the secret is not tried again
  owner   TEXT NOT NULL DEFAULT '',
  process TEXT NOT NULL DEFAULT '', -- of the owner, as in items.owner
  lease   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE counter (rev INTEGER NOT NULL);
INSERT INTO counter VALUES (0);
`, `
ALTER TABLE items ADD COLUMN history TEXT NOT NULL DEFAULT ''; -- JSON; '' for none

-- When the next turn of a rate would be, were all taken evenly (GCRA).
CREATE TABLE rates (
  key TEXT PRIMARY KEY,
  tat INTEGER NOT NULL -- microseconds since 1970
) WITHOUT ROWID;

-- Welcome templates; WeCom has no list of them.
CREATE TABLE templates (
  corp    TEXT    NOT NULL,
  id      TEXT    NOT NULL CHECK (id <> ''),
  content TEXT    NOT NULL,
  item    INTEGER NOT NULL, -- 0 for none
  media   TEXT    NOT NULL,
  fault   TEXT    NOT NULL, -- JSON; '' for none
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (corp, id)
) WITHOUT ROWID;
`, `
ALTER TABLE templates ADD COLUMN md5   TEXT NOT NULL DEFAULT '';
ALTER TABLE templates ADD COLUMN shown TEXT NOT NULL DEFAULT '';
CREATE INDEX items_media ON items (media) WHERE media <> '';
`, `
-- What is true of the journal as a whole: id (random), program and schema (the
-- wedrop that made its tables, and how many migrations that were), moved (where
-- it was carried to; nobody works with it any more), backup (when this copy was
-- made, in milliseconds).
CREATE TABLE about (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO about VALUES ('id', lower(hex(randomblob(16))));
`, `
-- What the clocks showed at the last change (see clock.go), and by how many
-- milliseconds the wall clock was set in all.
ALTER TABLE counter ADD COLUMN wall    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN up      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN boot    TEXT    NOT NULL DEFAULT '';
ALTER TABLE counter ADD COLUMN shifted INTEGER NOT NULL DEFAULT 0;
`}
