//! The harness finds what it is there for: with each of these mistakes of a store, made in the workers, a scene must fail.

use std::time::Duration;

use ddd_tests::kit::bugs::Bug;

use crate::{
    kills::{Size, kills},
    scene::Scene,
    stopped::stopped,
    submitters::submitters,
    ticks::{self, ticks},
};

fn scene(name: &str, bug: Bug) -> Scene {
    let mut scene = Scene::new(name).with_bug(Some(bug)).with_lease(1_000);
    scene.patience = Duration::from_secs(8);
    scene
}

/// Asserts that a scene found something, and that it is what the mistake leads to.
fn found(bug: Bug, outcome: Result<impl std::fmt::Debug, String>, expected: &[&str]) {
    let problem = match outcome {
        Ok(figures) => panic!("{bug:?} was not found: {figures:?}"),
        Err(problem) => problem,
    };
    assert!(expected.iter().any(|it| problem.contains(it)), "{bug:?} was found by something else: {problem}");
    println!("{bug:?} is found: {problem}");
}

#[tokio::test]
async fn an_unfenced_end_is_found() {
    let bug = Bug::UnfencedFinish;
    found(bug, stopped(&mut scene("unfenced", bug).with_lease(800), 3).await, &["a stale write", "no body says so"]);
}

#[tokio::test]
async fn an_acknowledgement_before_storing_is_found() {
    let bug = Bug::AcknowledgedBeforeStored;
    found(bug, submitters(&mut scene("unstored", bug), 5, 1).await, &["was acknowledged as"]);
}

#[tokio::test]
async fn a_store_without_a_reaper_is_found() {
    let bug = Bug::NoReaper;
    let size = Size { tasks: 400, kills: 2, workers: 2, most: 40 };
    found(bug, kills(&mut scene("unreaped", bug), &size).await, &["not all has ended"]);
}

#[tokio::test]
async fn a_store_that_only_wakes_is_found() {
    let bug = Bug::WakeUpsOnly;
    let size = Size { tasks: 400, kills: 2, workers: 2, most: 40 };
    found(bug, kills(&mut scene("wakeups", bug).deaf(), &size).await, &["not all has ended", "did not come"]);
}

#[tokio::test]
async fn a_task_handed_out_twice_is_found() {
    let bug = Bug::ClaimedTwice;
    let size = Size { tasks: 400, kills: 0, workers: 2, most: 40 };
    found(bug, kills(&mut scene("twice", bug), &size).await, &["started twice under fence"]);
}

#[tokio::test]
async fn leases_that_are_not_renewed_are_found() {
    let bug = Bug::LeaseNotRenewed;
    let size = Size { tasks: 6, kills: 0, workers: 2, most: 3_000 };
    let mut scene = scene("unrenewed", bug);
    scene.patience = Duration::from_secs(30);
    found(bug, kills(&mut scene, &size).await, &["nobody who held it died", "ended as failed"]);
}

#[tokio::test]
async fn a_tick_for_everyone_is_found() {
    const TICKS: ticks::Size = ticks::Size { ticks: 40, kills: 2, speed: 20, merged: 2 };
    let bug = Bug::TickForEveryone;
    found(bug, ticks(&mut scene("everyone", bug), &TICKS).await, &["fired twice"]);
}
