//! Tasks that come again and again.

use super::{
    kit::{Kit, NAME, QUEUE, json, tick},
    under_test::StoreUnderTest,
};
use crate::{
    domain::{Name, TaskStatus, Timestamp},
    ports::{NewTask, QueueSettings, ScheduleCommand, ScheduleRecord},
};

const NIGHTLY: Name = Name::new("nightly");

fn schedule(rule: &str, next: Timestamp) -> ScheduleRecord {
    ScheduleRecord::new(NIGHTLY, NAME, json("{}"), rule.to_owned(), Some(next))
}

async fn put(kit: &Kit, schedule: ScheduleRecord) -> ScheduleRecord {
    kit.store.schedules(ScheduleCommand::Put(Box::new(schedule))).await.unwrap().remove(0)
}

async fn list(kit: &Kit) -> Vec<ScheduleRecord> {
    kit.store.schedules(ScheduleCommand::List(None)).await.unwrap()
}

fn fire(at: Timestamp, next: Timestamp, task: NewTask) -> ScheduleCommand {
    ScheduleCommand::Fire { name: NIGHTLY, tick: at, next: Some(next), task: Box::new(task) }
}

/// What was put is listed, by name or among all, until it is deleted.
pub async fn a_schedule_is_put_listed_and_deleted(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    assert!(list(&kit).await.is_empty());
    let mut record = schedule("0 3 * * *", tick(100));
    record.time_zone = Some("Europe/Berlin".to_owned());
    put(&kit, record).await;
    let listed = list(&kit).await.remove(0);
    assert_eq!((&listed.name, &listed.task, listed.rule.as_str()), (&NIGHTLY, &NAME, "0 3 * * *"));
    assert_eq!((listed.time_zone.as_deref(), listed.params.get()), (Some("Europe/Berlin"), "{}"));
    assert_eq!((listed.paused, listed.last, listed.next), (false, None, Some(tick(100))));
    let by_name = |name| kit.store.schedules(ScheduleCommand::List(Some(name)));
    assert_eq!(by_name(NIGHTLY).await.unwrap().len(), 1);
    assert!(by_name(Name::new("weekly")).await.unwrap().is_empty());
    assert_eq!(kit.store.schedules(ScheduleCommand::Delete(NIGHTLY)).await.unwrap().len(), 1);
    assert!(kit.store.schedules(ScheduleCommand::Delete(NIGHTLY)).await.unwrap().is_empty());
    assert!(list(&kit).await.is_empty());
}

/// Of many that fire one tick, one submits the task; the next tick is written with it.
pub async fn a_tick_fires_once(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    put(&kit, schedule("0 3 * * *", tick(100))).await;
    let (first, second) = (kit.task(), kit.task());
    let ids = [first.id, second.id];
    let fired = kit.store.schedules(fire(tick(100), tick(200), first)).await.unwrap();
    assert_eq!((fired[0].last, fired[0].next), (Some(tick(100)), Some(tick(200))));
    assert!(kit.store.schedules(fire(tick(100), tick(200), second)).await.unwrap().is_empty());
    assert_eq!(kit.status(ids[0]).await, TaskStatus::Pending);
    assert!(kit.find(ids[1]).await.is_none());
    let next = kit.task();
    assert_eq!(kit.store.schedules(fire(tick(200), tick(300), next)).await.unwrap().len(), 1);
    assert_eq!(kit.claim(10).await.len(), 2);
    assert_eq!(list(&kit).await[0].next, Some(tick(300)));
}

/// A new rule brings its own next tick; the same rule keeps the one that is due. Pause and last tick stay in any case.
pub async fn a_changed_rule_changes_the_next_tick_only(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    put(&kit, schedule("0 3 * * *", tick(100))).await;
    kit.store.schedules(fire(tick(100), tick(200), kit.task())).await.unwrap();
    let same = put(&kit, schedule("0 3 * * *", tick(150))).await;
    assert_eq!((same.last, same.next), (Some(tick(100)), Some(tick(200))));
    let pause = ScheduleCommand::Pause { name: NIGHTLY, paused: true, next: None };
    assert!(kit.store.schedules(pause).await.unwrap()[0].paused);
    let changed = put(&kit, schedule("0 4 * * *", tick(150))).await;
    assert_eq!((changed.last, changed.next, changed.paused), (Some(tick(100)), Some(tick(150)), true));
}

/// While it rests nothing fires; it goes on with the tick that the resume gives.
pub async fn a_paused_schedule_does_not_fire(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    put(&kit, schedule("0 3 * * *", tick(100))).await;
    let pause = |paused, next| ScheduleCommand::Pause { name: NIGHTLY, paused, next };
    kit.store.schedules(pause(true, None)).await.unwrap();
    assert!(kit.store.schedules(fire(tick(100), tick(200), kit.task())).await.unwrap().is_empty());
    let resumed = kit.store.schedules(pause(false, Some(tick(500)))).await.unwrap().remove(0);
    assert_eq!((resumed.paused, resumed.next), (false, Some(tick(500))));
    assert!(kit.store.schedules(fire(tick(100), tick(200), kit.task())).await.unwrap().is_empty());
    assert_eq!(kit.store.schedules(fire(tick(500), tick(600), kit.task())).await.unwrap().len(), 1);
    let unknown = ScheduleCommand::Pause { name: Name::new("weekly"), paused: true, next: None };
    assert!(kit.store.schedules(unknown).await.unwrap().is_empty());
}

/// A full queue is an error that trying again can help, and the tick is not lost.
pub async fn a_tick_without_room_stays_due(store: StoreUnderTest) {
    let kit = Kit::new(store).await;
    kit.configure(|it| it.queues.push((QUEUE, QueueSettings::new().max_depth(1)))).await;
    kit.submit(kit.task()).await;
    put(&kit, schedule("0 3 * * *", tick(100))).await;
    let refused = kit.store.schedules(fire(tick(100), tick(200), kit.task())).await.unwrap_err();
    assert!(refused.is_transient());
    assert_eq!(list(&kit).await[0].next, Some(tick(100)));
    kit.claim_one().await;
    assert_eq!(kit.store.schedules(fire(tick(100), tick(200), kit.task())).await.unwrap().len(), 1);
}
