//! The chaos harness: real processes over a real store, killed, stopped, locked out and left without room. A ledger outside of
//! the store tells what they did.
//!
//! It is written for any store, and runs over files of SQLite and over PostgreSQL: `DDD_CHAOS_STORE` names another one by its URL, in which `{scene}` becomes a name of each scene's own.
//! `DDD_NIGHTLY` runs the long forms.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "figures are printed")]

mod checker;
mod dropped;
mod full;
mod kills;
mod ledger;
mod locked;
mod mistakes;
mod node;
mod on_postgres;
mod options;
mod overrides;
mod poison;
mod reaper;
mod scene;
mod stopped;
mod submitters;
mod tasks;
mod ticks;
mod versions;

use std::{fmt::Debug, sync::Arc, time::Duration};

use ddd_core::{
    App, MemoryStore,
    testing::{Fault, FaultyStore},
};

use crate::{kills::Size, scene::Scene, tasks::Ledger};

fn is_nightly() -> bool {
    std::env::var_os("DDD_NIGHTLY").is_some()
}

/// Prints what a scene found; fails if it found that something does not hold.
fn tell(scene: &str, outcome: Result<impl Debug, String>) {
    match outcome {
        Ok(figures) => println!("{scene}: {figures:?}"),
        Err(problem) => panic!("{scene}: {problem}"),
    }
}

#[tokio::test]
async fn workers_are_killed_and_nothing_is_lost() {
    let mut scene = Scene::new("kills");
    let (tasks, kills) = if is_nightly() { (100_000, 200) } else { (20_000, 40) };
    tell("kills", kills::kills(&mut scene, &Size { tasks, kills, workers: 4, most: 40 }).await);
}

#[tokio::test]
async fn workers_that_hear_nothing_find_all() {
    let size = Size { tasks: 2_000, kills: 4, workers: 2, most: 20 };
    tell("deaf", kills::kills(&mut Scene::new("deaf").deaf(), &size).await);
}

#[tokio::test]
async fn submitters_are_killed_and_every_submission_is_there_or_unacknowledged() {
    let kills = if is_nightly() { 200 } else { 20 };
    tell("submitters, one by one", submitters::submitters(&mut Scene::new("single"), kills, 1).await);
    tell("submitters, in batches", submitters::submitters(&mut Scene::new("batches"), kills / 2, 100).await);
}

#[tokio::test]
async fn a_worker_that_was_stopped_for_three_leases_is_not_believed() {
    let rounds = if is_nightly() { 50 } else { 5 };
    tell("stopped", stopped::stopped(&mut Scene::new("stopped").with_lease(800), rounds).await);
}

#[tokio::test]
async fn a_body_that_ends_its_process_is_failed_and_its_neighbours_finish() {
    tell("poison", poison::poisoned(&mut Scene::new("poison").with_lease(1_000), 1_000).await);
}

#[tokio::test]
async fn a_store_that_is_locked_for_two_leases_costs_no_life() {
    tell("locked", locked::locked(&mut Scene::new("locked")).await);
}

#[tokio::test]
async fn two_deployments_stand_beside_each_other() {
    tell("versions", versions::versions(&mut Scene::new("versions")).await);
}

#[tokio::test]
async fn ticks_fire_once_whoever_dies() {
    // At such a speed, merged ticks are for a machine to have little time.
    let (speed, merged) = if is_nightly() { (5, 0) } else { (25, 50) };
    let size = ticks::Size { ticks: 1_000, kills: 20, speed, merged };
    tell("ticks", ticks::ticks(&mut Scene::new("ticks").alone(), &size).await);
}

#[tokio::test]
async fn what_configuration_overrides_reaches_every_process() {
    tell("overrides", overrides::overridden(&mut Scene::new("overrides")).await);
}

#[tokio::test]
async fn ten_dead_ones_are_found_behind_ten_thousand_that_live() {
    tell("reaper", reaper::many_before_few(&mut Scene::new("reaper"), 10_000).await);
}

#[test]
fn a_full_disk_acknowledges_nothing_and_loses_nothing() {
    match full::on_a_small_disk("on_a_small_disk") {
        Ok(true) => {}
        Ok(false) => eprintln!("NOT CHECKED: a full disk; this system gives no namespace to mount a small one in"),
        Err(problem) => panic!("{problem}"),
    }
}

/// What the test before this one starts.
#[tokio::test]
#[ignore = "needs a small disk; another test makes one and runs this there"]
async fn on_a_small_disk() {
    if std::env::var_os("DDD_CHAOS_DISK").is_some() {
        tell("a full disk", full::full().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_may_be_dropped_at_each_poll_over_a_durable_store() {
    let scene = Scene::new("dropped");
    let app = node::builder(&scene.options, App::builder()).await.unwrap().start().await.unwrap();
    tell("dropped", dropped::bombard(&app).await);
    app.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_may_be_dropped_at_each_poll_over_a_slow_store() {
    let scene = Scene::new("dropped_slow");
    let store = FaultyStore::new(Arc::new(MemoryStore::new()));
    store.plan(|_| Fault::LateAnswer(Duration::from_millis(2)));
    let ledger = Ledger::open(&scene.options.ledger).unwrap();
    let app = App::builder().store(store).definitions(tasks::definitions(1)).provide(ledger).start().await.unwrap();
    tell("dropped, over a slow store", dropped::bombard(&app).await);
    app.shutdown(Duration::from_secs(5)).await;
}
