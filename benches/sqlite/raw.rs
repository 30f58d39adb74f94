//! Raw SQLite: the writes that any durable queue with fences has to make, one connection, one thread, nothing around them.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};

use super::file::Folder;

const TABLES: &str = "
    CREATE TABLE task (
        id BLOB PRIMARY KEY, status INTEGER NOT NULL, queue INTEGER NOT NULL, name INTEGER NOT NULL,
        priority INTEGER NOT NULL, due INTEGER NOT NULL, attempt INTEGER NOT NULL, max_attempts INTEGER NOT NULL,
        timeout INTEGER NOT NULL, fence INTEGER NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER,
        finished_at INTEGER, lease_until INTEGER, worker BLOB, params TEXT NOT NULL, result TEXT, result_until INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX ready ON task (queue, priority, due, id) WHERE status = 0;
    CREATE INDEX lease ON task (lease_until) WHERE lease_until IS NOT NULL;
    CREATE INDEX done ON task (finished_at) WHERE finished_at IS NOT NULL;";

const INSERT: &str = "INSERT INTO task (id, status, queue, name, priority, due, attempt, max_attempts, timeout, fence, \
                      created_at, params) VALUES (?1, 0, 1, 1, 0, ?2, 0, 1, 300000000, 0, ?2, '{}')";
const CLAIM: &str = "UPDATE task SET status = 5, attempt = attempt + 1, fence = fence + 1, started_at = ?1, \
                     lease_until = ?1 + 15000000, worker = ?2 WHERE id IN (SELECT id FROM task WHERE status = 0 AND \
                     queue = 1 ORDER BY priority, due, id LIMIT ?3) RETURNING id, fence, attempt, name, params";
const FINISH: &str = "UPDATE task SET status = 6, lease_until = NULL, finished_at = ?3, result = 'null', \
                      result_until = ?3 + 7200000000 WHERE id = ?1 AND fence = ?2 AND status = 5";

pub(crate) fn open(folder: &Folder) -> Connection {
    let db = Connection::open(folder.file()).expect("a file");
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
        .expect("the settings are taken");
    db.execute_batch(TABLES).expect("the tables are made");
    db
}

fn id(number: i64) -> [u8; 16] {
    (0x0190_0000_0000_7000_8000_0000_0000_0000_u128 + number as u128).to_be_bytes()
}

/// Inserts, claims and finishes so many tasks in batches; tasks per second.
pub(crate) fn end_to_end(tasks: usize, batch: usize) -> f64 {
    let folder = Folder::new();
    let db = open(&folder);
    let began = Instant::now();
    let mut insert = db.prepare(INSERT).expect("a statement");
    for first in (0..tasks).step_by(batch) {
        db.execute_batch("BEGIN IMMEDIATE").expect("it begins");
        for number in first..(first + batch).min(tasks) {
            insert.execute(params![id(number as i64), number as i64]).expect("it is inserted");
        }
        db.execute_batch("COMMIT").expect("it commits");
    }
    let mut claim = db.prepare(CLAIM).expect("a statement");
    let mut finish = db.prepare(FINISH).expect("a statement");
    let mut done = 0;
    while done < tasks {
        let claimed = claim
            .query_map(params![1_i64, [7_u8; 16], batch as i64], |row| {
                Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(4)?))
            })
            .expect("tasks are claimed")
            .collect::<Result<Vec<_>, _>>()
            .expect("tasks are claimed");
        db.execute_batch("BEGIN IMMEDIATE").expect("it begins");
        for (id, fence, _) in &claimed {
            done += finish.execute(params![id, fence, 2_i64]).expect("it is finished");
        }
        db.execute_batch("COMMIT").expect("it commits");
    }
    tasks as f64 / began.elapsed().as_secs_f64()
}

/// How long one commit of one row takes, each.
pub(crate) fn commits(count: usize) -> Vec<Duration> {
    let folder = Folder::new();
    let db = open(&folder);
    let mut insert = db.prepare(INSERT).expect("a statement");
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        let began = Instant::now();
        insert.execute(params![id(number as i64), number as i64]).expect("it is inserted");
        times.push(began.elapsed());
    }
    times
}

/// Single rows from so many submitters, each of which waits for its commit before the next: a thread writes what has been
/// asked in one transaction, and answers after its commit. Rows per second.
pub(crate) fn group_commit(submitters: usize, each: usize) -> f64 {
    let folder = Folder::new();
    let db = open(&folder);
    let (sender, receiver) = mpsc::channel::<(i64, mpsc::SyncSender<()>)>();
    let writer = thread::spawn(move || {
        let mut insert = db.prepare(INSERT).expect("a statement");
        let mut group = Vec::new();
        while let Ok(first) = receiver.recv() {
            group.push(first);
            // As patient as ours: with all of them there, a commit is shared by all.
            let until = Instant::now() + Duration::from_micros(300);
            while group.len() < submitters && Instant::now() < until {
                match receiver.try_recv() {
                    Ok(next) => group.push(next),
                    Err(_) => thread::sleep(Duration::from_micros(25)),
                }
            }
            db.execute_batch("BEGIN IMMEDIATE").expect("it begins");
            for (number, _) in &group {
                insert.execute(params![id(*number), *number]).expect("it is inserted");
            }
            db.execute_batch("COMMIT").expect("it commits");
            group.drain(..).for_each(|(_, answer)| answer.send(()).expect("somebody waits"));
        }
    });
    let began = Instant::now();
    let submitters: Vec<_> = (0..submitters)
        .map(|submitter| {
            let sender = sender.clone();
            thread::spawn(move || {
                for number in 0..each {
                    let (answer, answered) = mpsc::sync_channel(1);
                    sender.send(((submitter * each + number) as i64, answer)).expect("the writer lives");
                    answered.recv().expect("it is answered");
                }
            })
        })
        .collect();
    let rows = submitters.len() * each;
    submitters.into_iter().for_each(|it| it.join().expect("a submitter ends"));
    let rate = rows as f64 / began.elapsed().as_secs_f64();
    drop(sender);
    writer.join().expect("the writer ends");
    rate
}
