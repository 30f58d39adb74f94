//! The scenes over PostgreSQL.

use std::time::Duration;

use ddd_core::App;

use crate::{
    dropped::bombard,
    is_nightly,
    kills::{self, kills},
    locked::locked,
    node,
    poison::poisoned,
    reaper::many_before_few,
    scene::Scene,
    stopped::stopped,
    submitters::submitters,
    tell,
    ticks::{Size, ticks},
    versions::versions,
};

fn scene(name: &str) -> Scene {
    Scene::new(name).on_postgres()
}

#[tokio::test]
async fn workers_are_killed_and_nothing_is_lost() {
    let (tasks, deaths) = if is_nightly() { (100_000, 200) } else { (5_000, 10) };
    // The server takes its part of the machine: a worker that waits for the processor is not to be taken for a dead one.
    let mut scene = scene("pg_kills").with_lease(4_000);
    tell("kills, PostgreSQL", kills(&mut scene, &kills::Size { tasks, kills: deaths, workers: 4, most: 40 }).await);
}

#[tokio::test]
async fn workers_that_hear_nothing_find_all() {
    let size = kills::Size { tasks: 1_000, kills: 2, workers: 2, most: 20 };
    tell("deaf, PostgreSQL", kills(&mut scene("pg_deaf").with_lease(4_000).deaf(), &size).await);
}

#[tokio::test]
async fn submitters_are_killed_and_every_submission_is_there_or_unacknowledged() {
    let kills = if is_nightly() { 200 } else { 10 };
    tell("submitters one by one, PostgreSQL", submitters(&mut scene("pg_single"), kills, 1).await);
    tell("submitters in batches, PostgreSQL", submitters(&mut scene("pg_batches"), kills / 2, 100).await);
}

#[tokio::test]
async fn a_worker_that_was_stopped_for_three_leases_is_not_believed() {
    let rounds = if is_nightly() { 50 } else { 3 };
    tell("stopped, PostgreSQL", stopped(&mut scene("pg_stopped").with_lease(800), rounds).await);
}

#[tokio::test]
async fn a_body_that_ends_its_process_is_failed_and_its_neighbours_finish() {
    tell("poison, PostgreSQL", poisoned(&mut scene("pg_poison").with_lease(1_000), 500).await);
}

#[tokio::test]
async fn a_table_that_is_locked_for_two_leases_costs_no_life() {
    tell("locked, PostgreSQL", locked(&mut scene("pg_locked")).await);
}

/// Ticks are counted on the accelerated clock of the processes, and fired by the server, whose time goes by as ever.
#[tokio::test]
async fn ticks_fire_once_whoever_dies() {
    // The server and three processes share a machine with all other scenes: it is about ticks that fire twice.
    let size = match is_nightly() {
        true => Size { ticks: 1_000, kills: 20, speed: 5, merged: 100 },
        false => Size { ticks: 150, kills: 5, speed: 8, merged: 75 },
    };
    let mut scene = scene("pg_ticks").alone();
    // A call has as much time as it needs, on that clock.
    scene.options.store.push_str("&statement_timeout_ms=1000000");
    tell("ticks, PostgreSQL", ticks(&mut scene, &size).await);
}

#[tokio::test]
async fn ten_dead_ones_are_found_behind_ten_thousand_that_live() {
    tell("reaper, PostgreSQL", many_before_few(&mut scene("pg_reaper"), 10_000).await);
}

#[tokio::test]
async fn two_deployments_stand_beside_each_other() {
    tell("versions, PostgreSQL", versions(&mut scene("pg_versions")).await);
}

/// With one connection for all calls: whatever a dropped call left behind would be met by the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_may_be_dropped_at_each_poll_with_one_connection() {
    let mut scene = scene("pg_dropped");
    scene.options.store = scene.options.store.replace("connections=4", "connections=1");
    let app = node::builder(&scene.options, App::builder()).await.unwrap().start().await.unwrap();
    tell("dropped, PostgreSQL", bombard(&app).await);
    app.shutdown(Duration::from_secs(5)).await;
}
