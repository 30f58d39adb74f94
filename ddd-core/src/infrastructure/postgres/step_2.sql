-- What is in few rows shares its indexes: a submission opens every index of the table, and asks whether the row belongs to it.
-- What must run alone, and what is parked.
CREATE INDEX task_rare ON ddd.task (status, kind, queue) WHERE status = 4 OR (status = 0 AND alone);
DROP INDEX ddd.task_alone;
DROP INDEX ddd.task_parked;
-- What holds a permit, and what waits for one.
CREATE INDEX task_keyed ON ddd.task (permit, concurrency_key, rank, id) WHERE permit OR status = 3;
DROP INDEX ddd.task_permit;
DROP INDEX ddd.task_blocked;
