-- All SQL of the inbox, the side file in which other processes leave what the server of a store is to do.
-- Each statement is named by the line above it; values are always bound.


-- The form

-- name: make_inbox
CREATE TABLE inbox (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL
)

-- A number is never given twice, also after its letter was removed: a letter's answer is found by it.
-- name: make_letters
CREATE TABLE letters (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    flow TEXT NOT NULL,
    payload BLOB NOT NULL
)

-- name: make_starts
CREATE INDEX starts ON letters (flow) WHERE kind = 'start'

-- The letters VFLI.
-- name: make_application
PRAGMA application_id = 1447447625

-- name: make_version
PRAGMA user_version = 1


-- Writing

-- name: insert_inbox
INSERT INTO inbox (one, id) VALUES (1, ?)

-- name: insert_letter
INSERT INTO letters (at, who, kind, flow, payload) VALUES (?, ?, ?, ?, ?)

-- name: remove
DELETE FROM letters WHERE no = ?


-- Reading

-- name: form
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
FROM pragma_application_id, pragma_user_version

-- name: id
SELECT id FROM inbox

-- name: letters
SELECT no, at, who, kind, flow, payload FROM letters WHERE no > ? ORDER BY no LIMIT ?

-- name: letter_of
SELECT no, at, who, kind, flow, payload FROM letters WHERE flow = ? AND kind = 'start' ORDER BY no LIMIT 1

-- name: asked_about
SELECT DISTINCT flow FROM letters WHERE typeof(flow) = 'text' AND flow <> ''

-- name: changed
PRAGMA data_version
