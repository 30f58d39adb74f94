//! Figures about tasks, exact where the times are known.

use ddd_core::{Priority, Retry, Task, TaskOverrides, TaskStatus, domain::Durations};

use crate::support::{builder, echo, fail, millis, nap, pass, secs, started};

#[tokio::test(start_paused = true)]
async fn totals_times_and_shares() {
    let retry = Retry::attempts(3).jitter(false).delay(millis(100)).backoff(1.0);
    let app = builder().override_task("fail", TaskOverrides::new().retry(retry)).slots(64).build().await.unwrap();
    app.start_workers().await.unwrap();
    let empty = app.tasks().statistics().await.unwrap();
    assert_eq!((empty.success_rate, empty.throughput, empty.run_time), (None, 0.0, Durations::default()));
    for number in 1..=20 {
        app.submit(nap { millis: 10 * number }).priority(Priority::clamped(4)).await.unwrap();
    }
    app.tasks().wait_idle().await.unwrap();
    let figures = app.tasks().statistics().await.unwrap();
    let times = figures.run_time;
    assert_eq!((times.count, times.mean, times.median), (20, millis(105), millis(100)));
    assert_eq!((times.p95, times.max), (millis(190), millis(200)));
    assert_eq!(figures.tasks["nap"].run_time, times);
    assert_eq!((figures.wait_time.count, figures.wait_time.max), (20, millis(0)));

    let failing = app.submit(fail { millis: 1_000 }).await.unwrap();
    assert!(failing.result().await.is_err());
    let delayed = app.submit(echo { text: String::new() }).delay(secs(60)).queue("side").await.unwrap();
    delayed.cancel().await.unwrap();
    app.submit(nap { millis: 0 }).delay(secs(60)).await.unwrap();
    let late = app.submit(nap { millis: 50 }).timeout(millis(20)).await.unwrap();
    assert!(late.result().await.is_err());
    let figures = app.tasks().statistics().await.unwrap();
    assert_eq!((figures.submitted, figures.started, figures.retried), (24, 24, 2));
    let of = |status| (figures.now.get(status), figures.finished.get(status), figures.last_24h.get(status));
    assert_eq!(of(TaskStatus::Success), (20, 20, 20));
    assert_eq!(of(TaskStatus::Failed), (1, 1, 1));
    assert_eq!(of(TaskStatus::Cancelled), (1, 1, 1));
    assert_eq!(of(TaskStatus::Timeout), (1, 1, 1));
    assert_eq!(figures.now.get(TaskStatus::Delayed), 1);
    assert_eq!(figures.success_rate, Some(20.0 / 23.0));
    assert!((figures.throughput - 23.0 / 60.0).abs() < 1e-9, "{}", figures.throughput);
    let fails = &figures.tasks["fail"];
    assert_eq!((fails.submitted, fails.retried, fails.finished.total(), fails.now.total()), (1, 2, 1, 1));
    assert_eq!((fails.run_time.count, fails.run_time.median), (1, secs(1)), "the last attempt's");
    assert_eq!(figures.tasks["echo"].run_time.count, 0, "what never began took no time");
    assert_eq!((figures.priorities[&4].total(), figures.priorities[&0].total()), (20, 4));
    assert_eq!(figures.queues["side"].get(TaskStatus::Cancelled), 1);
    assert_eq!(figures.queues["faults"].get(TaskStatus::Failed), 1);
    assert!(figures.tasks.values().map(|it| it.finished.total()).sum::<u64>() == figures.finished.total());
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_slot_is_seen_in_the_waiting_times() {
    let app = builder().slots(1).build().await.unwrap();
    app.start_workers().await.unwrap();
    for _ in 0..4 {
        app.submit(nap { millis: 100 }).await.unwrap();
    }
    app.tasks().wait_idle().await.unwrap();
    let waits = app.tasks().statistics().await.unwrap().wait_time;
    assert_eq!((waits.count, waits.mean, waits.median, waits.max), (4, millis(150), millis(100), millis(300)));
}

#[tokio::test(start_paused = true)]
async fn the_last_day_slides() {
    let app = builder().settings(crate::support::unhurried()).build().await.unwrap();
    app.start_workers().await.unwrap();
    let run = async |count: u64| {
        for _ in 0..count {
            app.submit(nap { millis: 0 }).await.unwrap();
        }
        app.tasks().wait_idle().await.unwrap();
    };
    run(5).await;
    pass(secs(12 * 3_600)).await;
    run(3).await;
    let last_day = async || app.tasks().statistics().await.unwrap().last_24h.get(TaskStatus::Success);
    assert_eq!(last_day().await, 8);
    pass(secs(11 * 3_600 + 3_480)).await;
    assert_eq!(last_day().await, 8, "two minutes before a day has passed");
    pass(secs(240)).await;
    assert_eq!(last_day().await, 3, "two minutes after");
    pass(secs(12 * 3_600)).await;
    assert_eq!(last_day().await, 0);
    let statistics = app.tasks().statistics().await.unwrap();
    assert_eq!((statistics.finished.total(), statistics.throughput), (8, 0.0));
}

#[tokio::test(start_paused = true)]
async fn figures_are_data() {
    let app = started().await;
    app.submit(nap { millis: 5 }).await.unwrap().result().await.unwrap();
    let statistics = app.tasks().statistics().await.unwrap();
    let json = serde_json::to_value(&statistics).unwrap();
    assert_eq!(json["now"]["success"], 1);
    assert_eq!(json["tasks"]["nap"]["finished"]["success"], 1);
    assert_eq!(serde_json::from_value::<ddd_core::Statistics>(json).unwrap(), statistics);
    assert_eq!(nap::definition().name, "nap");
}
