-- What is in few rows shares its indexes: a submission opens every index of the table, and asks whether the row belongs to it.
-- First the lock that dropping takes: whoever has read the table meanwhile and wants to write would wait for the indexes to be made, and
-- dropping for it.
LOCK TABLE ddd.task IN ACCESS EXCLUSIVE MODE;
-- What must run alone, and what is parked.
DROP INDEX ddd.task_alone;
DROP INDEX ddd.task_parked;
CREATE INDEX task_rare ON ddd.task (status, kind, queue) WHERE status = 4 OR (status = 0 AND alone);
-- What holds a permit, and what waits for one.
DROP INDEX ddd.task_permit;
DROP INDEX ddd.task_blocked;
CREATE INDEX task_keyed ON ddd.task (permit, concurrency_key, rank, id) WHERE permit OR status = 3;
