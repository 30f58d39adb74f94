-- Names as numbers, so that rows and indexes stay small.
CREATE TABLE ddd_queue (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL DEFAULT '{}',
    paused INTEGER NOT NULL DEFAULT 0,
    quota INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE ddd_kind (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (name, version)
);

-- Times are microseconds since 1970, statuses the numbers of `codes.rs`. Parameters over some KiB are in ddd_large, so that a
-- change of status does not write them again.
CREATE TABLE ddd_task (
    id BLOB NOT NULL PRIMARY KEY,
    status INTEGER NOT NULL,
    queue INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    due INTEGER NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    timeout INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    lease_until INTEGER,
    worker BLOB,
    cancel_requested INTEGER NOT NULL,
    still_running INTEGER NOT NULL,
    frees_unique INTEGER NOT NULL,
    concurrency_key TEXT,
    permit TEXT,
    label TEXT,
    errors TEXT,
    progress TEXT,
    result_until INTEGER,
    params TEXT,
    result TEXT
) WITHOUT ROWID;

-- What is ready, in the order of its claim within one priority.
CREATE INDEX ddd_ready ON ddd_task (queue, priority, due, id, kind) WHERE status = 0;
-- What waits for its time.
CREATE INDEX ddd_timer ON ddd_task (due) WHERE status IN (1, 2);
-- What waits for a permit, and what holds one.
CREATE INDEX ddd_blocked ON ddd_task (concurrency_key, priority, due, id) WHERE status = 3;
CREATE INDEX ddd_permit ON ddd_task (permit) WHERE permit IS NOT NULL;
CREATE INDEX ddd_parked ON ddd_task (kind, due, id) WHERE status = 4;
-- What is held by a worker.
CREATE INDEX ddd_lease ON ddd_task (lease_until) WHERE lease_until IS NOT NULL;
-- What is over, for its retention.
CREATE INDEX ddd_done ON ddd_task (finished_at) WHERE status IN (6, 8);
CREATE INDEX ddd_failed ON ddd_task (finished_at) WHERE status IN (7, 9);
-- What did not succeed, for those who look for it: few rows, each entered once.
CREATE INDEX ddd_unsuccessful ON ddd_task (id) WHERE status IN (7, 8, 9);
CREATE INDEX ddd_result ON ddd_task (result_until) WHERE result IS NOT NULL;

CREATE TABLE ddd_large (
    id BLOB NOT NULL PRIMARY KEY,
    params TEXT NOT NULL
);

-- Tasks that were written over connections that only know the statement for it; the store takes them in.
CREATE TABLE ddd_inbox (
    id TEXT NOT NULL PRIMARY KEY,
    task TEXT NOT NULL
);

CREATE TABLE ddd_unique (
    key TEXT NOT NULL PRIMARY KEY,
    task BLOB NOT NULL,
    until INTEGER
) WITHOUT ROWID;
CREATE INDEX ddd_unique_until ON ddd_unique (until) WHERE until IS NOT NULL;

CREATE TABLE ddd_idempotency (
    key TEXT NOT NULL PRIMARY KEY,
    fingerprint BLOB,
    task BLOB NOT NULL,
    status INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ddd_idempotency_until ON ddd_idempotency (until);

CREATE TABLE ddd_worker (
    id BLOB NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    host TEXT NOT NULL,
    queues TEXT NOT NULL,
    known TEXT NOT NULL,
    slots INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    alive_until INTEGER NOT NULL,
    renewed_until INTEGER NOT NULL,
    empties_until INTEGER NOT NULL
);

CREATE TABLE ddd_known (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    worker BLOB NOT NULL,
    PRIMARY KEY (name, version, worker)
) WITHOUT ROWID;
CREATE INDEX ddd_known_worker ON ddd_known (worker);

CREATE TABLE ddd_schedule (
    name TEXT NOT NULL PRIMARY KEY,
    task TEXT NOT NULL,
    params TEXT NOT NULL,
    rule TEXT NOT NULL,
    time_zone TEXT,
    paused INTEGER NOT NULL,
    last INTEGER,
    next INTEGER
);

-- Figures: kept with each change, so that nothing has to be counted.
CREATE TABLE ddd_tally (
    queue INTEGER NOT NULL,
    what INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (queue, what, kind, priority)
) WITHOUT ROWID;

CREATE TABLE ddd_ended (
    second INTEGER NOT NULL,
    status INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (second, status)
) WITHOUT ROWID;
