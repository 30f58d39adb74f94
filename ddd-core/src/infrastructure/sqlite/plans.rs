//! What SQLite does for each statement of a task's life: it looks into an index, and neither scans a table nor sorts.
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]

use std::{cell::RefCell, collections::BTreeSet, sync::Arc, time::Duration};

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};

use super::{
    migrations::migrate,
    session::{Memory, Session},
};
use crate::{
    domain::{AttemptError, FailureKind, IdempotencyKey, Label, Name, TaskId, Timestamp, Until},
    ports::{
        AttemptEnd, ClaimRequest, Claimed, Control, Declaration, Due, Finish, Heartbeat, Held, KnownTask, NewTask,
        QueueSettings, StoreSettings,
    },
};

thread_local! {
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that rusqlite calls")]
fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(_, sql) = event {
        SEEN.with_borrow_mut(|it| it.insert(sql.to_owned()));
    }
}

const QUEUE: Name = Name::new("default");
const SECOND: Duration = Duration::from_secs(1);

fn task(number: u64) -> NewTask {
    let params = serde_json::value::RawValue::from_string("{}".to_owned()).unwrap();
    let id = TaskId::from_parts(Timestamp::from_micros(1_700_000_000_000_000), 0, number);
    let mut task = NewTask::new(id, Name::new("task"), QUEUE, params.into());
    let mut label = Label::default();
    (label.concurrency_key, label.concurrency_limit) = (Some(format!("task:{}", number % 3)), 1);
    label.unique_key = Some(format!("task:{number}"));
    task.unique_until = Some(if number.is_multiple_of(2) { Until::Finished } else { Until::Elapsed(SECOND) });
    task.idempotency = Some(Box::new(IdempotencyKey::new(format!("key-{number}"))));
    task.label = (number > 10).then(|| Box::new(label));
    task.due = if number.is_multiple_of(5) { Due::In(SECOND) } else { Due::Now };
    task
}

/// All that happens to tasks, so that each statement is seen.
fn live(db: &Connection, memory: &mut Memory) {
    let worker = uuid::Uuid::from_u128(1).into();
    let mut settings = StoreSettings::default();
    (settings.history_ttl, settings.failed_ttl) = (SECOND, SECOND);
    settings.queues.push((QUEUE, QueueSettings::new().max_depth(100).concurrency(50)));
    memory.settings = Arc::new(settings.clone());
    let mut session = Session { db, memory };
    session.configure(&settings).unwrap();
    let known = vec![KnownTask { name: Name::new("task"), version: 1 }];
    let declare = |known| Declaration::new(worker, String::new(), vec![QUEUE], known, 4, 60 * SECOND);
    session.declare(&declare(known.clone())).unwrap();
    session.enqueue_all(&(0..40).map(task).collect::<Vec<_>>()).unwrap();
    let claim = |session: &mut Session<'_>| -> Vec<Claimed> {
        session.claim(&ClaimRequest::new(worker, [(QUEUE, 9)].into(), 9, SECOND, true)).unwrap().tasks
    };
    let claimed = claim(&mut session);
    let error = || AttemptError::new(FailureKind::Error, "broken".to_owned());
    let ends = [
        AttemptEnd::Success { result: None, ttl: SECOND },
        AttemptEnd::Failed(error()),
        AttemptEnd::Retry { error: error(), delay: SECOND },
        AttemptEnd::Timeout { error: error(), still_running: true },
        AttemptEnd::Release,
    ];
    let ends = claimed.iter().zip(ends).map(|(it, end)| Finish::new(it.id, it.fence, end)).collect::<Vec<_>>();
    session.finish_all(&ends).unwrap();
    session.finish_all(&ends).unwrap();
    let held = claimed.iter().map(|it| Held { id: it.id, fence: it.fence }).collect();
    session.heartbeat(&Heartbeat::new(worker, held, SECOND)).unwrap();
    let ids = claimed.iter().map(|it| it.id).chain((0..40).map(|it| task(it).id)).collect::<Vec<_>>();
    session.control(&Control::Reprioritise { ids: ids.clone(), priority: None, due: None }).unwrap();
    session.control(&Control::Cancel { ids: ids[..20].to_vec(), reason: String::new() }).unwrap();
    session.control(&Control::Retry { ids: ids[..8].to_vec() }).unwrap();
    session.control(&Control::Delete { ids: ids[..9].to_vec() }).unwrap();
    session.memory.now = session.memory.now.after(5 * SECOND);
    claim(&mut session);
    session.memory.tallies.flush(db).unwrap();
    session.declare(&declare(Vec::new())).unwrap();
    session.reap(10).unwrap();
    session.declare(&declare(known)).unwrap();
    session.memory.now = session.memory.now.after(3_600 * 48 * SECOND);
    session.reap(10).unwrap();
    session.withdraw(worker).unwrap();
}

#[test]
fn no_statement_of_a_tasks_life_scans_or_sorts() {
    let db = Connection::open_in_memory().unwrap();
    migrate(&db).unwrap();
    db.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
    let mut memory = Memory { now: Timestamp::from_micros(1_800_000_000_000_000), ..Memory::default() };
    live(&db, &mut memory);
    db.trace_v2(TraceEventCodes::empty(), None);
    let mut checked = 0;
    for sql in SEEN.with_borrow_mut(std::mem::take).iter().filter(|it| !it.starts_with("--")) {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = explain.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>().unwrap();
        for step in &steps {
            assert!(!step.contains("TEMP B-TREE"), "{sql}\nsorts: {steps:?}");
            // Small tables, and walks along an index that holds only what is meant, which end at their limit.
            let is_small =
                ["ddd_worker", "ddd_queue", "ddd_kind", "ddd_tally", "ddd_inbox", "CONSTANT ROW", "(subquery"];
            let is_walk = step.contains("INDEX ddd_timer");
            let is_scan = step.starts_with("SCAN") && !is_walk && !is_small.iter().any(|it| step.contains(it));
            assert!(!is_scan, "{sql}\nscans: {steps:?}");
        }
        checked += 1;
    }
    assert!(checked >= 50, "{checked} statements were seen");
}
