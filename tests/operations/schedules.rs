//! Schedules, in virtual time.

use std::sync::Arc;

use ddd_core::{
    App, BuildError, Clock, Filter, Schedule, SchedulesError, Task, TaskStatus, TaskStore, Timestamp,
    domain::{Options, ScheduleOption},
    ports::Definition,
    task,
    testing::{self, Fault, StoreCall},
};
use ddd_tests::kit::troubled::Troubled;

use crate::support::{ClockFrom, all, builder, builder_with, echo, fail, millis, pass, secs, shared_memory, unhurried};

/// At a quarter past each hour.
#[task(schedule(cron = "15 * * * *"))]
async fn hourly() {}

#[task(schedule(every = "90s"))]
async fn often() {}

#[task(schedule(cron = "30 2 * * *", tz = "Europe/Berlin"))]
async fn nightly() {}

/// When the runs of a definition were submitted, oldest first.
async fn runs(app: &App, name: &str) -> Vec<String> {
    let mut records = all(app, Filter::all().name(name)).await;
    records.reverse();
    records.iter().map(|it| it.created_at.to_string()).collect()
}

fn texts(times: &[&str]) -> Vec<String> {
    times.iter().map(|it| (*it).to_owned()).collect()
}

async fn pass_until(clock: &ClockFrom, at: &str) {
    pass(Timestamp::parse(at).unwrap().since(clock.now())).await;
}

#[tokio::test(start_paused = true)]
async fn annotated_tasks_run_by_themselves() {
    let app = builder_with([hourly::definition(), often::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    pass(secs(3 * 3_600 + 1)).await;
    let expected = ["2026-01-01T00:15:00Z", "2026-01-01T01:15:00Z", "2026-01-01T02:15:00Z"];
    assert_eq!(runs(&app, "hourly").await, texts(&expected));
    let often = all(&app, Filter::all().name("often").status(TaskStatus::Success)).await;
    assert_eq!(often.len(), 120);
    assert!(often.iter().all(|it| it.created_at.as_micros() % 90_000_000 == 0), "at whole multiples of the period");
    assert!(often.iter().all(|it| it.origin().unwrap().schedule.as_deref() == Some("often")));
    let schedule = app.tasks().schedules().get("hourly").await.unwrap();
    assert_eq!((schedule.rule.as_str(), schedule.time_zone.as_deref()), ("15 * * * *", Some("UTC")));
    assert_eq!(schedule.last.unwrap().to_string(), expected[2]);
    assert_eq!(schedule.next.unwrap().to_string(), "2026-01-01T03:15:00Z");
    assert_eq!(app.tasks().schedules().list().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_time_zone_is_followed_over_its_changes() {
    for (from, until, expected) in [
        (
            "2026-03-28T00:00:00Z",
            "2026-03-30T12:00:00Z",
            &["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"][..],
        ),
        ("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
    ] {
        let clock = ClockFrom::new(from);
        let app = builder_with([nightly::definition()]).settings(unhurried()).clock(clock.clone());
        let app = app.build().await.unwrap();
        app.start_workers().await.unwrap();
        pass_until(&clock, until).await;
        assert_eq!(runs(&app, "nightly").await, texts(expected));
        testing::shutdown(&app).await;
    }
}

#[tokio::test(start_paused = true)]
async fn made_changed_paused_run_and_deleted_at_run_time() {
    let app = crate::support::started().await;
    let schedules = app.tasks().schedules();
    let every = |seconds| Schedule::every(secs(seconds)).unwrap();
    let hello = |text: &str| echo { text: text.to_owned() };
    let made = schedules.put("greet", every(60), hello("a")).await.unwrap();
    assert_eq!(made.next.unwrap().to_string(), "2026-01-01T00:01:00Z");
    pass(secs(150)).await;
    assert_eq!(runs(&app, "echo").await, texts(&["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]));

    // Another task under the same rule: its next tick stays.
    let changed = schedules.put("greet", every(60), hello("b")).await.unwrap();
    assert_eq!(
        (changed.next, changed.last),
        (Some(made.next.unwrap().after(secs(120))), Some(made.next.unwrap().after(secs(60))))
    );
    pass(secs(60)).await;
    let newest = &all(&app, Filter::all().name("echo")).await[0];
    assert_eq!(
        (newest.created_at.to_string().as_str(), newest.params.get()),
        ("2026-01-01T00:03:00Z", r#"{"text":"b"}"#)
    );

    // Another rule: counted from now, and taken up at once.
    schedules.put("greet", every(7), hello("c")).await.unwrap();
    pass(secs(8)).await;
    assert_eq!(runs(&app, "echo").await.len(), 4);

    assert!(schedules.pause("greet").await.unwrap().paused);
    pass(secs(600)).await;
    assert_eq!(runs(&app, "echo").await.len(), 4, "a paused schedule rests");
    let now = schedules.run_now("greet").await.unwrap();
    assert_eq!(now.result().await.unwrap(), serde_json::json!("c"));
    assert_eq!(now.record().await.unwrap().unwrap().origin().unwrap().schedule.as_deref(), Some("greet"));
    let resumed = schedules.resume("greet").await.unwrap();
    assert!(!resumed.paused && resumed.next.unwrap() > now.record().await.unwrap().unwrap().created_at);
    pass(secs(8)).await;
    assert_eq!(runs(&app, "echo").await.len(), 6, "what passed meanwhile is not made up for");

    assert_eq!(schedules.delete("greet").await.unwrap().name, "greet");
    pass(secs(100)).await;
    assert_eq!(runs(&app, "echo").await.len(), 6);
    assert!(schedules.list().await.unwrap().is_empty());
    for missing in [
        schedules.get("greet").await.unwrap_err(),
        schedules.pause("greet").await.unwrap_err(),
        schedules.resume("greet").await.unwrap_err(),
        schedules.delete("greet").await.unwrap_err(),
        schedules.run_now("greet").await.unwrap_err(),
    ] {
        assert!(matches!(&missing, SchedulesError::Unknown(it) if it == "greet"), "{missing}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_scheduled_is_refused_at_once() {
    let app = crate::support::started().await;
    let schedules = app.tasks().schedules();
    let rule = || Schedule::every(secs(60)).unwrap();
    let none = serde_json::json!({});
    let unknown = schedules.put_named("x", rule(), "eco", &none).await.unwrap_err();
    assert!(unknown.to_string().contains("did you mean `echo`?"), "{unknown}");
    let params = schedules.put_named("x", rule(), "echo", &serde_json::json!({ "txt": 1 })).await.unwrap_err();
    assert!(matches!(params, SchedulesError::Task(_)), "{params}");
    let name = schedules.put("no name", rule(), echo { text: String::new() }).await.unwrap_err();
    assert!(matches!(name, SchedulesError::InvalidName(_)), "{name}");
    assert!(schedules.list().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn missed_ticks_make_one_run() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (_, store) = shared_memory(&clock);
    let start = async || {
        let app = builder_with([often::definition()]).clock(clock.clone()).shared_store(store.clone());
        let app = app.build().await.unwrap();
        app.start_workers().await.unwrap();
        app
    };
    let first = start().await;
    pass(secs(100)).await;
    assert_eq!(runs(&first, "often").await.len(), 1);
    first.shutdown(secs(1)).await;
    drop(first);
    pass(secs(3_600)).await;
    let second = start().await;
    pass(secs(1)).await;
    assert_eq!(runs(&second, "often").await.len(), 2, "one run for all that was missed, at once");
    pass(secs(180)).await;
    assert_eq!(runs(&second, "often").await.len(), 4, "and then in step again");
}

#[tokio::test(start_paused = true)]
async fn of_several_processes_one_fires_each_tick() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (_, store) = shared_memory(&clock);
    let mut apps = Vec::new();
    for _ in 0..3 {
        let app = builder_with([often::definition()]).clock(clock.clone()).shared_store(store.clone());
        let app = app.build().await.unwrap();
        app.start_workers().await.unwrap();
        apps.push(app);
    }
    pass(secs(90 * 60 + 1)).await;
    assert_eq!(runs(&apps[0], "often").await.len(), 60);
    // One goes; the others go on.
    apps[0].shutdown(secs(1)).await;
    pass(secs(90 * 10)).await;
    assert_eq!(runs(&apps[1], "often").await.len(), 70);
}

#[tokio::test(start_paused = true)]
async fn nothing_fires_after_the_end() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (memory, store) = shared_memory(&clock);
    for is_dropped in [false, true] {
        let app = builder_with([often::definition()]).clock(clock.clone()).shared_store(store.clone());
        let app = app.build().await.unwrap();
        app.start_workers().await.unwrap();
        pass(secs(100)).await;
        if is_dropped {
            drop(app);
        } else {
            app.shutdown(secs(1)).await;
        }
        let before = memory.statistics().await.unwrap().submitted;
        pass(secs(1_000)).await;
        assert_eq!(memory.statistics().await.unwrap().submitted, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tick_that_the_store_did_not_take_is_fired_soon_after() {
    let clock = Arc::new(testing::VirtualClock::start());
    let store = Troubled::new(shared_memory(&clock).0);
    let app = builder().clock(clock.clone()).store(store.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    let schedules = app.tasks().schedules();
    schedules.put("slow", Schedule::every(secs(3_600)).unwrap(), echo { text: "x".into() }).await.unwrap();
    for trouble in [Fault::Fails, Fault::AnswerLost, Fault::Hangs] {
        let before = runs(&app, "echo").await.len();
        let next = schedules.get("slow").await.unwrap().next.unwrap();
        pass(next.since(clock.now()) - secs(10)).await;
        store.plan(move |it| if it == StoreCall::Schedules { trouble } else { Fault::None });
        pass(secs(20)).await;
        store.calm();
        pass(secs(10)).await;
        assert_eq!(runs(&app, "echo").await.len(), before + 1, "{trouble:?}");
        let schedule = schedules.get("slow").await.unwrap();
        assert_eq!(schedule.last.unwrap().as_micros() % 3_600_000_000, 0);
    }
}

/// A definition whose rule is wrong, such as one whose file came from an older version of the attribute.
fn with_schedule(option: ScheduleOption) -> &'static Definition {
    let plain = fail::definition();
    Box::leak(Box::new(Definition::new(
        "misfit",
        "",
        ("m", "src/misfit.rs", 42),
        Options::DEFAULT.schedule(option),
        plain.body,
        plain.check,
        plain.schemas,
        &[],
        &[],
    )))
}

#[tokio::test(start_paused = true)]
async fn rules_of_attributes_are_checked_at_the_start() {
    for (option, hint) in [
        (ScheduleOption::Cron { expression: "61 * * * *", time_zone: "UTC" }, "61 * * * *"),
        (ScheduleOption::Cron { expression: "* * * * *", time_zone: "Nowhere" }, "`Nowhere` is no time zone"),
        (ScheduleOption::Every(millis(5)), "at least 1s"),
    ] {
        let error = builder_with([with_schedule(option)]).build().await.unwrap_err();
        let BuildError::Wiring(problems) = &error else { panic!("{error}") };
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("src/misfit.rs:42") && problems[0].contains("`misfit`"), "{problems:?}");
        assert!(problems[0].contains(hint), "{problems:?}");
    }
}
