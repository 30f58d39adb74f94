-- Times are microseconds since 1970, durations microseconds, statuses the numbers of `codes.rs`. Keys are bytes, because a text
-- may not hold every character here.
CREATE TABLE ddd.queue (
    number INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL DEFAULT '{}',
    -- Whether a claim has to count what runs, or when the last ones started.
    limited BOOLEAN NOT NULL DEFAULT false,
    -- Whether a submission has to count what waits.
    bounded BOOLEAN NOT NULL DEFAULT false,
    paused BOOLEAN NOT NULL DEFAULT false,
    quota BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE ddd.kind (
    number INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (name, version)
);

-- What has not ended, and what has ended but whose body still runs.
CREATE TABLE ddd.task (
    id UUID PRIMARY KEY,
    status SMALLINT NOT NULL,
    priority SMALLINT NOT NULL,
    queue INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    run INTEGER NOT NULL DEFAULT 1,
    attempt INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    crashes INTEGER NOT NULL DEFAULT 0,
    -- The order of claims: due - priority * step.
    rank BIGINT NOT NULL,
    due BIGINT NOT NULL,
    timeout BIGINT NOT NULL,
    fence BIGINT NOT NULL DEFAULT 0,
    ended BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    lease_until BIGINT,
    result_until BIGINT,
    worker UUID,
    cancel_requested BOOLEAN NOT NULL DEFAULT false,
    still_running BOOLEAN NOT NULL DEFAULT false,
    frees_unique BOOLEAN NOT NULL DEFAULT false,
    permit BOOLEAN NOT NULL DEFAULT false,
    -- Whether it killed so many workers that it must run alone.
    alone BOOLEAN NOT NULL DEFAULT false,
    concurrency_key BYTEA,
    tags TEXT[],
    owner TEXT,
    label TEXT,
    errors TEXT,
    progress TEXT,
    params TEXT NOT NULL,
    result TEXT
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- What is ready, in the order of its claim.
CREATE INDEX task_ready ON ddd.task (queue, rank, id, kind) WHERE status = 0;
CREATE INDEX task_alone ON ddd.task (queue) WHERE status = 0 AND alone;
-- What waits for its time.
CREATE INDEX task_timer ON ddd.task (due) WHERE status IN (1, 2);
-- What waits for a permit, and what holds one.
CREATE INDEX task_blocked ON ddd.task (concurrency_key, rank, id) WHERE status = 3;
CREATE INDEX task_permit ON ddd.task (concurrency_key) WHERE permit;
CREATE INDEX task_parked ON ddd.task (kind) WHERE status = 4;
-- Whose tasks they are: who may only see its own looks for nothing else. Those without an owner have no entry; of a long name
-- the beginning does, because an entry has a greatest size.
CREATE INDEX task_owner ON ddd.task (left(owner, 100), id) WHERE owner IS NOT NULL;
-- What is held by a worker. Not `WHERE status = 5`: the planner would look for the ends of attempts in it.
CREATE INDEX task_lease ON ddd.task (lease_until) WHERE lease_until IS NOT NULL;

-- What is over: appended to, and cut at its old end.
CREATE TABLE ddd.history (LIKE ddd.task INCLUDING DEFAULTS)
WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER TABLE ddd.history ADD PRIMARY KEY (id);
CREATE INDEX history_done ON ddd.history (finished_at) WHERE status IN (6, 8);
CREATE INDEX history_failed ON ddd.history (finished_at) WHERE status IN (7, 9);
CREATE INDEX history_failed_id ON ddd.history (id) WHERE status IN (7, 8, 9);
CREATE INDEX history_owner ON ddd.history (left(owner, 100), id) WHERE owner IS NOT NULL;
CREATE INDEX history_kind ON ddd.history (kind, id);
-- Only large results are worth a write of their own when their time is over.
CREATE INDEX history_result ON ddd.history (result_until) WHERE octet_length(result) > 2000;

CREATE TABLE ddd.unique_key (
    key BYTEA PRIMARY KEY,
    task UUID NOT NULL,
    until BIGINT
);
CREATE INDEX unique_key_until ON ddd.unique_key (until) WHERE until IS NOT NULL;

CREATE TABLE ddd.idempotency (
    key BYTEA PRIMARY KEY,
    fingerprint BYTEA,
    task UUID NOT NULL,
    status SMALLINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX idempotency_until ON ddd.idempotency (until);

CREATE TABLE ddd.worker (
    id UUID PRIMARY KEY,
    host TEXT NOT NULL,
    queues TEXT NOT NULL,
    slots INTEGER NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    alive_until BIGINT NOT NULL,
    renewed_until BIGINT NOT NULL DEFAULT 0,
    empties_until BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE ddd.known (
    worker UUID NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (worker, name)
);

CREATE TABLE ddd.schedule (
    name TEXT PRIMARY KEY,
    task TEXT NOT NULL,
    params TEXT NOT NULL,
    rule TEXT NOT NULL,
    time_zone TEXT,
    paused BOOLEAN NOT NULL,
    last BIGINT,
    next BIGINT
);

-- How many tasks went from one status (-1: were not there) to another (-1: are gone), and when. Appended to, so that nobody waits
-- for anybody; upkeep adds up what is old.
CREATE TABLE ddd.tally (
    queue INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    priority SMALLINT NOT NULL,
    was SMALLINT NOT NULL,
    becomes SMALLINT NOT NULL,
    second BIGINT NOT NULL,
    n BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE ddd.setting (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
-- A channel has no rights: its name is a secret of those who may read this table.
INSERT INTO ddd.setting (name, value) VALUES ('channel', hashtextextended(gen_random_uuid()::text, 0));
