-- All SQL of the SQLite store. Each statement is named by the line above it; values are always bound.
-- What the columns mean: FlowRow, FactRow and their kin in contract.py, and docs/format.md.
-- The form is version 1, and the ways up from it. None of it is ever changed in place: a later version comes with its
-- own way up.


-- The form, version 1

-- name: make_owner
CREATE TABLE owner (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    latest INTEGER NOT NULL
)

-- name: make_first_owner
INSERT INTO owner (one, name, epoch, batch, latest) VALUES (1, '', 0, 0, 0)

-- name: make_periods
CREATE TABLE periods (
    epoch INTEGER PRIMARY KEY,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    batch INTEGER NOT NULL DEFAULT 0
)

-- name: make_charts
CREATE TABLE charts (
    hash TEXT NOT NULL PRIMARY KEY,
    chart BLOB NOT NULL
)

-- A flow's number is the store's own: facts and moves find their flow by it, which costs half of what its id would.
-- name: make_flows
CREATE TABLE flows (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT NOT NULL,
    stranded TEXT NOT NULL,
    flags BLOB NOT NULL,
    started INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    tags BLOB NOT NULL,
    not_before INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    chart TEXT NOT NULL,
    rules INTEGER NOT NULL,
    version INTEGER NOT NULL,
    parent TEXT NOT NULL,
    priority INTEGER NOT NULL,
    labels BLOB NOT NULL
)

-- Apart from the row, because SQLite writes a whole row anew when a move changes it, and a cargo may be megabytes.
-- name: make_cargoes
CREATE TABLE cargoes (
    flow INTEGER PRIMARY KEY,
    cargo BLOB NOT NULL
)

-- name: make_flows_by_start
CREATE INDEX flows_by_start ON flows (started, id)

-- name: make_flows_by_name
CREATE INDEX flows_by_name ON flows (name, started, id)

-- Nearly all flows of an old store ended well; the others, and above all the unfinished, are found without them.
-- name: make_flows_by_state
CREATE INDEX flows_by_state ON flows (state, started, id) WHERE (state <> 'success' OR ended = 0)

-- Appended, never changed: in the order of the commits, so that a commit touches few pages.
-- name: make_facts
CREATE TABLE facts (
    flow INTEGER NOT NULL,
    number INTEGER NOT NULL,
    round INTEGER NOT NULL,
    address TEXT NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    who TEXT NOT NULL,
    version INTEGER NOT NULL,
    payload BLOB NOT NULL
)

-- name: make_facts_by_flow
CREATE UNIQUE INDEX facts_by_flow ON facts (flow, number)

-- The letters VFLW: by them a file says whose it is.
-- name: make_application
PRAGMA application_id = 1447447639

-- name: make_version
PRAGMA user_version = 1


-- The ways up: all steps up_2_ lead from version 1 to version 2, in this order and in one transaction

-- What became of the letters of an inbox. It stands where what it tells of stands, so that neither is without the other.
-- name: up_2_answer
CREATE TABLE answer (
    inbox TEXT NOT NULL,
    no INTEGER NOT NULL,
    flow TEXT NOT NULL,
    at INTEGER NOT NULL,
    said BLOB NOT NULL,
    PRIMARY KEY (inbox, no)
) WITHOUT ROWID

-- name: up_2_version
PRAGMA user_version = 2


-- Writing

-- name: take_keep_batch
UPDATE periods SET batch = (SELECT batch FROM owner) WHERE epoch = (SELECT epoch FROM owner)

-- name: take_owner
UPDATE owner SET name = :name, epoch = epoch + 1, batch = 0, latest = max(latest, :now)

-- name: take_period
INSERT INTO periods (epoch, began, ended) SELECT epoch, :now, :now FROM owner

-- name: owner
SELECT name, epoch, batch, latest FROM owner

-- Above all that is there, also above what lost its flow; but one number that something else made huge does not count.
-- name: next_no
SELECT 1 + max(
    (SELECT coalesce(max(no), 0) FROM flows WHERE no < 4611686018427387904),
    (SELECT coalesce(max(flow), 0) FROM cargoes WHERE flow < 4611686018427387904),
    (SELECT coalesce(max(flow), 0) FROM facts WHERE flow < 4611686018427387904)
)

-- name: flow_owner
SELECT no, epoch FROM flows WHERE id = ?

-- name: insert_chart
INSERT INTO charts (hash, chart) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING

-- name: insert_flow
INSERT INTO flows (
    id, uid, name, state, outcome, stranded, flags, started, changed, ended, tags, not_before, deadline, owner, epoch,
    chart, rules, version, parent, priority, labels, no
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_cargo
INSERT INTO cargoes (flow, cargo) VALUES (?, ?)

-- name: insert_fact
INSERT INTO facts (number, round, address, run, attempt, kind, at, epoch, who, version, payload, flow)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: move_flow
UPDATE flows SET state = ?, outcome = ?, stranded = ?, flags = ?, changed = ?, ended = ? WHERE no = ?

-- name: insert_answer
INSERT INTO answer (inbox, no, flow, at, said) VALUES (?, ?, ?, ?, ?)

-- name: forget_answers
DELETE FROM answer WHERE inbox = :inbox AND no IN (
    SELECT no FROM answer
    WHERE inbox = :inbox AND at < :before AND no NOT IN (SELECT value FROM json_each(:kept))
    LIMIT :limit
)

-- name: count_batch
UPDATE owner SET batch = ?, latest = max(latest, ?)

-- name: claim_flow
UPDATE flows SET owner = ?, epoch = ? WHERE id = ?

-- name: beat
UPDATE periods SET ended = max(ended, :now) WHERE epoch = :epoch AND epoch = (SELECT epoch FROM owner)

-- name: purge_facts
DELETE FROM facts WHERE flow = (SELECT no FROM flows WHERE id = ?)

-- name: purge_cargo
DELETE FROM cargoes WHERE flow = (SELECT no FROM flows WHERE id = ?)

-- name: purge_flow
DELETE FROM flows WHERE id = ?

-- name: purge_charts
DELETE FROM charts WHERE hash NOT IN (SELECT chart FROM flows)


-- Reading

-- name: form
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
FROM pragma_application_id, pragma_user_version

-- The conditions that a list adds, and its order, follow it.
-- name: flows
SELECT
    id, uid, name, state, outcome, stranded, flags, started, changed, ended, tags, not_before, deadline, owner, epoch,
    chart, rules, version, parent, priority, labels, cargo
FROM flows LEFT JOIN cargoes ON cargoes.flow = flows.no

-- name: where_id
id = ?

-- name: where_name
name = ?

-- name: where_state
state IN (SELECT value FROM json_each(?))

-- Word for word the condition of flows_by_state: only so does SQLite see that the index will do.
-- name: where_not_well
(state <> 'success' OR ended = 0)

-- name: where_unfinished
ended = 0

-- name: where_after
(started, id) < (SELECT started, id FROM flows WHERE id = ?)

-- name: newest_first
ORDER BY started DESC, id DESC LIMIT ?

-- The plus signs keep SQLite from walking through all flows in order of their start, only to spare itself a sort.
-- name: oldest_first
ORDER BY +started, +id

-- name: facts
SELECT :flow, number, round, address, run, attempt, kind, at, epoch, who, version, payload
FROM facts WHERE flow = (SELECT no FROM flows WHERE id = :flow) AND number > :after ORDER BY number

-- name: chart
SELECT chart FROM charts WHERE hash = ?

-- name: periods
SELECT epoch, began, ended FROM periods WHERE ended >= ? ORDER BY epoch

-- name: answer
SELECT said FROM answer WHERE inbox = ? AND no = ?

-- name: answered
SELECT no FROM answer WHERE inbox = ? AND typeof(no) = 'integer'

-- What ended before then was started before then, and that is what an index knows.
-- name: removable
SELECT id FROM flows
WHERE started < :before AND ended > 0 AND ended < :before AND +state IN (SELECT value FROM json_each(:states))
ORDER BY started, id LIMIT :limit

-- name: last_batch
SELECT batch FROM owner WHERE epoch = :epoch
UNION ALL
SELECT batch FROM periods WHERE epoch = :epoch AND epoch <> (SELECT epoch FROM owner)

-- name: latest
SELECT max(latest, (SELECT coalesce(max(ended), 0) FROM periods WHERE periods.epoch = owner.epoch)) FROM owner


-- Looking whether it is whole

-- name: lost_facts
SELECT count(*) FROM facts WHERE flow NOT IN (SELECT no FROM flows)

-- name: lost_cargoes
SELECT count(*) FROM cargoes WHERE flow NOT IN (SELECT no FROM flows)

-- name: missing_cargoes
SELECT count(*) FROM flows WHERE no NOT IN (SELECT flow FROM cargoes)

-- name: missing_charts
SELECT count(*) FROM flows WHERE chart NOT IN (SELECT hash FROM charts)
