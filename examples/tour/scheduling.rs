//! Tasks that run by themselves.

use std::time::Duration;

use ddd_core::{Schedule, ScheduleRecord, TaskStatus, Timestamp, task};

use crate::{Outcome, builder, start};

/// Collects what happened at night.
#[task(schedule(cron = "0 3 * * *", tz = "Europe/Berlin"))]
async fn collect() {}

/// Looks around.
#[task]
async fn look(place: String) -> Result<String, String> {
    Ok(format!("looked at the {place}"))
}

/// The rule of a schedule, as people say it.
fn in_words(schedule: &ScheduleRecord) -> String {
    match &schedule.time_zone {
        Some(zone) => format!("{} in {zone}", schedule.rule),
        None => schedule.rule.clone(),
    }
}

pub async fn show() -> Outcome {
    section!("Schedules, in the attribute and made at run time");
    let app = start(builder()).await?;
    let schedules = app.tasks().schedules();
    let mut transitions = app.tasks().transitions();
    schedules.put("sky", Schedule::every(Duration::from_secs(1))?, look { place: "sky".to_owned() }).await?;
    for it in schedules.list().await? {
        let next = it.next.map_or_else(|| "never".to_owned(), |it| it.to_string());
        say!("{:<8} {:<26} next {next}", it.name, in_words(&it));
    }
    let ticked = loop {
        let transition = transitions.next().await?;
        if transition.to == TaskStatus::Success {
            break transition;
        }
    };
    let record = app.tasks().get(ticked.id).await?.ok_or("its record is gone")?;
    let origin = record.origin().and_then(|it| it.schedule.clone()).ok_or("it has no origin")?;
    say!("a tick of `{origin}`: {}", record.result.as_ref().map_or("null", |it| it.get()));
    say!("paused: {}", schedules.pause("sky").await?.paused);
    say!("run at once all the same: {}", schedules.run_now("sky").await?.result().await?);

    section!("Cron is computed in its time zone");
    let nightly = Schedule::cron("30 2 * * *", "Europe/Berlin")?;
    let mut at = Timestamp::parse("2026-03-27T12:00:00Z")?;
    for _ in 0..3 {
        at = nightly.next_after(at).ok_or("no tick")?;
        say!("30 2 * * * in Berlin: {at}");
    }
    for (rule, zone) in [("30 2 * *", "UTC"), ("30 2 * * *", "Berlin")] {
        if let Err(error) = Schedule::cron(rule, zone) {
            say!("refused: {error}");
        }
    }
    Ok(())
}
